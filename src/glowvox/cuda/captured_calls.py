"""Calls of a model recorded once as a CUDA graph and replayed: a thousand launches become one.

A graph has fixed shapes and addresses. So inputs are copied into tensors of its own, one graph is kept for each set of
shapes, and `bucket` says to what length a signal is padded so that few shapes occur. Whoever pads must pass the true
lengths along, and leave the padding away from the result.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor

_WARM_UPS = 3
"""Calls before the recording: they fill the caches of constants and let libraries choose their algorithms."""


def bucket(frames: int) -> int:
    """Return the length to pad `frames` to: at most an eighth more, or the next multiple of eight if that is more."""
    step = max(8, 1 << max(0, (frames - 1).bit_length() - 4))
    return -(-frames // step) * step


class CapturedCall:
    """A function of tensors of fixed shapes that makes one tensor; a CPU has no graphs, and calls it again."""

    def __init__(self, function: Callable[..., Tensor], inputs: tuple[Tensor, ...], pool: Any = None) -> None:
        """Record the function.

        Args:
            function: reads nothing but its arguments and weights that stay where they are, and no value on the host.
            inputs: on one device; their shapes and types are those of all calls.
            pool: memory shared with other calls, which must not run at the same time; see `torch.cuda.graph`.
        """
        self._function = function
        self._inputs = tuple(tensor.clone() for tensor in inputs)
        self._graph: torch.cuda.CUDAGraph | None = None
        if inputs[0].is_cuda:
            self._graph, self._output = self._recorded(pool)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the result for inputs of the recorded shapes; on a GPU it is overwritten by the next call."""
        for target, tensor in zip(self._inputs, inputs, strict=True):
            target.copy_(tensor)
        if self._graph is None:
            return self._function(*self._inputs)
        self._graph.replay()
        return self._output

    def _recorded(self, pool: Any) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        current = torch.cuda.current_stream(self._inputs[0].device)
        aside = torch.cuda.Stream(self._inputs[0].device)
        aside.wait_stream(current)
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UPS):
                self._function(*self._inputs)
        current.wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, stream=aside):
            output = self._function(*self._inputs)
        return graph, output


class CapturedCalls:
    """The captured calls of an engine, one for each kind and set of shapes; the longest unused ones are let go.

    Recording takes as long as several calls, so shapes are recorded when they come for the second time. All calls use
    the same memory for their activations.
    """

    def __init__(self, kept: int = 64) -> None:
        """Keep at most so many."""
        self._kept = kept
        self._calls: OrderedDict[Hashable, CapturedCall | None] = OrderedDict()
        """None: shapes seen once."""
        self._pool: Any = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._calls)

    def run(self, kind: Hashable, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """Return the function's result on the host; threads take turns, since calls share their tensors.

        Args:
            kind: says which function it is, and in which type it computes.
            function: see `CapturedCall`.
            inputs: see `CapturedCall`.
        """
        key = (kind, *((tuple(tensor.shape), tensor.dtype) for tensor in inputs))
        with self._lock:
            if key not in self._calls:
                while len(self._calls) >= self._kept:
                    self._calls.popitem(last=False)
                self._calls[key] = None
                return function(*inputs).cpu()
            self._calls.move_to_end(key)
            call = self._calls[key]
            if call is None:
                if self._pool is None and inputs[0].is_cuda:
                    self._pool = torch.cuda.graph_pool_handle()
                call = self._calls[key] = CapturedCall(function, inputs, self._pool)
            return call(*inputs).cpu()
