"""WaveGlow's inverse as a graph: `latent [B, G, N]` and `mel [B, M, T]` in, `audio [B, S]` out, any batch or length."""

import numpy as np
from torch import nn

from glowvox.export.coupling_graph import inverse_of, undo_coupling, undo_mixing
from glowvox.export.gated_stack_graph import StackCondition
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.lapped_graph import undo_lapped
from glowvox.export.row_layout import RowLayout, array_of, gelu
from glowvox.models.waveglow import WaveGlow, WaveGlowStep
from glowvox.models.waveglow_condition import MelEncoder, MelEnvelope, MelUpsampler
from glowvox.nn.gated_stack import GatedStack


def write_waveglow(graph: GraphBuilder, model: WaveGlow) -> None:
    """Write the inverse of a WaveGlow into a graph."""
    config = model.config
    latent = graph.input("latent", ["B", config.n_group, "N"])
    mel = graph.input("mel", ["B", config.audio.n_mels, "T"])
    groups = graph.op("Transpose", latent, perm=[0, 2, 1])
    frames = graph.op("Transpose", mel, perm=[0, 2, 1])
    group_layout, frame_layout = RowLayout(graph, groups), RowLayout(graph, frames)
    known = frame_layout.rows(frames, config.audio.n_mels)
    if config.mel_mean:
        known = graph.op("Sub", known, graph.floats(config.mel_mean))
    if config.mel_std != 1:
        known = graph.op("Mul", known, graph.floats(1.0 / config.mel_std))
    with graph.scope("condition"):
        condition = _condition(graph, model, known, frame_layout)
    rows = _undo_steps(graph, model, group_layout.rows(groups, config.n_group), group_layout, condition)
    if model.scale is not None:
        with graph.scope("scale"):
            rows = _undo_scale(graph, model, rows, known, frame_layout)
    if config.transform == "lapped":
        with graph.scope("lapped"):
            rows = undo_lapped(graph, rows, group_layout, config.n_group)
    shape = graph.op("Concat", group_layout.batch, graph.integers([-1]), axis=0)
    graph.output(graph.op("Reshape", rows, shape), "audio", ["B", "S"])


def _undo_steps(graph: GraphBuilder, model: WaveGlow, rows: str, layout: RowLayout, condition: StackCondition) -> str:
    config = model.config
    early = [config.n_early_size] * len(config.early_exits)
    *outputs, rows = graph.split(rows, [*early, config.remaining_channels])
    channels = config.remaining_channels
    for index, step in reversed(list(enumerate(model.steps))):
        assert isinstance(step, WaveGlowStep)
        with graph.scope(f"step_{index}"):
            stack = step.coupling.network
            assert isinstance(stack, GatedStack)
            rows = undo_coupling(graph, rows, channels, stack, layout, condition, max_log_scale=config.max_log_scale)
            rows = undo_mixing(graph, rows, inverse_of(step.convolution.weight), step.actnorm)
            if index in config.early_exits:
                rows = graph.op("Concat", outputs.pop(), rows, axis=1)
                channels += config.n_early_size
    return rows


def _condition(graph: GraphBuilder, model: WaveGlow, mel: str, layout: RowLayout) -> StackCondition:
    """Return what the couplings see, from the rows `[B * T, M]` of a standardised mel."""
    config = model.config
    if model.upsample is not None:
        channels = config.audio.n_mels * config.n_group
        return StackCondition(_upsampled(graph, model.upsample, mel, layout, channels), channels, 1)
    if model.encoder is not None:
        mel = _encoded(graph, model.encoder, mel, layout)
    return StackCondition(mel, config.encoder_channels or config.audio.n_mels, config.groups_per_frame)


def _upsampled(graph: GraphBuilder, upsample: MelUpsampler, mel: str, layout: RowLayout, channels: int) -> str:
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
    sequences = layout.sequences(mel, mels)
    padded = graph.op("Pad", sequences, graph.integers([0, overlap - 1, 0, 0, 0, 0])) if overlap > 1 else sequences
    views = [sequences, *(graph.cut(padded, overlap - 1 - k, -k, 1) for k in range(1, overlap))]
    rows = graph.linear(layout.joined(views, overlap * mels), taps.reshape(overlap * mels, hop * mels), bias)
    return layout.rows(rows, channels)


def _encoded(graph: GraphBuilder, encoder: MelEncoder, mel: str, layout: RowLayout) -> str:
    hidden = gelu(graph, _convolved(layout, encoder.first, mel))
    return gelu(graph, _convolved(layout, encoder.second, hidden))


def _undo_scale(graph: GraphBuilder, model: WaveGlow, rows: str, mel: str, layout: RowLayout) -> str:
    """Multiply rows `[B * N, G]` by the scale that the mel gives them."""
    assert model.scale is not None and isinstance(model.scale.network, MelEnvelope)
    envelope, channels = model.scale.network, model.config.n_group
    hidden = gelu(graph, _convolved(layout, envelope.hidden, mel))
    correction = _convolved(layout, envelope.correction, hidden)
    log_scale = graph.op("Add", _convolved(layout, envelope.base, mel, exact=True), correction)
    scale = graph.op("Exp", log_scale)
    if envelope.repeat == 1:
        return graph.op("Mul", rows, scale)
    grouped = graph.op("Reshape", rows, graph.integers([-1, envelope.repeat, channels]))
    scaled = graph.op("Mul", grouped, graph.op("Unsqueeze", scale, graph.integers([1])))
    return layout.rows(scaled, channels)


def _convolved(layout: RowLayout, convolution: nn.Conv1d, rows: str, *, exact: bool = False) -> str:
    return layout.convolution(rows, convolution.weight, convolution.bias, exact=exact)
