"""Spectral distances between two signals, differentiable: the second stage of training a vocoder.

The multi-resolution STFT loss is that of Parallel WaveGAN (arXiv 1910.11480, section 2.2): spectral convergence plus
the distance of log magnitudes; the mel loss is the mean distance of log-mel spectra at several resolutions.
"""

from collections.abc import Iterable
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
        pairs = (self._spectra(size, signal, target) for size in self.fft_sizes)
        return self._mean(self._distance(mine, theirs) for mine, theirs in pairs)

    def energy_distance(self, first: Tensor, second: Tensor, target: Tensor) -> SpectralLoss:
        """Return d(first, target) + d(second, target) - d(first, second), halved, of two draws for one target.

        The distance alone is least for what lies in the middle of all signals that have the mel: tones in place of
        noise. With the distance between independent draws taken off it is a proper score (the spectral energy distance,
        arXiv 2008.01160): least for draws that are distributed like the targets.

        Args:
            first: `[B, S]`.
            second: `[B, S]`, drawn with other noise for the same mels.
            target: `[B, S]`.
        """
        parts = []
        for size in self.fft_sizes:
            one, other, truth = self._spectra(size, first, second, target)
            scale = truth.magnitude
            near = self._distance(one, truth), self._distance(other, truth)
            apart = self._distance(one, other, scale)
            parts.append(
                SpectralLoss(
                    *((a + b - c) / 2 for a, b, c in zip(_parts(near[0]), _parts(near[1]), _parts(apart), strict=True))
                )
            )
        return self._mean(parts)

    def _spectra(self, size: int, *signals: Tensor) -> list["_Spectra"]:
        filters = self.get_buffer(f"filters_{size}")
        magnitudes = (self._magnitude(signal, size) for signal in signals)
        return [_Spectra(magnitude, filters @ magnitude) for magnitude in magnitudes]

    def _distance(self, mine: "_Spectra", theirs: "_Spectra", scale: Tensor | None = None) -> SpectralLoss:
        """Return the distance at one resolution; `scale` is the spectrum that the convergence is relative to."""
        relative = (theirs.magnitude if scale is None else scale).norm(dim=(1, 2)).clamp_min(self.floor)
        convergence = (theirs.magnitude - mine.magnitude).norm(dim=(1, 2)) / relative
        stft = convergence.mean() + self._log_distance(mine.magnitude, theirs.magnitude)
        return SpectralLoss(stft, self._log_distance(mine.mel, theirs.mel))

    @staticmethod
    def _mean(losses: Iterable[SpectralLoss]) -> SpectralLoss:
        stft, mel = zip(*(_parts(loss) for loss in losses), strict=True)
        return SpectralLoss(torch.stack(stft).mean(), torch.stack(mel).mean())

    def _magnitude(self, signal: Tensor, size: int) -> Tensor:
        spectrum = torch.stft(
            signal, size, size // 4, window=self.get_buffer(f"window_{size}"), center=True, return_complex=True
        )
        # the square root's slope is infinite at zero
        power = torch.view_as_real(spectrum).square().sum(-1)
        return power.clamp_min(self.floor**2).sqrt() * (2.0 / size) ** 0.5

    def _log_distance(self, mine: Tensor, theirs: Tensor) -> Tensor:
        return (mine.clamp_min(self.floor).log() - theirs.clamp_min(self.floor).log()).abs().mean()


@dataclass(frozen=True)
class _Spectra:
    """Of one signal at one resolution: magnitudes `[B, F, T]` and their mel bands `[B, M, T]`."""

    magnitude: Tensor
    mel: Tensor


def _parts(loss: SpectralLoss) -> tuple[Tensor, Tensor]:
    return loss.stft, loss.mel
