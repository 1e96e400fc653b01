"""What WaveGlow's couplings see of the mel spectrogram, and the envelope that scales a lapped flow's input."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.audio.mel import mel_filterbank
from glowvox.config.waveglow import WaveGlowConfig


class MelUpsampler(nn.Module):
    """The paper's condition: a transposed convolution to the rate of samples, then the squeeze to groups."""

    def __init__(self, config: WaveGlowConfig) -> None:
        super().__init__()
        mels, hop = config.audio.n_mels, config.audio.hop_length
        self.hop_length = hop
        self.n_group = config.n_group
        self.weight = nn.Parameter(torch.empty(mels, mels, config.audio.win_length))
        self.bias = nn.Parameter(torch.zeros(mels))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))

    @property
    def receptive_field(self) -> int:
        """Mel frames on each side that a frame's condition depends on."""
        return math.ceil(self.weight.shape[2] / self.hop_length)

    def forward(self, mel: Tensor) -> Tensor:
        """Return `[B, M * G, T * hop / G]` from `mel [B, M, T]`; channel m * G + g is bin m, sample g of the group."""
        batch, mels, frames = mel.shape
        samples = F.conv_transpose1d(mel, self.weight, self.bias, stride=self.hop_length)
        groups = samples[:, :, : frames * self.hop_length].reshape(batch, mels, -1, self.n_group)
        return groups.permute(0, 1, 3, 2).reshape(batch, mels * self.n_group, -1)


class MelEncoder(nn.Module):
    """Two convolutions over mel frames, shared by all couplings."""

    def __init__(self, config: WaveGlowConfig) -> None:
        super().__init__()
        self.first = nn.Conv1d(config.audio.n_mels, config.encoder_channels, 5, padding=2)
        self.second = nn.Conv1d(config.encoder_channels, config.encoder_channels, 3, padding=1)

    @property
    def receptive_field(self) -> int:
        """Mel frames on each side that a frame of the condition depends on."""
        return 3

    def forward(self, mel: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return `[B, encoder_channels, T]` from `mel [B, M, T]`, whose padding is zero."""
        hidden = F.gelu(self.first(mel))
        hidden = F.gelu(self.second(hidden if mask is None else hidden * mask))
        return hidden if mask is None else hidden * mask


class MelEnvelope(nn.Module):
    """The log scale of every coefficient of a lapped transform, from the mel: its envelope, interpolated and corrected.

    The start is the expectation for noise with this envelope; the convolutions learn what the mel does not say (what
    lies above its highest frequency, what differs from noise). Input: the standardised mel `[B, M, T]`; output:
    `[B, hop, T * frames per mel frame]`.
    """

    def __init__(self, config: WaveGlowConfig) -> None:
        super().__init__()
        audio = config.audio
        self.repeat = config.groups_per_frame
        self.base = nn.Conv1d(audio.n_mels, config.n_group, 3, padding=1)
        self.hidden = nn.Conv1d(audio.n_mels, 128, 3, padding=1)
        self.correction = nn.Conv1d(128, config.n_group, 3, padding=1)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)  # type: ignore[arg-type]
        interpolation, gain = (torch.from_numpy(array).float() for array in _noise_envelope(config))
        # log mel = nepers * standardised mel + offset, whatever the contract's logarithm and normalisation
        unit = {"ln": 1.0, "log10": math.log(10.0), "db": math.log(10.0) / 20}[audio.log] / audio.power
        nepers, offset = unit * audio.std * config.mel_std, unit * (audio.std * config.mel_mean + audio.mean)
        with torch.no_grad():
            self.base.weight.zero_()
            # a block of samples lies between its mel frame and the next one
            self.base.weight[:, :, 1] = interpolation * (0.5 * nepers)
            self.base.weight[:, :, 2] = interpolation * (0.5 * nepers)
            self.base.bias.copy_(gain + offset)  # type: ignore[union-attr]

    def forward(self, mel: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the log scales; `mask [B, 1, T * frames per mel frame]` says which of them count."""
        hidden = F.gelu(self.hidden(mel))
        hidden = hidden if mask is None else hidden * mask[:, :, :: self.repeat]
        log_scale = self.base(mel) + self.correction(hidden)
        return log_scale.repeat_interleave(self.repeat, 2) if self.repeat > 1 else log_scale


def _noise_envelope(config: WaveGlowConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return the interpolation `[hop, M]` from log mel bins to log scales of lapped coefficients, and its constant.

    For noise of spectral density s^2 an STFT bin has the magnitude s * sqrt(sum w^2) * sqrt(pi) / 2 on average,
    a filter adds its weights' sum, and an orthonormal coefficient has the standard deviation s.
    """
    audio = config.audio
    filters = mel_filterbank(audio)
    frequencies = np.arange(filters.shape[1]) * audio.sample_rate / audio.n_fft
    weights = filters.sum(1)
    centres = (filters @ frequencies) / weights
    targets = (np.arange(config.n_group) + 0.5) * audio.sample_rate / (2 * config.n_group)
    interpolation = np.stack([np.interp(targets, centres, row) for row in np.eye(audio.n_mels)], 1)
    window_energy = 3.0 / 8.0 * audio.win_length  # of a periodic Hann window
    gain = -np.log(weights) / audio.power - 0.5 * math.log(window_energy * math.pi / 4)
    return interpolation, interpolation @ gain
