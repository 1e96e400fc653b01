"""Glow-TTS as two graphs: tokens to the statistics of the prior, and a latent back to the mel; any batch and length.

What lies between them (durations, noise, temperature) is small, data-dependent arithmetic that the speaking half does
in NumPy. Masks come from the lengths, so padding in a batch changes nothing. The decoder takes a latent in pieces, as
the vocoder's graph does; the encoder attends to all tokens at once.
"""

import math
from typing import Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from glowvox.engines.graph_engine import POSITION, StreamCard
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.piece_layout import (
    Layout,
    PieceClock,
    PieceLayout,
    PieceStates,
    RowMask,
    array_of,
    declare_clock_inputs,
    layer_norm,
)
from glowvox.export.wavenet_graph import (
    ItemCondition,
    RowCondition,
    WNCondition,
    inverse_of,
    layer_lags,
    undo_coupling,
    undo_mixing,
)
from glowvox.flows.affine import ActNorm
from glowvox.flows.base import Chain
from glowvox.flows.coupling import AffineCoupling
from glowvox.flows.invertible_conv import GroupedInvertibleConv
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.glow_tts_decoder import SigmoidScale
from glowvox.nn.convolution import ChannelNorm, ConvPrenet, SameConv1d, TokenPredictor
from glowvox.nn.transformer import RelativeSelfAttention, TransformerLayer
from glowvox.nn.wavenet import WN


class TokenLayout(Layout):
    """Whole texts, padded to one length: what is computed from them lies as they do."""

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

    def window(self, sequences: str, channels: int, kernel_size: int, dilation: int = 1) -> tuple[list[str], Self]:
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


_FORBIDDEN = -1e30
"""Added to the scores of padding; its exponential is zero in every precision."""


def write_transformer(graph: GraphBuilder, layer: TransformerLayer, rows: str, layout: TokenLayout, mask: str) -> str:
    """Return rows `[R, H]` after a layer of the relative-position transformer, of padded rows and their mask `[R, 1]`.

    Distances are looked up with gathers, not by reshaping.
    """
    attended = _attention(graph, layer.attention, rows, layout, mask)
    norm = layer.attention_norm
    rows = layer_norm(graph, graph.op("Add", rows, attended), norm.weight, norm.bias, norm.eps)
    hidden, _ = layout.convolution(graph.op("Mul", rows, mask), layer.widen.weight, layer.widen.bias)
    hidden = graph.op("Mul", graph.op("Relu", hidden), mask)
    narrow, _ = layout.convolution(hidden, layer.narrow.weight, layer.narrow.bias)
    hidden = graph.op("Mul", narrow, mask)
    norm = layer.feed_forward_norm
    return graph.op("Mul", layer_norm(graph, graph.op("Add", rows, hidden), norm.weight, norm.bias, norm.eps), mask)


def _attention(graph: GraphBuilder, attention: RelativeSelfAttention, rows: str, layout: TokenLayout, mask: str) -> str:
    """Return rows `[R, H]`: softmax(q k + q relative_keys) (v + relative_values), over the tokens that are there."""
    heads = attention.n_heads
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

    scores = graph.op("MatMul", query, key)
    window, keys, values = attention.window, attention.relative_keys, attention.relative_values
    columns, distances = ("", "") if window is None else _places(graph, layout, window)
    if keys is not None:
        relative = graph.op("MatMul", query, graph.floats(array_of(keys).T))
        relative = graph.op("Pad", relative, graph.integers([0, 0, 0, 1, 0, 0, 0, 1]))  # zero for what is farther away
        scores = graph.op("Add", scores, _looked_up(graph, relative, distances, scores))
    absent = graph.op("Mul", graph.op("Sub", mask, graph.floats(1.0)), graph.floats(-_FORBIDDEN))
    whom = graph.op("Concat", layout.batch, graph.integers([1, 1, -1]), axis=0)
    weights = graph.op("Softmax", graph.op("Add", scores, graph.op("Reshape", absent, whom)), axis=-1)

    attended = graph.op("MatMul", weights, value)
    if window is not None and values is not None:
        padded = graph.op("Pad", weights, graph.integers([0, 0, 0, window, 0, 0, 0, window]))
        by_distance = _looked_up(graph, padded, columns, query)
        relative = graph.op("MatMul", by_distance, graph.floats(array_of(values)))
        attended = graph.op("Add", attended, relative)
    merged = layout.rows(graph.op("Transpose", attended, perm=[0, 2, 1, 3]), channels)
    return graph.linear(merged, array_of(attention.output.weight).T, array_of(attention.output.bias))


def _places(graph: GraphBuilder, layout: TokenLayout, window: int) -> tuple[str, str]:
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


def write_encoder(graph: GraphBuilder, model: GlowTTS) -> None:
    """Write the encoder: `tokens [B, L]`, `lengths [B]` (and `speaker [B]`) to `TextStatistics`."""
    encoder, mels = model.encoder, model.config.audio.n_mels
    tokens = graph.input("tokens", ["B", "L"], np.int64)
    lengths = graph.input("lengths", ["B"], np.int64)
    speaker = _speaker(graph, model)
    hidden = model.config.hidden_channels
    table = graph.matrix(array_of(encoder.embedding.weight) * math.sqrt(hidden))
    embedded = graph.op("Gather", table, tokens, axis=0)
    if encoder.speaker is not None:
        shift = graph.op("MatMul", speaker, graph.floats(array_of(encoder.speaker.weight).T))  # type: ignore[arg-type]
        embedded = graph.op("Add", embedded, graph.op("Unsqueeze", shift, graph.integers([1])))
    layout = TokenLayout(graph, embedded)
    mask = layout.rows(_mask(graph, layout, lengths), 1)
    rows = layout.rows(embedded, hidden)
    if encoder.prenet is not None:
        with graph.scope("prenet"):
            rows = _prenet(graph, encoder.prenet, rows, layout, mask)
    rows = graph.op("Mul", rows, mask)
    for index, layer in enumerate(encoder.transformer.layers):
        with graph.scope(f"transformer_{index}"):
            rows = write_transformer(graph, layer, rows, layout, mask)  # type: ignore[arg-type]
    mean = graph.op("Mul", _convolved(layout, encoder.mean, rows), mask)
    log_std = graph.op("Mul", mean, graph.floats(0.0))
    if encoder.log_std is not None:
        log_std = graph.op("Mul", _convolved(layout, encoder.log_std, rows), mask)
    with graph.scope("durations"):
        log_duration = _predicted(graph, model, encoder.durations, rows, layout, mask, speaker)
    for name, value in (("mean", mean), ("log_std", log_std)):
        sequences = layout.sequences(value, mels)
        graph.output(graph.op("Transpose", sequences, perm=[0, 2, 1]), name, ["B", mels, "L"])
    graph.output(graph.op("Reshape", log_duration, layout.batch_and_length), "log_duration", ["B", "L"])
    if encoder.melody is not None:
        with graph.scope("melody"):
            melody = layout.sequences(_predicted(graph, model, encoder.melody, rows, layout, mask, speaker), 2)
        graph.output(graph.op("Transpose", melody, perm=[0, 2, 1]), "melody", ["B", 2, "L"])


def write_decoder(graph: GraphBuilder, model: GlowTTS) -> StreamCard:
    """Write the decoder backwards: `latent [B, M, t]`, `lengths [B]` (and `speaker [B]`) to `mel [B, M, T]`.

    With pitch conditioning it takes the pitch too, as `comb [B, K, t]`, see `audio.pitch.harmonic_features`. Lengths
    are those of the whole latents; pieces are multiples of `n_squeeze` frames. Returns what callers must know of the
    states.
    """
    config = model.config
    mels, step = config.audio.n_mels, config.n_squeeze
    channels = mels * step
    latent = graph.input("latent", ["B", mels, "T"])
    lengths = graph.input("lengths", ["B"], np.int64)
    speaker = _speaker(graph, model)
    declare_clock_inputs(graph)
    batch = graph.op("Shape", latent, start=0, end=1)
    states = PieceStates(graph, batch)
    frames = graph.op("Transpose", latent, perm=[0, 2, 1])
    squeezed = graph.op("Reshape", frames, states.shape(channels))  # consecutive frames lie side by side already
    blocks = list(reversed([_Block(block) for block in model.decoder.blocks]))
    lags = layer_lags(block.network for block in blocks)
    squeeze = graph.integers([step])
    position, count = graph.op("Div", POSITION, squeeze), graph.op("Shape", squeezed, start=1, end=2)
    clock = PieceClock(graph, position, count, lags, oldest=lags[-1])
    layout = PieceLayout(graph, clock, states, 0)
    mask = RowMask(graph, clock, graph.op("Div", lengths, squeeze))
    condition = _condition(graph, model, speaker, layout, lags[-1])
    rows = layout.rows(mask.on_sequences(squeezed, layout), channels)
    for index, block in enumerate(blocks):
        with graph.scope(f"block_{len(blocks) - 1 - index}"):
            rows, layout = undo_coupling(
                graph,
                rows,
                channels,
                block.network,
                layout,
                condition,
                max_log_scale=config.max_log_scale,
                sigmoid_scale=block.sigmoid_scale,
                mask=mask,
            )
            rows = mask.on_rows(undo_mixing(graph, rows, _full_inverse(block.mixing), block.actnorm), layout)
    mel = graph.op("Reshape", rows, states.shape(mels))
    graph.output(graph.op("Transpose", mel, perm=[0, 2, 1]), "mel", ["B", mels, "S"])
    return states.card(lags[-1] * step)


class _Block:
    """The parts of a block of the decoder."""

    def __init__(self, block: nn.Module) -> None:
        assert isinstance(block, Chain)
        actnorm, mixing, coupling = block
        assert isinstance(actnorm, ActNorm)
        assert isinstance(mixing, GroupedInvertibleConv)
        assert isinstance(coupling, AffineCoupling)
        self.actnorm, self.mixing = actnorm, mixing
        self.sigmoid_scale = isinstance(coupling.network, SigmoidScale)
        network = coupling.network.network if isinstance(coupling.network, SigmoidScale) else coupling.network
        assert isinstance(network, WN)
        self.network = network


def _full_inverse(mixing: GroupedInvertibleConv) -> NDArray[np.float64]:
    """Return the inverse `[C, C]` of a grouped 1x1 convolution: `(half h, group g, j), (half k, group g, l)`."""
    group, count = mixing.group, mixing.n_groups
    small = inverse_of(mixing.weight).reshape(2, group // 2, 2, group // 2)
    return np.asarray(np.einsum("hjkl,gm->hgjkml", small, np.eye(count)).reshape(group * count, group * count))


def _speaker(graph: GraphBuilder, model: GlowTTS) -> str | None:
    """Return the speakers' unit vectors `[B, G]`; None with one speaker."""
    if model.speakers is None:
        return None
    return graph.op("Gather", graph.floats(_unit_vectors(model)), graph.input(_SPEAKER, ["B"], np.int64), axis=0)


_SPEAKER = "speaker"


def _unit_vectors(model: GlowTTS) -> NDArray[np.float64]:
    """Return the unit vectors of all speakers, `[N, G]`."""
    assert model.speakers is not None
    table = array_of(model.speakers.weight)
    return np.asarray(table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12))


def _condition(
    graph: GraphBuilder, model: GlowTTS, speaker: str | None, layout: PieceLayout, oldest: int
) -> WNCondition | None:
    """Return what the couplings see, in the order of `GlowTTS`: the pitch, then the speaker.

    Beside the pitch, which every row has its own of, a speaker is one of few: with fewer speakers than channels, a
    row says with a one which of them it is, and the layers' matrices have met the vectors already. Sixty-four channels
    of a speaker would be a tenth of each product.

    Args:
        graph: to write to.
        model: the weights.
        speaker: vectors `[B, G]`; None: one speaker.
        layout: of the latent's rows.
        oldest: rows by which the last layer lags.
    """
    config = model.config
    if not config.melody:
        return None if speaker is None else ItemCondition(graph, speaker, config.speaker_channels)
    assert model.melody is not None
    matrix = array_of(model.melody.projection.weight)[:, :, 0]
    comb = graph.input("comb", ["B", matrix.shape[1] // config.n_squeeze, "T"])
    squeezed = layout.rows(graph.op("Transpose", comb, perm=[0, 2, 1]), matrix.shape[1])
    rows = graph.linear(squeezed, matrix.T, np.zeros(len(matrix)))
    if speaker is None:
        return RowCondition(graph, rows, layout, config.condition_channels, oldest)
    width, basis = config.speaker_channels, None
    if config.n_speakers < width:
        width = config.n_speakers
        speaker = graph.op("Gather", graph.floats(np.eye(width)), _SPEAKER, axis=0)
        basis = np.zeros((len(matrix) + width, config.condition_channels))
        basis[: len(matrix), : len(matrix)] = np.eye(len(matrix))
        basis[len(matrix) :, len(matrix) :] = _unit_vectors(model)
    rows = graph.op("Concat", rows, layout.rows(layout.spread(speaker, width), width), axis=1)
    return RowCondition(graph, rows, layout, len(matrix) + width, oldest, basis=basis)


def _mask(graph: GraphBuilder, layout: TokenLayout, lengths: str) -> str:
    """Return `[B, T]`, one where a position lies before its item's length."""
    length = graph.op("Squeeze", layout.length, graph.integers([0]))
    positions = graph.op("Range", graph.integers(0), length, graph.integers(1))
    inside = graph.op("Less", positions, graph.op("Unsqueeze", lengths, graph.integers([1])))
    return graph.op("Cast", inside, to=1)


def _prenet(graph: GraphBuilder, prenet: ConvPrenet, rows: str, layout: TokenLayout, mask: str) -> str:
    hidden = rows
    for convolution, norm in zip(prenet.convolutions, prenet.norms, strict=True):
        assert isinstance(convolution, SameConv1d)
        hidden = _convolved(layout, convolution, graph.op("Mul", hidden, mask))
        hidden = graph.op("Relu", _normed(graph, norm, hidden))
    return graph.op("Mul", graph.op("Add", rows, _convolved(layout, prenet.projection, hidden)), mask)


def _predicted(
    graph: GraphBuilder,
    model: GlowTTS,
    predictor: TokenPredictor,
    rows: str,
    layout: TokenLayout,
    mask: str,
    speaker: str | None,
) -> str:
    """Return a predictor's numbers of each token as rows `[R, out]`."""
    if speaker is not None:
        hidden, channels = model.config.hidden_channels, model.config.speaker_channels
        shape = graph.op("Concat", layout.batch_and_length, graph.integers([channels]), axis=0)
        spread = graph.op("Expand", graph.op("Unsqueeze", speaker, graph.integers([1])), shape)
        rows = layout.joined([layout.sequences(rows, hidden), spread], hidden + channels)
    for convolution, norm in ((predictor.convolution_1, predictor.norm_1), (predictor.convolution_2, predictor.norm_2)):
        hidden_rows = _convolved(layout, convolution, graph.op("Mul", rows, mask))
        rows = _normed(graph, norm, graph.op("Relu", hidden_rows))
    return graph.op("Mul", _convolved(layout, predictor.projection, graph.op("Mul", rows, mask)), mask)


def _convolved(layout: TokenLayout, convolution: SameConv1d, rows: str) -> str:
    bias: Tensor | None = convolution.bias
    return layout.convolution(rows, convolution.weight, bias)[0]


def _normed(graph: GraphBuilder, norm: object, rows: str) -> str:
    assert isinstance(norm, ChannelNorm)
    return layer_norm(graph, rows, norm.weight, norm.bias, norm.eps)
