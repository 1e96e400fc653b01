"""The layout of a signal that comes in pieces: what later pieces need of the rows before is kept as state.

Every convolution keeps the last rows that it has seen; what must wait for rows that others still compute is kept too.
Nothing is computed twice, and rows of zeros stand beyond the true ends of the signal only.
"""

from dataclasses import dataclass

import numpy as np

from glowvox.engines.stream_card import FINAL, NEXT
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.piece_clock import PieceClock
from glowvox.export.row_layout import Layout


@dataclass(frozen=True)
class State:
    """A value that a piece hands to the next one: at first `rows` rows of zeros `[B, rows, channels]`."""

    rows: int
    channels: int


class PieceStates:
    """The states of one graph, each an input and an output."""

    def __init__(self, graph: GraphBuilder, batch: str) -> None:
        """Begin without any.

        Args:
            graph: to write to.
            batch: int64 [1], B.
        """
        self._graph = graph
        self._batch = batch
        self._zeros: dict[tuple[int, int], str] = {}
        self._shapes: dict[int, str] = {}
        self.declared: dict[str, State] = {}
        """By the names of the inputs; an output's name has `next.` before it."""

    def before(self, label: str, rows: int, channels: int) -> str:
        """Return what the piece before left under a label, `[B, ?, channels]`; before the first one zeros."""
        name = f"state.{len(self.declared)}.{label}"
        self.declared[name] = State(rows, channels)
        return self._graph.input(name, ["B", f"{name}.rows", channels])

    def after(self, name: str, value: str) -> None:
        """Leave a value for the next piece, under the name that `before` gave."""
        self._graph.output(value, f"{NEXT}{name}", ["B", f"{NEXT}{name}.rows", self.declared[name].channels])

    def zeros_at_the_end(self, rows: int, channels: int) -> str:
        """Return zeros `[B, rows, channels]` in the last piece, and none otherwise."""
        key = (rows, channels)
        if key not in self._zeros:
            graph = self._graph
            count = graph.op("Mul", FINAL, graph.integers([rows]))
            shape = graph.op("Concat", self._batch, count, graph.integers([channels]), axis=0)
            self._zeros[key] = graph.op("Expand", graph.floats(np.zeros((1, 1, 1))), shape)
        return self._zeros[key]

    def shape(self, channels: int) -> str:
        """Return the shape `[B, -1, channels]`."""
        if channels not in self._shapes:
            graph = self._graph
            self._shapes[channels] = graph.op("Concat", self._batch, graph.integers([-1, channels]), axis=0)
        return self._shapes[channels]


class PieceLayout(Layout):
    """Rows that lag behind what came in."""

    def __init__(self, graph: GraphBuilder, clock: PieceClock, states: PieceStates, lag: int) -> None:
        """Take the clock of the rate.

        Args:
            graph: to write to.
            clock: knows all lags of this rate.
            states: of the graph.
            lag: rows by which values of this layout lag.
        """
        super().__init__(graph)
        self.clock = clock
        self.states = states
        self.lag = lag

    def at(self, lag: int) -> "PieceLayout":
        """Return the layout of values with another lag."""
        return PieceLayout(self._graph, self.clock, self.states, lag)

    def sequences(self, rows: str, channels: int) -> str:
        """Return `[B, T, C]` from rows `[B * T, C]`."""
        return self._graph.op("Reshape", rows, self.states.shape(channels))

    def window(
        self, sequences: str, channels: int, kernel_size: int, dilation: int = 1, *, seen: int | None = None
    ) -> tuple[list[str], "PieceLayout"]:
        """Return the frames that each tap meets, of this piece and the end of those before. See `Layout.window`.

        Args:
            sequences: `[B, T, channels]`.
            channels: of the sequences.
            kernel_size: taps.
            dilation: rows between two taps.
            seen: channels that the convolution sees, the first ones; None: all. The middle tap gives all of them, so
                that the others come along to the rows that are known.
        """
        graph, reach = self._graph, dilation * (kernel_size // 2)
        if not reach:
            return [sequences], self
        before = self.states.before("window", reach, channels)
        known = graph.op("Concat", before, sequences, self.states.zeros_at_the_end(reach, channels), axis=1)
        views = []
        for offset in range(0, 2 * reach + 1, dilation):
            end = None if offset == 2 * reach else offset - 2 * reach
            lanes = None if offset == reach or seen == channels else seen
            views.append(graph.cut(known, offset, end, 1, lanes))
        self.states.after(before, graph.cut(known, -2 * reach, None, 1))
        return views, self.at(self.lag + reach)

    def past(self, sequences: str, channels: int, count: int) -> list[str]:
        """Return, for each k below `count`, the frames `[B, T, C]` k before, zero before the signal."""
        if count == 1:
            return [sequences]
        graph = self._graph
        before = self.states.before("past", count - 1, channels)
        known = graph.op("Concat", before, sequences, axis=1)
        self.states.after(before, graph.cut(known, 1 - count, None, 1))
        return [sequences, *(graph.cut(known, count - 1 - k, -k, 1) for k in range(1, count))]

    def caught_up(self, rows: str, channels: int, target: Layout) -> str:
        """Return the rows that values of another layout have reached; the others wait."""
        assert isinstance(target, PieceLayout)
        if target.lag == self.lag:
            return rows
        graph = self._graph
        before = self.states.before("wait", 0, channels)
        waiting = graph.op("Concat", before, self.sequences(rows, channels), axis=1)
        first, count, axis = graph.integers([0]), self.clock.count(target.lag), graph.integers([1])
        self.states.after(before, graph.op("Slice", waiting, count, graph.integers([np.iinfo(np.int64).max]), axis))
        return self.rows(graph.op("Slice", waiting, first, count, axis), channels)
