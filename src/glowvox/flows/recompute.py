"""Memory that does not grow with depth: a step's activations are computed again in the backward pass.

Only each step's input is kept. Inverting the output instead would save that input too, a few channels a step, but costs
a matrix inversion and loses digits on the way back; `benchmarks/constant_memory.py` measures both.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Direction = Callable[[Tensor, Tensor | None, Tensor | None], tuple[Tensor, Tensor]]


def run(
    step: Direction, x: Tensor, mask: Tensor | None, condition: Tensor | None, *, recompute: bool
) -> tuple[Tensor, Tensor]:
    """Call a flow or its `inverse`; with `recompute`, keep nothing but the arguments for the backward pass."""
    if recompute and torch.is_grad_enabled():
        return checkpoint(step, x, mask, condition, use_reentrant=False)
    return step(x, mask, condition)
