"""WaveGlow (arXiv 1811.00002): a flow between a waveform and Gaussian noise, conditioned on a mel spectrogram.

The paper's model and NVIDIA's published one, and, through the same parts, smaller ones for a CPU: larger groups,
mel-rate conditioning, separable convolutions (SqueezeWave, arXiv 2001.05685), a lapped transform for the squeeze.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import AudioError, MelError
from glowvox.flows.actnorm import ActNorm
from glowvox.flows.base import Flow
from glowvox.flows.coupling import AffineCoupling
from glowvox.flows.invertible_conv import InvertibleConv
from glowvox.flows.lapped import Lapped
from glowvox.flows.likelihood import gaussian_log_likelihood
from glowvox.flows.multiscale import EarlyOutputs
from glowvox.flows.scale import ConditionalScale
from glowvox.flows.squeeze import Squeeze
from glowvox.models.level_limit import LevelLimit
from glowvox.models.pitch_predictor import PitchPredictor
from glowvox.models.waveglow_condition import MelEncoder, MelEnvelope, MelUpsampler
from glowvox.nn.gated_stack import GatedStack


@dataclass(frozen=True)
class FlowOutput:
    """What a flow makes of data: the latent `[B, C, T]` and the log-determinant `[B]` of the Jacobian."""

    latent: Tensor
    log_det: Tensor


class WaveGlowStep(Flow):
    """One step of flow: an optional ActNorm, the 1x1 convolution, the affine coupling (figure 1 of the paper).

    Attributes:
        receptive_field: groups on each side of a group that its output depends on.
    """

    def __init__(self, config: WaveGlowConfig, channels: int, condition_channels: int) -> None:
        super().__init__()
        self.actnorm = ActNorm(channels) if config.actnorm else None
        self.convolution = InvertibleConv(channels)
        network = GatedStack(
            channels // 2,
            channels,
            condition_channels,
            channels=config.n_channels,
            skip_channels=config.n_skip_channels,
            layers=config.n_layers,
            kernel_size=config.kernel_size,
            dilation_growth=config.dilation_growth,
            separable=config.separable,
            condition_repeat=config.groups_per_frame if config.conditioning == "mel-rate" else 1,
        )
        self.receptive_field = network.receptive_field
        self.coupling = AffineCoupling(network, max_log_scale=config.max_log_scale)

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Apply the step to `x [B, C, T]`. See `Flow.forward`."""
        total = x.new_zeros(x.shape[0])
        if self.actnorm is not None:
            x, total = self.actnorm(x, mask)
        x, log_det = self.convolution(x, mask)
        y, coupling_log_det = self.coupling(x, mask, condition)
        return y, total + log_det + coupling_log_det

    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Undo the step. See `Flow.inverse`."""
        x, total = self.coupling.inverse(z, mask, condition)
        x, log_det = self.convolution.inverse(x, mask)
        total = total + log_det
        if self.actnorm is not None:
            x, log_det = self.actnorm.inverse(x, mask)
            total = total + log_det
        return x, total


class WaveGlow(nn.Module):
    """The vocoder. See `WaveGlowConfig` for what its parts can be."""

    def __init__(self, config: WaveGlowConfig) -> None:
        super().__init__()
        self.config = config
        self.transform: Flow = Lapped(config.n_group) if config.transform == "lapped" else Squeeze(config.n_group)
        self.upsample = MelUpsampler(config) if config.conditioning == "upsampled" else None
        self.encoder = MelEncoder(config) if config.encoder_channels else None
        self.scale = ConditionalScale(MelEnvelope(config)) if config.mel_scale else None
        self.limit = LevelLimit(config.highest_levels) if config.highest_levels else None
        self.pitch: PitchPredictor | None = None
        if config.harmonic:
            self.pitch = PitchPredictor(config.audio.n_mels, mel_mean=config.mel_mean, mel_std=config.mel_std)
        channels, steps = config.n_group, []
        for index in range(config.n_flows):
            if index in config.early_exits:
                channels -= config.n_early_size
            steps.append(WaveGlowStep(config, channels, self._condition_channels()))
        if config.harmonic:
            _cancel_rotations([step.convolution for step in steps])
        self.steps = EarlyOutputs(steps, dict.fromkeys(config.early_exits, config.n_early_size))

    def forward(self, audio: Tensor, mel: Tensor, mel_lengths: Tensor | None = None) -> FlowOutput:
        """Map audio to noise.

        Args:
            audio: `[B, S]` samples, S = T * hop_length.
            mel: `[B, M, T]` with the model's mel contract.
            mel_lengths: `[B]` valid frames of each item; None: all.

        Returns:
            latent `[B, G, S / G]`, early outputs first (lapped: `[B, hop, T]`), and log-determinant `[B]`.

        Raises:
            MelError, AudioError: shapes do not fit.
        """
        self._check(mel, audio)
        masks = self._masks(mel, mel_lengths)
        condition, mel = self._condition(mel, masks.frame)
        samples = audio.unsqueeze(1)
        if masks.sample is not None:
            samples = samples * masks.sample
        x, _ = self.transform(samples, masks.transform)
        scale_log_det = x.new_zeros(x.shape[0])
        if self.scale is not None:
            x, scale_log_det = self.scale(x, masks.group, mel)
        latent, log_det = self.steps(x, masks.group, condition)
        return FlowOutput(latent, log_det + scale_log_det)

    def inverse(
        self, latent: Tensor, mel: Tensor, mel_lengths: Tensor | None = None, *, limited: bool = False
    ) -> Tensor:
        """Map noise to audio.

        Args:
            latent: as `forward` gives it.
            mel: `[B, M, T]`.
            mel_lengths: `[B]` valid frames of each item; None: all.
            limited: as it is spoken, with the configuration's limit to levels; the exact inverse is without.

        Returns:
            samples `[B, T * hop_length]`.

        Raises:
            MelError: shapes do not fit.
        """
        self._check(mel)
        expected = self.latent_shape(mel.shape[0], mel.shape[2])
        if tuple(latent.shape) != expected:
            raise MelError(f"a mel of shape {tuple(mel.shape)} needs a latent {expected}, got {tuple(latent.shape)}")
        masks = self._masks(mel, mel_lengths)
        condition, mel = self._condition(mel, masks.frame)
        x, _ = self.steps.inverse(latent, masks.group, condition)
        if limited and self.limit is not None:
            x = self.limit(x)
        if self.scale is not None:
            x, _ = self.scale.inverse(x, masks.group, mel)
        audio, _ = self.transform.inverse(x, masks.transform)
        return audio.squeeze(1)

    def standardised(self, audio: Tensor, mel: Tensor) -> Tensor:
        """Return what the steps of flow see of `audio [B, S]` with `mel [B, M, T]`: transformed, divided by its scale.

        Raises:
            MelError, AudioError: shapes do not fit.
        """
        self._check(mel, audio)
        x, _ = self.transform(audio.unsqueeze(1))
        if self.scale is not None:
            x, _ = self.scale(x, None, (mel - self.config.mel_mean) / self.config.mel_std)
        return x

    def log_likelihood(
        self, audio: Tensor, mel: Tensor, sigma: float = 1.0, mel_lengths: Tensor | None = None
    ) -> Tensor:
        """Return log p(audio | mel) `[B]` in nats, under a base density N(0, sigma^2). See `forward` for the shapes."""
        output = self(audio, mel, mel_lengths)
        mask = self._masks(mel, mel_lengths).group
        return gaussian_log_likelihood(output.latent, sigma, mask) + output.log_det

    def latent_shape(self, batch: int, frames: int) -> tuple[int, int, int]:
        """Return the shape of the latent for `batch` mels of `frames` frames."""
        return batch, self.config.n_group, frames * self.config.groups_per_frame

    @property
    def receptive_field(self) -> int:
        """Mel frames on each side of an output frame that its samples depend on (a safe bound)."""
        groups = sum(step.receptive_field for step in self.steps if isinstance(step, WaveGlowStep))
        frames = math.ceil(groups / self.config.groups_per_frame)
        if self.upsample is not None:
            frames += self.upsample.receptive_field
        if self.encoder is not None:
            frames += self.encoder.receptive_field
        return frames + (2 if self.config.transform == "lapped" else 0)

    def _condition_channels(self) -> int:
        if self.config.conditioning == "upsampled":
            return self.config.audio.n_mels * self.config.n_group
        return self.config.encoder_channels or self.config.audio.n_mels

    def _condition(self, mel: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the couplings' condition and the standardised mel, padding set to zero."""
        mel = (mel - self.config.mel_mean) / self.config.mel_std
        mel = mel if mask is None else mel * mask
        if self.upsample is not None:
            return self.upsample(mel), mel
        return (mel if self.encoder is None else self.encoder(mel, mask)), mel

    def _masks(self, mel: Tensor, mel_lengths: Tensor | None) -> "_Masks":
        if mel_lengths is None:
            return _Masks(None, None, None, None)
        frames = torch.arange(mel.shape[2], device=mel.device) < mel_lengths[:, None]
        frame = frames.unsqueeze(1).to(mel.dtype)
        sample = frame.repeat_interleave(self.config.audio.hop_length, 2)
        group = frame.repeat_interleave(self.config.groups_per_frame, 2)
        return _Masks(frame, group, sample, group if self.config.transform == "lapped" else sample)

    def _check(self, mel: Tensor, audio: Tensor | None = None) -> None:
        config = self.config.audio
        if mel.dim() != 3 or mel.shape[1] != config.n_mels or not mel.shape[2]:
            raise MelError(f"expected a mel [B, {config.n_mels}, T] with at least one frame, got {tuple(mel.shape)}")
        if audio is not None and tuple(audio.shape) != (mel.shape[0], mel.shape[2] * config.hop_length):
            raise AudioError(
                f"a mel {tuple(mel.shape)} goes with audio {(mel.shape[0], mel.shape[2] * config.hop_length)}, "
                f"got {tuple(audio.shape)}"
            )


def _cancel_rotations(convolutions: list[InvertibleConv]) -> None:
    """Turn the last convolution so that all of them together are the identity: a source reaches its own frequencies."""
    with torch.no_grad():
        total: Tensor = convolutions[0].weight
        for convolution in convolutions[1:-1]:
            total = convolution.weight @ total
        convolutions[-1].weight.copy_(total.T if len(convolutions) > 1 else torch.eye(total.shape[0]))


@dataclass(frozen=True)
class _Masks:
    """The mask of valid frames, groups and samples, and the one that the transform takes; None: all valid."""

    frame: Tensor | None
    group: Tensor | None
    sample: Tensor | None
    transform: Tensor | None
