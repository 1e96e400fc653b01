"""What Glow-TTS refuses, each with one line that says what was wrong."""

from torch import Tensor
from torch.nn import functional as F

from glowvox.errors import MelError, TextError, VoiceError


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
