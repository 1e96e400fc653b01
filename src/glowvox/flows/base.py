"""The contract of every invertible layer: two methods, each returning the value and its log-determinant."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Method = TypeVar("Method", bound=Callable[..., Any])


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


def full_precision(method: Method) -> Method:
    """Run a flow's method outside autocast: the flow's state and its log-determinants stay in float32."""

    @functools.wraps(method)
    def wrapped(self: Flow, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_autocast_enabled(x.device.type):
            return method(self, x, *args, **kwargs)
        with torch.autocast(x.device.type, enabled=False):
            return method(self, x, *args, **kwargs)

    return wrapped  # type: ignore[return-value]
