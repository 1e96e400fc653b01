"""A limit to the levels of a lapped flow's bands, where it speaks.

The mel tells a lapped flow how loud each frame is, and its input is divided by that: in recordings the level of a band
of a frame, the root mean square of its coefficients, is nearly the same everywhere. The inverse of a flow multiplies by
scales that it has itself made of noise, and now and then, for a mel unlike those that it has learned from, they agree
on a value that no recording has: a burst of one frame. What is louder than recordings ever are is brought down.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

SMALLEST_LEVEL = 1e-6
"""Below it a level is not divided by: silence stays silence."""


class LevelLimit(nn.Module):
    """Brings the level of every band of every frame down to the highest one that it may have.

    Args:
        highest: for each of equally wide bands of neighbouring coefficients, from low frequencies to high ones.
    """

    def __init__(self, highest: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("highest", torch.tensor(list(highest)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x [B, G, N]`, standardised coefficients, with no band of a column louder than it may be."""
        highest = self.get_buffer("highest").to(x.dtype)[:, None, None]
        bands = x.unflatten(1, (len(highest), -1))
        gain = (highest / band_levels(bands).clamp_min(SMALLEST_LEVEL)).clamp_max(1.0)
        return (bands * gain).flatten(1, 2)


def band_levels(bands: Tensor) -> Tensor:
    """Return the root mean squares `[B, bands, 1, N]` of coefficients `[B, bands, G / bands, N]`."""
    return bands.square().mean(2, keepdim=True).sqrt()
