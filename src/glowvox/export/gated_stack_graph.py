"""The gated dilated stack as a graph, with the exact savings that hold for given weights.

- Skip and end are one matrix per layer: the sum of skips never exists (fold A).
- The start is part of the first dilated convolution; a channel of ones carries its bias, and is zero beyond the ends
  as the start's output would be (fold B). The residual path keeps the start.
- The taps of a convolution and a condition at the same rate lie side by side, so that a layer is one product.
- Signs and bounds of the coupling are folded into the end.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.row_layout import Layout, array_of
from glowvox.export.stack_condition import StackCondition
from glowvox.nn.gated_stack import GatedLayer, GatedStack


class GatedStackGraph:
    """Writes one stack."""

    def __init__(
        self,
        graph: GraphBuilder,
        stack: GatedStack,
        layout: Layout,
        condition: StackCondition | None,
        *,
        mask: str | None = None,
        out_gain: NDArray[np.float64] | None = None,
    ) -> None:
        """Take what the stack is made of.

        Args:
            graph: to write to.
            stack: the weights.
            layout: of the input's rows.
            condition: None where the stack has none.
            mask: `[R, 1]`, one on rows that count; None: all do.
            out_gain: factors on the output channels.
        """
        self._graph = graph
        self._stack = stack
        self._layout = layout
        self._condition = condition
        self._mask = mask
        end = array_of(stack.end.weight)[:, :, 0]
        gain = np.ones(len(end)) if out_gain is None else out_gain
        self._end = gain[:, None] * end
        self._end_bias = gain * array_of(stack.end.bias)
        self._start = array_of(stack.start.weight)[:, :, 0]
        self._start_bias = array_of(stack.start.bias)

    def __call__(self, rows: str) -> tuple[str, Layout]:
        """Return rows `[R, out]` from rows `[R, in]`, and their layout."""
        graph, stack, layout = self._graph, self._stack, self._layout
        layers: list[GatedLayer] = list(stack.layers)  # type: ignore[arg-type]
        merged = self._end.shape[0] <= self._end.shape[1]
        mixes = [(array_of(layer.mix.weight)[:, :, 0], array_of(layer.mix.bias)) for layer in layers]
        skip_width, out_width = self._end.shape[1], self._end.shape[0] if merged else self._end.shape[1]
        skip_bias = sum(bias[-skip_width:] for _, bias in mixes)
        total: Any = self._end @ skip_bias + self._end_bias if merged else skip_bias
        folds_start = self._start.shape[1] + 1 < stack.channels and layers[0].depthwise is None
        hidden = rows if folds_start else self._masked(graph.linear(rows, self._start.T, self._start_bias))
        for index, layer in enumerate(layers):
            with graph.scope(f"layer_{index}"):
                from_input = folds_start and index == 0
                activation, hidden, ready = self._activation(hidden, layout, index, layer, from_input=from_input)
                if isinstance(total, str):
                    total = layout.caught_up(total, out_width, ready)
                layout = ready
                mix, bias = mixes[index]
                if index < len(layers) - 1:
                    if from_input:
                        hidden = graph.linear(hidden, self._start.T, self._start_bias)
                    residual = graph.linear(activation, mix[: stack.channels].T, bias[: stack.channels])
                    hidden = self._masked(graph.op("Add", hidden, residual))
                skip = mix[-skip_width:]
                total = graph.linear(activation, (self._end @ skip if merged else skip).T, total)
        return self._masked(total if merged else graph.linear(total, self._end.T, self._end_bias)), layout

    def _activation(
        self, hidden: str, layout: Layout, index: int, layer: GatedLayer, *, from_input: bool
    ) -> tuple[str, str, Layout]:
        """Return `tanh(g_1) sigmoid(g_2)` `[R, H]`, the rows of `hidden` at the same places, and their layout."""
        graph, stack = self._graph, self._stack
        width, dilation = 2 * stack.channels, stack.dilations[index]
        bias = array_of(layer.dilated.bias)
        kernel = array_of(layer.dilated.weight).transpose(2, 1, 0).reshape(-1, width)
        channels = self._start.shape[1] if from_input else stack.channels
        source, lanes = layout.sequences(hidden, channels), channels
        if from_input:
            ones = layout.ones(source) if self._mask is None else layout.sequences(self._mask, 1)
            source, lanes = graph.op("Concat", source, ones, axis=2), channels + 1
        views, ready = layout.window(source, lanes, stack.kernel_size, dilation)
        middle = views[len(views) // 2]
        if ready is not layout:
            hidden = ready.rows(graph.cut(middle, 0, channels, 2) if from_input else middle, channels)
        if layer.depthwise is not None:
            views = [self._depthwise(views, array_of(layer.depthwise.weight)[:, 0])]
        matrices: list[NDArray[np.float64] | str] = [self._after_start(kernel) if from_input else kernel]
        columns = lanes * len(views)
        addend: Any = bias
        if self._condition is not None and stack.condition is not None:
            part = slice(index * width, (index + 1) * width)
            matrix = array_of(stack.condition.weight)[part, :, 0].T
            addend = bias + array_of(stack.condition.bias)[part]
            beside = self._condition.beside(ready)
            if beside is None:
                addend = self._condition.projected(ready, matrix, addend)
            else:
                views.append(beside)
                matrices.append(matrix)
                columns += len(matrix)
        gates = graph.linear(ready.joined(views, columns), graph.stacked(matrices), addend)
        filtered, gate = graph.split(gates, [stack.channels] * 2)
        return graph.op("Mul", graph.op("Tanh", filtered), graph.op("Sigmoid", gate)), hidden, ready

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

    def _depthwise(self, views: list[str], kernel: NDArray[np.float64]) -> str:
        """Return `[B, T, C]`: every channel's own convolution, from the frames that its taps meet."""
        graph = self._graph
        total = ""
        for view, tap in zip(views, kernel.T, strict=True):
            product = graph.op("Mul", view, graph.floats(tap))
            total = graph.op("Add", total, product) if total else product
        return total

    def _masked(self, rows: str) -> str:
        return rows if self._mask is None else self._graph.op("Mul", rows, self._mask)
