"""Forced alignment: when the words of a text are said in a recording, by the acoustic model's likelihood.

`Aligner` is the whole interface: samples and a text in, words with times out. It needs a model whose flow runs
forwards (`AnalysisEngine`); `load_aligner` opens the one of a voice. Calls may come from several threads at once.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.checks import checked_rate, checked_samples
from glowvox.audio.loudness import normalise_loudness
from glowvox.audio.mel import MelTransform, checked_mel
from glowvox.audio.resample import resample
from glowvox.audio.sound import TimedWord
from glowvox.engines.analysis import AnalysisEngine
from glowvox.errors import AudioError, MissingExtraError, VoiceError
from glowvox.synthesis.installed_voices import find_voice
from glowvox.synthesis.monotonic_path import most_likely_frames, path_nats
from glowvox.synthesis.opened_voice import opened_folder
from glowvox.synthesis.recording import TRAINING_LEVEL_DB
from glowvox.synthesis.spoken_times import Clock, timed_words
from glowvox.synthesis.text_reading import ReadText, TextOptions, TextReader, TextSide
from glowvox.synthesis.timestamps.timeline import Timeline
from glowvox.synthesis.voice_card import read_voice_card

_ACOUSTIC = "acoustic/model.safetensors"


@dataclass(frozen=True, eq=False)
class Alignment:
    """A recording with its text laid over it."""

    words: tuple[TimedWord, ...]
    """The words as written, with their phonemes; seconds."""
    duration: float
    """Seconds of the recording."""
    frame_nats: NDArray[np.float64]
    """[T], log-likelihood of each frame's latent under its token."""
    log_det: float
    """Log-determinant of the map from mel to latent, nats; with the sum of `frame_nats` it is log p(mel | text)."""
    frames: NDArray[np.int64]
    """[L], how many frames each token lasts."""
    expected_frames: NDArray[np.float64]
    """[L], how many the duration predictor gives it."""

    @property
    def log_likelihood(self) -> float:
        """log p(mel | text) on the most likely path, nats."""
        return float(self.frame_nats.sum()) + self.log_det

    @property
    def nats_per_frame(self) -> float:
        """The log-likelihood per mel frame, by which utterances of different lengths can be compared."""
        return self.log_likelihood / len(self.frame_nats)

    @property
    def timeline(self) -> Timeline:
        """What `write_timestamps` takes."""
        return Timeline(self.words, (), self.duration)


@dataclass(frozen=True, eq=False)
class Heard:
    """A recording as the flow sees it."""

    latent: NDArray[np.float32]
    """[M, T], T a multiple of the decoder's squeeze."""
    log_det: float
    """Log-determinant of the map from mel to latent, nats."""
    n_frames: int
    """Frames of the mel, of which those that fill no step of the decoder were cut off."""
    pitch: NDArray[np.float32] | None
    """[T] Hz, 0 where unvoiced; None where the model has no melody."""


class Aligner:
    """Lays texts over recordings."""

    def __init__(self, engine: AnalysisEngine, text: TextSide) -> None:
        """Take a model and its text side; `load_aligner` finds both.

        Raises:
            TextError: the tokenizer is damaged or not the model's.
            VoiceError: the model has another number of speakers.
        """
        self.engine = engine
        self.reader = TextReader(engine, text)
        self._transform = MelTransform(engine.audio)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names of the model's speakers; the first is taken where none is named."""
        return self.reader.side.speakers

    @property
    def languages(self) -> tuple[str, ...]:
        """Language tags of the texts that it reads."""
        return self.reader.languages

    def align(
        self, samples: NDArray[np.floating], sample_rate: int, text: str, **options: Unpack[TextOptions]
    ) -> Alignment:
        """Return when the words and phonemes of a text are said.

        Args:
            samples: the recording [S], full scale 1, any level.
            sample_rate: in Hz, any.
            text: what is said in it, all of it.
            **options: speaker (who of the model's speakers it is like; the first), language (of the text; the
                speaker's), on_warning (told of every word or sign that was guessed, replaced or left out).

        Raises:
            TextError: the text holds no word.
            AudioError: the recording is empty, silent, not finite, or too short or too long for its text.
            VoiceError: no such speaker or language.
        """
        read = self.reader.read(text, **options)
        heard = self.hear(self.mel(samples, sample_rate), speaker=options.get("speaker"))
        return self.lay(read, heard, duration=len(samples) / sample_rate)

    def mel(self, samples: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """Return the mel [M, T] of a recording at the level that the model was trained with.

        Raises:
            AudioError: the recording is empty, silent, not finite or shorter than a window of the analysis.
        """
        config = self.engine.audio
        signal = resample(checked_samples(samples), checked_rate(sample_rate), config.sample_rate)
        if not signal.any():
            raise AudioError("the recording is silent")
        levelled, _ = normalise_loudness(signal, config.sample_rate, TRAINING_LEVEL_DB)
        mel = self._transform(levelled)
        # The last centred frame lies on the end, beyond the last sample; training data is without it.
        return mel[:, : max(1, len(levelled) // config.hop_length)]

    def hear(self, mel: NDArray[np.float32], *, speaker: str | None = None) -> Heard:
        """Return what the flow makes of a mel [M, T] of the model's contract.

        Raises:
            MelError: the mel does not fit the contract.
            AudioError: it is shorter than a step of the decoder.
            VoiceError: no such speaker.
        """
        values = checked_mel(mel, self.engine.audio).astype(np.float32, copy=False)
        number, length = self.reader.speaker_number(speaker), values.shape[1]
        if length < self.engine.n_squeeze:
            raise AudioError(f"the recording has {length} mel frames, too few for any text")
        who = None if number is None else np.array([number])
        analysed = self.engine.analyse(values[None], np.array([length]), who)
        pitch = None if analysed.pitch is None else analysed.pitch[0]
        return Heard(analysed.latent[0], float(analysed.log_det[0]), length, pitch)

    def lay(self, read: ReadText, heard: Heard, *, duration: float | None = None) -> Alignment:
        """Lay a text over a recording on the most likely path.

        Args:
            read: the text.
            heard: the recording.
            duration: of the recording in seconds; None: that of its frames.

        Raises:
            AudioError: the recording is too short or too long for its text.
        """
        frames = most_likely_frames(heard.latent, read.mean, read.log_std)
        # A frame that the decoder leaves over sounds like the one before it.
        whole = frames.copy()
        whole[-1] += heard.n_frames - heard.latent.shape[1]
        rate = self.engine.audio.frame_rate
        seconds = heard.n_frames / rate if duration is None else duration
        return Alignment(
            words=_words(read, whole, rate, seconds),
            duration=seconds,
            frame_nats=path_nats(heard.latent, read.mean, read.log_std, frames),
            log_det=heard.log_det,
            frames=whole,
            expected_frames=read.expected_frames,
        )


def load_aligner(
    name_or_path: str | os.PathLike[str] | None = None, *, threads: int | None = None, device: str = "cpu"
) -> Aligner:
    """Return the aligner of a voice, which must hold its acoustic model for PyTorch (`acoustic/model.safetensors`).

    Args:
        name_or_path: see `load_voice`.
        threads: CPU threads, for all of PyTorch in this process; None: as they are.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        VoiceError: there is no such voice, it is damaged, or it came without its acoustic model.
        MissingExtraError: PyTorch is not installed.
        CheckpointError, EngineError: the model cannot be run.
    """
    with opened_folder(find_voice(name_or_path)) as folder:
        card = read_voice_card(folder)
        if not (folder / _ACOUSTIC).is_file():
            raise VoiceError(
                f"the voice {card.name} came without {_ACOUSTIC}, the model that aligns; name a voice that holds it, a "
                "model folder or a training run"
            )
        try:
            from glowvox.engines.torch_acoustic import TorchAcoustic
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingExtraError("torch", "train", "aligning a recording") from error
        engine = TorchAcoustic.load(folder / "acoustic", threads=threads, device=device)
    return Aligner(
        engine, TextSide(card.tokenizer, card.front_ends, card.speakers, card.speaker_languages, card.language)
    )


def _words(read: ReadText, frames: NDArray[np.int64], rate: float, duration: float) -> tuple[TimedWord, ...]:
    words: list[TimedWord] = []
    token = passed = 0
    for request in read.requests:
        own = frames[token : token + len(request.tokens)]
        words.extend(timed_words(request.sentence, request.tokens, own, Clock(passed / rate, rate)))
        token, passed = token + len(own), passed + int(own.sum())
    return _within(words, duration)


def _within(words: Sequence[TimedWord], duration: float) -> tuple[TimedWord, ...]:
    """Let nothing end after the recording, whose last frame may reach beyond it."""

    def cut(word: TimedWord) -> TimedWord:
        if word.end <= duration:
            return word
        phonemes = tuple(
            replace(phone, start=min(phone.start, duration), end=min(phone.end, duration)) for phone in word.phonemes
        )
        return replace(word, start=min(word.start, duration), end=duration, phonemes=phonemes)

    return tuple(cut(word) for word in words)
