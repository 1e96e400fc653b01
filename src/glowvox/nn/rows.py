"""All sequences of a batch in one matrix of rows [time, channels], with rows of zeros between them."""

import torch
from torch import Tensor
from torch.nn import functional as F


def row_gap(batch: int, span: int) -> int:
    """Return the rows of zeros to keep between items for taps that reach `span` frames; one item needs none."""
    return span if batch > 1 else 0


def to_rows(x: Tensor, gap: int, dtype: torch.dtype) -> Tensor:
    """Lay `x [B, C, T]` out as `[B * (T + gap), C]`: item after item, each followed by `gap` rows of zeros."""
    rows = F.pad(x.transpose(1, 2).to(dtype), (0, 0, 0, gap))
    return rows.reshape(-1, x.shape[1])


def from_rows(rows: Tensor, batch: int, frames: int) -> Tensor:
    """Return `[B, C, T]` from the layout of `to_rows`, as a view in [time, channels] order."""
    return rows.reshape(batch, -1, rows.shape[1])[:, :frames].transpose(1, 2)


def row_mask(x: Tensor, mask: Tensor | None, gap: int, dtype: torch.dtype) -> Tensor | None:
    """Return `[R, 1]`, one on the rows that hold a valid frame of `x [B, C, T]`; None where all of them do."""
    if mask is None:
        if gap == 0:
            return None
        mask = x.new_ones(x.shape[0], 1, x.shape[2])
    return to_rows(mask, gap, dtype)
