"""How many rows of a signal that comes in pieces are known at each place of a graph: arithmetic on whole numbers.

A convolution that reaches r rows ahead gives a row when r more have come, or the signal has ended. So every value of
the graph lags a constant number of rows behind the input, except at the end, where everything catches up.
"""

from collections.abc import Sequence

import numpy as np

from glowvox.engines.stream_card import FINAL, POSITION
from glowvox.export.graph_builder import GraphBuilder


class PieceClock:
    """Counts the rows of one rate: for a value that lags behind, where its rows of this piece begin and end."""

    def __init__(
        self, graph: GraphBuilder, frames: str, lags: Sequence[int], *, rows_per_frame: int = 1, oldest: int = 0
    ) -> None:
        """Write the arithmetic, once for all lags.

        Args:
            graph: to write to, with the inputs `POSITION` and `FINAL`.
            frames: int64 [1], mel frames in this piece.
            lags: rows by which the values of this rate lag.
            rows_per_frame: of this rate.
            oldest: the lag of the last reader of what is kept for many readers; see `span` and `frame_span`.
        """
        self._graph = graph
        self._lags = sorted({*lags})
        number = len(self._lags)
        behind = graph.integers(self._lags)
        rate = graph.integers([rows_per_frame])
        before = graph.op("Mul", POSITION, rate)
        after = graph.op("Mul", graph.op("Add", POSITION, frames), rate)
        zero, one = graph.integers([0]), graph.integers([1])
        self._starts = graph.op("Max", graph.op("Sub", before, behind), zero)
        kept_back = graph.op("Mul", behind, graph.op("Sub", one, FINAL))
        self._ends = graph.op("Max", graph.op("Sub", after, kept_back), zero)
        self._counts = self._each(graph.op("Sub", self._ends, self._starts), number)
        self._rate, self._per_frame, self._oldest = rate, rows_per_frame, oldest
        self._spans: list[list[str]] | None = None

    def count(self, lag: int) -> str:
        """Return int64 [1]: rows of this piece that a value with this lag has."""
        return self._counts[self._lags.index(lag)]

    def span(self, lag: int) -> tuple[str, str]:
        """Return where the rows for a value with this lag begin and end, from the oldest kept on; int64 [1] each."""
        if self._spans is None:
            graph, number = self._graph, len(self._lags)
            first = self._first(graph.op("Mul", POSITION, self._rate), self._oldest)
            self._spans = [self._each(graph.op("Sub", edge, first), number) for edge in (self._starts, self._ends)]
        place = self._lags.index(lag)
        return self._spans[0][place], self._spans[1][place]

    def frame_span(self, lag: int) -> tuple[str, str, str]:
        """Return `span` in mel frames, rounded outwards, and the rows by which the span begins within its frame."""
        if self._spans is None:
            graph, number = self._graph, len(self._lags)
            first = self._first(POSITION, -(-self._oldest // self._per_frame))
            begin = graph.op("Div", self._starts, self._rate)
            ends = graph.op("Add", self._ends, graph.integers([self._per_frame - 1]))
            until = graph.op("Div", ends, self._rate)
            phase = graph.op("Sub", self._starts, graph.op("Mul", begin, self._rate))
            spans = (graph.op("Sub", begin, first), graph.op("Sub", until, first), phase)
            self._spans = [self._each(value, number) for value in spans]
        begins, untils, phases = self._spans
        place = self._lags.index(lag)
        return begins[place], untils[place], phases[place]

    def _first(self, position: str, lag: int) -> str:
        graph = self._graph
        return graph.op("Max", graph.op("Sub", position, graph.integers([lag])), graph.integers([0]))

    def _each(self, values: str, number: int) -> list[str]:
        return self._graph.split(values, [1] * number, axis=0)


def declare_clock_inputs(graph: GraphBuilder) -> None:
    """Declare `POSITION` and `FINAL`."""
    for name in (POSITION, FINAL):
        graph.input(name, [1], np.int64)
