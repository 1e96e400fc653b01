"""Synthesis options: noise scale, denoiser, speed, pitch, pauses, seed, of a vocoder and of a voice."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from glowvox.align.prior import Frames
from glowvox.audio.mel_refinement import MOST_PASSES
from glowvox.errors import ConfigError
from glowvox.synthesis.noise import check_seed


@dataclass(frozen=True)
class VocoderOptions:
    """Inference options of a vocoder, for one call or stream; the defaults are the published program's."""

    sigma: float = 0.6
    """Standard deviation of the noise (WaveGlow, section 3.3); 0: none."""
    denoise: float = 0.01
    """How many times the model's bias spectrum is subtracted; 0: not at all."""
    refine: int | None = None
    """Passes of mel refinement; 0: none; None: as many as the model is meant for."""
    seed: int = 0
    """Of the noise."""
    chunk_frames: int | None = None
    """Mel frames spoken at once; fewer are ready earlier and cost more. None: a size that costs little."""

    def __post_init__(self) -> None:
        for name in ("sigma", "denoise"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise ConfigError(f"{name} must be a number of at least 0, got {value}")
        if self.refine is not None:
            check_refine(self.refine)
        check_seed(self.seed)
        if self.chunk_frames is not None and self.chunk_frames < 1:
            raise ConfigError(f"a chunk must have at least one mel frame, got {self.chunk_frames}")


def check_refine(passes: int) -> None:
    """Refuse an impossible number of passes of mel refinement.

    Raises:
        ConfigError: it is one.
    """
    if isinstance(passes, bool) or not isinstance(passes, int) or not 0 <= passes <= MOST_PASSES:
        raise ConfigError(f"the passes of mel refinement must be a whole number from 0 to {MOST_PASSES}, got {passes}")


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
    pitch_shift: float = 0.0
    """Semitones by which the melody is raised, for a voice that has one."""
    pitch_range: float = 1.0
    """Factor on the melody's distance from its mean in a sentence; 0 is monotonous. For a voice that has a melody."""
    sentence_pause: float = 0.2
    """Silence after a sentence inside a paragraph, in seconds."""
    paragraph_pause: float = 0.6
    """Silence after a paragraph, in seconds."""
    pause_tags: bool = True
    """Whether `[pause:1s]` and `[pause:300ms]` in plain text are silences of just that length."""
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
            "speed temperature sigma denoise pitch_shift pitch_range sentence_pause paragraph_pause context_tokens"
        )
        for name in numbers.split():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ConfigError(f"{name} must be a number, got {value!r}")
        if not SLOWEST <= self.speed <= FASTEST:
            raise ConfigError(f"the speed must lie between {SLOWEST} and {FASTEST}, got {self.speed}")
        if not -24 <= self.pitch_shift <= 24 or not 0 <= self.pitch_range <= 4:
            raise ConfigError(
                "the pitch shift must lie between -24 and 24 semitones and the pitch range between 0 and 4, got "
                f"{self.pitch_shift} and {self.pitch_range}"
            )
        for name in ("temperature", "sigma", "denoise"):
            value = getattr(self, name)
            if not math.isfinite(value) or not 0 <= value <= 100:
                raise ConfigError(f"{name} must be a number from 0 to 100, got {value}")
        for name in ("sentence_pause", "paragraph_pause"):
            if not 0 <= getattr(self, name) <= 60:
                raise ConfigError(
                    f"the {name.replace('_', ' ')} must lie between 0 and 60 s, got {getattr(self, name)}"
                )
        if not isinstance(self.pause_tags, bool):
            raise ConfigError(f"pause_tags must be true or false, got {self.pause_tags!r}")
        if self.context_tokens < 0:
            raise ConfigError(f"context_tokens must not be negative, got {self.context_tokens}")
        if self.refine is not None:
            check_refine(self.refine)
        check_seed(self.seed)


class OptionOverrides(TypedDict, total=False):
    """Overrides of a voice's options in one call, see `SpeechOptions`; what is absent is as the voice has it."""

    speed: float
    pitch_shift: float
    pitch_range: float
    temperature: float
    sigma: float
    denoise: float
    refine: int | None
    sentence_pause: float
    paragraph_pause: float
    pause_tags: bool
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

    @property
    def empty(self) -> bool:
        """Whether the voice decides."""
        return self.slot is None and self.word_durations is None and self.token_durations is None

    def samples(self, sample_rate: int) -> int | None:
        """Return the samples of the whole audio; None: as many as it has."""
        return None if self.slot is None or not np.isfinite(self.slot) else round(self.slot * sample_rate)
