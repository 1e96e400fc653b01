"""The gated dilated stack over whole sequences of one length, padded where they are shorter."""

from typing import Any

from glowvox.export.gated_stack_graph import GatedStackGraph
from glowvox.export.row_layout import RowLayout


class WholeStackGraph(GatedStackGraph[RowLayout]):
    """Writes one stack over sequences that are there from end to end."""

    def __call__(self, rows: str, *, mask: str | None = None) -> tuple[str, RowLayout]:
        """Return rows `[R, out]` from rows `[R, in]`, and their layout.

        Args:
            rows: a value.
            mask: `[R, 1]`, one on rows that count; None: all do.
        """
        graph, stack, layout = self._graph, self._stack, self._layout
        hidden = rows if self._folds_start else self._masked(self._started(rows), mask)
        total: Any = self._skip_bias()
        for index, dilation in enumerate(stack.dilations):
            with graph.scope(f"layer_{index}"):
                from_input = self._folds_start and index == 0
                lanes = self._start.shape[1] if from_input else stack.channels
                source = layout.sequences(hidden, lanes)
                if from_input:
                    ones = layout.ones(source) if mask is None else layout.sequences(mask, 1)
                    source, lanes = graph.op("Concat", source, ones, axis=2), lanes + 1
                views, _ = layout.window(source, lanes, stack.kernel_size, dilation)
                activation = self._activation(views, lanes, index, layout)
                if index < len(self._layers) - 1:
                    hidden = self._started(rows) if from_input else hidden
                    added = graph.linear(activation, *self._residual(index))
                    hidden = self._masked(graph.op("Add", hidden, added), mask)
                total = graph.linear(activation, self._skip(index), total)
        return self._masked(self._ended(total), mask), layout

    def _masked(self, rows: str, mask: str | None) -> str:
        return rows if mask is None else self._graph.op("Mul", rows, mask)
