"""What a gated stack sees besides its input, in the forms in which models have it."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.piece_layout import PieceLayout
from glowvox.export.row_layout import Layout, RowLayout


class StackCondition(ABC):
    """The condition of all layers of all stacks; each layer has a matrix of its own for it."""

    def __init__(self, channels: int) -> None:
        self.channels = channels

    @abstractmethod
    def beside(self, layout: Layout) -> str | None:
        """Return `[B, T, C]` for the rows of a layout, to lie beside a convolution's taps; None: see `projected`."""

    @abstractmethod
    def projected(self, layout: Layout, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
        """Return the condition of every row times a matrix `[C, width]`, plus a bias, as rows `[R, width]`."""


class ItemCondition(StackCondition):
    """One vector for all rows of an item (a speaker)."""

    def __init__(self, graph: GraphBuilder, vectors: str, channels: int) -> None:
        """Take `vectors [B, C]`."""
        super().__init__(channels)
        self._graph = graph
        self._vectors = vectors

    def beside(self, layout: Layout) -> str | None:
        """Return None: a product for each item is enough."""
        return None

    def projected(self, layout: Layout, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
        """Return each item's product, once for each of its rows."""
        assert isinstance(layout, RowLayout)
        graph, width = self._graph, matrix.shape[1]
        product = graph.op("Unsqueeze", graph.linear(self._vectors, matrix, bias), graph.integers([1]))
        shape = graph.op("Concat", layout.batch_and_length, graph.integers([width]), axis=0)
        return layout.rows(graph.op("Expand", product, shape), width)


class SequenceCondition(StackCondition):
    """A vector for every row of whole sequences."""

    def __init__(self, sequences: str, channels: int) -> None:
        """Take `sequences [B, T, C]`."""
        super().__init__(channels)
        self._sequences = sequences

    def beside(self, layout: Layout) -> str | None:
        """Return the vectors."""
        assert isinstance(layout, RowLayout)
        return self._sequences

    def projected(self, layout: Layout, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
        """Refuse: `beside` has the vectors."""
        raise TypeError("a condition at the rate of the rows lies beside them")


class _KeptCondition:
    """Rows that are kept until the last layer has used them."""

    def __init__(self, graph: GraphBuilder, rows: str, layout: PieceLayout, channels: int, oldest: int) -> None:
        self._graph = graph
        before = layout.states.before("condition", 0, channels)
        self._known = graph.op("Concat", before, layout.sequences(rows, channels), axis=1)
        kept = layout.lag - oldest if oldest > layout.lag else np.iinfo(np.int64).max
        layout.states.after(before, graph.cut(self._known, kept, None, 1))

    def part(self, begin: str, end: str) -> str:
        return self._graph.op("Slice", self._known, begin, end, self._graph.integers([1]))


class RowCondition(StackCondition):
    """A vector for every row."""

    def __init__(self, graph: GraphBuilder, rows: str, layout: PieceLayout, channels: int, oldest: int) -> None:
        """Keep what layers need later.

        Args:
            graph: to write to.
            rows: `[R, C]`.
            layout: of the rows.
            channels: C.
            oldest: the lag of the last layer.
        """
        super().__init__(channels)
        self._kept = _KeptCondition(graph, rows, layout, channels, oldest)
        self._parts: dict[int, str] = {}

    def beside(self, layout: Layout) -> str | None:
        """Return the vectors of the rows."""
        assert isinstance(layout, PieceLayout)
        if layout.lag not in self._parts:
            self._parts[layout.lag] = self._kept.part(*layout.clock.span(layout.lag))
        return self._parts[layout.lag]

    def projected(self, layout: Layout, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
        """Refuse: `beside` has the vectors."""
        raise TypeError("a condition at the rate of the rows lies beside them")


class FrameCondition(StackCondition):
    """A vector for every mel frame, which several rows share."""

    def __init__(
        self, graph: GraphBuilder, rows: str, layout: PieceLayout, channels: int, *, oldest: int, repeat: int
    ) -> None:
        """Keep what layers need later.

        Args:
            graph: to write to.
            rows: `[Q, C]`, mel frames.
            layout: of mel frames.
            channels: C.
            oldest: the lag of the last layer, in mel frames.
            repeat: rows for each mel frame.
        """
        super().__init__(channels)
        self._graph = graph
        self._repeat = repeat
        self._kept = _KeptCondition(graph, rows, layout, channels, oldest)
        self._frames = layout

    def beside(self, layout: Layout) -> str | None:
        """Return None: a product for each mel frame is enough."""
        return None

    def projected(self, layout: Layout, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
        """Return each frame's product, once for each of its rows."""
        assert isinstance(layout, PieceLayout)
        graph, width = self._graph, matrix.shape[1]
        begin, end, phase = layout.clock.frame_span(layout.lag)
        frames = self._kept.part(begin, end)
        product = graph.linear(self._frames.rows(frames, self.channels), matrix, bias)
        zero, axis = graph.integers(0), graph.integers([0])
        count = graph.op("Squeeze", layout.clock.count(layout.lag), axis)
        rows = graph.op("Add", graph.op("Range", zero, count, graph.integers(1)), phase)
        frame = graph.op("Div", rows, graph.integers([self._repeat]))
        spread = graph.op("Gather", self._frames.sequences(product, width), frame, axis=1)
        return layout.rows(spread, width)
