"""Monotonic alignment search (arXiv 2005.11129, section 3.1): one name, the fastest form for where the data lies."""

from typing import Literal

import torch
from torch import Tensor

from glowvox.align.compiled import is_available, search_compiled
from glowvox.align.device import search_on_device
from glowvox.align.path import alignment_from_frame_tokens
from glowvox.align.reference import search_reference
from glowvox.align.vectorised import search_vectorised
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
