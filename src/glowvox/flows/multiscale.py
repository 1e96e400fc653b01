"""Early outputs (WaveGlow, section 2.3; RealNVP's multi-scale architecture): channels leave before the end."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from glowvox.flows.base import Flow

Direction = Callable[[Tensor, Tensor | None, Tensor | None], tuple[Tensor, Tensor]]


def run(
    step: Direction, x: Tensor, mask: Tensor | None, condition: Tensor | None, *, recompute: bool
) -> tuple[Tensor, Tensor]:
    """Call a flow or its `inverse`; with `recompute`, keep nothing but the arguments for the backward pass.

    Only each step's input is kept. Inverting the output instead would save that input too, a few channels a step, but
    costs a matrix inversion and loses digits on the way back; `benchmarks/constant_memory.py` measures both.
    """
    if recompute and torch.is_grad_enabled():
        result: tuple[Tensor, Tensor] = checkpoint(step, x, mask, condition, use_reentrant=False)
        return result
    return step(x, mask, condition)


class EarlyOutputs(Flow):
    """Flows one after another; before step i the first `exits[i]` channels leave and the rest goes on.

    The latent holds the early outputs in the order in which they left, then the channels of the last step. Steps are
    registered by their index, as in `nn.Sequential`.

    Attributes:
        recompute: keep only each step's input for the backward pass and compute its activations again.
    """

    def __init__(self, steps: Iterable[Flow], exits: Mapping[int, int] | None = None) -> None:
        super().__init__()
        for index, step in enumerate(steps):
            self.add_module(str(index), step)
        self.exits = dict(exits or {})
        self.recompute = False

    def __iter__(self) -> Iterator[Flow]:
        return iter(self._modules.values())  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._modules)

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Apply the steps to `x [B, C, T]`, letting channels leave in between. See `Flow.forward`."""
        total = x.new_zeros(x.shape[0])
        outputs = []
        for index, step in enumerate(self):
            if index in self.exits:
                leaving, x = x.split([self.exits[index], x.shape[1] - self.exits[index]], 1)
                outputs.append(leaving)
            x, log_det = run(step, x, mask, condition, recompute=self.recompute)
            total = total + log_det
        return torch.cat([*outputs, x], 1), total

    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Undo the steps, joining the channels that left. See `Flow.inverse`."""
        total = z.new_zeros(z.shape[0])
        sizes = [self.exits[index] for index in sorted(self.exits)]
        *outputs, x = z.split([*sizes, z.shape[1] - sum(sizes)], 1)
        for index, step in reversed(list(enumerate(self))):
            x, log_det = run(step.inverse, x, mask, condition, recompute=self.recompute)
            total = total + log_det
            if index in self.exits:
                x = torch.cat([outputs.pop(), x], 1)
        return x, total
