"""Spectral distances between two signals, differentiable: the second stage of training a vocoder.

The multi-resolution STFT loss is that of Parallel WaveGAN (arXiv 1910.11480, section 2.2): spectral convergence plus
the distance of log magnitudes; the mel loss is the mean distance of log-mel spectra at several resolutions.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glowvox.audio.mel import mel_filterbank
from glowvox.config.audio import AudioConfig


@dataclass(frozen=True)
class SpectralLoss:
    """The parts of the loss, scalars: STFT (convergence plus log magnitudes) and log-mel distance in nepers."""

    stft: Tensor
    mel: Tensor


class MultiResolutionLoss(nn.Module):
    """Compares signals `[B, S]` at several FFT sizes; the hop is a quarter of each, the window Hann.

    Args:
        config: gives the sample rate; the mel filters reach up to half of it.
        fft_sizes: FFT sizes in samples; long ones tell harmonics from tones at the frame rate.
        floor: magnitudes below this (for a full-scale signal of 1) count as this.
    """

    def __init__(
        self,
        config: AudioConfig,
        fft_sizes: tuple[int, ...] = (512, 1024, 2048),
        floor: float = 1e-4,
    ) -> None:
        super().__init__()
        self.fft_sizes = fft_sizes
        self.floor = floor
        for size in fft_sizes:
            contract = AudioConfig(
                sample_rate=config.sample_rate,
                n_fft=size,
                win_length=size,
                hop_length=size // 4,
                n_mels=size * 5 // 64,  # 80 for 1024: as fine as the FFT at low frequencies allows
                f_max=config.sample_rate / 2,
                mel_norm="none",
            )
            filters = torch.from_numpy(mel_filterbank(contract)).float()
            self.register_buffer(f"filters_{size}", filters, persistent=False)
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def forward(self, signal: Tensor, target: Tensor) -> SpectralLoss:
        """Return the distances of `signal [B, S]` from `target [B, S]`, averaged over the resolutions."""
        stft = mel = signal.new_zeros(())
        for size in self.fft_sizes:
            filters = self.get_buffer(f"filters_{size}")
            mine, theirs = self._magnitude(signal, size), self._magnitude(target, size)
            convergence = (theirs - mine).norm(dim=(1, 2)) / theirs.norm(dim=(1, 2)).clamp_min(self.floor)
            stft = stft + convergence.mean() + self._log_distance(mine, theirs)
            mel = mel + self._log_distance(filters @ mine, filters @ theirs)
        return SpectralLoss(stft / len(self.fft_sizes), mel / len(self.fft_sizes))

    def _magnitude(self, signal: Tensor, size: int) -> Tensor:
        spectrum = torch.stft(
            signal, size, size // 4, window=self.get_buffer(f"window_{size}"), center=True, return_complex=True
        )
        # the square root's slope is infinite at zero
        power = torch.view_as_real(spectrum).square().sum(-1)
        return power.clamp_min(self.floor**2).sqrt() * (2.0 / size) ** 0.5

    def _log_distance(self, mine: Tensor, theirs: Tensor) -> Tensor:
        return (mine.clamp_min(self.floor).log() - theirs.clamp_min(self.floor).log()).abs().mean()
