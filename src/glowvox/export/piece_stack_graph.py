"""The gated dilated stack over a signal in pieces, whose rows lag from layer to layer.

What the layers have added to the result so far travels with the rows of the residual path: one window, one state and
one product serve both. At a few rows a piece, every node costs as much as the work in it.
"""

import numpy as np

from glowvox.export.gated_stack_graph import GatedStackGraph
from glowvox.export.piece_layout import PieceLayout


class PieceStackGraph(GatedStackGraph[PieceLayout]):
    """Writes one stack over rows that come in pieces."""

    def __call__(self, rows: str) -> tuple[str, PieceLayout]:
        """Return rows `[R, out]` from rows `[R, in]`, and their layout, which lags by the reach of all layers."""
        graph, stack, layout, out = self._graph, self._stack, self._layout, self._out_width
        if self._folds_start:
            width = self._start.shape[1]
            source = layout.sequences(rows, width)
            source, width = graph.op("Concat", source, layout.ones(source), axis=2), width + 1
        else:
            width = stack.channels
            source = layout.sequences(self._started(rows), width)
        total = ""
        for index, dilation in enumerate(stack.dilations):
            with graph.scope(f"layer_{index}"):
                seen = width if index == 0 else stack.channels
                views, layout = layout.window(source, width, stack.kernel_size, dilation, seen=seen)
                middle = views[len(views) // 2]
                if index:
                    views[len(views) // 2] = graph.cut(middle, 0, seen, 2)
                activation = self._activation(views, seen, index, layout)
                if index == len(self._layers) - 1:
                    so_far = layout.rows(graph.cut(middle, seen, None, 2), out) if index else self._skip_bias()
                    total = graph.linear(activation, self._skip(index), so_far)
                elif index:
                    matrix, bias = self._residual(index)
                    both = graph.beside([matrix, self._skip(index)])
                    added = graph.linear(activation, both, np.pad(bias, (0, out)))
                    source = graph.op("Add", middle, layout.sequences(added, width))
                else:
                    hidden = self._first_residual(middle, activation, layout)
                    total = graph.linear(activation, self._skip(0), self._skip_bias())
                    width = stack.channels + out
                    source = layout.sequences(graph.op("Concat", hidden, total, axis=1), width)
        return self._ended(total), layout

    def _first_residual(self, middle: str, activation: str, layout: PieceLayout) -> str:
        """Return the rows `[R, H]` of the residual path after the first layer."""
        graph, (matrix, bias) = self._graph, self._residual(0)
        if not self._folds_start:
            rows = layout.rows(middle, self._stack.channels)
            return graph.op("Add", rows, graph.linear(activation, matrix, bias))
        channels = self._start.shape[1]
        started = self._started(layout.rows(graph.cut(middle, 0, channels, 2), channels), bias)
        return graph.linear(activation, matrix, started)
