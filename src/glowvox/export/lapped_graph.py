"""The inverse of the lapped transform as a graph, without reversed views: mirrored halves are products of their own."""

import numpy as np

from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.row_layout import RowLayout
from glowvox.flows.lapped import dct_iv


def undo_lapped(graph: GraphBuilder, rows: str, layout: RowLayout, hop: int) -> str:
    """Return rows `[R, hop]` of samples from rows of coefficients (the inverse of `flows.lapped.Lapped`).

    With D a block after the DCT, its halves D_1 and D_2, s and c the sine and the cosine over half a block and J the
    mirror: the first half of block t is s D_1[t] - c J D_2[t - 1], the second one J s D_2[t] + J c D_1[t + 1];
    at the very ends nothing is folded.
    """
    half = hop // 2
    basis = dct_iv(hop).numpy()
    angle = np.pi / 4 + np.pi / (2 * hop) * (np.arange(half) + 0.5)
    sine, cosine = np.sin(angle), np.cos(angle)
    zeros = np.zeros(hop)
    blocks = layout.sequences(graph.linear(rows, basis, zeros, exact=True), hop)
    mirrored = np.concatenate([-cosine * basis[:, : half - 1 : -1], (cosine * basis[:, :half])[:, ::-1]], 1)
    folded = layout.sequences(graph.linear(rows, mirrored, zeros, exact=True), hop)
    first, second = graph.split(blocks, [half, half], axis=2)
    to_next, to_previous = graph.split(folded, [half, half], axis=2)
    inner_first = graph.op("Mul", graph.cut(first, 1, None, 1), graph.floats(sine))
    inner_second = graph.op("Mul", graph.cut(second, 0, -1, 1), graph.floats(sine[::-1]))
    inner_first = graph.op("Add", inner_first, graph.cut(to_next, 0, -1, 1))
    inner_second = graph.op("Add", inner_second, graph.cut(to_previous, 1, None, 1))
    first = graph.op("Concat", graph.cut(first, 0, 1, 1), inner_first, axis=1)
    second = graph.op("Concat", inner_second, graph.cut(second, -1, None, 1), axis=1)
    return layout.rows(graph.op("Concat", first, second, axis=2), hop)
