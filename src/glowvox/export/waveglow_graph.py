"""WaveGlow's inverse as a graph that takes a signal in pieces of any length, or whole, which is one piece.

In: `latent [B, G, N]`, `mel [B, M, T]`, where the piece stands (see `piece_clock`) and what the piece before left; out:
`audio [B, S]` and what the next piece needs. Any batch or length; a piece that is not the last gives its samples late.
"""

from glowvox.engines.stream_card import StreamCard
from glowvox.export.coupling_graph import inverse_of, undo_coupling, undo_mixing
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.lapped_graph import undo_lapped
from glowvox.export.piece_clock import PieceClock, declare_clock_inputs
from glowvox.export.piece_layout import PieceLayout, PieceStates
from glowvox.export.stack_condition import StackCondition
from glowvox.export.waveglow_condition_graph import (
    SCALE_LAG,
    condition_lag,
    limit_levels,
    undo_scale,
    write_condition,
)
from glowvox.models.waveglow import WaveGlow, WaveGlowStep
from glowvox.nn.gated_stack import GatedStack


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
        frame_count,
        [0, *lags, whole, whole + 1, delay * per_frame],
        rows_per_frame=per_frame,
        oldest=lags[-1],
    )
    known = graph.op("Transpose", mel, perm=[0, 2, 1])
    frames = PieceLayout(graph, PieceClock(graph, frame_count, range(ready + 1)), states, 0)
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
    return StreamCard(delay, {name: (state.rows, state.channels) for name, state in states.declared.items()})


def _column_lags(model: WaveGlow) -> list[int]:
    """Return the columns by which the condition and, in the order of the inverse, every layer's output lag."""
    lags = [condition_lag(model) * model.config.groups_per_frame]
    for step in reversed(list(model.steps)):
        assert isinstance(step, WaveGlowStep)
        stack = step.coupling.network
        assert isinstance(stack, GatedStack)
        for dilation in stack.dilations:
            lags.append(lags[-1] + stack.kernel_size // 2 * dilation)
    return lags


def _undo_steps(
    graph: GraphBuilder, model: WaveGlow, rows: str, layout: PieceLayout, condition: StackCondition
) -> tuple[str, PieceLayout]:
    config = model.config
    sizes = [config.n_early_size] * len(config.early_exits)
    *outputs, rows = graph.split(rows, [*sizes, config.remaining_channels])
    channels, start = config.remaining_channels, layout
    for index, step in reversed(list(enumerate(model.steps))):
        assert isinstance(step, WaveGlowStep)
        with graph.scope(f"step_{index}"):
            stack = step.coupling.network
            assert isinstance(stack, GatedStack)
            rows, ready = undo_coupling(
                graph, rows, channels, stack, layout, condition, max_log_scale=config.max_log_scale
            )
            assert isinstance(ready, PieceLayout)
            layout = ready
            rows = undo_mixing(graph, rows, inverse_of(step.convolution.weight), step.actnorm)
            if index in config.early_exits:
                early = start.caught_up(outputs.pop(), config.n_early_size, layout)
                rows = graph.op("Concat", early, rows, axis=1)
                channels += config.n_early_size
    return rows, layout
