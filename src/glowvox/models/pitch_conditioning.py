"""The melody of Glow-TTS: what its decoder is told of the pitch, and how the text predicts it.

Without it the pitch is one more thing that the latent decides, in each frame by itself; drawn near the mean, as speech
is, the harmonics of a voice then blur. With it the couplings see where the harmonics lie
(`audio.pitch.harmonic_features`). The model is one of p(mel | text, pitch): the pitch is read off the mel in training,
and predicted by token from the text in speaking, as FastPitch does it (arXiv 2006.06873, section 2.1).
"""

import itertools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glowvox.audio.pitch import CHANNELS, harmonic_features, n_harmonic_features, pitch_contour, read_pitch, token_pitch
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.errors import MelError

# Predicts pitch and voicing from a mel spectrogram: a vocoder's harmonic source and an acoustic model's melody.


class PitchPredictor(nn.Module):
    """Three convolutions over mel frames and a projection to the bins of `glowvox.audio.pitch`.

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


_READER_CHANNELS = 64
_MEL_MEAN, _MEL_STD = -5.0, 2.0
"""Roughly those of speech in natural logarithms; the predictor learns the rest."""


class PitchConditioning(nn.Module):
    """Reads pitch off mels, and turns it into a condition. Its reader learns by itself, before the flow."""

    def __init__(self, config: GlowTTSConfig) -> None:
        super().__init__()
        self.audio = config.audio
        self.reader = PitchPredictor(config.audio.n_mels, _READER_CHANNELS, mel_mean=_MEL_MEAN, mel_std=_MEL_STD)
        self.projection = nn.Conv1d(
            config.n_squeeze * n_harmonic_features(config.audio), config.melody_channels, 1, bias=False
        )

    def read(self, mel: Tensor, mask: Tensor) -> Tensor:
        """Return the pitch in Hz `[B, T]` of a mel `[B, M, T]` and its mask `[B, 1, T]`, 0 where unvoiced or beyond it.

        No gradient goes through it.
        """
        with torch.no_grad(), torch.autocast(mel.device.type, enabled=False):
            frequency, voicing = read_pitch(_array(self.reader(mel, mask)))
        return torch.from_numpy(np.where(voicing > 0.5, frequency, 0.0)).to(mel) * mask[:, 0]

    def harmonic_features(self, pitch: Tensor) -> Tensor:
        """Return the harmonic features `[B, K, T]` of a pitch `[B, T]`; the couplings see them through `projection`."""
        return torch.from_numpy(harmonic_features(_array(pitch), self.audio)).to(pitch)

    def of_tokens(self, pitch: Tensor, durations: Tensor) -> Tensor:
        """Return height and voiced share `[B, 2, L]` of each token, from a pitch `[B, T]` and frames `[B, L]`."""
        rows = zip(_array(pitch), _array(durations).astype(np.int64), strict=True)
        return torch.from_numpy(np.stack([np.stack(token_pitch(*row)) for row in rows])).to(pitch)

    def of_frames(self, melody: Tensor, durations: Tensor, n_frames: int) -> Tensor:
        """Return the pitch in Hz `[B, T]` of predictions `[B, 2, L]` for tokens of so many frames `[B, L]`."""
        pitch = np.zeros((len(melody), n_frames))
        for row, (height, odds), frames in zip(pitch, _array(melody), _array(durations), strict=True):
            contour = pitch_contour(height, odds, frames)
            row[: len(contour)] = contour
        return torch.from_numpy(pitch).to(melody)


def fitted_pitch(pitch: Tensor, latent: Tensor) -> Tensor:
    """Return a pitch of the latent's frames `[B, T]`, unvoiced where it has none.

    Raises:
        MelError: it is not `[B, frames]`, or not finite and at least 0.
    """
    if pitch.ndim != 2 or len(pitch) != len(latent):
        raise MelError(f"the pitch must be [{len(latent)}, frames], got {list(pitch.shape)}")
    if not torch.isfinite(pitch).all() or (pitch < 0).any():
        raise MelError("the pitch must be in Hz, 0 where unvoiced; it is negative or not finite somewhere")
    missing = latent.shape[2] - pitch.shape[1]
    return torch.nn.functional.pad(pitch, (0, max(0, missing)))[:, : latent.shape[2]].to(latent)


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array
