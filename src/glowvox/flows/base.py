"""The contract of every invertible layer: two methods, each returning the value and its log-determinant."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Flow(nn.Module, ABC):
    """An invertible map of `[B, C, T]` tensors.

    `forward` goes from data to latent, `inverse` goes back. Both return the value and the log-determinant `[B]` of the
    Jacobian of the direction executed, in float32 (float64 when the input is float64). Where `mask [B, 1, T]` is zero
    the output is zero and contributes nothing. `condition` is whatever the layer's network takes.
    """

    @abstractmethod
    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map data `x [B, C, T]` to the latent; return it and the log-determinant `[B]`."""

    @abstractmethod
    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map a latent `z [B, C, T]` to data; return it and the log-determinant `[B]`."""


def frame_counts(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return the number of unmasked frames of each item, `[B]`, in the type of `x` (at least float32)."""
    if mask is None:
        return x.new_full((x.shape[0],), x.shape[-1])
    return mask.to(x.dtype).sum((1, 2))


def apply_mask(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return `x` with its padding set to zero."""
    return x if mask is None else x * mask
