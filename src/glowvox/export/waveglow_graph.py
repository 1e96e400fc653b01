"""WaveGlow's inverse as a graph that takes a signal in pieces of any length, or whole, which is one piece.

In: `latent [B, G, N]`, `mel [B, M, T]`, where the piece stands (see `piece_clock`) and what the piece before left; out:
`audio [B, S]` and what the next piece needs. Any batch or length; a piece that is not the last gives its samples late.
"""

import numpy as np
from torch import nn

from glowvox.config.waveglow import WaveGlowConfig
from glowvox.engines.graph_engine import FINAL, POSITION, StreamCard
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.piece_layout import (
    PieceClock,
    PieceLayout,
    PieceStates,
    array_of,
    declare_clock_inputs,
    gelu,
)
from glowvox.export.wavenet_graph import (
    FrameCondition,
    RowCondition,
    WNCondition,
    inverse_of,
    layer_lags,
    undo_coupling,
    undo_mixing,
)
from glowvox.flows.lapped import dct_iv
from glowvox.models.waveglow import SMALLEST_LEVEL, MelEncoder, MelEnvelope, MelUpsampler, WaveGlow, WaveGlowStep
from glowvox.nn.wavenet import WN

SCALE_LAG = 2
"""Mel frames by which the scale of a lapped flow lags behind the mel."""


def condition_lag(model: WaveGlow) -> int:
    """Return the mel frames by which the couplings' condition lags behind the mel."""
    return 0 if model.encoder is None else model.encoder.receptive_field


def write_condition(
    graph: GraphBuilder, model: WaveGlow, mel: str, frames: PieceLayout, columns: PieceLayout, oldest: int
) -> WNCondition:
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
    layout = frames
    if model.encoder is not None:
        mel, layout = _encoded(graph, model.encoder, mel, frames)
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


def _encoded(graph: GraphBuilder, encoder: MelEncoder, mel: str, layout: PieceLayout) -> tuple[str, PieceLayout]:
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


def _convolved(
    layout: PieceLayout, convolution: nn.Conv1d, rows: str, *, exact: bool = False
) -> tuple[str, PieceLayout]:
    return layout.convolution(rows, convolution.weight, convolution.bias, exact=exact)


def undo_lapped(graph: GraphBuilder, rows: str, layout: PieceLayout, hop: int) -> tuple[str, PieceLayout]:
    """Return rows `[R, hop]` of samples from rows of coefficients (the inverse of `flows.lapped.Lapped`).

    With D a block after the DCT, its halves D_1 and D_2, s and c the sine and the cosine over half a block and J the
    mirror: the first half of block t is s D_1[t] - c J D_2[t - 1], the second one J s D_2[t] + J c D_1[t + 1]; at the
    very ends nothing is folded. So the last block of a piece waits for the next one. There are no reversed views:
    mirrored halves are products of their own.
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


def write_waveglow(graph: GraphBuilder, model: WaveGlow) -> StreamCard:
    """Write the inverse of a WaveGlow into a graph; return what its callers must know of its states."""
    config = model.config
    latent = graph.input("latent", ["B", config.n_group, "N"])
    mel = graph.input("mel", ["B", config.audio.n_mels, "T"])
    declare_clock_inputs(graph)
    states = PieceStates(graph, graph.op("Shape", mel, start=0, end=1))
    frame_count = graph.op("Shape", mel, start=2, end=3)
    per_frame, lags = config.groups_per_frame, _column_lags(model)
    ready = max(-(-lags[-1] // per_frame), SCALE_LAG if model.scale is not None else 0)
    delay = ready + (1 if config.transform == "lapped" else 0)
    whole = ready * per_frame
    clock = PieceClock(
        graph,
        POSITION,
        frame_count,
        [0, *lags, whole, whole + 1, delay * per_frame],
        rows_per_frame=per_frame,
        oldest=lags[-1],
    )
    known = graph.op("Transpose", mel, perm=[0, 2, 1])
    frames = PieceLayout(graph, PieceClock(graph, POSITION, frame_count, range(ready + 1)), states, 0)
    known = frames.rows(known, config.audio.n_mels)
    if config.mel_mean:
        known = graph.op("Sub", known, graph.floats(config.mel_mean))
    if config.mel_std != 1:
        known = graph.op("Mul", known, graph.floats(1.0 / config.mel_std))
    columns = PieceLayout(graph, clock, states, 0)
    with graph.scope("condition"):
        condition = write_condition(graph, model, known, frames, columns, lags[-1])
    rows = columns.rows(graph.op("Transpose", latent, perm=[0, 2, 1]), config.n_group)
    layout = columns.at(lags[0])
    rows, layout = _undo_steps(graph, model, columns.caught_up(rows, config.n_group, layout), layout, condition)
    rows = layout.caught_up(rows, config.n_group, columns.at(whole))
    if config.highest_levels:
        rows = limit_levels(graph, rows, config)
    if model.scale is not None:
        with graph.scope("scale"):
            rows = undo_scale(graph, model, rows, known, frames, frames.at(ready))
    if config.transform == "lapped":
        with graph.scope("lapped"):
            rows, layout = undo_lapped(graph, rows, columns.at(whole), config.n_group)
            rows = layout.caught_up(rows, config.n_group, columns.at(delay * per_frame))
    shape = graph.op("Concat", graph.op("Shape", mel, start=0, end=1), graph.integers([-1]), axis=0)
    graph.output(graph.op("Reshape", rows, shape), "audio", ["B", "S"])
    return states.card(delay)


def _column_lags(model: WaveGlow) -> list[int]:
    """Return the columns by which the condition and, in the order of the inverse, every layer's output lag."""
    return layer_lags(map(_network, reversed(list(model.steps))), condition_lag(model) * model.config.groups_per_frame)


def _network(step: nn.Module) -> WN:
    assert isinstance(step, WaveGlowStep) and isinstance(step.coupling.network, WN)
    return step.coupling.network


def _undo_steps(
    graph: GraphBuilder, model: WaveGlow, rows: str, layout: PieceLayout, condition: WNCondition
) -> tuple[str, PieceLayout]:
    config = model.config
    sizes = [config.n_early_size] * len(config.early_exits)
    *outputs, rows = graph.split(rows, [*sizes, config.remaining_channels])
    channels, start = config.remaining_channels, layout
    for index, step in reversed(list(enumerate(model.steps))):
        assert isinstance(step, WaveGlowStep)
        with graph.scope(f"step_{index}"):
            rows, layout = undo_coupling(
                graph, rows, channels, _network(step), layout, condition, max_log_scale=config.max_log_scale
            )
            rows = undo_mixing(graph, rows, inverse_of(step.convolution.weight), step.actnorm)
            if index in config.early_exits:
                early = start.caught_up(outputs.pop(), config.n_early_size, layout)
                rows = graph.op("Concat", early, rows, axis=1)
                channels += config.n_early_size
    return rows, layout
