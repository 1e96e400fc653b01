"""A monotonic path in its three forms: the token of each frame, frames per token, and a 0/1 matrix."""

import torch
from torch import Tensor


def alignment_from_frame_tokens(frame_tokens: Tensor, mel_lengths: Tensor, n_tokens: int, dtype: torch.dtype) -> Tensor:
    """Return the path as a matrix of ones on it and zeros elsewhere.

    Args:
        frame_tokens: [B, T] int64, the token of each frame; padding may hold any valid token.
        mel_lengths: [B], frames of each item.
        n_tokens: L, the number of rows.
        dtype: of the result.

    Returns:
        [B, L, T], each column of a real frame with a single one.
    """
    n_items, n_frames = frame_tokens.shape
    alignment = torch.zeros(n_items, n_tokens, n_frames, dtype=dtype, device=frame_tokens.device)
    real = torch.arange(n_frames, device=frame_tokens.device) < mel_lengths[:, None]
    return alignment.scatter_(1, frame_tokens[:, None], real[:, None].to(dtype))


def alignment_from_durations(durations: Tensor, n_frames: int, dtype: torch.dtype) -> Tensor:
    """Return the path that spends `durations` frames on each token.

    Args:
        durations: [B, L], whole frames per token; zero skips a token.
        n_frames: T, the number of columns; frames beyond the sum of the durations belong to no token.
        dtype: of the result.

    Returns:
        [B, L, T], ones on the path and zeros elsewhere.
    """
    ends = durations.cumsum(1)[:, :, None]
    starts = ends - durations[:, :, None]
    frames = torch.arange(n_frames, device=durations.device)
    return ((frames >= starts) & (frames < ends)).to(dtype)
