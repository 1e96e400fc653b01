"""Memory that does not grow with depth: a flow's activations are computed again in the backward pass.

Only each step's input is kept. Inverting the output instead of keeping the input would save that too, a few channels a
step, but costs a matrix inversion and loses digits on the way back; `benchmarks/constant_memory.py` measures both.
"""

from torch import Tensor
from torch.utils.checkpoint import checkpoint

from glowvox.flows.base import Flow


class Recomputed(Flow):
    """The inner flow, keeping nothing but its input for the backward pass; values and gradients are the same."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow

    def forward(
        self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Apply the inner flow. See `Flow.forward`."""
        return checkpoint(self.flow, x, mask, condition, use_reentrant=False)  # type: ignore[no-any-return]

    def inverse(
        self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Apply the inner flow's inverse. See `Flow.inverse`."""
        return checkpoint(self.flow.inverse, z, mask, condition, use_reentrant=False)  # type: ignore[no-any-return]
