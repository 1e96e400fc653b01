"""The alignment search compiled by Numba, where that is installed: several times faster than the NumPy form.

Numba is never needed. The kernel releases the interpreter lock and is called from ordinary threads, one share of the
batch each: Numba's own thread pool may not be entered from two threads at once.
"""

import functools
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
    """Find the most likely monotonic path of each item; see `search_reference` for arguments and result.

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
    """Search item after item: the recursion of `search_reference` on two rows of scores, in loops for a compiler.

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
