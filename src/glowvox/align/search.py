"""Monotonic alignment search (arXiv 2005.11129, algorithm 1): plain loops, which Numba compiles, and vectorised NumPy.

Both find the same path. Nothing here needs PyTorch, so that recordings are aligned without it; for tensors see
`alignment.py`.
"""

import functools
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray


def search_reference(
    log_likelihood: NDArray[np.floating], token_lengths: NDArray[np.int64], mel_lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the most likely monotonic path of each item, one cell after the other: slow, and the truth for the others.

    Q[l, t] = max(Q[l, t-1], Q[l-1, t-1]) + log_likelihood[t, l]; a tie stays on the token.

    Args:
        log_likelihood: [B, T, L], nats of frame t under token l.
        token_lengths: [B], each at least 1 and no larger than its mel length.
        mel_lengths: [B].

    Returns:
        The token of each frame, [B, T]; frames of padding hold the last token.
    """
    frame_tokens = np.empty(log_likelihood.shape[:2], np.int64)
    _search_items(log_likelihood, False, token_lengths, mel_lengths, frame_tokens)  # noqa: FBT003
    return frame_tokens


def search_vectorised(
    log_likelihood: NDArray[np.floating], token_lengths: NDArray[np.int64], mel_lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the most likely monotonic path of each item in NumPy; see `search_reference` for arguments and result.

    One step per frame over the whole batch, whose running scores lie one behind the other in one flat row: "the token
    before" is a shift by one element and every operation is contiguous. The row (B * L floats) stays in the nearest
    cache; per frame four operations run over it, and one byte per cell is kept for the way back.
    """
    n_items, n_frames, n_tokens = log_likelihood.shape
    advances = np.empty((n_frames, n_items, n_tokens), np.int8)
    _decide(log_likelihood, advances)
    for item, end in enumerate(mel_lengths.tolist()):
        if end < n_frames:
            advances[end:, item] = 0  # padding: the path rests on the last token until the real end
    return _walk_back_rows(advances, token_lengths)


def search_in_blocks(blocks: Iterable[NDArray[np.floating]], n_frames: int, n_tokens: int) -> NDArray[np.int64]:
    """Find the most likely monotonic path of one long item whose scores are computed block by block, and forgotten.

    Of the decisions one bit per cell is kept: ten minutes of speech take about 100 MB, where the matrix itself would
    take 3 GB.

    Args:
        blocks: [t, L] nats of consecutive frames under each token; T frames in all.
        n_frames: T, no smaller than L.
        n_tokens: L.

    Returns:
        How many frames each token lasts, [L], at least one.
    """
    bits = np.empty((n_frames, -(-n_tokens // 8)), np.uint8)
    score: NDArray[np.floating] | None = None
    first = 0
    for block in blocks:
        advances = np.empty((len(block), 1, n_tokens), np.int8)
        score = _decide(block[None], advances, score, first)
        bits[first : first + len(block)] = np.packbits(advances[:, 0], axis=1)
        first += len(block)
    frames = np.zeros(n_tokens, np.int64)
    token = n_tokens - 1
    for t in range(n_frames - 1, -1, -1):
        frames[token] += 1
        token -= int(bits[t, token >> 3] >> (7 - (token & 7)) & 1)
    return frames


def _decide(
    frames: NDArray[np.floating],
    advances: NDArray[np.int8],
    score: NDArray[np.floating] | None = None,
    first: int = 0,
) -> NDArray[np.floating]:
    """Run the recursion over consecutive frames; return the best score of each token at the last one, [B, L].

    Args:
        frames: [B, t, L], nats; of the type that the scores have.
        advances: [t, B, L], filled with 1 where the best path to (token l, frame t) comes from token l - 1, else 0.
        score: what the frames before gave; None: there are none. It is overwritten.
        first: number of the first frame.
    """
    n_items, n_frames, n_tokens = frames.shape
    begun = score is not None
    if score is None:
        # Only token 0 has been reached. Cells not reached yet stay at minus infinity by themselves.
        score = np.full((n_items, n_tokens), -np.inf, frames.dtype)
        score[:, 0] = frames[:, 0, 0]
        advances[0] = 0
    best = np.empty_like(score)
    stay, before = score.reshape(-1)[1:], score.reshape(-1)[:-1]
    best_from_second = best.reshape(-1)[1:]
    best_first, score_first = best[:, 0], score[:, 0]
    flat_advances = advances.view(np.bool_).reshape(n_frames, -1)[:, 1:]
    for t in range(0 if begun else 1, n_frames):
        np.less(stay, before, out=flat_advances[t])
        np.maximum(stay, before, out=best_from_second)
        # Nothing precedes token 0; the shift brought the neighbouring item's last token there.
        best_first[...] = score_first
        np.add(best, frames[:, t], out=score)
    advances[:, :, 0] = 0
    # A token equal to its frame number can only have been reached by advancing at every frame.
    diagonal = np.arange(max(first, 1), min(n_tokens, first + n_frames))
    advances[diagonal - first, :, diagonal] = 1
    return score


def _walk_back_rows(advances: NDArray[np.int8], token_lengths: NDArray[np.int64]) -> NDArray[np.int64]:
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


@functools.cache
def is_available() -> bool:
    """Say whether Numba works here; it refuses to be imported beside a NumPy that it does not know."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


def search_compiled(
    log_likelihood: NDArray[np.floating],
    token_lengths: NDArray[np.int64],
    mel_lengths: NDArray[np.int64],
    threads: int = 1,
) -> NDArray[np.int64]:
    """Find the most likely monotonic path of each item by the same loops, compiled: several times faster than NumPy.

    The kernel releases the interpreter lock and is called from ordinary threads, one share of the batch each: Numba's
    own thread pool may not be entered from two threads at once. See `search_reference` for the result.

    Args:
        log_likelihood: [B, T, L], in that order in memory or as a view of [B, L, T]; neither is copied.
        token_lengths: [B].
        mel_lengths: [B].
        threads: how many threads share the batch.
    """
    kernel = _kernel()
    n_items, n_frames, _ = log_likelihood.shape
    frame_tokens = np.empty((n_items, n_frames), np.int64)
    tokens_first = log_likelihood.swapaxes(1, 2).flags.c_contiguous
    # The kernel is compiled for contiguous arrays alone and told which axis is which.
    matrix = log_likelihood.swapaxes(1, 2) if tokens_first else np.ascontiguousarray(log_likelihood)

    def share(items: slice) -> None:
        kernel(matrix[items], tokens_first, token_lengths[items], mel_lengths[items], frame_tokens[items])

    # Shares of equal work (cells), not of equal count: lengths may be ragged.
    work = np.cumsum(mel_lengths * token_lengths)
    bounds = np.searchsorted(work, work[-1] * np.arange(1, threads) / threads).tolist()
    edges = [0, *bounds, n_items]
    shares = [slice(low, high) for low, high in itertools.pairwise(edges) if high > low]
    if len(shares) == 1:
        share(shares[0])
        return frame_tokens
    with ThreadPoolExecutor(len(shares)) as pool:
        list(pool.map(share, shares))
    return frame_tokens


@functools.cache
def _kernel() -> Callable[..., None]:
    import numba

    try:
        return numba.njit(nogil=True, cache=True)(_search_items)
    except RuntimeError:  # no folder to keep the compiled code in: compile for this process only
        return numba.njit(nogil=True)(_search_items)


def _search_items(matrix: Any, tokens_first: Any, token_lengths: Any, mel_lengths: Any, frame_tokens: Any) -> None:
    """Search item after item in plain loops on two rows of scores, which Python runs and Numba compiles.

    `matrix` is [B, L, T] when `tokens_first`, else [B, T, L]; each item is brought into the second order first.
    """
    n_items, n_frames = frame_tokens.shape
    n_tokens = matrix.shape[1] if tokens_first else matrix.shape[2]
    advances = np.empty((n_frames, n_tokens), np.uint8)
    turned = np.empty((n_frames if tokens_first else 0, n_tokens), matrix.dtype)
    old = np.empty(n_tokens, matrix.dtype)
    new = np.empty(n_tokens, matrix.dtype)
    for item in range(n_items):
        last = token_lengths[item] - 1
        end = mel_lengths[item]
        frames = matrix[item]
        if tokens_first:
            for token in range(last + 1):
                for t in range(end):
                    turned[t, token] = matrix[item, token, t]
            frames = turned
        old[:] = -np.inf
        old[0] = frames[0, 0]
        for t in range(1, end):
            frame = frames[t]
            advance = advances[t]
            new[0] = old[0] + frame[0]
            for token in range(1, last + 1):
                stay = old[token]
                before = old[token - 1]
                advance[token] = stay < before
                new[token] = max(stay, before) + frame[token]
            old, new = new, old
        token = last
        for t in range(end - 1, n_frames):
            frame_tokens[item, t] = token
        for t in range(end - 1, 0, -1):
            if token > 0 and (token == t or advances[t, token] == 1):
                token -= 1
            frame_tokens[item, t - 1] = token
