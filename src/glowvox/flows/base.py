"""The contract of every invertible layer: two methods, each returning the value and its log-determinant."""

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Method = TypeVar("Method", bound=Callable[..., Any])


class Flow(nn.Module, ABC):
    """An invertible map of `[B, C, T]` tensors; of `[B, C]` ones too, where nothing happens along the frames.

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


def either_rank(method: Method) -> Method:
    """Let a method of a flow of `[B, C, T]` tensors take `[B, C]` too, which is a single frame."""

    @functools.wraps(method)
    def wrapped(self: Flow, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> Any:
        if x.dim() != 2:
            return method(self, x, mask, condition)
        if mask is not None:
            raise ValueError(f"a mask [B, 1, T] goes with [B, C, T], not with {list(x.shape)}")
        value, log_det = method(self, x.unsqueeze(-1), mask, condition)
        return value.squeeze(-1), log_det

    return wrapped  # type: ignore[return-value]


def check_shape(flow: nn.Module, x: Tensor, mask: Tensor | None, channels: int | None = None, least: int = 1) -> None:
    """Say what is wrong with the shapes that a layer was given.

    Args:
        flow: the layer.
        x: its input, which must be `[B, C, T]`.
        mask: its mask, which must be `[B, 1, T]`.
        channels: how many the layer has; None: any number of at least `least`.
        least: the fewest channels.

    Raises:
        ValueError: something is wrong.
    """
    name, shape = type(flow).__name__, list(x.shape)
    wanted = "C" if channels is None else str(channels)
    if x.dim() == 2:
        raise ValueError(f"{name} takes [B, {wanted}, T], got {shape}; points have no frames to take together")
    if x.dim() != 3:
        raise ValueError(f"{name} takes [B, {wanted}] or [B, {wanted}, T], got {shape}")
    if (channels is not None and shape[1] != channels) or shape[1] < least:
        many = f"{channels} channels" if channels is not None else f"at least {least} channels"
        hint = "; are channels and frames the wrong way round?" if channels == shape[2] != shape[1] else ""
        raise ValueError(f"{name} takes {many}, [B, {wanted}, T], got {shape}{hint}")
    if mask is not None and tuple(mask.shape) != (shape[0], 1, shape[2]):
        raise ValueError(f"{name} takes a mask [B, 1, T] = {[shape[0], 1, shape[2]]}, got {list(mask.shape)}")


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


class Chain(Flow):
    """Flows one after another; the log-determinants add."""

    def __init__(self, flows: Iterable[Flow]) -> None:
        super().__init__()
        self.flows = nn.ModuleList(flows)

    def __iter__(self) -> Iterator[Flow]:
        return iter(self.flows)  # type: ignore[arg-type]

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Apply the flows in order. See `Flow.forward`."""
        total = x.new_zeros(x.shape[0])
        for flow in self.flows:
            x, log_det = flow(x, mask, condition)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Apply the inverses in reverse order. See `Flow.inverse`."""
        total = z.new_zeros(z.shape[0])
        for flow in reversed(list(self)):
            z, log_det = flow.inverse(z, mask, condition)
            total = total + log_det
        return z, total


class Invert(Flow):
    """The same flow in the other direction."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Apply the inner flow's inverse. See `Flow.forward`."""
        return self.flow.inverse(x, mask, condition)

    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Apply the inner flow's forward. See `Flow.inverse`."""
        result: tuple[Tensor, Tensor] = self.flow(z, mask, condition)
        return result


LOG_TWO_PI = math.log(2 * math.pi)


def gaussian_log_likelihood(z: Tensor, sigma: float = 1.0, mask: Tensor | None = None) -> Tensor:
    """Return log N(z; 0, sigma^2) of each item, `[B]` nats.

    Args:
        z: latent `[B, C, T]` or `[B, C]`.
        sigma: standard deviation of the base density.
        mask: `[B, 1, T]`; masked elements contribute nothing.
    """
    density = -0.5 * (z / sigma).square() - (0.5 * LOG_TWO_PI + math.log(sigma))
    return (density if mask is None else density * mask).sum(tuple(range(1, z.dim())))


def diagonal_log_likelihood(z: Tensor, mean: Tensor, log_std: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return log N(z; mean, exp(log_std)^2) of each item, `[B]` nats; arguments `[B, C, T]`, mask `[B, 1, T]`."""
    density = -0.5 * ((z - mean) * torch.exp(-log_std)).square() - log_std - 0.5 * LOG_TWO_PI
    return (density if mask is None else density * mask).sum(tuple(range(1, z.dim())))
