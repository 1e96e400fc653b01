"""The gated dilated stack over whole sequences of one length, padded where they are shorter."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.export.gated_stack_graph import GatedStackGraph
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.row_layout import RowLayout
from glowvox.export.stack_condition import StackCondition
from glowvox.nn.gated_stack import GatedStack


class WholeStackGraph(GatedStackGraph):
    """Writes one stack over sequences that are there from end to end."""

    def __init__(
        self,
        graph: GraphBuilder,
        stack: GatedStack,
        layout: RowLayout,
        condition: StackCondition | None,
        *,
        mask: str | None = None,
        out_gain: NDArray[np.float64] | None = None,
    ) -> None:
        """Take what the stack is made of; see `GatedStackGraph`.

        Args:
            graph: to write to.
            stack: the weights.
            layout: of the input's rows.
            condition: None where the stack has none.
            mask: `[R, 1]`, one on rows that count; None: all do.
            out_gain: factors on the output channels.
        """
        super().__init__(graph, stack, layout, condition, out_gain=out_gain)
        self._rows = layout
        self._mask = mask

    def __call__(self, rows: str) -> tuple[str, RowLayout]:
        """Return rows `[R, out]` from rows `[R, in]`, and their layout."""
        graph, stack, layout = self._graph, self._stack, self._rows
        hidden = rows if self._folds_start else self._masked(self._started(rows))
        total: Any = self._skip_bias()
        for index, dilation in enumerate(stack.dilations):
            with graph.scope(f"layer_{index}"):
                from_input = self._folds_start and index == 0
                lanes = self._start.shape[1] if from_input else stack.channels
                source = layout.sequences(hidden, lanes)
                if from_input:
                    ones = layout.ones(source) if self._mask is None else layout.sequences(self._mask, 1)
                    source, lanes = graph.op("Concat", source, ones, axis=2), lanes + 1
                views, _ = layout.window(source, lanes, stack.kernel_size, dilation)
                activation = self._activation(views, lanes, index, layout)
                if index < len(self._layers) - 1:
                    hidden = self._started(rows) if from_input else hidden
                    hidden = self._masked(graph.op("Add", hidden, graph.linear(activation, *self._residual(index))))
                total = graph.linear(activation, self._skip(index), total)
        return self._masked(self._ended(total)), layout

    def _masked(self, rows: str) -> str:
        return rows if self._mask is None else self._graph.op("Mul", rows, self._mask)
