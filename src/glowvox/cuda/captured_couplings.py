"""The coupling networks of a vocoder as CUDA graphs in training: two launches each instead of two hundred.

Only they are recorded. What stands between them is little, and has parts that a graph cannot hold: the determinants of
the 1x1 convolutions wait for the device.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from glowvox.flows.coupling import AffineCoupling
from glowvox.models.waveglow import WaveGlow

Grapher = Callable[[tuple[nn.Module, ...], tuple[tuple[Tensor, ...], ...]], tuple[Callable[..., Any], ...]]
"""Returns modules as callables that are replayed, given examples of their inputs."""


class CapturedNetwork:
    """A coupling network that is replayed for training batches; for everything else it is the plain one.

    Replayed activations are overwritten by the next call, so a step may call it once before its backward pass.
    """

    def __init__(self, network: nn.Module, replay: Callable[..., Any], shapes: tuple[torch.Size, ...]) -> None:
        self._network = network
        self._replay = replay
        self._shapes = shapes

    def __call__(self, x: Tensor, mask: Tensor | None, condition: Tensor | None) -> Tensor:
        """Return shift and log scale. See `CouplingNetwork`."""
        known = mask is None and torch.is_grad_enabled() and self._network.training
        given = (x,) if condition is None else (x, condition)
        if known and tuple(tensor.shape for tensor in given) == self._shapes:
            result: Tensor = self._replay(*given)
        else:
            result = self._network(x, mask, condition)
        return result


def capture_couplings(vocoder: WaveGlow, run: Callable[[], Any], graph: Grapher | None = None) -> None:
    """Let the couplings of a vocoder replay their networks on the way from audio to noise.

    Args:
        vocoder: in training mode, on a GPU, its weights never replaced but changed in place.
        run: computes the log-likelihood of one batch; others of its shapes are replayed too. It is called here, and so
            must be this function, under the autocast of training, which keeps no copies of weights.
        graph: `torch.cuda.make_graphed_callables`, or for tests what stands in for it.
    """
    couplings = [module for module in vocoder.modules() if isinstance(module, AffineCoupling)]
    with _noted(couplings) as seen:
        run()
    shared: dict[int, Tensor] = {}
    examples = tuple(tuple(_example(tensor, shared) for tensor in seen[coupling]) for coupling in couplings)
    modules = tuple(_Unmasked(coupling.network) for coupling in couplings)
    make: Grapher = graph or torch.cuda.make_graphed_callables
    replayed = make(modules, examples)
    for coupling, replay, example in zip(couplings, replayed, examples, strict=True):
        coupling.forward_network = CapturedNetwork(coupling.network, replay, tuple(tensor.shape for tensor in example))


class _Unmasked(nn.Module):
    """A coupling network that takes nothing but tensors."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        result: Tensor = self.network(x, None, condition)
        return result


@contextmanager
def _noted(couplings: list[AffineCoupling]) -> Iterator[dict[AffineCoupling, tuple[Tensor, ...]]]:
    """Note what the networks of couplings are given."""
    seen: dict[AffineCoupling, tuple[Tensor, ...]] = {}

    def noting(coupling: AffineCoupling) -> Callable[..., Tensor]:
        def network(x: Tensor, mask: Tensor | None, condition: Tensor | None) -> Tensor:
            seen[coupling] = (x,) if condition is None else (x, condition)
            result: Tensor = coupling.network(x, mask, condition)
            return result

        return network

    for coupling in couplings:
        coupling.forward_network = noting(coupling)
    try:
        yield seen
    finally:
        for coupling in couplings:
            coupling.forward_network = None


def _example(tensor: Tensor, shared: dict[int, Tensor]) -> Tensor:
    """Return an input for recording; what all couplings were given is one tensor there too, since it is copied in."""
    if id(tensor) not in shared:
        shared[id(tensor)] = tensor.detach().clone().requires_grad_(tensor.requires_grad)
    return shared[id(tensor)]
