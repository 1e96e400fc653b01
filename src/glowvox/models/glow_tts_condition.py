"""What the parts of Glow-TTS are told besides text and mel: who speaks, and with which melody."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.errors import MelError, VoiceError
from glowvox.flows.squeeze import Squeeze
from glowvox.models.glow_tts_checks import checked_speaker
from glowvox.models.melody import Melody


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
    vector: Tensor | None, comb: Tensor | None, frames: Tensor, squeeze: Squeeze, melody: Melody | None
) -> Tensor | None:
    """Return what the couplings see: `[B, G, 1]` of speakers; with a melody `[B, C + G, T / step]`, its channels first.

    Args:
        vector: see `speaker_vector`.
        comb: [B, K, T], see `audio.harmonic_comb`.
        frames: [B, M, T], the mel or the latent.
        squeeze: frames to steps of the decoder.
        melody: the model's; None: it has none.

    Raises:
        MelError: a comb is missing, not wanted, or does not fit.
    """
    if comb is None or melody is None:
        if melody is not None:
            raise MelError("this model has a melody; say the pitch of each frame")
        if comb is not None:
            raise MelError("this model has no melody; leave the pitch out")
        return vector
    if comb.ndim != 3 or (len(comb), comb.shape[2]) != (len(frames), frames.shape[2]):
        raise MelError(f"the comb must be [{len(frames)}, K, {frames.shape[2]}], got {list(comb.shape)}")
    seen: Tensor = melody.projection(squeeze(comb.to(frames))[0])
    return seen if vector is None else torch.cat([seen, vector.to(seen.dtype).expand(-1, -1, seen.shape[2])], 1)


def whole_steps(mel: Tensor, mel_lengths: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Return a mel `[B, M, T]` and lengths without the frames that fill no step of the decoder."""
    return mel[:, :, : mel.shape[2] // step * step], mel_lengths // step * step
