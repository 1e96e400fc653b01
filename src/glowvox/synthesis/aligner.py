"""Forced alignment: when the words of a text are said in a recording, by the acoustic model's likelihood.

`Aligner` is the whole interface: samples and a text in, words with times out. It needs a model whose flow runs
forwards (`AnalysisEngine`); `load_aligner` opens the one of a voice. Calls may come from several threads at once.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from glowvox.align.search import search_in_blocks
from glowvox.audio.checks import checked_rate, checked_samples
from glowvox.audio.files import resample
from glowvox.audio.loudness import normalise_loudness
from glowvox.audio.mel import MelTransform, checked_mel
from glowvox.audio.sound import TimedWord
from glowvox.engines.base import AcousticEngine, AnalysisEngine
from glowvox.errors import AudioError, MissingExtraError, VoiceError
from glowvox.synthesis.installed_voices import find_voice
from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.recording import TRAINING_LEVEL_DB
from glowvox.synthesis.script import FrontEnds, Warn, pieces_of, plain_lines, speaker_number
from glowvox.synthesis.sentence_mels import Clock, MelSynthesizer, Request, Statistics, timed_words
from glowvox.synthesis.timestamps import Timeline
from glowvox.synthesis.voice_card import read_voice_card
from glowvox.synthesis.voice_folder import files_folder, open_voice_folder
from glowvox.text.tokenizer import Tokenizer

MOST_CELLS = 16_000_000_000
"""Frames times tokens above which a recording is refused: two gigabytes of decisions, some forty minutes."""
_BLOCK = 256
_LOG_TWO_PI = float(np.log(2.0 * np.pi))
_SENTENCES_AT_ONCE = 16
_ACOUSTIC = "acoustic/model.safetensors"


class TextOptions(TypedDict, total=False):
    """How one text is read; what is absent is as the model has it. See `TextReader.read`."""

    speaker: str | None
    language: str | None
    on_warning: Warn | None


@dataclass(frozen=True)
class TextSide:
    """Text front end of a model, by a voice's card or a run's provenance: tokenizer, languages, speakers."""

    tokenizer: Mapping[str, Any]
    """See `Tokenizer.to_dict`."""
    front_ends: Mapping[str, Mapping[str, str]]
    """By language tag: see `FrontEnd.to_dict`."""
    speakers: tuple[str, ...]
    """Names, in the order of the model's numbers."""
    speaker_languages: Mapping[str, str] = field(default_factory=dict)
    """Languages of speakers who do not speak the usual one."""
    language: str | None = None
    """The usual language; None: the only one, and where there are several every text must name its own."""
    first: str | None = None
    """Who speaks where nobody is named; None: the first of the speakers."""


@dataclass(frozen=True, eq=False)
class ReadText:
    """Prior statistics of a text: how the acoustic model expects it to sound; L tokens in all."""

    requests: tuple[Request, ...]
    """The sentences with their tokens."""
    mean: NDArray[np.float32]
    """[M, L], of the latent under each token."""
    log_std: NDArray[np.float32]
    """[M, L]."""
    expected_frames: NDArray[np.float64]
    """[L], what the duration predictor gives each token."""
    melody: NDArray[np.float32] | None
    """[2, L], height and log odds of voicing of each token, see `EncodedText`; None without pitch conditioning."""


@dataclass(frozen=True, eq=False)
class Heard:
    """Latent of a recording, with the log-determinant of the flow."""

    latent: NDArray[np.float32]
    """[M, T], T a multiple of the decoder's squeeze."""
    log_det: float
    """Log-determinant of the map from mel to latent, nats."""
    n_frames: int
    """Frames of the mel, of which those that fill no step of the decoder were cut off."""
    pitch: NDArray[np.float32] | None
    """[T] Hz, 0 where unvoiced; None where the model has no pitch conditioning."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """Forced alignment of a text with a recording."""

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


class Aligner:
    """Forced aligner: finds when the words and phonemes of a text are said in a recording."""

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
    with open_voice_folder(find_voice(name_or_path)) as folder:
        card = read_voice_card(folder)
        folder = files_folder(folder, card)
        if not (folder / _ACOUSTIC).is_file():
            raise VoiceError(
                f"the voice {card.name} came without {_ACOUSTIC}, the model that aligns; name a voice that holds it, a "
                "model folder or a training run"
            )
        try:
            from glowvox.engines.torch_engine import TorchAcoustic
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingExtraError("torch", "train", "aligning a recording") from error
        engine = TorchAcoustic.load(folder / "acoustic", threads=threads, device=device)
    return Aligner(
        engine,
        TextSide(
            card.tokenizer,
            card.front_ends,
            card.numbered_speakers,
            card.speaker_languages,
            card.language,
            first=card.speakers[0],
        ),
    )


class TextReader:
    """Encodes the text of a recording: tokens and what the model expects of each, sentence after sentence."""

    def __init__(self, engine: AcousticEngine, side: TextSide) -> None:
        """Take a model and its text side.

        Raises:
            TextError: the tokenizer is damaged or not the model's.
            VoiceError: the model has another number of speakers.
        """
        if len(side.speakers) != engine.n_speakers:
            raise VoiceError(f"the text side names {len(side.speakers)} speakers, the model has {engine.n_speakers}")
        self.side = side
        self._mels = MelSynthesizer(engine, Tokenizer.from_dict(side.tokenizer))
        self._front_ends = FrontEnds(side.front_ends)

    @property
    def languages(self) -> tuple[str, ...]:
        """Language tags of the texts that the model reads."""
        return tuple(self.side.front_ends)

    def speaker_number(self, speaker: str | None) -> int | None:
        """Return the number of a speaker (None: the first), None for a model with one.

        Raises:
            VoiceError: no such speaker.
        """
        return speaker_number(speaker or self.side.first, self.side.speakers, "the model")

    def language_of(self, speaker: str | None) -> str:
        """Return the language of a speaker (None: the first).

        Raises:
            VoiceError: the model reads several languages, and does not say which is the speaker's.
        """
        side = self.side
        own = side.speaker_languages.get(speaker or side.first or side.speakers[0], side.language)
        if own is None and len(self.languages) > 1:
            raise VoiceError(f"the model reads {', '.join(self.languages)}: name the language of the text")
        return own or self.languages[0]

    def read(
        self, text: str, *, speaker: str | None = None, language: str | None = None, on_warning: Warn | None = None
    ) -> ReadText:
        """Return what the model expects of a text.

        Args:
            text: all of what is said.
            speaker: by whom; None: the model's first.
            language: of the text; None: the speaker's.
            on_warning: told of every word or sign that was guessed, replaced or left out; None: they are logged.

        Raises:
            TextError: the text holds no word.
            VoiceError: no such speaker or language.
        """
        number = self.speaker_number(speaker)
        tag = language or self.language_of(speaker)
        if tag not in self.side.front_ends:
            raise VoiceError(f"the model does not read '{tag[:40]}'; it reads {', '.join(self.languages)}")
        options = SpeechOptions(language=tag, speaker=speaker, markup="plain")
        warn = on_warning or logging.getLogger("glowvox").warning
        lines = plain_lines(pieces_of(text), self._front_ends.load(tag), options, warn)
        requests = [self._mels.request(line.sentence, number, options) for line in lines if line.sentence.items]
        known = self._statistics(requests)
        melodies = [one.melody for one in known if one.melody is not None]
        return ReadText(
            requests=tuple(requests),
            mean=np.concatenate([one.mean for one in known], axis=1),
            log_std=np.concatenate([one.log_std for one in known], axis=1),
            expected_frames=np.concatenate([one.weights for one in known]).astype(np.float64),
            melody=np.concatenate(melodies, axis=1) if melodies else None,
        )

    def _statistics(self, requests: Sequence[Request]) -> list[Statistics]:
        found: list[Statistics] = []
        for start in range(0, len(requests), _SENTENCES_AT_ONCE):
            found.extend(self._mels.statistics(requests[start : start + _SENTENCES_AT_ONCE]))
        return found


def most_likely_frames(
    latent: NDArray[np.float32], mean: NDArray[np.float32], log_std: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return how many frames each token lasts on the most likely path, at least one, `[L]`; they sum to T.

    The monotonic alignment search (Glow-TTS, section 3.1) in little memory, for long recordings.

    Args:
        latent: [M, T].
        mean: [M, L], of the latent under each token.
        log_std: [M, L].

    Raises:
        AudioError: there are fewer frames than tokens, or so many of both that they cannot be searched.
    """
    n_tokens, n_frames = mean.shape[1], latent.shape[1]
    if n_frames < n_tokens:
        raise AudioError(
            f"{n_frames} mel frames cannot cover {n_tokens} tokens: the text is too long for the recording"
        )
    if n_frames * n_tokens > MOST_CELLS:
        raise AudioError(f"{n_frames} mel frames and {n_tokens} tokens are too many to be aligned at once; cut them")
    return search_in_blocks(_score_blocks(latent, mean, log_std), n_frames, n_tokens)


def path_nats(
    latent: NDArray[np.float32],
    mean: NDArray[np.float32],
    log_std: NDArray[np.float32],
    frames: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return log N(latent; mean, std) of each frame under the token that it belongs to, `[T]` nats.

    Args:
        latent: [M, T].
        mean: [M, L].
        log_std: [M, L].
        frames: [L], which sum to T.
    """
    scale = np.repeat(log_std, frames, axis=1).astype(np.float64)
    distance = (latent - np.repeat(mean, frames, axis=1)) * np.exp(-scale)
    return np.asarray(-(0.5 * distance**2 + scale).sum(0) - 0.5 * _LOG_TWO_PI * len(latent))


def _score_blocks(
    latent: NDArray[np.float32], mean: NDArray[np.float32], log_std: NDArray[np.float32]
) -> Iterator[NDArray[np.float64]]:
    """Yield the log-likelihood of frames under each token [t, L], but for what all tokens of a frame share."""
    precision = np.exp(-2.0 * log_std)
    weighted = mean * precision
    per_token = -(log_std + 0.5 * mean**2 * precision).sum(0)
    even = bool((log_std == log_std[:, :1]).all())
    for start in range(0, latent.shape[1], _BLOCK):
        frames = latent[:, start : start + _BLOCK].T
        scores = (frames @ weighted + per_token).astype(np.float64)
        if not even:
            scores -= 0.5 * (frames**2 @ precision)
        yield scores


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
