"""Pitch conditioning of Glow-TTS: what its decoder is told of the pitch, and how the text predicts it.

Without it the pitch is one more thing that the latent decides, in each frame by itself; drawn near the mean, as speech
is, the harmonics of a voice then blur. With it the couplings see where the harmonics lie
(`audio.pitch.harmonic_features`). The model is one of p(mel | text, pitch): the pitch is read off the mel in training,
and predicted by token from the text in speaking, as FastPitch does it (arXiv 2006.06873, section 2.1).
"""

import functools
import itertools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.audio.pitch import (
    AROUND,
    BINS,
    CHANNELS,
    HIGHEST_HZ,
    LOG_CENTRES,
    LOG_PITCH_STD,
    LOWEST_HZ,
    REFERENCE_HZ,
    harmonic_bins,
    n_harmonic_features,
)
from glowvox.config.audio import AudioConfig
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.errors import MelError


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

    def __init__(self, n_mels: int, channels: int, *, mel_mean: float = 0.0, mel_std: float = 1.0) -> None:
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
            logits = self.reader(mel, mask)
            result: Tensor = (read_pitch(logits) * (logits[:, BINS] > 0)).to(mel.dtype) * mask[:, 0]
            return result

    def harmonic_features(self, pitch: Tensor) -> Tensor:
        """Return the harmonic features `[B, K, T]` of a pitch `[B, T]`; the couplings see them through `projection`."""
        return harmonic_features(pitch, self.audio)


def _wide(values: Tensor) -> Tensor:
    """Return float64, as `audio.pitch` has it: the phases of high harmonics are large numbers."""
    return values.to(torch.float32 if values.device.type == "mps" else torch.float64)  # MPS has no float64


@functools.lru_cache(maxsize=16)
@torch.inference_mode(mode=False)  # made where gradients are not wanted, they must serve where they are
def _bins(audio: AudioConfig | None, device: torch.device) -> tuple[Tensor, ...]:
    """Return centres and half widths in Hz of the mel bins with harmonics, `[K - 2]`; of no audio, LOG_CENTRES."""
    arrays = (LOG_CENTRES,) if audio is None else harmonic_bins(audio)
    return tuple(_wide(torch.from_numpy(array).to(device)) for array in arrays)


def read_pitch(logits: Tensor) -> Tensor:
    """Return the pitch in Hz `[B, T]` of logits `[B, CHANNELS, T]`. See `audio.pitch.read_pitch`."""
    bins = _wide(logits[:, :BINS]).transpose(1, 2)
    (centres,) = _bins(None, logits.device)
    offsets = torch.arange(-AROUND, AROUND + 1, device=logits.device)
    places = (bins.argmax(2, keepdim=True) + offsets).clamp(0, BINS - 1)
    weights = bins.gather(2, places).softmax(2)
    return (weights * centres[places]).sum(2).exp()


def harmonic_features(pitch: Tensor, audio: AudioConfig) -> Tensor:
    """Return what the couplings see of a pitch `[B, T]` in Hz: `[B, K, T]`. See `audio.pitch.harmonic_features`."""
    centres, widths = (values[:, None] for values in _bins(audio, pitch.device))
    voiced = pitch > 0
    hertz = torch.where(voiced, _wide(pitch), REFERENCE_HZ).unsqueeze(1)
    cosine = torch.cos(2 * math.pi * centres / hertz) * torch.sinc(widths / hertz).square()
    height = torch.log(hertz / REFERENCE_HZ) / LOG_PITCH_STD
    features = torch.cat([torch.ones_like(height), height, cosine], 1) * voiced.unsqueeze(1)
    return features.float().to(pitch.dtype)


def token_pitch(pitch: Tensor, durations: Tensor) -> Tensor:
    """Return height and voiced share `[B, 2, L]` of each token. See `audio.pitch.token_pitch`.

    Args:
        pitch: `[B, T]` in Hz, 0 where unvoiced.
        durations: `[B, L]` frames of each token.
    """
    durations, frames = durations.long(), pitch.shape[1]
    voiced, places = pitch > 0, torch.arange(frames, device=pitch.device).expand_as(pitch)
    height = torch.where(voiced, torch.log(_wide(pitch) / REFERENCE_HZ) / LOG_PITCH_STD, 0.0)
    height = _between(places, places, height, _last(voiced, places, -1), _next(voiced, places, frames))
    ends = durations.cumsum(1)
    starts, count = ends - durations, durations.clamp_min(1)
    sums, shares = (F.pad(_wide(values).cumsum(1), (1, 0)) for values in (height, voiced))
    nearest = height.gather(1, starts.clamp_max(frames - 1))
    mean = torch.where(durations > 0, (sums.gather(1, ends) - sums.gather(1, starts)) / count, nearest)
    share = (shares.gather(1, ends) - shares.gather(1, starts)) / count
    return torch.stack([mean, share], 1).float().to(pitch.dtype)


def pitch_contour(predicted: Tensor, durations: Tensor, n_frames: int) -> Tensor:
    """Return the pitch in Hz `[B, T]`, 0 where unvoiced or beyond the tokens. See `audio.pitch.pitch_contour`.

    Args:
        predicted: `[B, 2, L]`, height and log odds of voicing of each token.
        durations: `[B, L]` whole frames of each token.
        n_frames: T.
    """
    ends, tokens = durations.cumsum(1), torch.arange(durations.shape[1], device=durations.device).expand_as(durations)
    frames = torch.arange(n_frames, device=durations.device).expand(len(durations), -1)
    own = torch.searchsorted(ends, frames.contiguous(), right=True).clamp_max(durations.shape[1] - 1)
    middles, places = _wide(ends) - _wide(durations) / 2, _wide(frames) + 0.5
    heard = durations > 0
    before = F.pad(_last(heard, tokens, -1), (1, 0), value=-1)[:, :-1].gather(1, own)
    after = F.pad(_next(heard, tokens, durations.shape[1]), (0, 1), value=durations.shape[1])[:, 1:].gather(1, own)
    late = places >= middles.gather(1, own)
    sides = torch.where(late, own, before), torch.where(late, after, own)
    height, odds = _wide(predicted).unbind(1)
    height, odds = (_between(places, middles, values, *sides) for values in (height, odds.clamp(-4.0, 4.0)))
    pitch = (REFERENCE_HZ * torch.exp(LOG_PITCH_STD * height)).clamp(LOWEST_HZ, HIGHEST_HZ)
    return torch.where((odds > 0) & (frames < ends[:, -1:]), pitch, 0.0).to(predicted.dtype)


def _last(which: Tensor, index: Tensor, none: int) -> Tensor:
    """Return for each place `[B, n]` the last one up to it where `which` holds; `none` where there is none."""
    return torch.where(which, index, none).cummax(1).values


def _next(which: Tensor, index: Tensor, none: int) -> Tensor:
    """Return for each place `[B, n]` the first one from it on where `which` holds; `none` where there is none."""
    return torch.where(which, index, none).flip(1).cummin(1).values.flip(1)


def _between(places: Tensor, knots: Tensor, values: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Interpolate linearly at `places [B, T]` between knots `[B, n]` with values `[B, n]`.

    `left` and `right` `[B, T]` are the indices of the neighbouring knots, below 0 or from n on where there is none:
    then the other one's value holds.
    """
    last = knots.shape[1] - 1
    left, right = torch.where(left < 0, right, left), torch.where(right > last, left, right)
    left, right = left.clamp(0, last), right.clamp(0, last)
    begin, end = knots.gather(1, left), knots.gather(1, right)
    low, high = values.gather(1, left), values.gather(1, right)
    return low + (high - low) * _wide(places - begin) / (end - begin).clamp_min(1)


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
    return F.pad(pitch, (0, max(0, missing)))[:, : latent.shape[2]].to(latent)
