"""WN and a step of flow backwards as a graph over pieces: the coupling undone, then ActNorm and 1x1 convolution.

A whole signal is one piece. Written with the exact savings that hold for given weights:

- Skip and end are one matrix per layer: the sum of skips never exists.
- The start is part of the first dilated convolution; a channel of ones carries its bias, and is zero beyond the ends
  as the start's output would be. The residual path keeps the start.
- The taps of a convolution and a condition at the same rate lie side by side, so that a layer is one product.
- What the layers have added to the result so far travels with the rows of the residual path: one window, one state and
  one product serve both. At a few rows a piece, every node costs as much as the work in it.
- Signs and bounds of the coupling are folded into the end; ActNorm and the 1x1 convolution are one product.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.piece_layout import PieceLayout, RowMask, array_of
from glowvox.flows.affine import ActNorm
from glowvox.nn.wavenet import WN, WNLayer


class WNCondition(ABC):
    """The condition of all layers of all couplings; each layer has a matrix of its own for it."""

    def __init__(self, channels: int) -> None:
        self.channels = channels

    def matrix(self, weights: NDArray[Any]) -> NDArray[Any] | str:
        """Return a layer's matrix `[C, width]` from its weights `[G, width]`, which G channels of a network meet."""
        return weights

    @abstractmethod
    def beside(self, layout: PieceLayout) -> str | None:
        """Return `[B, T, C]` for the rows of a layout, to lie beside a convolution's taps; None: see `projected`."""

    @abstractmethod
    def projected(self, layout: PieceLayout, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
        """Return the condition of every row times a matrix `[C, width]`, plus a bias, as rows `[R, width]`."""


class ItemCondition(WNCondition):
    """One vector for all rows of an item (a speaker)."""

    def __init__(self, graph: GraphBuilder, vectors: str, channels: int) -> None:
        """Take `vectors [B, C]`."""
        super().__init__(channels)
        self._graph = graph
        self._vectors = vectors

    def beside(self, layout: PieceLayout) -> str | None:
        """Return None: a product for each item is enough."""
        return None

    def projected(self, layout: PieceLayout, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
        """Return each item's product, once for each of its rows."""
        width = matrix.shape[1]
        return layout.rows(layout.spread(self._graph.linear(self._vectors, matrix, bias), width), width)


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


class RowCondition(WNCondition):
    """A vector for every row."""

    def __init__(
        self,
        graph: GraphBuilder,
        rows: str,
        layout: PieceLayout,
        channels: int,
        oldest: int,
        *,
        basis: NDArray[np.float64] | None = None,
    ) -> None:
        """Keep what layers need later.

        Args:
            graph: to write to.
            rows: `[R, C]`.
            layout: of the rows.
            channels: C.
            oldest: the lag of the last layer.
            basis: `[C, G]`: the networks' condition of G channels is `rows @ basis`; None: it is the rows themselves.
        """
        super().__init__(channels)
        self._graph = graph
        self._basis = basis
        self._kept = _KeptCondition(graph, rows, layout, channels, oldest)
        self._parts: dict[int, str] = {}

    def matrix(self, weights: NDArray[Any]) -> NDArray[Any] | str:
        """Return a layer's matrix `[C, width]`.

        Where the graph refers to stored weights, the product with the basis is made when the graph is opened.
        """
        if self._basis is None:
            return weights
        if not self._graph.refers:
            product: NDArray[Any] = self._basis @ weights
            return product
        return self._graph.op("MatMul", self._graph.floats(self._basis), self._graph.matrix(weights))

    def beside(self, layout: PieceLayout) -> str | None:
        """Return the vectors of the rows."""
        if layout.lag not in self._parts:
            self._parts[layout.lag] = self._kept.part(*layout.clock.span(layout.lag))
        return self._parts[layout.lag]

    def projected(self, layout: PieceLayout, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
        """Refuse: `beside` has the vectors."""
        raise TypeError("a condition at the rate of the rows lies beside them")


class FrameCondition(WNCondition):
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

    def beside(self, layout: PieceLayout) -> str | None:
        """Return None: a product for each mel frame is enough."""
        return None

    def projected(self, layout: PieceLayout, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
        """Return each frame's product, once for each of its rows."""
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


class WNGraph:
    """Writes one WN over rows that come in pieces, lagging from layer to layer."""

    def __init__(
        self,
        graph: GraphBuilder,
        network: WN,
        layout: PieceLayout,
        condition: WNCondition | None,
        mask: RowMask | None,
        *,
        out_gain: NDArray[np.float64],
    ) -> None:
        """Take what the network is made of.

        Args:
            graph: to write to.
            network: the weights.
            layout: of the input's rows.
            condition: None where the network has none.
            mask: of the rows that count; None: all do.
            out_gain: factors on the output channels.
        """
        self._graph = graph
        self._network = network
        self._layout = layout
        self._condition = condition
        self._mask = mask
        end = array_of(network.end.weight)[:, :, 0]
        self._end = out_gain[:, None] * end
        self._end_bias = out_gain * array_of(network.end.bias)
        self._start = array_of(network.start.weight)[:, :, 0]
        self._start_bias = array_of(network.start.bias)
        self._layers: list[WNLayer] = list(network.layers)  # type: ignore[arg-type]
        self._mixes = [(array_of(layer.mix.weight)[:, :, 0], array_of(layer.mix.bias)) for layer in self._layers]
        self._merged = self._end.shape[0] <= self._end.shape[1]
        self._out_width = min(self._end.shape)
        self._folds_start = self._start.shape[1] + 1 < network.channels and self._layers[0].depthwise is None

    def __call__(self, rows: str) -> tuple[str, PieceLayout]:
        """Return rows `[R, out]` from rows `[R, in]`, and their layout, which lags by the reach of all layers."""
        graph, network, layout, out = self._graph, self._network, self._layout, self._out_width
        source, width = self._source(rows)
        total = ""
        for index, dilation in enumerate(network.dilations):
            with graph.scope(f"layer_{index}"):
                seen = width if index == 0 else network.channels
                views, layout = layout.window(source, width, network.kernel_size, dilation, seen=seen)
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
                    source = self._masked(graph.op("Add", middle, layout.sequences(added, width)), layout)
                else:
                    hidden = self._first_residual(middle, activation, layout)
                    total = graph.linear(activation, self._skip(0), self._skip_bias())
                    width = network.channels + out
                    joined = layout.sequences(graph.op("Concat", hidden, total, axis=1), width)
                    source = self._masked(joined, layout)
        return self._ended(total), layout

    def _source(self, rows: str) -> tuple[str, int]:
        """Return what the first layer convolves, `[B, T, C]`, and C: the input with ones, or what the start gives."""
        layout, mask = self._layout, self._mask
        if not self._folds_start:
            width = self._network.channels
            return self._masked(layout.sequences(self._started(rows), width), layout), width
        width = self._start.shape[1]
        source = layout.sequences(rows, width)
        ones = layout.ones(source) if mask is None else mask.sequences(layout)
        return self._graph.op("Concat", source, ones, axis=2), width + 1

    def _masked(self, sequences: str, layout: PieceLayout) -> str:
        return sequences if self._mask is None else self._mask.on_sequences(sequences, layout)

    def _first_residual(self, middle: str, activation: str, layout: PieceLayout) -> str:
        """Return the rows `[R, H]` of the residual path after the first layer."""
        graph, channels = self._graph, self._network.channels
        if self._folds_start:
            channels = self._start.shape[1]
            middle = graph.cut(middle, 0, channels, 2)
        rows = layout.rows(middle, channels)
        started = self._started(rows) if self._folds_start else rows
        return graph.op("Add", started, graph.linear(activation, *self._residual(0)))

    def _started(self, rows: str) -> str:
        return self._graph.linear(rows, self._start.T, self._start_bias)

    def _ended(self, total: str) -> str:
        return total if self._merged else self._graph.linear(total, self._end.T, self._end_bias)

    def _residual(self, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the matrix `[H, H]` and the bias by which a layer adds to its input."""
        mix, bias = self._mixes[index]
        return mix[: self._network.channels].T, bias[: self._network.channels]

    def _skip(self, index: int) -> NDArray[np.float64]:
        """Return the matrix `[H, out_width]` by which a layer adds to the result."""
        skip = self._mixes[index][0][-self._end.shape[1] :]
        return (self._end @ skip if self._merged else skip).T

    def _skip_bias(self) -> NDArray[np.float64]:
        """Return the bias of all skips, `[out_width]`."""
        total: NDArray[np.float64] = np.sum([bias[-self._end.shape[1] :] for _, bias in self._mixes], axis=0)
        return self._end @ total + self._end_bias if self._merged else total

    def _activation(self, views: Sequence[str], lanes: int, index: int, layout: PieceLayout) -> str:
        """Return rows `[R, H]` of `tanh(g_1) sigmoid(g_2)`.

        Args:
            views: what the taps meet, `[B, T, lanes]` each.
            lanes: channels; one more than the network's input has where that is seen, the last one of ones.
            index: of the layer.
            layout: of the rows.
        """
        graph, network, layer = self._graph, self._network, self._layers[index]
        width = 2 * network.channels
        kernel = array_of(layer.dilated.weight).transpose(2, 1, 0).reshape(-1, width)
        if layer.depthwise is not None:
            views = [self._depthwise(views, array_of(layer.depthwise.weight)[:, 0])]
        parts = list(views)
        matrices: list[NDArray[np.float64] | str] = [kernel if lanes == network.channels else self._after_start(kernel)]
        columns = lanes * len(parts)
        addend: Any = array_of(layer.dilated.bias)
        if self._condition is not None and network.condition is not None:
            part = slice(index * width, (index + 1) * width)
            matrix = array_of(network.condition.weight)[part, :, 0].T
            addend = addend + array_of(network.condition.bias)[part]
            beside = self._condition.beside(layout)
            if beside is None:
                addend = self._condition.projected(layout, matrix, addend)
            else:
                parts.append(beside)
                matrices.append(self._condition.matrix(matrix))
                columns += self._condition.channels
        gates = graph.linear(layout.joined(parts, columns), graph.stacked(matrices), addend)
        filtered, gate = graph.split(gates, [network.channels] * 2)
        return graph.op("Mul", graph.op("Tanh", filtered), graph.op("Sigmoid", gate))

    def _after_start(self, kernel: NDArray[np.float64]) -> NDArray[np.float64] | str:
        """Return the matrix `[K * (in + 1), N]` of the start and a convolution `[K * H, N]`, for rows with a one.

        Where the graph refers to stored weights, the product is made when the graph is opened: it is larger than both.
        """
        graph, channels, width = self._graph, self._network.channels, kernel.shape[1]
        start = [self._start.T, self._start_bias[None]]
        if not graph.refers:
            product = np.einsum("ih,kho->kio", np.concatenate(start), kernel.reshape(-1, channels, width))
            result: NDArray[np.float64] | str = product.reshape(-1, width)
            return result
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


def layer_lags(networks: Iterable[WN], first: int = 0) -> list[int]:
    """Return the rows by which the input, `first`, and, one layer after the other, every layer's output lag."""
    lags = [first]
    for network in networks:
        lags += [
            lags[-1] + network.kernel_size // 2 * sum(network.dilations[: end + 1])
            for end in range(len(network.dilations))
        ]
    return lags


def undo_coupling(
    graph: GraphBuilder,
    rows: str,
    channels: int,
    network: WN,
    layout: PieceLayout,
    condition: WNCondition | None,
    *,
    max_log_scale: float,
    sigmoid_scale: bool = False,
    mask: RowMask | None = None,
) -> tuple[str, PieceLayout]:
    """Return rows `[R, C]` and their layout: `x_b = (z_b - shift) * exp(-log_scale)`, the first half unchanged.

    Args:
        graph: to write to.
        rows: `[R, C]`, zero where the mask is.
        channels: C.
        network: gives shift and log scale.
        layout: of the rows.
        condition: of the network.
        max_log_scale: as in `AffineCoupling`.
        sigmoid_scale: whether the network gives `raw` of the scale `1e-6 + sigmoid(raw + 2)`.
        mask: of the rows that count, the others are left to the caller; None: all do.
    """
    half = channels // 2
    gain = np.ones(2 * half)
    if not sigmoid_scale:
        gain[half:] = -1.0 / max_log_scale if max_log_scale else -1.0
    kept = graph.cut(rows, 0, channels - half, 1)
    out, ready = WNGraph(graph, network, layout, condition, mask, out_gain=gain)(kept)
    kept, moved = graph.split(layout.caught_up(rows, channels, ready), [channels - half, half])
    shift, scale = graph.split(out, [half, half])
    if sigmoid_scale:
        raw = graph.op("Sigmoid", graph.op("Add", scale, graph.floats(2.0)))
        scale = graph.op("Neg", graph.op("Log", graph.op("Add", raw, graph.floats(1e-6))))
        if max_log_scale:
            scale = graph.op("Mul", scale, graph.floats(1.0 / max_log_scale))
    if max_log_scale:
        scale = graph.op("Mul", graph.op("Tanh", scale), graph.floats(max_log_scale))
    moved = graph.op("Mul", graph.op("Sub", moved, shift), graph.op("Exp", scale))
    return graph.op("Concat", kept, moved, axis=1), ready


def inverse_of(weight: Tensor) -> NDArray[np.float64]:
    """Return the inverse of a 1x1 convolution's matrix, from float64."""
    return np.asarray(np.linalg.inv(array_of(weight)), np.float64)


def undo_mixing(graph: GraphBuilder, rows: str, inverse: NDArray[np.float64], actnorm: ActNorm | None) -> str:
    """Return rows `[R, C]`: `(inverse @ z - bias) * exp(-log_scale)` of every row, as one product.

    Args:
        graph: to write to.
        rows: `[R, C]`.
        inverse: `[C, C]` of the 1x1 convolution.
        actnorm: undone after it; None: none.
    """
    bias = np.zeros(len(inverse))
    if actnorm is not None:
        scale = np.exp(-array_of(actnorm.log_scale).reshape(-1))
        inverse = scale[:, None] * inverse
        bias = -scale * array_of(actnorm.bias).reshape(-1)
    return graph.linear(rows, inverse.T, bias, exact=True)
