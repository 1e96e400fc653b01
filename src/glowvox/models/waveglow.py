"""WaveGlow (arXiv 1811.00002): a flow between a waveform and Gaussian noise, conditioned on a mel spectrogram.

The paper's model and NVIDIA's published one, and, through the same parts, smaller ones for a CPU: larger groups,
mel-rate conditioning, separable convolutions (SqueezeWave, arXiv 2001.05685), a lapped transform for the squeeze.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.audio.mel import mel_filterbank
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import AudioError, MelError
from glowvox.flows.affine import ActNorm, ConditionalScale
from glowvox.flows.base import Flow, gaussian_log_likelihood
from glowvox.flows.coupling import AffineCoupling
from glowvox.flows.invertible_conv import InvertibleConv
from glowvox.flows.lapped import Lapped
from glowvox.flows.multiscale import EarlyOutputs
from glowvox.flows.squeeze import Squeeze
from glowvox.models.pitch_conditioning import PitchPredictor
from glowvox.models.source_mix import SourceMix
from glowvox.nn.streaming import Chunk, PieceState, Stream
from glowvox.nn.wavenet import WN


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

    def piece(self, mel: Chunk, stream: Stream) -> Chunk:
        """Return the condition of the groups that can be computed once these frames have come."""
        past, per_frame = self.receptive_field - 1, self.hop_length // self.n_group
        window = stream.window("mel", mel, past, 0)
        return Chunk(self(window.values)[:, :, past * per_frame :], window.begin * per_frame)


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

    def piece(self, mel: Chunk, stream: Stream) -> Chunk:
        """Return the frames of the condition that can be computed once these have come."""
        hidden = stream.convolution("first", self.first, mel).map(F.gelu)
        return stream.convolution("second", self.second, hidden).map(F.gelu)


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
        result: Tensor = log_scale.repeat_interleave(self.repeat, 2) if self.repeat > 1 else log_scale
        return result

    def piece(self, mel: Chunk, stream: Stream) -> Chunk:
        """Return the log scales that can be computed once these frames have come."""
        hidden = stream.convolution("hidden", self.hidden, mel).map(F.gelu)
        correction = stream.convolution("correction", self.correction, hidden)
        base = stream.until("base", stream.convolution("mel", self.base, mel), correction.end)
        log_scale = (base.values + correction.values).repeat_interleave(self.repeat, 2)
        return Chunk(log_scale, correction.begin * self.repeat)


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


SMALLEST_LEVEL = 1e-6
"""Below it a level is not divided by: silence stays silence."""


class LevelLimit(nn.Module):
    """Brings the level of every band of every frame down to the highest one that it may have.

    The mel tells a lapped flow how loud each frame is, and its input is divided by that: in recordings the level of a
    band of a frame, the root mean square of its coefficients, is nearly the same everywhere. The inverse of a flow
    multiplies by scales that it has itself made of noise, and now and then, for a mel unlike those that it has learned
    from, they agree on a value that no recording has: a burst of one frame. What is louder than recordings ever are is
    brought down.

    Args:
        highest: for each of equally wide bands of neighbouring coefficients, from low frequencies to high ones.
    """

    def __init__(self, highest: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("highest", torch.tensor(list(highest)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x [B, G, N]`, standardised coefficients, with no band of a column louder than it may be."""
        highest = self.get_buffer("highest").to(x.dtype)[:, None, None]
        bands = x.unflatten(1, (len(highest), -1))
        gain = (highest / band_levels(bands).clamp_min(SMALLEST_LEVEL)).clamp_max(1.0)
        result: Tensor = (bands * gain).flatten(1, 2)
        return result


def band_levels(bands: Tensor) -> Tensor:
    """Return the root mean squares `[B, bands, 1, N]` of coefficients `[B, bands, G / bands, N]`."""
    return bands.square().mean(2, keepdim=True).sqrt()


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
        network = WN(
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

    @property
    def network(self) -> WN:
        """The coupling's network."""
        network = self.coupling.network
        assert isinstance(network, WN)
        return network

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

    def inverse_piece(self, z: Chunk, condition: Chunk, stream: Stream) -> Chunk:
        """Undo the step as far as it can be once these columns have come. See `WN.piece` for the condition."""
        kept = z.map(lambda values: self.coupling.halves(values)[0])
        predicted = self.network.piece(kept, condition, stream.part("coupling"))
        z = stream.until("latent", z, predicted.end)  # the network lags: what it moves waits for it
        x, _ = self.convolution.inverse(self.coupling.undo(z.values, predicted.values))
        if self.actnorm is not None:
            x, _ = self.actnorm.inverse(x)
        return Chunk(x, z.begin)


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
            n_mels, channels = config.audio.n_mels, config.pitch_channels
            self.pitch = PitchPredictor(n_mels, channels, mel_mean=config.mel_mean, mel_std=config.mel_std)
        self.source_mix: SourceMix | None = None
        if config.source_mix:
            mean, std = config.mel_mean, config.mel_std
            self.source_mix = SourceMix(config.audio.n_mels, config.n_group, mel_mean=mean, mel_std=std)
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

    def inverse_piece(
        self, latent: Tensor, mel: Tensor, state: PieceState, *, final: bool
    ) -> tuple[Tensor, PieceState]:
        """Map noise to audio as `inverse` does with `limited`, a piece of the signal at a time.

        Args:
            latent: `[B, G, t * groups_per_frame]`, the piece's part of the latent.
            mel: `[B, M, t]`; the first piece, if it is not the last too, has more than `delay` frames.
            state: what the piece before left; empty for the first one.
            final: whether the signal ends with this piece.

        Returns:
            samples `[B, S]`, whole frames from where the piece before ended to `delay` frames before the end of this
            one, or to the end; and the state for the next piece.
        """
        config, stream = self.config, Stream(state, final=final)
        frames = stream.arrived("mel", (mel - config.mel_mean) / config.mel_std)
        x = self._undo_steps(stream.arrived("groups", latent), frames, stream)
        per_frame, log_scale = config.groups_per_frame, None
        if self.scale is not None:
            envelope = self.scale.network
            assert isinstance(envelope, MelEnvelope)
            log_scale = envelope.piece(frames, stream.part("scale"))
        ready = x.end if log_scale is None else min(x.end, log_scale.end)
        x = stream.until("columns", x, ready // per_frame * per_frame)
        if self.limit is not None:
            x = x.map(self.limit)
        if log_scale is not None:
            log_scale = stream.until("log scale", log_scale, x.end)
            x = Chunk(x.values * log_scale.values.exp(), x.begin)
        reach = 1 if config.transform == "lapped" else 0  # a block needs its neighbours on both sides
        known, begin, end = stream.context("blocks", x, reach, reach)
        audio = Chunk(self.transform.inverse(known.values)[0], known.begin * config.n_group)
        audio = audio.cut(begin * config.n_group, end * config.n_group)
        audio = stream.until("audio", audio, audio.end // config.audio.hop_length * config.audio.hop_length)
        return audio.values.squeeze(1), stream.after

    def standardised(self, audio: Tensor, mel: Tensor) -> Tensor:
        """Return what the steps of flow see of `audio [B, S]` with `mel [B, M, T]`: transformed, divided by its scale.

        Raises:
            MelError, AudioError: shapes do not fit.
        """
        self._check(mel, audio)
        x, _ = self.transform(audio.unsqueeze(1))
        if self.scale is not None:
            x, _ = self.scale(x, None, (mel - self.config.mel_mean) / self.config.mel_std)
        result: Tensor = x
        return result

    def log_likelihood(
        self, audio: Tensor, mel: Tensor, sigma: float = 1.0, mel_lengths: Tensor | None = None
    ) -> Tensor:
        """Return log p(audio | mel) `[B]` in nats, under a base density N(0, sigma^2). See `forward` for the shapes."""
        output = self(audio, mel, mel_lengths)
        mask = self._masks(mel, mel_lengths).group
        result: Tensor = gaussian_log_likelihood(output.latent, sigma, mask) + output.log_det
        return result

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

    @property
    def delay(self) -> int:
        """Mel frames that must follow a frame before `inverse_piece` gives its samples."""
        groups = sum(step.receptive_field for step in self.steps if isinstance(step, WaveGlowStep))
        frames = math.ceil(groups / self.config.groups_per_frame)
        if self.encoder is not None:
            frames += self.encoder.receptive_field
        if self.scale is not None:
            frames = max(frames, 2)
        return frames + (1 if self.config.transform == "lapped" else 0)

    def _undo_steps(self, latent: Chunk, frames: Chunk, stream: Stream) -> Chunk:
        """Return the columns that leave the steps of flow; channels that left early wait until they are due."""
        config, condition = self.config, frames
        if self.upsample is not None:
            condition = self.upsample.piece(frames, stream.part("upsample"))
        elif self.encoder is not None:
            condition = self.encoder.piece(frames, stream.part("encoder"))
        condition = stream.joined("condition", condition)
        repeat = 1 if self.upsample is not None else config.groups_per_frame
        sizes = [config.n_early_size] * len(config.early_exits)
        *early, last = latent.values.split([*sizes, config.remaining_channels], 1)
        x = stream.until("latent", Chunk(last, latent.begin), condition.end * repeat)
        for index, step in reversed(list(enumerate(self.steps))):
            assert isinstance(step, WaveGlowStep)
            x = step.inverse_piece(x, condition, stream.part(f"step {index}"))
            if index in config.early_exits:
                left = stream.until(f"early {index}", Chunk(early.pop(), latent.begin), x.end)
                x = Chunk(torch.cat([left.values, x.values], 1), x.begin)
        stream.keep("condition", condition, x.end // repeat)
        return x

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
                f"got {tuple(audio.shape)}; MelTransform.whole_frames makes both of a signal"
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
