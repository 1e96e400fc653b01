"""Affine coupling (RealNVP, arXiv 1605.08803; WaveGlow, section 2.1): half of the channels moves the other half."""

from typing import Protocol

import torch
from torch import Tensor, nn

from glowvox.flows.base import Flow, apply_mask


class CouplingNetwork(Protocol):
    """What a coupling needs: from `[B, C - C // 2, T]` to a shift and a log scale, `[B, 2 (C // 2), T]`."""

    def __call__(self, x: Tensor, mask: Tensor | None, condition: Tensor | None) -> Tensor:
        """Return shift and log scale, in this order, one after the other along the channels."""


class AffineCoupling(Flow):
    """y = (x_a, x_b * exp(log_scale(x_a)) + shift(x_a)); the injected network need not be invertible.

    Args:
        network: gives shift and log scale for the second half of the channels from the first.
        max_log_scale: when positive, log scales are bounded smoothly by `max_log_scale * tanh(s / max_log_scale)`.
    """

    def __init__(self, network: nn.Module, *, max_log_scale: float = 0.0) -> None:
        super().__init__()
        self.network = network
        self.forward_network: CouplingNetwork | None = None
        """What computes the network in `forward`, attached from outside; None: the network itself."""
        self.max_log_scale = max_log_scale

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scale and shift the second half of `x [B, C, T]`. See `Flow.forward`."""
        kept, moved = self.halves(apply_mask(x, mask))
        network = self.network if self.forward_network is None else self.forward_network
        shift, log_scale = self.bounded(network(kept, mask, condition).to(x.dtype), mask)
        moved = apply_mask(moved * log_scale.exp() + shift, mask)
        return torch.cat([kept, moved], 1), log_scale.sum((1, 2))

    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Undo the shift and the scale. See `Flow.inverse`."""
        kept, moved = self.halves(apply_mask(z, mask))
        shift, log_scale = self.shift_and_log_scale(kept, mask, condition)
        moved = apply_mask((moved - shift) * (-log_scale).exp(), mask)
        return torch.cat([kept, moved], 1), -log_scale.sum((1, 2))

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
