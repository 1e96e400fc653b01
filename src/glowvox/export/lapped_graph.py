"""The inverse of the lapped transform as a graph, without reversed views: mirrored halves are products of their own."""

import numpy as np

from glowvox.engines.stream_card import FINAL
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.piece_layout import PieceLayout
from glowvox.flows.lapped import dct_iv


def undo_lapped(graph: GraphBuilder, rows: str, layout: PieceLayout, hop: int) -> tuple[str, PieceLayout]:
    """Return rows `[R, hop]` of samples from rows of coefficients (the inverse of `flows.lapped.Lapped`).

    With D a block after the DCT, its halves D_1 and D_2, s and c the sine and the cosine over half a block and J the
    mirror: the first half of block t is s D_1[t] - c J D_2[t - 1], the second one J s D_2[t] + J c D_1[t + 1];
    at the very ends nothing is folded. So the last block of a piece waits for the next one.
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
    states = layout.states
    from_before, waiting_first, waiting_second = (
        states.before(label, 0, half) for label in ("fold", "first", "second")
    )
    # 1 where the signal begins: its first block has no neighbour before it
    begins = graph.op("Sub", graph.integers([1]), graph.op("Shape", from_before, start=1, end=2))
    zero, end, axis = graph.integers([0]), graph.integers([np.iinfo(np.int64).max]), graph.integers([1])
    neighbours = graph.op("Concat", from_before, graph.cut(to_next, 0, -1, 1), axis=1)
    inner = graph.op("Mul", graph.op("Slice", first, begins, end, axis), graph.floats(sine))
    alone = graph.op("Slice", first, zero, begins, axis)
    firsts = graph.op("Concat", waiting_first, alone, graph.op("Add", inner, neighbours), axis=1)
    seconds = graph.op("Concat", waiting_second, second, axis=1)
    after = layout.at(layout.lag + 1)
    count = layout.clock.count(after.lag)
    folded_second = graph.op("Mul", graph.cut(seconds, 0, -1, 1), graph.floats(sine[::-1]))
    folded_second = graph.op("Add", folded_second, graph.op("Slice", to_previous, begins, end, axis))
    last = graph.op("Slice", seconds, graph.op("Sub", count, FINAL), count, axis)
    done = (graph.op("Slice", firsts, zero, count, axis), graph.op("Concat", folded_second, last, axis=1))
    for name, value in ((from_before, to_next), (waiting_first, firsts), (waiting_second, seconds)):
        states.after(name, graph.cut(value, -1, None, 1))
    return layout.rows(graph.op("Concat", *done, axis=2), hop), after
