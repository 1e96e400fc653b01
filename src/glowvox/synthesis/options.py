"""What a caller may wish of a vocoder, apart from the mel."""

import math
from dataclasses import dataclass

from glowvox.audio.mel_refinement import MOST_PASSES
from glowvox.errors import ConfigError
from glowvox.synthesis.noise import check_seed


@dataclass(frozen=True)
class VocoderOptions:
    """The wishes of one call or stream; the defaults are the published program's."""

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
