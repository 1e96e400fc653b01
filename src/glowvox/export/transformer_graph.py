"""A layer of the relative-position transformer as a graph; distances are looked up with gathers, not by reshaping."""

import numpy as np

from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.row_layout import RowLayout, array_of, layer_norm
from glowvox.nn.transformer import RelativeSelfAttention, TransformerLayer

_FORBIDDEN = -1e30
"""Added to the scores of padding; its exponential is zero in every precision."""


def write_transformer(graph: GraphBuilder, layer: TransformerLayer, rows: str, layout: RowLayout, mask: str) -> str:
    """Return rows `[R, H]` from rows `[R, H]` with zero padding and its mask `[R, 1]`."""
    attended = _attention(graph, layer.attention, rows, layout, mask)
    norm = layer.attention_norm
    rows = layer_norm(graph, graph.op("Add", rows, attended), norm.weight, norm.bias, norm.eps)
    hidden, _ = layout.convolution(graph.op("Mul", rows, mask), layer.widen.weight, layer.widen.bias)
    hidden = graph.op("Mul", graph.op("Relu", hidden), mask)
    narrow, _ = layout.convolution(hidden, layer.narrow.weight, layer.narrow.bias)
    hidden = graph.op("Mul", narrow, mask)
    norm = layer.feed_forward_norm
    return graph.op("Mul", layer_norm(graph, graph.op("Add", rows, hidden), norm.weight, norm.bias, norm.eps), mask)


def _attention(graph: GraphBuilder, attention: RelativeSelfAttention, rows: str, layout: RowLayout, mask: str) -> str:
    """Return rows `[R, H]`: softmax(q k + q relative_keys) (v + relative_values), over the tokens that are there."""
    heads, window = attention.n_heads, attention.window
    weight, bias = array_of(attention.query_key_value.weight), array_of(attention.query_key_value.bias)
    channels = weight.shape[1]
    size = channels // heads
    weight[:channels] *= size**-0.5  # the query's scale
    bias[:channels] *= size**-0.5
    parts = graph.split(graph.linear(rows, weight.T, bias), [channels] * 3)
    shape = graph.op("Concat", layout.batch_and_length, graph.integers([heads, size]), axis=0)
    shaped = [graph.op("Reshape", part, shape) for part in parts]
    query = graph.op("Transpose", shaped[0], perm=[0, 2, 1, 3])
    key = graph.op("Transpose", shaped[1], perm=[0, 2, 3, 1])
    value = graph.op("Transpose", shaped[2], perm=[0, 2, 1, 3])

    columns, distances = _places(graph, layout, window)
    relative = graph.op("MatMul", query, graph.floats(array_of(attention.relative_keys).T))
    relative = graph.op("Pad", relative, graph.integers([0, 0, 0, 1, 0, 0, 0, 1]))  # zero for what is farther away
    scores = graph.op("MatMul", query, key)
    scores = graph.op("Add", scores, _looked_up(graph, relative, distances, scores))
    absent = graph.op("Mul", graph.op("Sub", mask, graph.floats(1.0)), graph.floats(-_FORBIDDEN))
    whom = graph.op("Concat", layout.batch, graph.integers([1, 1, -1]), axis=0)
    weights = graph.op("Softmax", graph.op("Add", scores, graph.op("Reshape", absent, whom)), axis=-1)

    padded = graph.op("Pad", weights, graph.integers([0, 0, 0, window, 0, 0, 0, window]))
    by_distance = _looked_up(graph, padded, columns, relative)
    attended = graph.op("MatMul", by_distance, graph.floats(array_of(attention.relative_values)))
    attended = graph.op("Add", graph.op("MatMul", weights, value), attended)
    merged = layout.rows(graph.op("Transpose", attended, perm=[0, 2, 1, 3]), channels)
    return graph.linear(merged, array_of(attention.output.weight).T, array_of(attention.output.bias))


def _places(graph: GraphBuilder, layout: RowLayout, window: int) -> tuple[str, str]:
    """Return `[L, 2 window + 1]`: the padded position at each distance, and `[L, L]`: the padded distance of each pair.

    Padded positions begin `window` before the first token; padded distances have one entry for all that is farther on
    either side.
    """
    length = graph.op("Squeeze", layout.length, graph.integers([0]))
    tokens = graph.op("Range", graph.integers(0), length, graph.integers(1))
    here = graph.op("Unsqueeze", tokens, graph.integers([1]))
    columns = graph.op("Add", here, graph.integers(np.arange(2 * window + 1)[None]))
    apart = graph.op("Sub", graph.op("Unsqueeze", tokens, graph.integers([0])), here)
    near = graph.op("Max", graph.op("Min", apart, graph.integers(window + 1)), graph.integers(-window - 1))
    return columns, graph.op("Add", near, graph.integers(window + 1))


def _looked_up(graph: GraphBuilder, values: str, places: str, like: str) -> str:
    """Return `values [B, heads, L, *]` at `places [L, P]`, for every item and head.

    Args:
        graph: to write to.
        values: looked up along the last axis.
        places: which of them.
        like: any value `[B, heads, ...]`.
    """
    leading = graph.op("Shape", like, start=0, end=2)
    shape = graph.op("Concat", leading, graph.op("Shape", places), axis=0)
    return graph.op("GatherElements", values, graph.op("Expand", places, shape), axis=3)
