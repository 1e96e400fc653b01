"""Mel refinement that gradients pass through, so that a vocoder learns what the refinement leaves to it."""

import torch
from torch import Tensor, nn

from glowvox.audio.mel import LOG_UNITS
from glowvox.audio.mel_refinement import LARGEST_STEP, STRENGTH, refinement_filters
from glowvox.config.audio import AudioConfig

_SMALLEST_POWER = 1e-12
"""The square root's slope is infinite at zero."""


class DifferentiableRefinement(nn.Module):
    """`glowvox.audio.mel_refinement.MelRefinement` in PyTorch, for batches.

    Args:
        config: the mel contract.
        passes: how many times the gain is measured and applied.
    """

    def __init__(self, config: AudioConfig, passes: int) -> None:
        super().__init__()
        self.config = config
        self.passes = passes
        filters, spread = refinement_filters(config)
        self.register_buffer("filters", torch.from_numpy(filters).float(), persistent=False)
        self.register_buffer("spread", torch.from_numpy(spread).float(), persistent=False)
        window = torch.hann_window(config.win_length)
        self.register_buffer("window", window, persistent=False)

    def forward(self, samples: Tensor, mel: Tensor) -> Tensor:
        """Return samples `[B, T * hop_length]` whose mel spectrograms are nearer to `mel [B, M, T]`."""
        config = self.config
        target = (mel * config.std + config.mean) / LOG_UNITS[config.log]
        shape = (config.n_fft, config.hop_length, config.win_length)
        window, filters, spread = (self.get_buffer(name) for name in ("window", "filters", "spread"))
        for _ in range(self.passes):
            spectrum = torch.stft(samples, *shape, window, pad_mode=config.pad_mode, return_complex=True)
            spectrum = spectrum[:, :, : mel.shape[2]]
            power = torch.view_as_real(spectrum).square().sum(-1).clamp_min(_SMALLEST_POWER)
            energy = filters @ power.pow(config.power / 2)
            excess = target - energy.clamp_min(config.floor).log()
            step = (excess * (STRENGTH / config.power)).clamp(-LARGEST_STEP, LARGEST_STEP)
            samples = torch.istft(spectrum * (spread @ step).exp(), *shape, window, length=samples.shape[1])
        return samples
