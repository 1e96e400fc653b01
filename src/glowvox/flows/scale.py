"""A scale per element that the condition decides: the flow's input arrives with roughly unit variance everywhere.

Dividing by a scale s(condition) before the flow is the same as a base density with variance s^2; the exact change of
variables adds -sum(log s).
"""

from torch import Tensor, nn

from glowvox.flows.base import Flow, apply_mask, full_precision


class ConditionalScale(Flow):
    """y = x * exp(-log_scale(condition)); `network` maps the condition and the mask to `[B, C, T]`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @full_precision
    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Divide `x [B, C, T]` by the scale. See `Flow.forward`."""
        log_scale = apply_mask(self.network(condition, mask), mask)
        return apply_mask(x * (-log_scale).exp(), mask), -log_scale.sum((1, 2))

    @full_precision
    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Multiply by the scale. See `Flow.inverse`."""
        log_scale = apply_mask(self.network(condition, mask), mask)
        return apply_mask(z * log_scale.exp(), mask), log_scale.sum((1, 2))
