"""Predicts pitch and voicing from a mel spectrogram: a vocoder's harmonic source and an acoustic model's melody."""

import itertools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glowvox.audio.pitch_bins import CHANNELS


class PitchPredictor(nn.Module):
    """Three convolutions over mel frames and a projection to the bins of `glowvox.audio.pitch_bins`.

    Args:
        n_mels: M.
        channels: width of the convolutions.
        mel_mean: what is subtracted from a mel before anything else.
        mel_std: what it is divided by then.
    """

    receptive_field = 6
    """Mel frames on each side of a frame that its pitch depends on."""

    def __init__(self, n_mels: int, channels: int = 96, *, mel_mean: float = 0.0, mel_std: float = 1.0) -> None:
        super().__init__()
        self.mel_mean, self.mel_std = mel_mean, mel_std
        sizes = [n_mels, channels, channels, channels]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, 5, padding=2) for before, after in itertools.pairwise(sizes)
        )
        self.projection = nn.Conv1d(channels, CHANNELS, 1)
        self.fitted: Tensor
        self.register_buffer("fitted", torch.zeros(()))
        """1 when it has learned, which it does by itself, before the flow."""
        self.requires_grad_(requires_grad=False)

    def forward(self, mel: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return logits `[B, CHANNELS, T]` from a mel `[B, M, T]` of the contract that it was fitted to.

        Frames where the mask `[B, 1, T]` is zero do not matter to the others.
        """
        hidden = (mel - self.mel_mean) / self.mel_std
        for convolution in self.convolutions:
            hidden = convolution(hidden if mask is None else hidden * mask).relu()
        logits: Tensor = self.projection(hidden)
        return logits

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights by name, for an engine without PyTorch."""
        return {name: value.detach().float().cpu().numpy() for name, value in self.named_parameters()}
