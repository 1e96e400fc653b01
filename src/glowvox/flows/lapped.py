"""An orthonormal lapped transform (MDCT) in place of the squeeze: time becomes frequency channels, log-det 0.

Blocks of `hop` samples are folded with their neighbours across every inner boundary (a rotation of the mirrored pairs
of samples around it, whose sines and cosines are the window) and then taken through an orthonormal DCT-IV. Written like
this (Malvar, "Signal Processing with Lapped Transforms", chapter 5) the transform is a product of orthonormal maps:
exact at the ends, where nothing is folded, and its inverse is its transpose.
"""

import functools
import math

import torch
from torch import Tensor

from glowvox.flows.base import Flow, apply_mask, full_precision


def dct_iv(size: int) -> Tensor:
    """Return the orthonormal, symmetric DCT-IV matrix `[size, size]` in float64: its own inverse."""
    index = torch.arange(size, dtype=torch.float64) + 0.5
    result: Tensor = (2.0 / size) ** 0.5 * torch.cos(math.pi / size * index[:, None] * index[None, :])
    return result


@functools.lru_cache(maxsize=16)
@torch.inference_mode(mode=False)  # made where gradients are not wanted, they must serve where they are
def _constants(hop: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return sine `[hop / 2]`, cosine `[hop / 2]` and basis `[hop, hop]`, rounded once from float64."""
    index = torch.arange(hop // 2, dtype=torch.float64) + 0.5
    angle = math.pi / 4 + math.pi / (2 * hop) * index  # 45 degrees at the boundary, 90 in the middle of a block
    return angle.sin().to(device, dtype), angle.cos().to(device, dtype), dct_iv(hop).to(device, dtype)


class Lapped(Flow):
    """`[B, 1, S]` to `[B, hop, S / hop]`: an MDCT with a sine window of `2 * hop` samples, critically sampled.

    S must be a multiple of `hop`. Channel k of frame t belongs to the frequency `(k + 1/2) * rate / (2 * hop)` around
    the middle of the samples `[t * hop, (t + 1) * hop)`. Masks are at the rate of frames, `[B, 1, S / hop]`; a boundary
    between a valid and a padded frame is an end and is not folded.
    """

    def __init__(self, hop: int) -> None:
        super().__init__()
        self.hop = hop

    @full_precision
    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Transform samples `x [B, 1, S]` to coefficients `[B, hop, S / hop]`. See `Flow.forward`."""
        sine, cosine, basis = _constants(self.hop, x.dtype, x.device)
        blocks = x.reshape(x.shape[0], -1, self.hop)
        y = (_fold(blocks, sine, cosine, mask) @ basis).transpose(1, 2)
        return apply_mask(y, mask), x.new_zeros(x.shape[0])

    @full_precision
    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Transform coefficients `z [B, hop, T]` to samples `[B, 1, T * hop]`. See `Flow.inverse`."""
        sine, cosine, basis = _constants(self.hop, z.dtype, z.device)
        blocks = apply_mask(z, mask).transpose(1, 2) @ basis
        return _fold(blocks, sine, -cosine, mask).reshape(z.shape[0], 1, -1), z.new_zeros(z.shape[0])


def _fold(blocks: Tensor, sine: Tensor, cosine: Tensor, mask: Tensor | None) -> Tensor:
    """Rotate the mirrored pairs around every inner boundary of `blocks [B, T, hop]`."""
    half = sine.shape[0]
    first, second = blocks[..., :half], blocks[..., half:]
    before = second[:, :-1].flip(-1)  # the samples before a boundary, the nearest one first
    after = first[:, 1:]
    if mask is not None:
        inner = (mask[:, 0, 1:] * mask[:, 0, :-1]).unsqueeze(-1)
        cosine = cosine * inner
        sine = 1 + (sine - 1) * inner
    folded_before = (sine * before - cosine * after).flip(-1)
    folded_after = sine * after + cosine * before
    first = torch.cat([first[:, :1], folded_after], 1)
    second = torch.cat([folded_before, second[:, -1:]], 1)
    return torch.cat([first, second], -1)
