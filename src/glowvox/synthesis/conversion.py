"""Voice conversion: a recording of one speaker of a model, in the voice of another (Glow-TTS, section 5.3).

The flow takes the recording to a latent from which the speaker has gone, and back as somebody else. Every frame stays
where it is. With the text, the latent is also compared with what the model expects there: `residual` below 1 moves
it towards that, which takes away what the flow left of the first speaker, and of the intonation.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.loudness import active_speech_level
from glowvox.audio.pitch import LOG_PITCH_STD, harmonic_features
from glowvox.audio.sound import Audio
from glowvox.errors import ConfigError, VoiceError
from glowvox.synthesis.aligner import Aligner, ReadText, TextOptions
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.vocoder import Vocoder
from glowvox.synthesis.voice_card import check_contracts


@dataclass(frozen=True, eq=False)
class Converted:
    """A converted recording, and who it sounds like before and after."""

    audio: Audio
    """At the vocoder's rate and the recording's level; the words with the times that they had and have."""
    source: str
    """Who was taken to speak."""
    before: dict[str, float]
    """log p(mel | text, speaker) of the recording, nats per frame, by the speakers' names."""
    after: dict[str, float]
    """The same of the result, analysed again."""


class VoiceConverter:
    """Converts between the speakers of one model."""

    def __init__(self, aligner: Aligner, vocoder: Vocoder) -> None:
        """Take the model and what speaks its mels.

        Raises:
            VoiceError: the model has one speaker, or the vocoder another mel contract that cannot be converted to.
        """
        if len(aligner.speakers) < 2:
            raise VoiceError("voice conversion needs a model of several speakers; this one has one")
        self._aligner = aligner
        self._vocoder = vocoder
        self._scale, self._shift = check_contracts(aligner.engine.audio, vocoder.engine.audio)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names of those who can be converted from and to."""
        return self._aligner.speakers

    def convert(
        self,
        samples: NDArray[np.floating],
        sample_rate: int,
        text: str,
        *,
        target: str,
        source: str | None = None,
        residual: float = 1.0,
        language: str | None = None,
        options: VocoderOptions | None = None,
    ) -> Converted:
        """Return a recording in another speaker's voice, with its own timing.

        Args:
            samples: the recording [S], full scale 1.
            sample_rate: in Hz.
            text: what is said in it.
            target: the speaker who shall seem to speak.
            source: the speaker who speaks; None: the one under whom the recording is most likely.
            residual: how much of what distinguishes the recording from the model's expectation is kept, 0 to 1.
            language: of the text; None: the source speaker's, else the model's usual one.
            options: of the vocoder.

        Raises:
            VoiceError: no such speaker or language.
            ConfigError: the residual lies outside 0 to 1.
            TextError, AudioError: see `Aligner.align`.
        """
        if not 0.0 <= residual <= 1.0:
            raise ConfigError(f"the residual must lie between 0 and 1, got {residual}")
        aligner = self._aligner
        goal = aligner.reader.speaker_number(target)
        if source is not None:
            aligner.reader.speaker_number(source)
        # The text is read as its language is, whoever speaks: only the voice shall differ.
        language = language or aligner.reader.language_of(source)
        mel = aligner.mel(samples, sample_rate)
        before = self.likelihoods(mel, text, language)
        who = source or max(before, key=before.__getitem__)
        reading: TextOptions = {"speaker": who, "language": language, "on_warning": _silent}
        read = aligner.reader.read(text, **reading)
        heard = aligner.hear(mel, speaker=who)
        alignment = aligner.lay(read, heard, duration=len(samples) / sample_rate)
        frames = alignment.frames.copy()
        frames[-1] -= heard.n_frames - heard.latent.shape[1]
        expected = np.repeat(read.mean, frames, axis=1)
        latent = (expected + residual * (heard.latent - expected)).astype(np.float32)
        engine = aligner.engine
        harmonics = None
        if heard.pitch is not None:
            wished = aligner.reader.read(text, speaker=target, language=language, on_warning=_silent)
            harmonics = harmonic_features((heard.pitch * _pitch_ratio(read, wished, frames))[None], engine.audio)
        made = engine.decode(latent[None], np.array([latent.shape[1]]), np.array([goal]), harmonics)[0]
        spoken = self._vocoder(made * self._scale + self._shift, options or VocoderOptions())
        rate = self._vocoder.engine.audio.sample_rate
        whole = _fitted(spoken, math.ceil(len(samples) * rate / sample_rate))
        return Converted(
            audio=Audio(_at_level(whole, rate, samples, sample_rate), rate, alignment.words),
            source=who,
            before=before,
            after=self.likelihoods(aligner.mel(whole, rate), text, language),
        )

    def likelihoods(self, mel: NDArray[np.float32], text: str, language: str | None = None) -> dict[str, float]:
        """Return log p(mel | text, speaker) per frame, nats, under each speaker of the model.

        Args:
            mel: [M, T], see `Aligner.mel`.
            text: what is said.
            language: of the text; None: the model's usual one.

        Raises:
            TextError, AudioError, VoiceError: see `Aligner.align`.
        """
        aligner = self._aligner
        found: dict[str, float] = {}
        language = language or aligner.reader.language_of(None)
        for name in self.speakers:
            read = aligner.reader.read(text, speaker=name, language=language, on_warning=_silent)
            found[name] = aligner.lay(read, aligner.hear(mel, speaker=name)).nats_per_frame
        return found


def report(converted: Converted, target: str) -> dict[str, Any]:
    """Return what a conversion did to the likelihoods, as plain values: nats per frame, target against source."""
    source = converted.source
    return {
        "source": source,
        "target": target,
        "before": converted.before,
        "after": converted.after,
        "target_over_source_before": converted.before[target] - converted.before[source],
        "target_over_source_after": converted.after[target] - converted.after[source],
    }


def _pitch_ratio(source: ReadText, target: ReadText, frames: NDArray[np.int64]) -> float:
    """Return how much higher the target speaks than the source, by what the model expects of both in this text."""
    assert source.melody is not None
    assert target.melody is not None
    weights = frames * (source.melody[1] > 0)
    difference = float(((target.melody[0] - source.melody[0]) * weights).sum() / max(int(weights.sum()), 1))
    return math.exp(LOG_PITCH_STD * difference)


def _fitted(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Return samples of a length: the frames are whole, the recording need not be."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


def _at_level(
    made: NDArray[np.float32], rate: int, samples: NDArray[np.floating], sample_rate: int
) -> NDArray[np.float32]:
    """Give the result the level of the recording's speech."""
    wished, own = active_speech_level(samples, sample_rate), active_speech_level(made, rate)
    if not math.isfinite(wished) or not math.isfinite(own):
        return made
    return made * np.float32(10.0 ** ((wished - own) / 20.0))


def _silent(message: str) -> None:
    """Leave out warnings: each text is read several times here."""
