"""The forward-sum objective: the likelihood summed over all monotonic paths, with its gradient in closed form.

The hard search trains on the best path; the sum over all of them (the forward algorithm of hidden Markov models,
as in arXiv 2108.10447) is a smoother objective early in training. Its derivative with respect to a cell's
log-likelihood is the posterior probability that the path passes through the cell: a soft alignment.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


def forward_sum(log_likelihood: Tensor, token_lengths: Tensor, mel_lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Sum the likelihood over all monotonic, surjective paths.

    Args:
        log_likelihood: [B, L, T], nats of frame t under token l.
        token_lengths: [B] integers, 1 to L.
        mel_lengths: [B] integers, no smaller than the token lengths and at most T.

    Returns:
        log of the sum over paths of the product of likelihoods along the path, [B] nats, differentiable; and the
        soft alignment [B, L, T], the posterior of each cell, whose columns sum to one, without gradient.
    """
    total, posterior = ForwardSum.apply(log_likelihood, token_lengths, mel_lengths)
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
