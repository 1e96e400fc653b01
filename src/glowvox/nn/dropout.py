"""Dropout whose mask costs little on a CPU, where PyTorch draws a Bernoulli number for every element."""

import torch
from torch import Tensor
from torch.nn import functional as F

_BITS = {torch.bfloat16: torch.int16, torch.float16: torch.int16, torch.float32: torch.int32}
"""The integers as wide as a floating-point type."""


def dropout(x: Tensor, probability: float, *, training: bool) -> Tensor:
    """Return `x` with each element zero with a probability, the others divided by one minus it; unchanged in inference.

    The probability lies below 1. Random bits come from the global generator of the device.
    """
    if not training or not probability:
        return x
    if x.device.type != "cpu" or x.dtype not in _BITS:
        return F.dropout(x, probability)
    return x * dropout_factors(x, probability)


def dropout_factors(x: Tensor, probability: float) -> Tensor:
    """Return what dropout multiplies `x` with, in its type and layout: 0, or one divided by one minus the probability.

    On a CPU the bits of a few 64-bit random numbers are compared as integers as wide as the type, and the factor's own
    bits are put where they exceed the threshold: the probability is exact to 2^-16, and nothing is converted.
    """
    factors = torch.empty_like(x)
    if x.device.type != "cpu" or x.dtype not in _BITS:
        return factors.bernoulli_(1 - probability).div_(1 - probability)
    integer = _BITS[x.dtype]
    range_ = torch.iinfo(integer)
    threshold = min(range_.min + round(probability * 2**range_.bits), range_.max)
    factor = torch.tensor(1 / (1 - probability), dtype=x.dtype).view(integer).item()
    words = torch.empty(-(-x.numel() * range_.bits // 64), dtype=torch.int64).random_(-(2**63), None)
    kept = words.view(integer)[: x.numel()].clamp_(threshold - 1, threshold).sub_(threshold - 1).mul_(factor)
    return kept.view(x.dtype).as_strided(x.shape, factors.stride())
