"""A step of flow backwards as a graph: the coupling undone, then ActNorm and 1x1 convolution undone in one product."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.piece_layout import PieceLayout
from glowvox.export.piece_stack_graph import PieceStackGraph
from glowvox.export.row_layout import Layout, RowLayout, array_of
from glowvox.export.stack_condition import StackCondition
from glowvox.export.whole_stack_graph import WholeStackGraph
from glowvox.flows.actnorm import ActNorm
from glowvox.nn.gated_stack import GatedStack


def undo_coupling(
    graph: GraphBuilder,
    rows: str,
    channels: int,
    stack: GatedStack,
    layout: Layout,
    condition: StackCondition | None,
    *,
    max_log_scale: float,
    sigmoid_scale: bool = False,
    mask: str | None = None,
) -> tuple[str, Layout]:
    """Return rows `[R, C]` and their layout: `x_b = (z_b - shift) * exp(-log_scale)`, the first half unchanged.

    Args:
        graph: to write to.
        rows: `[R, C]`, zero where the mask is.
        channels: C.
        stack: gives shift and log scale.
        layout: of the rows.
        condition: of the stack.
        max_log_scale: as in `AffineCoupling`.
        sigmoid_scale: whether the stack gives `raw` of the scale `1e-6 + sigmoid(raw + 2)`.
        mask: `[R, 1]`.
    """
    half = channels // 2
    gain = np.ones(2 * half)
    if not sigmoid_scale:
        gain[half:] = -1.0 / max_log_scale if max_log_scale else -1.0
    ready: Layout
    if isinstance(layout, PieceLayout):
        kept = graph.cut(rows, 0, channels - half, 1)
        out, ready = PieceStackGraph(graph, stack, layout, condition, out_gain=gain)(kept)
        kept, moved = graph.split(layout.caught_up(rows, channels, ready), [channels - half, half])
    else:
        assert isinstance(layout, RowLayout)
        kept, moved = graph.split(rows, [channels - half, half])
        out, ready = WholeStackGraph(graph, stack, layout, condition, out_gain=gain)(kept, mask=mask)
    shift, scale = graph.split(out, [half, half])
    if sigmoid_scale:
        raw = graph.op("Sigmoid", graph.op("Add", scale, graph.floats(2.0)))
        scale = graph.op("Neg", graph.op("Log", graph.op("Add", raw, graph.floats(1e-6))))
        if max_log_scale:
            scale = graph.op("Mul", scale, graph.floats(1.0 / max_log_scale))
    if max_log_scale:
        scale = graph.op("Mul", graph.op("Tanh", scale), graph.floats(max_log_scale))
    moved = graph.op("Mul", graph.op("Sub", moved, shift), graph.op("Exp", scale))
    if mask is not None:
        moved = graph.op("Mul", moved, mask)
    return graph.op("Concat", kept, moved, axis=1), ready


def inverse_of(weight: Tensor) -> NDArray[np.float64]:
    """Return the inverse of a 1x1 convolution's matrix, from float64."""
    return np.asarray(np.linalg.inv(array_of(weight)), np.float64)


def undo_mixing(
    graph: GraphBuilder, rows: str, inverse: NDArray[np.float64], actnorm: ActNorm | None, mask: str | None = None
) -> str:
    """Return rows `[R, C]`: `(inverse @ z - bias) * exp(-log_scale)` of every row, as one product.

    Args:
        graph: to write to.
        rows: `[R, C]`, zero where the mask is.
        inverse: `[C, C]` of the 1x1 convolution.
        actnorm: undone after it; None: none.
        mask: `[R, 1]`.
    """
    bias = np.zeros(len(inverse))
    if actnorm is not None:
        scale = np.exp(-array_of(actnorm.log_scale).reshape(-1))
        inverse = scale[:, None] * inverse
        bias = -scale * array_of(actnorm.bias).reshape(-1)
    mixed = graph.linear(rows, inverse.T, bias, exact=True)
    return mixed if mask is None or actnorm is None else graph.op("Mul", mixed, mask)
