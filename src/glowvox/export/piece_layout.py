"""Sequences as rows [time, channels] in a graph: all products are matrix products, all shifts are views of rows."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from glowvox.engines.graph_engine import FINAL, NEXT, POSITION, StreamCard
from glowvox.export.graph_builder import GraphBuilder


def array_of(tensor: Tensor | None) -> NDArray[np.float64]:
    """Return a parameter in float64, in which weights are merged before they are rounded once."""
    if tensor is None:
        raise ValueError("this parameter is absent")
    return np.asarray(tensor.detach().double().cpu().numpy())


class Layout(ABC):
    """How the rows of one rate lie: turns rows `[B * T, C]` into `[B, T, C]` and back, without copying."""

    def __init__(self, graph: GraphBuilder) -> None:
        self._graph = graph

    @abstractmethod
    def sequences(self, rows: str, channels: int) -> str:
        """Return `[B, T, C]` from rows `[B * T, C]`."""

    @abstractmethod
    def window(self, sequences: str, channels: int, kernel_size: int, dilation: int = 1) -> tuple[list[str], Self]:
        """Return, for each tap of a convolution, the frames `[B, T, C]` that it meets, zero beyond the ends.

        Returns:
            One value for each tap, and the layout of what the convolution gives.
        """

    def rows(self, sequences: str, channels: int) -> str:
        """Return rows `[B * T, C]` from anything with as many values in that order."""
        return self._graph.op("Reshape", sequences, self._graph.integers([-1, channels]))

    def convolution(
        self, rows: str, weight: Tensor, bias: Tensor | None, *, exact: bool = False, gain: float = 1.0
    ) -> tuple[str, Self]:
        """Return rows `[R, out]`: `conv1d` with zero padding that keeps the length, as one product; and their layout.

        Args:
            rows: `[R, in]`.
            weight: `[out, in, K]`, K odd.
            bias: `[out]`.
            exact: see `GraphBuilder.linear`.
            gain: a factor on weight and bias.
        """
        kernel = gain * array_of(weight)
        out, channels, taps = kernel.shape
        layout = self
        if taps > 1:
            views, layout = self.window(self.sequences(rows, channels), channels, taps)
            rows = layout.joined(views, taps * channels)
        matrix = kernel.transpose(2, 1, 0).reshape(-1, out)
        return self._graph.linear(rows, matrix, gain * array_of(bias), exact=exact), layout

    def joined(self, sequences: Sequence[str], channels: int) -> str:
        """Return rows `[R, C]` from `[B, T, ...]` values side by side, C channels in all."""
        joined = sequences[0] if len(sequences) == 1 else self._graph.op("Concat", *sequences, axis=2)
        return self.rows(joined, channels)


def gelu(graph: GraphBuilder, value: str) -> str:
    """Return the exact GELU, 0.5 x (1 + erf(x / sqrt 2))."""
    erf = graph.op("Erf", graph.op("Mul", value, graph.floats(0.5**0.5)))
    return graph.op("Mul", graph.op("Mul", value, graph.floats(0.5)), graph.op("Add", erf, graph.floats(1.0)))


def layer_norm(graph: GraphBuilder, rows: str, gain: Any, bias: Any, epsilon: float) -> str:
    """Return rows whose channels have mean 0 and variance 1 before gain and bias."""
    return graph.op(
        "LayerNormalization", rows, graph.floats(array_of(gain)), graph.floats(array_of(bias)), axis=-1, epsilon=epsilon
    )


class PieceClock:
    """Counts the rows of one rate: for a value that lags behind, where its rows of this piece begin and end.

    A convolution that reaches r rows ahead gives a row when r more have come, or the signal has ended. So every value
    of the graph lags a constant number of rows behind the input, except at the end, where everything catches up.
    """

    def __init__(
        self,
        graph: GraphBuilder,
        position: str,
        frames: str,
        lags: Sequence[int],
        *,
        rows_per_frame: int = 1,
        oldest: int = 0,
    ) -> None:
        """Write the arithmetic, once for all lags.

        Args:
            graph: to write to, with the input `FINAL`.
            position: int64 [1], frames in the pieces before this one.
            frames: int64 [1], frames in this piece.
            lags: rows by which the values of this rate lag.
            rows_per_frame: of this rate.
            oldest: the lag of the last reader of what is kept for many readers; see `span` and `frame_span`.
        """
        self._graph = graph
        self._lags = sorted({*lags})
        number = len(self._lags)
        behind = graph.integers(self._lags)
        rate = graph.integers([rows_per_frame])
        before = graph.op("Mul", position, rate)
        self._after = graph.op("Mul", graph.op("Add", position, frames), rate)
        zero, one = graph.integers([0]), graph.integers([1])
        self._starts = graph.op("Max", graph.op("Sub", before, behind), zero)
        kept_back = graph.op("Mul", behind, graph.op("Sub", one, FINAL))
        self._ends = graph.op("Max", graph.op("Sub", self._after, kept_back), zero)
        self._counts = self._each(graph.op("Sub", self._ends, self._starts), number)
        self._position, self._rate, self._per_frame, self._oldest = position, rate, rows_per_frame, oldest
        self._spans: list[list[str]] | None = None

    def count(self, lag: int) -> str:
        """Return int64 [1]: rows of this piece that a value with this lag has."""
        return self._counts[self._lags.index(lag)]

    def span(self, lag: int) -> tuple[str, str]:
        """Return where the rows for a value with this lag begin and end, from the oldest kept on; int64 [1] each."""
        if self._spans is None:
            graph, number = self._graph, len(self._lags)
            first = self._first(graph.op("Mul", self._position, self._rate), self._oldest)
            self._spans = [self._each(graph.op("Sub", edge, first), number) for edge in (self._starts, self._ends)]
        place = self._lags.index(lag)
        return self._spans[0][place], self._spans[1][place]

    def frame_span(self, lag: int) -> tuple[str, str, str]:
        """Return `span` in mel frames, rounded outwards, and the rows by which the span begins within its frame."""
        if self._spans is None:
            graph, number = self._graph, len(self._lags)
            first = self._first(self._position, -(-self._oldest // self._per_frame))
            begin = graph.op("Div", self._starts, self._rate)
            ends = graph.op("Add", self._ends, graph.integers([self._per_frame - 1]))
            until = graph.op("Div", ends, self._rate)
            phase = graph.op("Sub", self._starts, graph.op("Mul", begin, self._rate))
            spans = (graph.op("Sub", begin, first), graph.op("Sub", until, first), phase)
            self._spans = [self._each(value, number) for value in spans]
        begins, untils, phases = self._spans
        place = self._lags.index(lag)
        return begins[place], untils[place], phases[place]

    def valid(self, lengths: str) -> str:
        """Return `[B, T, 1]`, one on the rows before an item's end `lengths [B]`, from the oldest row kept on."""
        graph = self._graph
        first = self._first(graph.op("Mul", self._position, self._rate), self._oldest)
        edges = [graph.op("Squeeze", edge, graph.integers([0])) for edge in (first, self._after)]
        places = graph.op("Range", *edges, graph.integers(1))
        inside = graph.op("Less", places, graph.op("Unsqueeze", lengths, graph.integers([1])))
        return graph.op("Unsqueeze", graph.op("Cast", inside, to=1), graph.integers([2]))

    def _first(self, position: str, lag: int) -> str:
        graph = self._graph
        return graph.op("Max", graph.op("Sub", position, graph.integers([lag])), graph.integers([0]))

    def _each(self, values: str, number: int) -> list[str]:
        return self._graph.split(values, [1] * number, axis=0)


def declare_clock_inputs(graph: GraphBuilder) -> None:
    """Declare `POSITION` and `FINAL`."""
    for name in (POSITION, FINAL):
        graph.input(name, [1], np.int64)


@dataclass(frozen=True)
class State:
    """A value that a piece hands to the next one: at first `rows` rows of zeros `[B, rows, channels]`."""

    rows: int
    channels: int


class PieceStates:
    """The states of one graph, each an input and an output: what later pieces need of the rows before.

    Every convolution keeps the last rows that it has seen; what must wait for rows that others still compute is kept
    too. Nothing is computed twice, and rows of zeros stand beyond the true ends of the signal only.
    """

    def __init__(self, graph: GraphBuilder, batch: str) -> None:
        """Begin without any.

        Args:
            graph: to write to.
            batch: int64 [1], B.
        """
        self._graph = graph
        self.batch = batch
        """int64 [1], B."""
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

    def card(self, delay: int) -> StreamCard:
        """Return what callers must know of a graph that gives a frame `delay` frames late."""
        return StreamCard(delay, {name: (state.rows, state.channels) for name, state in self.declared.items()})

    def zeros_at_the_end(self, rows: int, channels: int) -> str:
        """Return zeros `[B, rows, channels]` in the last piece, and none otherwise."""
        key = (rows, channels)
        if key not in self._zeros:
            graph = self._graph
            count = graph.op("Mul", FINAL, graph.integers([rows]))
            shape = graph.op("Concat", self.batch, count, graph.integers([channels]), axis=0)
            self._zeros[key] = graph.op("Expand", graph.floats(np.zeros((1, 1, 1))), shape)
        return self._zeros[key]

    def shape(self, channels: int) -> str:
        """Return the shape `[B, -1, channels]`."""
        if channels not in self._shapes:
            graph = self._graph
            self._shapes[channels] = graph.op("Concat", self.batch, graph.integers([-1, channels]), axis=0)
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

    def at(self, lag: int) -> Self:
        """Return the layout of values with another lag."""
        return type(self)(self._graph, self.clock, self.states, lag)

    def sequences(self, rows: str, channels: int) -> str:
        """Return `[B, T, C]` from rows `[B * T, C]`."""
        return self._graph.op("Reshape", rows, self.states.shape(channels))

    def window(
        self, sequences: str, channels: int, kernel_size: int, dilation: int = 1, *, seen: int | None = None
    ) -> tuple[list[str], Self]:
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

    def ones(self, sequences: str) -> str:
        """Return ones `[B, T, 1]` for sequences `[B, T, C]`."""
        graph = self._graph
        shape = graph.op("Concat", graph.op("Shape", sequences, start=0, end=2), graph.integers([1]), axis=0)
        return graph.op("Expand", graph.floats([[[1.0]]]), shape)

    def spread(self, items: str, channels: int) -> str:
        """Return `[B, T, C]`, one vector for all rows of an item, from `items [B, C]`."""
        graph = self._graph
        shape = graph.op("Concat", self.states.batch, self.clock.count(self.lag), graph.integers([channels]), axis=0)
        return graph.op("Expand", graph.op("Unsqueeze", items, graph.integers([1])), shape)

    def caught_up(self, rows: str, channels: int, target: "PieceLayout") -> str:
        """Return the rows that values of another layout have reached; the others wait."""
        if target.lag == self.lag:
            return rows
        graph = self._graph
        before = self.states.before("wait", 0, channels)
        waiting = graph.op("Concat", before, self.sequences(rows, channels), axis=1)
        first, count, axis = graph.integers([0]), self.clock.count(target.lag), graph.integers([1])
        self.states.after(before, graph.op("Slice", waiting, count, graph.integers([np.iinfo(np.int64).max]), axis))
        return self.rows(graph.op("Slice", waiting, first, count, axis), channels)


class RowMask:
    """One on the rows of a batch that count, zero on those beyond an item's end, for values of any lag."""

    def __init__(self, graph: GraphBuilder, clock: PieceClock, lengths: str) -> None:
        """Take the rows of each item, int64 `lengths [B]`."""
        self._graph = graph
        self._known = clock.valid(lengths)
        self._parts: dict[int, str] = {}

    def sequences(self, layout: PieceLayout) -> str:
        """Return the mask `[B, T, 1]` of the rows of a layout."""
        if layout.lag not in self._parts:
            span = layout.clock.span(layout.lag)
            self._parts[layout.lag] = self._graph.op("Slice", self._known, *span, self._graph.integers([1]))
        return self._parts[layout.lag]

    def on_sequences(self, sequences: str, layout: PieceLayout) -> str:
        """Return `[B, T, C]`, zero where the mask is."""
        return self._graph.op("Mul", sequences, self.sequences(layout))

    def on_rows(self, rows: str, layout: PieceLayout) -> str:
        """Return rows `[R, C]`, zero where the mask is."""
        return self._graph.op("Mul", rows, layout.rows(self.sequences(layout), 1))
