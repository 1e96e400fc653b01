"""The log-likelihood of a Gaussian base density, masked."""

import math

import torch
from torch import Tensor

LOG_TWO_PI = math.log(2 * math.pi)


def gaussian_log_likelihood(z: Tensor, sigma: float = 1.0, mask: Tensor | None = None) -> Tensor:
    """Return log N(z; 0, sigma^2) of each item, `[B]` nats.

    Args:
        z: latent `[B, C, T]`.
        sigma: standard deviation of the base density.
        mask: `[B, 1, T]`; masked elements contribute nothing.
    """
    density = -0.5 * (z / sigma).square() - (0.5 * LOG_TWO_PI + math.log(sigma))
    return (density if mask is None else density * mask).sum((1, 2))


def diagonal_log_likelihood(z: Tensor, mean: Tensor, log_std: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return log N(z; mean, exp(log_std)^2) of each item, `[B]` nats; arguments `[B, C, T]`, mask `[B, 1, T]`."""
    density = -0.5 * ((z - mean) * torch.exp(-log_std)).square() - log_std - 0.5 * LOG_TWO_PI
    return (density if mask is None else density * mask).sum((1, 2))
