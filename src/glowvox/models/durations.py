"""From predicted or wished-for durations to whole frames that the decoder can take."""

import torch
from torch import Tensor

from glowvox.errors import TextError

LONGEST_TOKEN = 2000
"""Frames of one token (23 s) above which a prediction is taken for a defect; it bounds the memory of a sentence."""


def predicted_durations(log_duration: Tensor, mask: Tensor, length_scale: float | Tensor, n_squeeze: int) -> Tensor:
    """Return whole frames per token, rounded up, `[B, L]` int64.

    The sum of each item is cut to a multiple of `n_squeeze`, and is at least that.

    Args:
        log_duration: [B, L], log frames.
        mask: [B, 1, L], one for each token.
        length_scale: a number, or one for each item [B]; 2 speaks half as fast.
        n_squeeze: frames in a step of the decoder.
    """
    scale = torch.as_tensor(length_scale, dtype=log_duration.dtype, device=log_duration.device).reshape(-1, 1)
    frames = torch.ceil(log_duration.exp() * scale).nan_to_num(1.0).clamp(0, LONGEST_TOKEN).long() * mask[:, 0].long()
    ends = frames.cumsum(1)
    total = (ends[:, -1:] // n_squeeze * n_squeeze).clamp_min(n_squeeze)
    kept = ends.clamp_max(total).diff(dim=1, prepend=ends.new_zeros(len(ends), 1))
    return _end_at(kept, total, mask)


def given_durations(durations: Tensor, mask: Tensor) -> Tensor:
    """Check durations that a caller gives, `[B, L]` whole frames, and return them as int64 with padding zero.

    Raises:
        TextError: the shape or type does not fit, a duration is negative or an item has no frame at all.
    """
    shape = (mask.shape[0], mask.shape[2])
    if tuple(durations.shape) != shape or durations.is_floating_point():
        raise TextError(f"durations must be whole frames {list(shape)}, got {durations.dtype} {list(durations.shape)}")
    frames = durations.long() * mask[:, 0].long()
    if (frames < 0).any() or (frames.sum(1) < 1).any():
        raise TextError("durations must not be negative, and every item needs at least one frame")
    return frames


def fill_last_step(durations: Tensor, mask: Tensor, n_squeeze: int) -> Tensor:
    """Return durations whose sum per item is rounded up to a multiple of `n_squeeze`, the last token growing."""
    total = durations.sum(1, keepdim=True)
    return _end_at(durations, -(-total // n_squeeze) * n_squeeze, mask)


def _end_at(durations: Tensor, total: Tensor, mask: Tensor) -> Tensor:
    """Let each item's last token last so long that the item has `total [B, 1]` frames, no fewer than now."""
    last = mask[:, 0].long().sum(1, keepdim=True) - 1
    return durations.scatter_add(1, last, total - durations.sum(1, keepdim=True))
