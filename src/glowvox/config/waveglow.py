"""The configuration of WaveGlow: the paper's model, NVIDIA's published one, and the small ones for a CPU."""

import math
from dataclasses import dataclass, field
from typing import Literal

from glowvox.config.audio import AudioConfig
from glowvox.errors import ConfigError


@dataclass(frozen=True)
class WaveGlowConfig:
    """Everything that decides a WaveGlow's parameters; the mel contract included."""

    audio: AudioConfig = field(default_factory=AudioConfig)
    """The mel contract of the conditioning input."""
    transform: Literal["squeeze", "lapped"] = "squeeze"
    """How time becomes channels: groups of consecutive samples (the paper), or an orthonormal lapped transform."""
    n_group: int = 8
    """Channels of the flow: samples in a group, or the hop of the lapped transform."""
    n_flows: int = 12
    """Steps of flow, each a 1x1 convolution and an affine coupling."""
    n_early_every: int = 4
    """Channels leave after every this many steps; 0: never."""
    n_early_size: int = 2
    """How many channels leave each time."""
    n_channels: int = 256
    """Residual channels of the coupling networks."""
    n_skip_channels: int = 256
    """Skip channels of the coupling networks."""
    n_layers: int = 8
    """Dilated layers of a coupling network; the dilation doubles from one to the next."""
    kernel_size: int = 3
    """Kernel of the dilated layers, odd."""
    dilation_growth: int = 2
    """Factor by which the dilation grows from layer to layer (2 in the paper; 1: no dilation)."""
    separable: bool = False
    """Whether the dilated convolutions are depthwise separable (SqueezeWave)."""
    conditioning: Literal["upsampled", "mel-rate"] = "upsampled"
    """Condition on the mel upsampled to samples and squeezed (the paper), or on mel frames repeated to groups."""
    encoder_channels: int = 0
    """Channels of the convolutional encoder of a mel-rate condition; 0: the mel itself is the condition."""
    mel_mean: float = 0.0
    """Subtracted from the mel before it conditions anything."""
    mel_std: float = 1.0
    """Divided by after that."""
    actnorm: bool = False
    """Whether an ActNorm precedes each 1x1 convolution (the Glow step)."""
    mel_scale: bool = False
    """Whether the flow's input is divided by a scale derived from the mel (a conditional scale layer)."""
    max_log_scale: float = 0.0
    """Bound of the couplings' log scales, kept smoothly by a tanh; 0: unbounded (the paper)."""
    harmonic: bool = False
    """Whether it predicts the pitch from the mel, so that it can be spoken from a harmonic source. The density is that
    of the same flow without; the 1x1 convolutions start so that together they change nothing."""
    pitch_channels: int = 96
    """Width of the network that predicts the pitch."""
    source_mix: bool = False
    """Whether a harmonic source's pulses and noise get gains from the mel, which the spectral losses teach. They are no
    part of the density."""
    refine: int = 0
    """Passes of mel refinement that its output shall go through where nothing else is wished. They are no part of the
    flow: densities, latents and the inverse are without them."""
    highest_levels: tuple[float, ...] = ()
    """The highest levels that bands of a frame may have when it is spoken (see `models/waveglow.py`), the band from
    0 Hz first; empty: no limit. They are no part of the flow either."""

    def __post_init__(self) -> None:
        if self.n_group < 2 or self.n_group % 2:
            raise ConfigError(f"waveglow.n_group must be even and at least 2, got {self.n_group}")
        if self.audio.hop_length % self.n_group:
            raise ConfigError(f"waveglow.n_group {self.n_group} must divide the hop length {self.audio.hop_length}")
        if self.kernel_size % 2 == 0:
            raise ConfigError(f"waveglow.kernel_size must be odd, got {self.kernel_size}")
        if min(self.n_flows, self.n_channels, self.n_skip_channels, self.n_layers, self.dilation_growth) < 1:
            raise ConfigError("waveglow: n_flows, n_channels, n_skip_channels, n_layers, dilation_growth must be >= 1")
        if self.n_flows > 1000:
            raise ConfigError(f"waveglow.n_flows must be at most 1000, got {self.n_flows}")
        if self.harmonic and (self.transform != "lapped" or self.n_group != self.audio.hop_length):
            raise ConfigError("waveglow: harmonic needs transform = 'lapped' with n_group = hop_length")
        if self.pitch_channels < 1:
            raise ConfigError(f"waveglow.pitch_channels must be >= 1, got {self.pitch_channels}")
        if self.source_mix and not self.harmonic:
            raise ConfigError("waveglow: source_mix needs harmonic = true: there is no source to mix")
        if not 0 <= self.refine <= 100:
            raise ConfigError(f"waveglow.refine must lie between 0 and 100, got {self.refine}")
        self._check_levels()
        if self.n_early_every and self.n_early_size % 2:
            raise ConfigError(f"waveglow.n_early_size must be even, got {self.n_early_size}")
        if self.remaining_channels < 2:
            raise ConfigError("waveglow: too many channels leave early; fewer than 2 would remain")
        if self.conditioning == "upsampled" and (self.transform == "lapped" or self.encoder_channels):
            raise ConfigError("waveglow: a lapped transform and a condition encoder need conditioning = 'mel-rate'")
        if self.mel_scale and self.transform != "lapped":
            raise ConfigError("waveglow: mel_scale needs transform = 'lapped': a sample has no frequency")

    def _check_levels(self) -> None:
        levels = self.highest_levels
        if levels and not self.mel_scale:
            raise ConfigError("waveglow: highest_levels needs mel_scale: without it a level says nothing")
        if levels and self.n_group % len(levels):
            raise ConfigError(f"waveglow: {len(levels)} highest_levels must divide n_group, which is {self.n_group}")
        if not all(0 < level < math.inf for level in levels):
            raise ConfigError(f"waveglow.highest_levels must be positive, got {list(levels)}")

    @property
    def early_exits(self) -> tuple[int, ...]:
        """Indices of the steps before which channels leave."""
        if not self.n_early_every:
            return ()
        return tuple(range(self.n_early_every, self.n_flows, self.n_early_every))

    @property
    def remaining_channels(self) -> int:
        """Channels that go through the last step."""
        return self.n_group - len(self.early_exits) * self.n_early_size

    @property
    def groups_per_frame(self) -> int:
        """Groups in one mel frame."""
        return self.audio.hop_length // self.n_group
