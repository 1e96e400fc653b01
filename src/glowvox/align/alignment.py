"""Alignments of tensors: the monotonic alignment search, the sum over all paths, and paths as matrices."""

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd import Function

from glowvox.align import search
from glowvox.errors import DataError, MissingExtraError

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
        method: 'auto', or one form by name: 'reference' (loops), 'compiled' (the same loops by Numba), 'vectorised'
            (NumPy), 'device' (PyTorch operations where the input lies).

    Returns:
        The alignment, [B, L, T], ones on the path and zeros elsewhere, in the type of the input.

    Raises:
        DataError: shapes or lengths do not fit, or an item has fewer frames than tokens. Lengths that lie on another
            device than the CPU are taken as they are.
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
    return "compiled" if scores.numel() >= _COMPILED_FROM_CELLS and search.is_available() else "vectorised"


def _search_on_host(frames_first: Tensor, tokens: Tensor, frames: Tensor, method: SearchMethod) -> Tensor:
    scores = frames_first.cpu().numpy()
    lengths = tokens.cpu().numpy(), frames.cpu().numpy()
    if method == "compiled":
        if not search.is_available():
            raise MissingExtraError("numba", "fast", "the compiled alignment search")
        return torch.from_numpy(search.search_compiled(scores, *lengths, threads=torch.get_num_threads()))
    if method == "reference":
        return torch.from_numpy(search.search_reference(scores, *lengths))
    # PyTorch brings the tokens of a frame together in parallel and by tiles; NumPy takes three times as long.
    return torch.from_numpy(search.search_vectorised(frames_first.cpu().contiguous().numpy(), *lengths))


def _check(scores: Tensor, token_lengths: Tensor, mel_lengths: Tensor) -> None:
    if scores.ndim != 3 or 0 in scores.shape:
        raise DataError(f"the log-likelihood must be [items, tokens, frames], none of them 0, got {list(scores.shape)}")
    n_items, n_tokens, n_frames = scores.shape
    for name, lengths in (("token_lengths", token_lengths), ("mel_lengths", mel_lengths)):
        if lengths.shape != (n_items,) or lengths.is_floating_point():
            raise DataError(f"{name} must hold {n_items} whole numbers, got {list(lengths.shape)} of {lengths.dtype}")
    if token_lengths.device.type != "cpu" or mel_lengths.device.type != "cpu":
        return  # their values would be waited for: who trains has seen to them
    for item, (tokens, frames) in enumerate(zip(token_lengths.tolist(), mel_lengths.tolist(), strict=True)):
        if not 1 <= tokens <= n_tokens or not 1 <= frames <= n_frames:
            raise DataError(
                f"item {item}: {tokens} tokens and {frames} frames do not fit a matrix of {n_tokens} by {n_frames}"
            )
        if frames < tokens:
            raise DataError(
                f"item {item}: {frames} mel frames cannot cover {tokens} tokens; leave it out or check its text"
            )


def forward_sum(log_likelihood: Tensor, token_lengths: Tensor, mel_lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Sum the likelihood over all monotonic, surjective paths: a soft alignment, with its gradient in closed form.

    The search trains on the best path; the sum over all of them (the forward algorithm of hidden Markov models, as in
    arXiv 2108.10447) is a smoother objective early in training. Its derivative with respect to a cell's log-likelihood
    is the posterior probability that the path passes through the cell.

    Args:
        log_likelihood: [B, L, T], nats of frame t under token l.
        token_lengths: [B] integers, 1 to L.
        mel_lengths: [B] integers, no smaller than the token lengths and at most T.

    Returns:
        log of the sum over paths of the product of likelihoods along the path, [B] nats, differentiable; and the
        soft alignment [B, L, T], the posterior of each cell, whose columns sum to one, without gradient.
    """
    total, posterior = ForwardSum.apply(log_likelihood, token_lengths, mel_lengths)  # type: ignore[no-untyped-call]
    return total, posterior


class ForwardSum(Function):
    """The forward-backward algorithm in log space, float32 at least; differentiable once."""

    @staticmethod
    def forward(ctx: Any, log_likelihood: Tensor, token_lengths: Tensor, mel_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Run both recursions; see `forward_sum`."""
        dtype = torch.float64 if log_likelihood.dtype == torch.float64 else torch.float32
        cells = log_likelihood.detach().to(dtype).permute(2, 0, 1)  # [T, B, L]
        n_frames, n_items, n_tokens = cells.shape
        device = cells.device
        tokens = token_lengths.to(device, torch.int64)
        frames = mel_lengths.to(device, torch.int64)

        into = _prefix_sums(cells)
        items = torch.arange(n_items, device=device)
        total = into[frames - 1, items, tokens - 1]

        # out_of[t, l]: log sum over the ways from (l, t), exclusive of that cell, to the last token at the last frame.
        out_of = torch.full_like(into, -torch.inf)
        is_last_token = torch.arange(n_tokens, device=device) == (tokens - 1)[:, None]
        at_end = torch.zeros_like(is_last_token, dtype=dtype).masked_fill_(~is_last_token, -torch.inf)
        ahead = torch.full((n_items, n_tokens + 1), -torch.inf, dtype=dtype, device=device)
        for t in range(n_frames - 1, -1, -1):
            if t < n_frames - 1:
                ahead[:, :-1] = cells[t + 1] + out_of[t + 1]
            onward = torch.logaddexp(ahead[:, :-1], ahead[:, 1:])
            out_of[t] = torch.where((frames - 1 == t)[:, None], at_end, onward)
        posterior = (into + out_of - total[:, None]).exp().permute(1, 2, 0).to(log_likelihood.dtype)
        ctx.save_for_backward(posterior)
        ctx.mark_non_differentiable(posterior)
        return total, posterior

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """The gradient of the total is the posterior."""
        (posterior,) = ctx.saved_tensors
        return posterior * gradients[0][:, None, None].to(posterior.dtype), None, None


def _prefix_sums(cells: Tensor) -> Tensor:
    """Return [T, B, L]: log sum over the ways from token 0 at frame 0 to each cell, inclusive of both."""
    n_frames, n_items, n_tokens = cells.shape
    into = torch.full_like(cells, -torch.inf, memory_format=torch.contiguous_format)
    into[0, :, 0] = cells[0, :, 0]
    behind = into.new_full((n_items, n_tokens + 1), -torch.inf)
    for t in range(1, n_frames):
        behind[:, 1:] = into[t - 1]
        torch.add(torch.logaddexp(behind[:, 1:], behind[:, :-1]), cells[t], out=into[t])
    return into


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


def search_on_device(log_likelihood: Tensor, token_lengths: Tensor, mel_lengths: Tensor) -> Tensor:
    """Find the most likely monotonic path of each item, on the device of the input: nothing is copied to the host.

    Two kernels per frame compute the scores of the whole batch; every decision is then read from the scores at once,
    and the way back is a composition of maps by doubling (log2 T gathers) in place of T dependent steps.

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
