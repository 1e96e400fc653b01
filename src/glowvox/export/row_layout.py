"""Sequences as rows [time, channels] in a graph: all products are matrix products, all shifts are views of rows."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

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
    def window(self, sequences: str, channels: int, kernel_size: int, dilation: int = 1) -> "tuple[list[str], Layout]":
        """Return, for each tap of a convolution, the frames `[B, T, C]` that it meets, zero beyond the ends.

        Returns:
            One value for each tap, and the layout of what the convolution gives.
        """

    @abstractmethod
    def caught_up(self, rows: str, channels: int, target: "Layout") -> str:
        """Return rows as they lie in another layout of the same rate, that of something computed from them."""

    def rows(self, sequences: str, channels: int) -> str:
        """Return rows `[B * T, C]` from anything with as many values in that order."""
        return self._graph.op("Reshape", sequences, self._graph.integers([-1, channels]))

    def ones(self, sequences: str) -> str:
        """Return ones `[B, T, 1]` for sequences `[B, T, C]`."""
        graph = self._graph
        shape = graph.op("Concat", graph.op("Shape", sequences, start=0, end=2), graph.integers([1]), axis=0)
        return graph.op("Expand", graph.floats([[[1.0]]]), shape)

    def convolution(
        self, rows: str, weight: Tensor, bias: Tensor | None, *, exact: bool = False, gain: float = 1.0
    ) -> "tuple[str, Layout]":
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
        layout: Layout = self
        if taps > 1:
            views, layout = self.window(self.sequences(rows, channels), channels, taps)
            rows = layout.joined(views, taps * channels)
        matrix = kernel.transpose(2, 1, 0).reshape(-1, out)
        return self._graph.linear(rows, matrix, gain * array_of(bias), exact=exact), layout

    def joined(self, sequences: Sequence[str], channels: int) -> str:
        """Return rows `[R, C]` from `[B, T, ...]` values side by side, C channels in all."""
        joined = sequences[0] if len(sequences) == 1 else self._graph.op("Concat", *sequences, axis=2)
        return self.rows(joined, channels)


class RowLayout(Layout):
    """Whole sequences, padded to one length: what is computed from them lies as they do."""

    def __init__(self, graph: GraphBuilder, value: str) -> None:
        """Take batch and length from a value `[B, T, ...]`."""
        super().__init__(graph)
        self.batch_and_length = graph.op("Shape", value, start=0, end=2)
        self.batch = graph.op("Shape", value, start=0, end=1)
        self.length = graph.op("Shape", value, start=1, end=2)
        self._shapes: dict[int, str] = {}

    def sequences(self, rows: str, channels: int) -> str:
        """Return `[B, T, C]` from rows `[B * T, C]`."""
        if channels not in self._shapes:
            graph = self._graph
            self._shapes[channels] = graph.op("Concat", self.batch_and_length, graph.integers([channels]), axis=0)
        return self._graph.op("Reshape", rows, self._shapes[channels])

    def window(
        self, sequences: str, channels: int, kernel_size: int, dilation: int = 1
    ) -> tuple[list[str], "RowLayout"]:
        """Return the frames that each tap meets. See `Layout.window`."""
        graph = self._graph
        reach = dilation * (kernel_size // 2)
        if not reach:
            return [sequences], self
        padded = graph.op("Pad", sequences, graph.integers([0, reach, 0, 0, reach, 0]))
        views = []
        for offset in range(0, 2 * reach + 1, dilation):
            end = None if offset == 2 * reach else offset - 2 * reach
            views.append(sequences if offset == reach else graph.cut(padded, offset, end, 1))
        return views, self

    def caught_up(self, rows: str, channels: int, target: Layout) -> str:
        """Return the rows: all of them are there."""
        return rows


def gelu(graph: GraphBuilder, value: str) -> str:
    """Return the exact GELU, 0.5 x (1 + erf(x / sqrt 2))."""
    erf = graph.op("Erf", graph.op("Mul", value, graph.floats(0.5**0.5)))
    return graph.op("Mul", graph.op("Mul", value, graph.floats(0.5)), graph.op("Add", erf, graph.floats(1.0)))


def layer_norm(graph: GraphBuilder, rows: str, gain: Any, bias: Any, epsilon: float) -> str:
    """Return rows whose channels have mean 0 and variance 1 before gain and bias."""
    return graph.op(
        "LayerNormalization", rows, graph.floats(array_of(gain)), graph.floats(array_of(bias)), axis=-1, epsilon=epsilon
    )
