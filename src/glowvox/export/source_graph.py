"""The harmonic source of a vocoder in ONNX operators: pitch predictor, pulses and their gains.

What `LatentStream` (`synthesis/vocoder.py`) does with NumPy, over a whole signal. In float64 like that, because the
phase of the pulses adds the pitch up over the whole signal.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.pitch import (
    AROUND,
    BINS,
    HIGHEST_HZ,
    LOG_CENTRES,
    LOWEST_HZ,
    MOST_NEPERS,
    HarmonicSource,
    PitchNetwork,
    SourceMixNetwork,
    lapped_constants,
)
from glowvox.export.graph_builder import GraphBuilder

_FLOAT, _DOUBLE = 1, 11


def write_pitch(graph: GraphBuilder, network: PitchNetwork, rows: str) -> tuple[str, str]:
    """Return pitch in Hz and voicing, float64 `[T]`, of mel frames `[T, M]`."""
    hidden = graph.op("Cast", rows, to=_DOUBLE)
    hidden = graph.op("Sub", hidden, graph.doubles(network.mel_mean))
    hidden = graph.op("Div", hidden, graph.doubles(network.mel_std))
    for place, (weight, bias) in enumerate(network.layers):
        taps = weight.shape[2]
        matrix = weight.transpose(2, 1, 0).reshape(-1, len(weight))
        hidden = graph.op("MatMul", neighbours(graph, hidden, taps), _stored_small(graph, matrix))
        hidden = graph.op("Add", hidden, graph.doubles(bias))
        if place < len(network.layers) - 1:
            hidden = graph.op("Max", hidden, graph.doubles(0.0))
    bins, odds = graph.split(hidden, [BINS, 1])
    peak = graph.op("ArgMax", bins, axis=1, keepdims=1)
    places = graph.op("Add", peak, graph.integers(np.arange(-AROUND, AROUND + 1)[None]))
    places = graph.op("Min", graph.op("Max", places, graph.integers(0)), graph.integers(BINS - 1))
    near = graph.op("GatherElements", bins, places, axis=1)
    weights = graph.op("Exp", graph.op("Sub", near, _reduced(graph, "ReduceMax", near)))
    centres = graph.op("Gather", graph.doubles(LOG_CENTRES), places, axis=0)
    total = _reduced(graph, "ReduceSum", weights)
    log_pitch = graph.op("Div", _reduced(graph, "ReduceSum", graph.op("Mul", weights, centres)), total)
    bounded = clipped(graph, odds, -50.0, 50.0)
    one = graph.doubles(1.0)
    voicing = graph.op("Div", one, graph.op("Add", one, graph.op("Exp", graph.op("Neg", bounded))))
    flat = graph.integers([-1])
    return graph.op("Reshape", graph.op("Exp", log_pitch), flat), graph.op("Reshape", voicing, flat)


def write_source(graph: GraphBuilder, source: HarmonicSource, frequency: str, voicing: str) -> tuple[str, str]:
    """Return the pulses' coefficients and the gain of the noise, float32 `[T, hop]`. See `HarmonicSource`.

    Args:
        graph: to write to.
        source: whose gains they are.
        frequency: Hz, float64 `[T]`.
        voicing: 0 to 1, float64 `[T]`.
    """
    hop, rate = source.hop_length, source.sample_rate
    frequency, voicing = clipped(graph, frequency, LOWEST_HZ, HIGHEST_HZ), clipped(graph, voicing, 0.0, 1.0)
    start, end = frequency, _next(graph, frequency)
    periods = graph.op("Mul", graph.op("Add", start, end), graph.doubles(hop / (2 * rate)))
    before = graph.op("CumSum", periods, graph.integers(0), exclusive=1)
    last = graph.integers([1])
    begin, step, phase = (graph.op("Unsqueeze", value, last) for value in (start, graph.op("Sub", end, start), before))
    inside = np.arange(hop)[None] / hop
    hertz = graph.op("Add", begin, graph.op("Mul", step, graph.doubles(inside)))
    run = graph.op("Mul", begin, graph.doubles(inside * hop / rate))
    rise = graph.op("Mul", step, graph.doubles(inside**2 / 2 * hop / rate))
    phase = graph.op("Add", phase, graph.op("Add", run, rise))
    loudness = graph.op("Mul", graph.op("Sqrt", graph.op("Mul", hertz, graph.doubles(1 / rate))), graph.doubles(2.0))
    harmonics = graph.op("Floor", graph.op("Div", graph.doubles(rate / 2), hertz))
    blocks = graph.op("Mul", loudness, _pulse_train(graph, phase, harmonics))
    coefficients = _lapped(graph, blocks, hop)
    middle = graph.op("Mul", graph.op("Add", voicing, _next(graph, voicing)), graph.doubles(0.5))
    middle = graph.op("Unsqueeze", middle, last)
    shaped = graph.op("Mul", coefficients, graph.doubles(source.harmonic_gain.T))
    pulses = graph.op("Cast", graph.op("Mul", shaped, middle), to=_FLOAT)
    unvoiced = graph.op("Sub", graph.doubles(1.0), middle)
    gain = graph.op("Add", unvoiced, graph.op("Mul", middle, graph.doubles(source.noise_gain.T)))
    return pulses, graph.op("Cast", gain, to=_FLOAT)


def write_source_mix(graph: GraphBuilder, mix: SourceMixNetwork, rows: str) -> list[str]:
    """Return the gains of pulses and of noise, each `[T, G]`, of mel frames `[T, M]`."""
    standard = graph.op("Sub", rows, graph.floats(mix.mel_mean))
    standard = graph.op("Div", standard, graph.floats(mix.mel_std))
    hidden, gains = mix.weights["hidden.weight"], mix.weights["gains.weight"]
    matrix = hidden.transpose(2, 1, 0).reshape(-1, len(hidden))
    inner = graph.linear(neighbours(graph, standard, 3), matrix, mix.weights["hidden.bias"], exact=True)
    level = graph.linear(graph.op("Relu", inner), gains[:, :, 0].T, mix.weights["gains.bias"], exact=True)
    level = graph.op("Tanh", graph.op("Mul", level, graph.floats(1 / MOST_NEPERS)))
    half = len(gains) // 2
    return graph.split(graph.op("Exp", graph.op("Mul", level, graph.floats(MOST_NEPERS))), [half, half])


def neighbours(graph: GraphBuilder, rows: str, taps: int) -> str:
    """Return rows `[T, taps * C]`: each row `[T, C]` with those around it, zero beyond the ends."""
    around = taps // 2
    if not around:
        return rows
    padded = graph.op("Pad", rows, graph.integers([around, 0, around, 0]))
    views = [
        rows if shift == around else graph.cut(padded, shift, None if shift == taps - 1 else shift - taps + 1, 0)
        for shift in range(taps)
    ]
    return graph.op("Concat", *views, axis=1)


def clipped(graph: GraphBuilder, values: str, least: float, most: float) -> str:
    """Return float64 values within bounds."""
    return graph.op("Min", graph.op("Max", values, graph.doubles(least)), graph.doubles(most))


def cosine_of(graph: GraphBuilder, angle: str) -> str:
    """Return the cosine of float64 values, as a sine: older releases of ONNX Runtime have no other in float64."""
    return graph.op("Sin", graph.op("Add", angle, graph.doubles(np.pi / 2)))


def _stored_small(graph: GraphBuilder, matrix: NDArray[np.float64]) -> str:
    """Return a float64 matrix of numbers that half precision holds exactly, stored in that."""
    narrow = graph.constant(matrix.astype(np.float16))
    return graph.op("Cast", narrow, to=_DOUBLE)


def _reduced(graph: GraphBuilder, kind: str, values: str) -> str:
    return graph.op(kind, values, graph.integers([1]), keepdims=1)


def _next(graph: GraphBuilder, values: str) -> str:
    """Return each value's successor, the last one being its own."""
    return graph.op("Concat", graph.cut(values, 1, None, 0), graph.cut(values, -1, None, 0), axis=0)


def _pulse_train(graph: GraphBuilder, phase: str, harmonics: str) -> str:
    """Return sum_{k=1..K} cos(2 pi k phase) in closed form, the phase in periods."""
    half = graph.op("Mul", graph.op("Sub", phase, graph.op("Round", phase)), graph.doubles(np.pi))
    sine = graph.op("Sin", half)
    near = graph.op("Less", graph.op("Abs", sine), graph.doubles(1e-9))
    one = graph.doubles(1.0)
    order = graph.op("Add", graph.op("Add", harmonics, harmonics), one)
    ratio = graph.op("Div", graph.op("Sin", graph.op("Mul", order, half)), graph.op("Where", near, one, sine))
    train = graph.op("Mul", graph.op("Sub", ratio, one), graph.doubles(0.5))
    return graph.op("Where", near, harmonics, train)


def _lapped(graph: GraphBuilder, blocks: str, hop: int) -> str:
    """Return the orthonormal lapped transform `[T, hop]` of blocks `[T, hop]`. See `audio.pitch`."""
    half = hop // 2
    sine, cosine, _ = lapped_constants(hop)
    head, tail = graph.split(blocks, [half, half])
    backwards = graph.integers(list(reversed(range(half))))
    before = graph.op("Gather", graph.cut(tail, 0, -1, 0), backwards, axis=1)
    after = graph.cut(head, 1, None, 0)

    def mixed(kind: str, first: NDArray[np.float64], second: NDArray[np.float64]) -> str:
        return graph.op(
            kind, graph.op("Mul", before, graph.doubles(first)), graph.op("Mul", after, graph.doubles(second))
        )

    folded = graph.op("Gather", mixed("Sub", sine, cosine), backwards, axis=1)
    tails = graph.op("Concat", folded, graph.cut(tail, -1, None, 0), axis=0)
    heads = graph.op("Concat", graph.cut(head, 0, 1, 0), mixed("Add", cosine, sine), axis=0)
    return graph.op("MatMul", graph.op("Concat", heads, tails, axis=1), _cosine_basis(graph, hop))


def _cosine_basis(graph: GraphBuilder, hop: int) -> str:
    """Return the basis `[hop, hop]`, computed when the graph is opened rather than stored."""
    index = np.arange(hop) + 0.5
    angle = graph.op("Mul", graph.doubles(np.pi / hop * index[:, None]), graph.doubles(index[None]))
    return graph.op("Mul", cosine_of(graph, angle), graph.doubles(np.sqrt(2.0 / hop)))


def frame_indices(graph: GraphBuilder, ends: str, total: str) -> str:
    """Return how many of some places `[L]` (int64, 0 to T) each of T frames has reached, int64 `[T]`.

    Args:
        graph: to write to.
        ends: the places.
        total: T, int64 [1].
    """
    size: Sequence[str] = (total, graph.integers([1]))
    zeros = graph.op("Expand", graph.integers([0]), graph.op("Add", *size))
    ones = graph.op("Expand", graph.integers([1]), graph.op("Shape", ends))
    marks = graph.op("ScatterElements", zeros, ends, ones, axis=0, reduction="add")
    return graph.cut(graph.op("CumSum", marks, graph.integers(0)), 0, -1, 0)
