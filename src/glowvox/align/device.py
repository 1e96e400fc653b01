"""The alignment search in batched PyTorch operations, for an accelerator: nothing is copied to the host.

Two kernels per frame compute the scores of the whole batch; every decision is then read from the scores at once, and
the way back is a composition of maps by doubling (log2 T gathers) in place of T dependent steps.
"""

import torch
from torch import Tensor


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
