"""The alignment search on a CPU without a compiler: one step per frame over the whole batch, in NumPy.

The running scores of all items lie one behind the other in one flat row, so that "the token before" is a shift by one
element and every operation is contiguous. The row (B * L floats) stays in the nearest cache; per frame four
operations run over it and one byte per cell is kept for the way back.
"""

import numpy as np
import torch
from numpy.typing import NDArray


def search_vectorised(
    log_likelihood: NDArray[np.floating], token_lengths: NDArray[np.int64], mel_lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the most likely monotonic path of each item; see `search_reference` for arguments and result."""
    advances = _advance_decisions(log_likelihood)
    n_frames = log_likelihood.shape[1]
    for item, end in enumerate(mel_lengths.tolist()):
        if end < n_frames:
            advances[end:, item] = 0  # padding: the path rests on the last token until the real end
    return _walk_back(advances, token_lengths)


def _advance_decisions(log_likelihood: NDArray[np.floating]) -> NDArray[np.int8]:
    """Return [T, B, L]: 1 where the best path to (token l, frame t) comes from token l - 1."""
    n_items, n_frames, n_tokens = log_likelihood.shape
    advances = np.empty((n_frames, n_items, n_tokens), np.int8)
    advances[0] = 0
    # PyTorch brings the tokens of a frame together in parallel and by tiles; NumPy takes three times as long.
    frames = torch.from_numpy(log_likelihood).contiguous().numpy()
    # The first row: only token 0 has been reached. Cells not reached yet stay at minus infinity by themselves.
    score = np.full((n_items, n_tokens), -np.inf, log_likelihood.dtype)
    score[:, 0] = frames[:, 0, 0]
    best = np.empty_like(score)
    stay, before = score.reshape(-1)[1:], score.reshape(-1)[:-1]
    best_from_second = best.reshape(-1)[1:]
    best_first, score_first = best[:, 0], score[:, 0]
    flat_advances = advances.view(np.bool_).reshape(n_frames, -1)[:, 1:]
    for t in range(1, n_frames):
        np.less(stay, before, out=flat_advances[t])
        np.maximum(stay, before, out=best_from_second)
        # Nothing precedes token 0; the shift brought the neighbouring item's last token there.
        best_first[...] = score_first
        np.add(best, frames[:, t], out=score)
    advances[:, :, 0] = 0
    # A token equal to its frame number can only have been reached by advancing at every frame.
    diagonal = np.arange(1, min(n_tokens, n_frames))
    advances[diagonal, :, diagonal] = 1
    return advances


def _walk_back(advances: NDArray[np.int8], token_lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Follow the decisions from each item's last token; returns the token of each frame, [B, T]."""
    n_frames, n_items, n_tokens = advances.shape
    rows = advances.reshape(n_frames, -1)
    offsets = np.arange(n_items) * n_tokens
    positions = np.empty((n_frames, n_items), np.int64)
    here = offsets + token_lengths - 1
    positions[n_frames - 1] = here
    for t in range(n_frames - 1, 0, -1):
        here = here - rows[t].take(here)
        positions[t - 1] = here
    return np.ascontiguousarray((positions - offsets).T)
