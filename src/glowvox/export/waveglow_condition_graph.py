"""WaveGlow's condition and the scale of a lapped flow as parts of a graph that takes a signal in pieces."""

import numpy as np
from torch import nn

from glowvox.config.waveglow import WaveGlowConfig
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.piece_layout import PieceLayout
from glowvox.export.row_layout import Layout, array_of, gelu
from glowvox.export.stack_condition import FrameCondition, RowCondition, StackCondition
from glowvox.models.level_limit import SMALLEST_LEVEL
from glowvox.models.waveglow import WaveGlow
from glowvox.models.waveglow_condition import MelEncoder, MelEnvelope, MelUpsampler

SCALE_LAG = 2
"""Mel frames by which the scale of a lapped flow lags behind the mel."""


def condition_lag(model: WaveGlow) -> int:
    """Return the mel frames by which the couplings' condition lags behind the mel."""
    return 0 if model.encoder is None else model.encoder.receptive_field


def write_condition(
    graph: GraphBuilder, model: WaveGlow, mel: str, frames: PieceLayout, columns: PieceLayout, oldest: int
) -> StackCondition:
    """Return what the couplings see.

    Args:
        graph: to write to.
        model: the weights.
        mel: rows `[B * T, M]` of a standardised mel.
        frames: the layout of mel frames.
        columns: the layout of the flow's columns.
        oldest: columns by which the last layer lags.
    """
    config = model.config
    if model.upsample is not None:
        channels = config.audio.n_mels * config.n_group
        rows = _upsampled(graph, model.upsample, mel, frames, channels)
        return RowCondition(graph, rows, columns, channels, oldest)
    layout: Layout = frames
    if model.encoder is not None:
        mel, layout = _encoded(graph, model.encoder, mel, frames)
    assert isinstance(layout, PieceLayout)
    channels, repeat = config.encoder_channels or config.audio.n_mels, config.groups_per_frame
    if repeat == 1:
        return RowCondition(graph, mel, columns.at(layout.lag), channels, oldest)
    return FrameCondition(graph, mel, layout, channels, oldest=-(-oldest // repeat), repeat=repeat)


def _upsampled(graph: GraphBuilder, upsample: MelUpsampler, mel: str, layout: PieceLayout, channels: int) -> str:
    """Return rows `[B * N, M * G]`: the transposed convolution and the squeeze as one product per mel frame.

    Sample p of frame f gets, for every k, frame f - k through tap p + k * hop.
    """
    weight, hop, group = array_of(upsample.weight), upsample.hop_length, upsample.n_group
    mels = weight.shape[0]
    overlap = -(-weight.shape[2] // hop)
    taps = np.pad(weight, ((0, 0), (0, 0), (0, overlap * hop - weight.shape[2])))
    # [in, out, k, group of the frame, sample of the group] to [k, in] x [group of the frame, out, sample]
    taps = taps.reshape(mels, mels, overlap, hop // group, group).transpose(2, 0, 3, 1, 4)
    bias = np.tile(np.repeat(array_of(upsample.bias), group), hop // group)
    views = layout.past(layout.sequences(mel, mels), mels, overlap)
    rows = graph.linear(layout.joined(views, overlap * mels), taps.reshape(overlap * mels, hop * mels), bias)
    return layout.rows(rows, channels)


def _encoded(graph: GraphBuilder, encoder: MelEncoder, mel: str, layout: PieceLayout) -> tuple[str, Layout]:
    hidden, between = _convolved(layout, encoder.first, mel)
    hidden, after = _convolved(between, encoder.second, gelu(graph, hidden))
    return gelu(graph, hidden), after


def limit_levels(graph: GraphBuilder, rows: str, config: WaveGlowConfig) -> str:
    """Bring the bands of rows `[N, G]` down to the highest levels that they may have. See `LevelLimit`."""
    highest = np.asarray(config.highest_levels, np.float32)[:, None]
    bands = graph.op("Reshape", rows, graph.integers([-1, len(highest), config.n_group // len(highest)]))
    power = graph.op("ReduceMean", graph.op("Mul", bands, bands), axes=[2], keepdims=1)
    level = graph.op("Max", graph.op("Sqrt", power), graph.floats(SMALLEST_LEVEL))
    gain = graph.op("Min", graph.op("Div", graph.floats(highest), level), graph.floats(1.0))
    return graph.op("Reshape", graph.op("Mul", bands, gain), graph.integers([-1, config.n_group]))


def undo_scale(
    graph: GraphBuilder, model: WaveGlow, rows: str, mel: str, frames: PieceLayout, after: PieceLayout
) -> str:
    """Multiply rows `[B * N, G]` by the scale that the mel gives them.

    Args:
        graph: to write to.
        model: the weights.
        rows: the flow's.
        mel: rows `[B * T, M]` of a standardised mel.
        frames: the layout of the mel.
        after: the layout of mel frames that the flow's rows lie in, `SCALE_LAG` behind the mel at least.
    """
    assert model.scale is not None and isinstance(model.scale.network, MelEnvelope)
    envelope, channels, mels = model.scale.network, model.config.n_group, model.config.audio.n_mels
    before = frames.at(after.lag - SCALE_LAG)
    waited = frames.caught_up(mel, mels, before)
    hidden, between = _convolved(before, envelope.hidden, waited)
    correction, _ = _convolved(between, envelope.correction, gelu(graph, hidden))
    base, _ = _convolved(before, envelope.base, waited, exact=True)
    log_scale = graph.op("Add", between.caught_up(base, channels, after), correction)
    scale = graph.op("Exp", log_scale)
    if envelope.repeat == 1:
        return graph.op("Mul", rows, scale)
    grouped = graph.op("Reshape", rows, graph.integers([-1, envelope.repeat, channels]))
    scaled = graph.op("Mul", grouped, graph.op("Unsqueeze", scale, graph.integers([1])))
    return after.rows(scaled, channels)


def _convolved(layout: Layout, convolution: nn.Conv1d, rows: str, *, exact: bool = False) -> tuple[str, Layout]:
    return layout.convolution(rows, convolution.weight, convolution.bias, exact=exact)
