"""Affine coupling (RealNVP, arXiv 1605.08803; WaveGlow, section 2.1): half of the channels moves the other half."""

import inspect
from typing import Protocol, final

import torch
from torch import Tensor, nn

from glowvox.flows.base import Flow, apply_mask, check_shape


class CouplingNetwork(Protocol):
    """What a coupling needs: from `[B, C - C // 2, T]` to a shift and a log scale, `[B, 2 (C // 2), T]`."""

    def __call__(self, x: Tensor, mask: Tensor | None, condition: Tensor | None) -> Tensor:
        """Return shift and log scale, in this order, one after the other along the channels."""


@final
class PlainNetwork(nn.Module):
    """A module that knows neither masks nor conditions (`nn.Sequential`, say) as a coupling's network.

    Args:
        module: takes `[B, C, T]`, or `[B, C]` where that is what the flow is given.
        takes: which of `mask` and `condition` it takes behind that, in this order.
    """

    def __init__(self, module: nn.Module, takes: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.module = module
        self.takes = takes

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> Tensor:
        """Return what the module makes of `x`."""
        given = {"mask": mask, "condition": condition}
        result: Tensor = self.module(x, *(given[name] for name in self.takes))
        return result


def coupling_network(network: nn.Module) -> nn.Module:
    """Return a module as a coupling calls it: with a value, a mask and a condition; one that takes less is wrapped.

    Raises:
        TypeError: it is no module, or must be called with something that a coupling does not have.
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"a coupling's network is a torch.nn.Module, got {type(network).__name__}")
    known = list(inspect.signature(network.forward).parameters.values())
    if any(one.kind is one.VAR_POSITIONAL for one in known):
        return network
    positional = [one for one in known if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    needed = [one for one in positional if one.default is one.empty]
    if len(positional) >= 3 and len(needed) <= 3:
        return network
    takes = tuple(one.name for one in positional[1:])
    if not positional or len(needed) > 3 or any(name not in ("mask", "condition") for name in takes):
        names = ", ".join(one.name for one in positional)
        raise TypeError(
            f"a coupling calls its network with (x), (x, mask), (x, condition) or (x, mask, condition); "
            f"{type(network).__name__} takes ({names})"
        )
    return PlainNetwork(network, takes)


class AffineCoupling(Flow):
    """y = (x_a, x_b * exp(log_scale(x_a)) + shift(x_a)); the injected network need not be invertible.

    Args:
        network: gives shift and log scale, one after the other along the channels, for the second half of the
            channels from the first: `[B, 2 (C // 2), T]` of `[B, C - C // 2, T]`. Any module: one that takes the value
            alone is called with that, and with `[B, C]` where the flow is.
        max_log_scale: when positive, log scales are bounded smoothly by `max_log_scale * tanh(s / max_log_scale)`.
    """

    def __init__(self, network: nn.Module, *, max_log_scale: float = 0.0) -> None:
        super().__init__()
        self.network = coupling_network(network)
        self.forward_network: CouplingNetwork | None = None
        """What computes the network in `forward`, attached from outside; None: the network itself."""
        self.max_log_scale = max_log_scale

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scale and shift the second half of `x [B, C, T]`. See `Flow.forward`."""
        if x.dim() == 2 and not isinstance(self.network, PlainNetwork):
            y, log_det = self.forward(x.unsqueeze(-1), mask, condition)
            return y.squeeze(-1), log_det
        self._check(x, mask)
        kept, moved = self.halves(apply_mask(x, mask))
        network = self.network if self.forward_network is None else self.forward_network
        predicted = self._predicted(network, kept, mask, condition)
        self._check_predicted(predicted, moved)
        shift, log_scale = self.bounded(predicted.to(x.dtype), mask)
        moved = apply_mask(moved * log_scale.exp() + shift, mask)
        return torch.cat([kept, moved], 1), log_scale.sum(tuple(range(1, x.dim())))

    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Undo the shift and the scale. See `Flow.inverse`."""
        if z.dim() == 2 and not isinstance(self.network, PlainNetwork):
            x, log_det = self.inverse(z.unsqueeze(-1), mask, condition)
            return x.squeeze(-1), log_det
        self._check(z, mask)
        kept, moved = self.halves(apply_mask(z, mask))
        predicted = self._predicted(self.network, kept, mask, condition)
        self._check_predicted(predicted, moved)
        shift, log_scale = self.bounded(predicted.to(kept.dtype), mask)
        moved = apply_mask((moved - shift) * (-log_scale).exp(), mask)
        return torch.cat([kept, moved], 1), -log_scale.sum(tuple(range(1, z.dim())))

    def _check(self, x: Tensor, mask: Tensor | None) -> None:
        single = x.dim() == 2
        if single and mask is not None:
            raise ValueError(f"a mask [B, 1, T] goes with [B, C, T], not with {list(x.shape)}")
        check_shape(self, x.unsqueeze(-1) if single else x, mask, least=2)

    @staticmethod
    def _predicted(
        network: CouplingNetwork | nn.Module, kept: Tensor, mask: Tensor | None, condition: Tensor | None
    ) -> Tensor:
        """Return what the network says; what it fails with says what it was given."""
        try:
            predicted: Tensor = network(kept, mask, condition)
        except RuntimeError as error:
            error.add_note(
                f"the coupling gave its network the first half of the channels, {list(kept.shape)}, {kept.dtype}"
            )
            raise
        return predicted

    def _check_predicted(self, predicted: Tensor, moved: Tensor) -> None:
        wanted = [moved.shape[0], 2 * moved.shape[1], *moved.shape[2:]]
        if list(predicted.shape) != wanted:
            raise ValueError(
                f"the coupling's network must give a shift and a log scale for each of {moved.shape[1]} channels, "
                f"{wanted}, got {list(predicted.shape)}"
            )

    def undo(self, z: Tensor, predicted: Tensor) -> Tensor:
        """Return what `inverse` does, given what the network says of the first half of `z [B, C, T]`."""
        kept, moved = self.halves(z)
        shift, log_scale = self.bounded(predicted)
        return torch.cat([kept, (moved - shift) * (-log_scale).exp()], 1)

    def shift_and_log_scale(self, kept: Tensor, mask: Tensor | None, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the shift and the (bounded, masked) log scale for the moved half, each `[B, C // 2, T]`."""
        return self.bounded(self.network(kept, mask, condition).to(kept.dtype), mask)

    def bounded(self, predicted: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return shift and log scale from what the network gives, `[B, 2 (C // 2), T]`."""
        shift, log_scale = predicted.chunk(2, 1)
        if self.max_log_scale:
            log_scale = self.max_log_scale * torch.tanh(log_scale / self.max_log_scale)
        return shift, apply_mask(log_scale, mask)

    @staticmethod
    def halves(x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the half that the network sees, `[B, C - C // 2, T]`, and the half that is moved."""
        moved = x.shape[1] // 2
        kept, rest = x.split([x.shape[1] - moved, moved], 1)
        return kept, rest
