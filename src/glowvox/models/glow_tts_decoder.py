"""The flow-based decoder of Glow-TTS (section 3.2, figure 2b): between a mel spectrogram and its latent."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.errors import MelError, TextError, VoiceError
from glowvox.flows.affine import ActNorm
from glowvox.flows.base import Chain, Flow
from glowvox.flows.coupling import AffineCoupling
from glowvox.flows.invertible_conv import GroupedInvertibleConv
from glowvox.flows.squeeze import Squeeze
from glowvox.models.pitch_conditioning import PitchConditioning
from glowvox.nn.wavenet import WN


class SigmoidScale(nn.Module):
    """A coupling network whose scale is a sigmoid, near one at the start: an option of the original program."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> Tensor:
        """Return shift and log scale `[B, C, T]` from `x [B, C / 2, T]`."""
        shift, raw = self.network(x, mask, condition).to(x.dtype).chunk(2, 1)
        return torch.cat([shift, torch.log(1e-6 + torch.sigmoid(raw + 2.0))], 1)


class GlowTTSDecoder(Flow):
    """Squeeze, blocks of (ActNorm, grouped 1x1 convolution, affine coupling), and back to frames.

    The condition is the speaker's vector `[B, G, 1]`, or with a melody `[B, G, T / n_squeeze]`, see
    `GlowTTS`; None with neither. T must be a multiple of `n_squeeze`.
    """

    def __init__(self, config: GlowTTSConfig) -> None:
        super().__init__()
        self.squeeze = Squeeze(config.n_squeeze)
        self.blocks = Chain(_block(config) for _ in range(config.n_blocks))

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map a mel `x [B, M, T]` to the latent `[B, M, T]`. See `Flow.forward`."""
        squeezed, _ = self.squeeze(x, mask)
        latent, log_det = self.blocks(squeezed, self._squeezed(mask), condition)
        return self.squeeze.inverse(latent, mask)[0], log_det

    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map a latent `z [B, M, T]` to the mel `[B, M, T]`. See `Flow.inverse`."""
        squeezed, _ = self.squeeze(z, mask)
        mel, log_det = self.blocks.inverse(squeezed, self._squeezed(mask), condition)
        return self.squeeze.inverse(mel, mask)[0], log_det

    @property
    def receptive_field(self) -> int:
        """Mel frames on each side of an output frame that it depends on (a safe bound)."""
        steps = sum(network.receptive_field for network in self.modules() if isinstance(network, WN))
        return steps * self.squeeze.factor + self.squeeze.factor - 1

    def _squeezed(self, mask: Tensor | None) -> Tensor | None:
        return None if mask is None else self.squeeze.squeeze_mask(mask)


def _block(config: GlowTTSConfig) -> Chain:
    channels = config.audio.n_mels * config.n_squeeze
    network: nn.Module = WN(
        channels // 2,
        channels,
        config.condition_channels,
        channels=config.decoder_channels,
        skip_channels=config.decoder_channels,
        layers=config.n_layers,
        kernel_size=config.kernel_size,
        dilation_growth=config.dilation_growth,
        dropout=config.decoder_dropout,
    )
    if config.sigmoid_scale:
        network = SigmoidScale(network)
    coupling = AffineCoupling(network, max_log_scale=config.max_log_scale)
    return Chain([ActNorm(channels), GroupedInvertibleConv(channels, config.n_split), coupling])


# What Glow-TTS refuses, each with one line that says what was wrong.


def check_tokens(tokens: Tensor, token_lengths: Tensor, n_symbols: int) -> None:
    """Refuse tokens that are not `[B, L]` integers below `n_symbols` with lengths from 1 to L.

    Raises:
        TextError: with what was wrong.
    """
    if tokens.ndim != 2 or 0 in tokens.shape or tuple(token_lengths.shape) != (tokens.shape[0],):
        raise TextError(
            f"expected tokens [B, L] and token_lengths [B], got {list(tokens.shape)} and {list(token_lengths.shape)}"
        )
    if tokens.is_floating_point() or token_lengths.is_floating_point():
        raise TextError(f"tokens and their lengths must be integers, got {tokens.dtype} and {token_lengths.dtype}")
    if int(token_lengths.min()) < 1 or int(token_lengths.max()) > tokens.shape[1]:
        raise TextError(f"token_lengths must lie from 1 to {tokens.shape[1]}, got {token_lengths.tolist()}")
    lowest, highest = int(tokens.min()), int(tokens.max())
    if lowest < 0 or highest >= n_symbols:
        raise TextError(
            f"tokens must lie from 0 to {n_symbols - 1}, got {lowest} to {highest}; they were made for another model"
        )


def check_mel(mel: Tensor, mel_lengths: Tensor, n_mels: int) -> None:
    """Refuse a mel that is not `[B, n_mels, T]` with lengths from 1 to T.

    Raises:
        MelError: with what was wrong.
    """
    if mel.ndim != 3 or mel.shape[1] != n_mels or not len(mel) or tuple(mel_lengths.shape) != (mel.shape[0],):
        raise MelError(
            f"expected a mel [B, {n_mels}, T] and mel_lengths [B], got {list(mel.shape)} and {list(mel_lengths.shape)}"
        )
    if int(mel_lengths.min()) < 1 or int(mel_lengths.max()) > mel.shape[2]:
        raise MelError(f"mel_lengths must lie from 1 to {mel.shape[2]}, got {mel_lengths.tolist()}")


def checked_speaker(speaker: Tensor | None, batch: int, n_speakers: int) -> Tensor:
    """Return `speaker [B]`, refusing an absent one or one that the model does not know.

    Raises:
        VoiceError: with what was wrong.
    """
    if speaker is None:
        raise VoiceError(f"this model has {n_speakers} speakers; choose one from 0 to {n_speakers - 1}")
    if tuple(speaker.shape) != (batch,) or int(speaker.min()) < 0 or int(speaker.max()) >= n_speakers:
        raise VoiceError(f"need {batch} speakers from 0 to {n_speakers - 1}, got {speaker.tolist()}")
    return speaker


def fitted_noise(noise: Tensor, latent: Tensor, n_frames: int) -> Tensor:
    """Return noise of the latent's type, device and frames, cut or, beyond `n_frames`, filled with zeros.

    Args:
        noise: [B or 1, M, frames].
        latent: [B, M, T], T at least `n_frames`.
        n_frames: how many frames the noise must have.

    Raises:
        MelError: the shape does not fit.
    """
    batch, channels, filled = latent.shape
    if noise.ndim != 3 or noise.shape[0] not in (1, batch) or noise.shape[1] != channels:
        raise MelError(f"noise must be [{batch} or 1, {channels}, frames], got {list(noise.shape)}")
    if noise.shape[2] < n_frames:
        raise MelError(f"noise has {noise.shape[2]} frames, the sentence needs {n_frames}")
    return F.pad(noise[:, :, :filled], (0, max(0, filled - noise.shape[2]))).to(latent)


# What the parts of Glow-TTS are told besides text and mel: who speaks, and with which melody.


def speaker_vector(speakers: nn.Embedding | None, speaker: Tensor | None, batch: int) -> Tensor | None:
    """Return the speakers' unit vectors `[B, G, 1]`, or None for a model with one speaker.

    Raises:
        VoiceError: the speaker does not fit the model.
    """
    if speakers is None:
        if speaker is not None:
            raise VoiceError("this model has one speaker; leave the speaker out")
        return None
    return F.normalize(speakers(checked_speaker(speaker, batch, speakers.num_embeddings))).unsqueeze(2)


def decoder_condition(
    vector: Tensor | None, harmonics: Tensor | None, frames: Tensor, squeeze: Squeeze, melody: PitchConditioning | None
) -> Tensor | None:
    """Return what the couplings see: `[B, G, 1]` of speakers; with a melody `[B, C + G, T / step]`, its channels first.

    Args:
        vector: see `speaker_vector`.
        harmonics: [B, K, T], see `audio.pitch.harmonic_features`.
        frames: [B, M, T], the mel or the latent.
        squeeze: frames to steps of the decoder.
        melody: the model's; None: it has none.

    Raises:
        MelError: they are missing, not wanted, or does not fit.
    """
    if harmonics is None or melody is None:
        if melody is not None:
            raise MelError("this model has a melody; say the pitch of each frame")
        if harmonics is not None:
            raise MelError("this model has no melody; leave the pitch out")
        return vector
    if harmonics.ndim != 3 or (len(harmonics), harmonics.shape[2]) != (len(frames), frames.shape[2]):
        raise MelError(f"the comb must be [{len(frames)}, K, {frames.shape[2]}], got {list(harmonics.shape)}")
    seen: Tensor = melody.projection(squeeze(harmonics.to(frames))[0])
    return seen if vector is None else torch.cat([seen, vector.to(seen.dtype).expand(-1, -1, seen.shape[2])], 1)


def whole_steps(mel: Tensor, mel_lengths: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Return a mel `[B, M, T]` and lengths without the frames that fill no step of the decoder."""
    return mel[:, :, : mel.shape[2] // step * step], mel_lengths // step * step
