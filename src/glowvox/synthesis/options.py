"""Synthesis options: noise scale, denoiser, speed, pitch, pauses, seed, of a vocoder and of a voice."""

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from glowvox.align.prior import Frames
from glowvox.audio.mel_refinement import MOST_PASSES, MOST_POSTFILTER
from glowvox.errors import ConfigError, TextError, counted, named_kind
from glowvox.text.markup import check_markup

NOISE_BLOCK = 64
"""Columns that one generator draws. Part of the definition: another size is other noise."""


def noise(seed: int, channels: int, first: int, count: int) -> NDArray[np.float32]:
    """Return columns `first` to `first + count` of the standard normal noise of a seed, float32 `[channels, count]`.

    So the latent of a window is a slice of the whole signal's: chunking, batches and engines do not change what is
    said.

    Block b of 64 columns is drawn, column after column, by a PCG64 generator seeded with `(seed, b)`.

    Args:
        seed: 0 to 2**63 - 1.
        channels: numbers in a column.
        first: index of the first column, at least 0.
        count: columns.

    Raises:
        ConfigError: the seed or the position is out of range.
    """
    check_seed(seed)
    if first < 0 or count < 0 or channels < 1:
        raise ConfigError(f"noise has no columns {first} to {first + count} of {channels} channels")
    last = first + count
    columns = np.empty((count, channels), np.float32)
    for block in range(first // NOISE_BLOCK, -(-last // NOISE_BLOCK)):
        sequence = np.random.SeedSequence(seed, spawn_key=(block,))
        generator = np.random.Generator(np.random.PCG64(sequence))
        start = block * NOISE_BLOCK
        begin, end = max(first, start), min(last, start + NOISE_BLOCK)
        if begin == start:  # what comes before the end is drawn, no more
            generator.standard_normal(dtype=np.float32, out=columns[begin - first : end - first])
        else:
            drawn = generator.standard_normal((end - start, channels), np.float32)
            columns[begin - first : end - first] = drawn[begin - start :]
    return columns.T


def is_number(value: object) -> bool:
    """Whether a value is one real number, of Python or NumPy; NaN is one, true and false are none."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Whether a value is a whole number of Python or NumPy; true and false are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_row(values: object) -> bool:
    """Whether values are several in order: a list, a tuple or an array of one dimension."""
    return isinstance(values, list | tuple) or (isinstance(values, np.ndarray) and values.ndim == 1)


def check_seed(seed: int) -> None:
    """Check that a seed is one.

    Raises:
        ConfigError: not a whole number from 0 to 2**63 - 1.
    """
    if not is_whole(seed) or not 0 <= seed < 2**63:
        raise ConfigError(f"the seed must be a whole number from 0 to 2**63 - 1, got {seed!r}")


def parse_seed(text: str, name: str = "the seed") -> int:
    """Return the seed that a user wrote; for `random` one that nobody knows yet.

    Args:
        text: what was written.
        name: of the setting, for the message.

    Raises:
        ConfigError: neither a number in range nor `random`.
    """
    if text == "random":
        return secrets.randbelow(2**32)
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) >= 2**63:
        raise ConfigError(f"{name} must be a whole number from 0 to 2**63 - 1, or 'random', got '{text[:40]}'")
    return int(text)


def sentence_seed(seed: int, place: int) -> int:
    """Return the seed of the sentence that begins at character `place` of its text; at 0 it is the seed itself."""
    if place == 0:
        return seed
    words = np.random.SeedSequence(seed, spawn_key=(place,)).generate_state(2, np.uint32)
    return ((int(words[0]) << 32) | int(words[1])) % 2**63


@dataclass(frozen=True)
class VocoderOptions:
    """Inference options of a vocoder, for one call or stream; the defaults are the published program's."""

    sigma: float = 0.6
    """Standard deviation of the noise (WaveGlow, section 3.3); 0: none."""
    denoise: float = 0.01
    """How many times the model's bias spectrum is subtracted; 0: not at all."""
    refine: int | None = None
    """Passes of mel refinement; 0: none; None: as many as the model is meant for."""
    postfilter: float = 0.0
    """Exponent of the postfilter in the last pass of mel refinement; 0: none."""
    seed: int = 0
    """Of the noise."""
    chunk_frames: int | None = None
    """Mel frames spoken at once; fewer are ready earlier and cost more. None: a size that costs little."""

    def __post_init__(self) -> None:
        for name in ("sigma", "denoise"):
            value = getattr(self, name)
            if not (is_number(value) and 0 <= value < math.inf):
                raise ConfigError(f"{name} must be a number of at least 0, got {value!r}")
        if self.refine is not None:
            check_refine(self.refine)
        check_postfilter(self.postfilter)
        check_seed(self.seed)
        if self.chunk_frames is not None and not (is_whole(self.chunk_frames) and self.chunk_frames >= 1):
            raise ConfigError(f"a chunk must be a whole number of mel frames, at least one, got {self.chunk_frames!r}")


def check_refine(passes: int) -> None:
    """Refuse an impossible number of passes of mel refinement.

    Raises:
        ConfigError: it is one.
    """
    if not is_whole(passes) or not 0 <= passes <= MOST_PASSES:
        raise ConfigError(f"the passes of mel refinement must be a whole number from 0 to {MOST_PASSES}, got {passes}")


def check_postfilter(strength: float) -> None:
    """Refuse an impossible strength of the postfilter.

    Raises:
        ConfigError: it is one.
    """
    if not (is_number(strength) and 0.0 <= strength <= MOST_POSTFILTER):
        raise ConfigError(f"the postfilter must be a number from 0 to {MOST_POSTFILTER:g}, got {strength!r}")


SLOWEST, FASTEST = 0.1, 10.0


@dataclass(frozen=True)
class SpeechOptions:
    """Inference options of a voice: how a text is spoken. A voice's own defaults are such options too."""

    speed: float = 1.0
    """Speaking rate; 2 is twice as fast."""
    temperature: float = 0.667
    """Standard deviation of the acoustic model's noise; 0: the most likely mel (Glow-TTS, section 5.2)."""
    sigma: float = 0.6
    """Standard deviation of the vocoder's noise (WaveGlow, section 3.3)."""
    denoise: float = 0.01
    """How many times the vocoder's bias spectrum is subtracted; 0: not at all."""
    refine: int | None = None
    """Passes of mel refinement of the vocoder's output; 0: none; None: as many as the vocoder is meant for."""
    postfilter: float = 0.0
    """Exponent of the postfilter in the last pass of refinement, which takes out noise between harmonics; 0: none."""
    pitch_shift: float = 0.0
    """Semitones by which the pitch is raised, for a voice with pitch conditioning."""
    pitch_range: float = 1.0
    """Factor on the pitch's distance from a sentence's mean; 0: monotonous. For a voice with pitch conditioning."""
    sentence_pause: float = 0.2
    """Silence after a sentence inside a paragraph, in seconds."""
    paragraph_pause: float = 0.6
    """Silence after a paragraph, in seconds."""
    pause_tags: bool = True
    """Whether a pause tag in plain text (pause:1s or pause:300ms in square brackets) is a silence of that length."""
    markup: str = "auto"
    """What a text is written in: auto, plain, markdown, html or ssml. With auto, what is surely markup is read so."""
    read_code: bool = False
    """Whether blocks of code in a marked-up text are read; otherwise they are left out with a warning."""
    strict_ssml: bool = False
    """Whether an SSML document that holds what is not spoken is refused, instead of passing it over with a warning."""
    context_tokens: int = 24
    """Sentences of fewer tokens are encoded beside their own repetition, since the model has learned from longer
    ones; 0: never."""
    seed: int = 0
    """Of all noise."""
    speaker: str | None = None
    """Name of the speaker; None: the voice's first."""
    language: str | None = None
    """Language tag; None: the speaker's."""

    def __post_init__(self) -> None:
        numbers = (
            "speed temperature sigma denoise postfilter pitch_shift pitch_range sentence_pause paragraph_pause "
            "context_tokens"
        )
        for name in numbers.split():
            value = getattr(self, name)
            if not is_number(value):
                raise ConfigError(f"{name} must be a number, got {value!r}")
            if isinstance(value, np.generic):
                object.__setattr__(self, name, value.item())  # as a voice's card writes it
        if not SLOWEST <= self.speed <= FASTEST:
            raise ConfigError(f"the speed must lie between {SLOWEST} and {FASTEST}, got {self.speed}")
        if not -24 <= self.pitch_shift <= 24 or not 0 <= self.pitch_range <= 4:
            raise ConfigError(
                "the pitch shift must lie between -24 and 24 semitones and the pitch range between 0 and 4, got "
                f"{self.pitch_shift} and {self.pitch_range}"
            )
        for name in ("temperature", "sigma", "denoise"):
            value = getattr(self, name)
            if not 0 <= value <= 100:  # NaN is not
                raise ConfigError(f"{name} must be a number from 0 to 100, got {value}")
        for name in ("sentence_pause", "paragraph_pause"):
            if not 0 <= getattr(self, name) <= 60:
                raise ConfigError(
                    f"the {name.replace('_', ' ')} must lie between 0 and 60 s, got {getattr(self, name)}"
                )
        for name in ("pause_tags", "read_code", "strict_ssml"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} must be true or false, got {getattr(self, name)!r}")
        check_markup(self.markup)
        if not is_whole(self.context_tokens) or self.context_tokens < 0:
            raise ConfigError(f"context_tokens must be a whole number of at least 0, got {self.context_tokens}")
        for name in ("speaker", "language"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise ConfigError(f"{name} must be a name, got {value!r}")
        if self.refine is not None:
            check_refine(self.refine)
        check_postfilter(self.postfilter)
        check_seed(self.seed)

    def for_vocoder(self, seed: int) -> VocoderOptions:
        """Return what of it the vocoder needs, with a seed of its own."""
        return VocoderOptions(self.sigma, self.denoise, self.refine, self.postfilter, seed)


class OptionOverrides(TypedDict, total=False):
    """Overrides of a voice's options in one call, see `SpeechOptions`; what is absent is as the voice has it."""

    speed: float | Sequence[float]
    pitch_shift: float | Sequence[float]
    pitch_range: float | Sequence[float]
    temperature: float
    sigma: float
    denoise: float
    refine: int | None
    postfilter: float
    sentence_pause: float
    paragraph_pause: float
    pause_tags: bool
    markup: str
    read_code: bool
    strict_ssml: bool
    context_tokens: int
    seed: int
    speaker: str | None
    language: str | None


@dataclass(frozen=True)
class DurationControl:
    """Duration control: how long a whole text shall take; at most one of the three is set."""

    slot: float | None = None
    """Seconds of the whole audio, pauses included."""
    word_durations: Sequence[float | None] | None = None
    """Seconds of each word as written, in the order of `Audio.words`; None: as the voice speaks it."""
    token_durations: Sequence[Frames] | None = None
    """Frames [L] of the tokens of each sentence, as `Voice.durations` gives them."""

    def __post_init__(self) -> None:
        given = [control for control in (self.slot, self.word_durations, self.token_durations) if control is not None]
        if len(given) > 1:
            raise ConfigError("give one of slot, word_durations and token_durations")
        if self.slot is not None and not is_number(self.slot):
            raise ConfigError(f"slot must be a number of seconds, got {self.slot!r}")
        if self.slot is not None:
            object.__setattr__(self, "slot", _as_float(self.slot))
        if self.word_durations is not None:
            _check_row("word_durations", self.word_durations, "seconds or None for each word")
            for seconds in self.word_durations:
                if seconds is not None and not is_number(seconds):
                    raise ConfigError(f"word_durations holds seconds or None for each word, got {seconds!r}")
            seconds_of = [None if seconds is None else _as_float(seconds) for seconds in self.word_durations]
            object.__setattr__(self, "word_durations", seconds_of)
        if self.token_durations is not None:
            _check_row("token_durations", self.token_durations, "the frames of each sentence")

    @property
    def empty(self) -> bool:
        """Whether the voice decides."""
        return self.slot is None and self.word_durations is None and self.token_durations is None

    def samples(self, sample_rate: int) -> int | None:
        """Return the samples of the whole audio; None: as many as it has."""
        # What is out of any range is refused where the text is measured.
        return round(self.slot * sample_rate) if self.slot is not None and 0 < self.slot < _LONGEST_SLOT else None


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an int may have any size
        return math.inf if value > 0 else -math.inf


def _check_row(name: str, values: Any, what: str) -> None:
    if not is_row(values) and not (isinstance(values, np.ndarray) and values.ndim > 0):
        raise ConfigError(f"{name} must be a list with {what}, got {named_kind(values)}")


_LONGEST_SLOT = 1e9
"""Seconds; longer than any text may be stretched to."""
BY_SENTENCE = ("speed", "pitch_shift", "pitch_range")
"""Options that may be given for each sentence."""


@dataclass(frozen=True)
class SentenceOptions:
    """Options that each sentence of a text has for itself: sequences, by the names of the options."""

    values: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len({len(each) for each in self.values.values()}) > 1:
            told = ", ".join(f"{len(each)} of {name}" for name, each in self.values.items())
            raise ConfigError(f"each sentence needs one value of every option that is given by sentence, got {told}")

    @property
    def count(self) -> int:
        """For how many sentences there are values."""
        return max((len(each) for each in self.values.values()), default=0)

    def of(self, number: int, options: SpeechOptions) -> SpeechOptions:
        """Return the options of a sentence.

        Raises:
            ConfigError: a value is out of range.
            TextError: there is none for it.
        """
        if not self.values:
            return options
        if number >= self.count:
            raise TextError(f"{self._told()}; the text has more sentences")
        return replace(options, **{name: each[number] for name, each in self.values.items()})  # type: ignore[arg-type]

    def check_spent(self, sentences: int) -> None:
        """Refuse values for sentences that the text does not have.

        Raises:
            TextError: there are some.
        """
        if sentences < self.count:
            raise TextError(f"{self._told()}; the text has {counted(sentences, 'sentence')}")

    def _told(self) -> str:
        return f"{counted(self.count, 'value')} of {' and '.join(self.values)} are given"
