"""How loud pulses and noise are in the latent that a vocoder is spoken from, by frame and coefficient, from the mel.

A harmonic source has one rule for all voices: harmonic at low frequencies, noise at high ones. Voices differ, and so do
their sounds. This network turns the rule's two parts up or down. Like the source, it is no part of the density: which
latent is spoken is a choice, and the spectral losses teach it.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_MOST_NEPERS = 2.0


class SourceMix(nn.Module):
    """Two convolutions over mel frames; at the start they change nothing.

    Args:
        n_mels: M.
        coefficients: G, of the flow's transform.
        channels: between the two convolutions.
        mel_mean: what is subtracted from a mel before anything else.
        mel_std: what it is divided by then.
    """

    receptive_field = 1
    """Mel frames on each side of a frame that its gains depend on."""

    def __init__(
        self, n_mels: int, coefficients: int, channels: int = 64, *, mel_mean: float = 0.0, mel_std: float = 1.0
    ) -> None:
        super().__init__()
        self.mel_mean, self.mel_std = mel_mean, mel_std
        self.hidden = nn.Conv1d(n_mels, channels, 3, padding=1)
        self.gains = nn.Conv1d(channels, 2 * coefficients, 1)
        nn.init.zeros_(self.gains.weight)
        nn.init.zeros_(self.gains.bias)  # type: ignore[arg-type]

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gains of pulses and of noise, each `[B, G, T]`, of a mel `[B, M, T]`."""
        device = mel.device.type
        with torch.autocast(device, enabled=False):
            hidden = self.hidden((mel - self.mel_mean) / self.mel_std).relu()
            gains: Tensor = (_MOST_NEPERS * torch.tanh(self.gains(hidden) / _MOST_NEPERS)).exp()
        pulses, noise = gains.chunk(2, 1)
        return pulses, noise

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights by name, for an engine without PyTorch."""
        return {name: value.detach().float().cpu().numpy() for name, value in self.named_parameters()}
