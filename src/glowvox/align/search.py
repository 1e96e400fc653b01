"""A monotonic path in its three forms: the token of each frame, frames per token, and a 0/1 matrix."""

import functools
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glowvox.errors import DataError, MissingExtraError


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


# The alignment search as the paper writes it (arXiv 2005.11129, algorithm 1): slow, and the truth for the others.


def search_reference(
    log_likelihood: NDArray[np.floating], token_lengths: NDArray[np.int64], mel_lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the most likely monotonic path of each item, one cell after the other.

    Q[l, t] = max(Q[l, t-1], Q[l-1, t-1]) + log_likelihood[t, l]; a tie stays on the token.

    Args:
        log_likelihood: [B, T, L], nats of frame t under token l.
        token_lengths: [B], each at least 1 and no larger than its mel length.
        mel_lengths: [B].

    Returns:
        The token of each frame, [B, T]; frames of padding hold the last token.
    """
    n_items, n_frames, n_tokens = log_likelihood.shape
    frame_tokens = np.empty((n_items, n_frames), np.int64)
    for item in range(n_items):
        last = int(token_lengths[item]) - 1
        end = int(mel_lengths[item])
        score = np.full((end, n_tokens), -np.inf, log_likelihood.dtype)
        score[0, 0] = log_likelihood[item, 0, 0]
        for t in range(1, end):
            for token in range(min(last, t) + 1):
                stay = score[t - 1, token]
                advance = score[t - 1, token - 1] if token > 0 else -np.inf
                score[t, token] = max(stay, advance) + log_likelihood[item, t, token]
        token = last
        frame_tokens[item, end - 1 :] = token
        for t in range(end - 1, 0, -1):
            if token > 0 and (token == t or score[t - 1, token] < score[t - 1, token - 1]):
                token -= 1
            frame_tokens[item, t - 1] = token
    return frame_tokens


# The alignment search on a CPU without a compiler: one step per frame over the whole batch, in NumPy.
# The running scores of all items lie one behind the other in one flat row, so that "the token before" is a shift by
# one element and every operation is contiguous. The row (B * L floats) stays in the nearest cache; per frame four
# operations run over it and one byte per cell is kept for the way back.


def search_vectorised(
    log_likelihood: NDArray[np.floating], token_lengths: NDArray[np.int64], mel_lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the most likely monotonic path of each item; see `search_reference` for arguments and result."""
    advances = _advance_decisions(log_likelihood)
    n_frames = log_likelihood.shape[1]
    for item, end in enumerate(mel_lengths.tolist()):
        if end < n_frames:
            advances[end:, item] = 0  # padding: the path rests on the last token until the real end
    return _walk_back_rows(advances, token_lengths)


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


# The alignment search compiled by Numba, where that is installed: several times faster than the NumPy form.
# Numba is never needed. The kernel releases the interpreter lock and is called from ordinary threads, one share of
# the batch each: Numba's own thread pool may not be entered from two threads at once.


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


# The alignment search in batched PyTorch operations, for an accelerator: nothing is copied to the host.
# Two kernels per frame compute the scores of the whole batch; every decision is then read from the scores at once,
# and the way back is a composition of maps by doubling (log2 T gathers) in place of T dependent steps.


def search_on_device(log_likelihood: Tensor, token_lengths: Tensor, mel_lengths: Tensor) -> Tensor:
    """Find the most likely monotonic path of each item, on the device of the input.

    Args:
        log_likelihood: [B, T, L], nats of frame t under token l.
        token_lengths: [B], each at least 1 and no larger than its mel length.
        mel_lengths: [B].

    Returns:
        The token of each frame, [B, T] int64; frames of padding hold the last token.
    """
    scores = _scores(log_likelihood)
    n_frames, n_items, n_tokens = scores.shape[0], scores.shape[1], scores.shape[2] - 1
    device = scores.device
    frames = torch.arange(n_frames, device=device)[:, None, None]
    tokens = torch.arange(n_tokens, device=device)[None, None, :]
    # advances[t]: whether the path to (token, frame t) came from the token before; frame 0 has no past.
    advances = torch.zeros(n_frames, n_items, n_tokens, dtype=torch.bool, device=device)
    torch.lt(scores[:-1, :, 1:], scores[:-1, :, :-1], out=advances[1:])
    advances |= tokens == frames
    advances &= (tokens > 0) & (frames > 0) & (frames < mel_lengths[None, :, None])
    return _walk_back(advances, token_lengths)


def _scores(log_likelihood: Tensor) -> Tensor:
    """Return the best score of every cell, [T, B, 1 + L]; column 0 is the minus infinity before token 0."""
    n_items, n_frames, n_tokens = log_likelihood.shape
    scores = log_likelihood.new_full((n_frames, n_items, n_tokens + 1), -torch.inf)
    frames_first = log_likelihood.transpose(0, 1)
    scores[0, :, 1] = frames_first[0, :, 0]
    best = log_likelihood.new_empty(n_items, n_tokens)
    for t in range(1, n_frames):
        torch.maximum(scores[t - 1, :, 1:], scores[t - 1, :, :-1], out=best)
        torch.add(best, frames_first[t], out=scores[t, :, 1:])
    return scores


def _walk_back(advances: Tensor, token_lengths: Tensor) -> Tensor:
    """Follow the decisions from each item's last token.

    `back[t]` maps the token at frame t to the token at frame t - 1. After k rounds it maps the token at frame
    t + 2^k - 1, so that in the end every frame holds the map from the last frame to its own past.
    """
    n_frames, n_items, n_tokens = advances.shape
    back = torch.arange(n_tokens, device=advances.device) - advances.long()
    reach = 1
    while reach < n_frames:
        composed = back.clone()
        composed[:-reach] = back[:-reach].gather(2, back[reach:])
        back = composed
        reach *= 2
    last = (token_lengths - 1)[None, :, None].expand(n_frames - 1, n_items, 1)
    earlier = back[1:].gather(2, last).squeeze(2)
    return torch.cat([earlier, (token_lengths - 1)[None]]).transpose(0, 1).contiguous()


# Monotonic alignment search (arXiv 2005.11129, section 3.1): one name, the fastest form for where the data lies.


SearchMethod = Literal["auto", "reference", "vectorised", "compiled", "device"]

# Below this many cells the compiled search would save less than a millisecond and may first have to be compiled.
_COMPILED_FROM_CELLS = 1_000_000


def monotonic_alignment_search(
    log_likelihood: Tensor, token_lengths: Tensor, mel_lengths: Tensor, *, method: SearchMethod = "auto"
) -> Tensor:
    """Find the most likely monotonic, surjective path between tokens and mel frames.

    Every frame belongs to one token, tokens are never skipped and never go back; a tie stays on the token. All
    methods return the same path. No gradient flows through the search.

    Args:
        log_likelihood: [B, L, T], nats of frame t under token l; only differences between the tokens of a frame
            matter. The memory layout [B, T, L] (a transposed view) saves a copy.
        token_lengths: [B] integers, 1 to L.
        mel_lengths: [B] integers, no smaller than the token lengths and at most T.
        method: 'auto', or one form by name: 'reference' (loops), 'vectorised' (NumPy), 'compiled' (Numba), 'device'
            (PyTorch operations where the input lies).

    Returns:
        The alignment, [B, L, T], ones on the path and zeros elsewhere, in the type of the input.

    Raises:
        DataError: shapes or lengths do not fit, or an item has fewer frames than tokens.
        MissingExtraError: 'compiled' was asked for and Numba is not installed.
    """
    scores = log_likelihood.detach()
    _check(scores, token_lengths, mel_lengths)
    if scores.dtype not in (torch.float32, torch.float64):
        scores = scores.float()
    tokens = token_lengths.to(scores.device, torch.int64)
    frames = mel_lengths.to(scores.device, torch.int64)
    frames_first = scores.transpose(1, 2)
    if method == "auto":
        method = _choose(scores)
    if method == "device":
        frame_tokens = search_on_device(frames_first, tokens, frames)
    else:
        frame_tokens = _search_on_host(frames_first, tokens, frames, method).to(scores.device)
    return alignment_from_frame_tokens(frame_tokens, frames, scores.shape[1], log_likelihood.dtype)


def _choose(scores: Tensor) -> SearchMethod:
    if scores.device.type != "cpu":
        return "device"
    return "compiled" if scores.numel() >= _COMPILED_FROM_CELLS and is_available() else "vectorised"


def _search_on_host(frames_first: Tensor, tokens: Tensor, frames: Tensor, method: SearchMethod) -> Tensor:
    scores = frames_first.cpu().numpy()
    lengths = tokens.cpu().numpy(), frames.cpu().numpy()
    if method == "compiled":
        if not is_available():
            raise MissingExtraError("numba", "fast", "the compiled alignment search")
        return torch.from_numpy(search_compiled(scores, *lengths, threads=torch.get_num_threads()))
    search = search_reference if method == "reference" else search_vectorised
    return torch.from_numpy(search(scores, *lengths))


def _check(scores: Tensor, token_lengths: Tensor, mel_lengths: Tensor) -> None:
    if scores.ndim != 3 or 0 in scores.shape:
        raise DataError(f"the log-likelihood must be [items, tokens, frames], none of them 0, got {list(scores.shape)}")
    n_items, n_tokens, n_frames = scores.shape
    for name, lengths in (("token_lengths", token_lengths), ("mel_lengths", mel_lengths)):
        if lengths.shape != (n_items,) or lengths.is_floating_point():
            raise DataError(f"{name} must hold {n_items} whole numbers, got {list(lengths.shape)} of {lengths.dtype}")
    for item, (tokens, frames) in enumerate(zip(token_lengths.tolist(), mel_lengths.tolist(), strict=True)):
        if not 1 <= tokens <= n_tokens or not 1 <= frames <= n_frames:
            raise DataError(
                f"item {item}: {tokens} tokens and {frames} frames do not fit a matrix of {n_tokens} by {n_frames}"
            )
        if frames < tokens:
            raise DataError(
                f"item {item}: {frames} mel frames cannot cover {tokens} tokens; leave it out or check its text"
            )
