"""Composition and reversal of flows."""

from collections.abc import Iterable, Iterator

from torch import Tensor, nn

from glowvox.flows.base import Flow


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
        return self.flow(z, mask, condition)
