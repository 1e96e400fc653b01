"""The gated dilated stack as a graph, with the exact savings that hold for given weights.

- Skip and end are one matrix per layer: the sum of skips never exists (fold A).
- The start is part of the first dilated convolution; a channel of ones carries its bias, and is zero beyond the ends
  as the start's output would be (fold B). The residual path keeps the start.
- The taps of a convolution and a condition at the same rate lie side by side, so that a layer is one product.
- Signs and bounds of the coupling are folded into the end.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.row_layout import Layout, array_of
from glowvox.export.stack_condition import StackCondition
from glowvox.nn.gated_stack import GatedLayer, GatedStack

LayoutT = TypeVar("LayoutT", bound=Layout)


class GatedStackGraph(ABC, Generic[LayoutT]):
    """What is common to the ways of writing one stack over rows of one kind of layout."""

    def __init__(
        self,
        graph: GraphBuilder,
        stack: GatedStack,
        layout: LayoutT,
        condition: StackCondition | None,
        *,
        out_gain: NDArray[np.float64] | None = None,
    ) -> None:
        """Take what the stack is made of.

        Args:
            graph: to write to.
            stack: the weights.
            layout: of the input's rows.
            condition: None where the stack has none.
            out_gain: factors on the output channels.
        """
        self._graph = graph
        self._stack = stack
        self._layout = layout
        self._condition = condition
        end = array_of(stack.end.weight)[:, :, 0]
        gain = np.ones(len(end)) if out_gain is None else out_gain
        self._end = gain[:, None] * end
        self._end_bias = gain * array_of(stack.end.bias)
        self._start = array_of(stack.start.weight)[:, :, 0]
        self._start_bias = array_of(stack.start.bias)
        self._layers: list[GatedLayer] = list(stack.layers)  # type: ignore[arg-type]
        self._mixes = [(array_of(layer.mix.weight)[:, :, 0], array_of(layer.mix.bias)) for layer in self._layers]
        self._merged = self._end.shape[0] <= self._end.shape[1]
        self._out_width = min(self._end.shape)
        self._folds_start = self._start.shape[1] + 1 < stack.channels and self._layers[0].depthwise is None

    @abstractmethod
    def __call__(self, rows: str) -> tuple[str, LayoutT]:
        """Return rows `[R, out]` from rows `[R, in]`, and their layout."""

    def _started(self, rows: str, further_bias: Any = 0.0) -> str:
        return self._graph.linear(rows, self._start.T, self._start_bias + further_bias)

    def _ended(self, total: str) -> str:
        return total if self._merged else self._graph.linear(total, self._end.T, self._end_bias)

    def _residual(self, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the matrix `[H, H]` and the bias by which a layer adds to its input."""
        mix, bias = self._mixes[index]
        return mix[: self._stack.channels].T, bias[: self._stack.channels]

    def _skip(self, index: int) -> NDArray[np.float64]:
        """Return the matrix `[H, out_width]` by which a layer adds to the result."""
        skip = self._mixes[index][0][-self._end.shape[1] :]
        return (self._end @ skip if self._merged else skip).T

    def _skip_bias(self) -> NDArray[np.float64]:
        """Return the bias of all skips, `[out_width]`."""
        total: NDArray[np.float64] = np.sum([bias[-self._end.shape[1] :] for _, bias in self._mixes], axis=0)
        return self._end @ total + self._end_bias if self._merged else total

    def _activation(self, views: Sequence[str], lanes: int, index: int, layout: Layout) -> str:
        """Return rows `[R, H]` of `tanh(g_1) sigmoid(g_2)`.

        Args:
            views: what the taps meet, `[B, T, lanes]` each.
            lanes: channels; one more than the input of the stack has where that is seen, the last one of ones.
            index: of the layer.
            layout: of the rows.
        """
        graph, stack, layer = self._graph, self._stack, self._layers[index]
        width = 2 * stack.channels
        kernel = array_of(layer.dilated.weight).transpose(2, 1, 0).reshape(-1, width)
        if layer.depthwise is not None:
            views = [self._depthwise(views, array_of(layer.depthwise.weight)[:, 0])]
        parts = list(views)
        matrices: list[NDArray[np.float64] | str] = [kernel if lanes == stack.channels else self._after_start(kernel)]
        columns = lanes * len(parts)
        addend: Any = array_of(layer.dilated.bias)
        if self._condition is not None and stack.condition is not None:
            part = slice(index * width, (index + 1) * width)
            matrix = array_of(stack.condition.weight)[part, :, 0].T
            addend = addend + array_of(stack.condition.bias)[part]
            beside = self._condition.beside(layout)
            if beside is None:
                addend = self._condition.projected(layout, matrix, addend)
            else:
                parts.append(beside)
                matrices.append(matrix)
                columns += len(matrix)
        gates = graph.linear(layout.joined(parts, columns), graph.stacked(matrices), addend)
        filtered, gate = graph.split(gates, [stack.channels] * 2)
        return graph.op("Mul", graph.op("Tanh", filtered), graph.op("Sigmoid", gate))

    def _after_start(self, kernel: NDArray[np.float64]) -> NDArray[np.float64] | str:
        """Return the matrix `[K * (in + 1), N]` of the start and a convolution `[K * H, N]`, for rows with a one.

        Where the graph refers to stored weights, the product is made when the graph is opened: it is larger than both.
        """
        graph, channels, width = self._graph, self._stack.channels, kernel.shape[1]
        start = [self._start.T, self._start_bias[None]]
        if not graph.refers:
            product = np.einsum("ih,kho->kio", np.concatenate(start), kernel.reshape(-1, channels, width))
            return product.reshape(-1, width)
        shaped = graph.op("Reshape", graph.matrix(kernel), graph.integers([-1, channels, width]))
        factor = graph.op("Concat", graph.matrix(start[0]), graph.floats(start[1]), axis=0)
        return graph.op("Reshape", graph.op("MatMul", factor, shaped), graph.integers([-1, width]))

    def _depthwise(self, views: Sequence[str], kernel: NDArray[np.float64]) -> str:
        """Return `[B, T, C]`: every channel's own convolution, from the frames that its taps meet."""
        graph = self._graph
        total = ""
        for view, tap in zip(views, kernel.T, strict=True):
            product = graph.op("Mul", view, graph.floats(tap))
            total = graph.op("Add", total, product) if total else product
        return total
