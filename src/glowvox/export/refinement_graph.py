"""Mel refinement in ONNX operators: `audio/mel_refinement.py` over a whole signal.

The Fourier transform of a frame is two small products with a twiddle between them (Cooley and Tukey, 1965), which
every runtime computes fast, in place of operators that some lack.
"""

import math

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import LOG_UNITS, hann_window
from glowvox.audio.mel_refinement import (
    LARGEST_STEP,
    LEAST_POWER,
    LEAST_WEIGHT,
    LOWERED,
    RAISED,
    STRENGTH,
    MelRefinement,
    heard_bins,
    postfilter_weights,
    refinement_filters,
)
from glowvox.config.audio import AudioConfig
from glowvox.export.graph_builder import GraphBuilder


class FourierGraph:
    """The transform of real frames `[T, N]` to half a spectrum `[T, N // 2 + 1]`, and back.

    With N = a b, n = b n1 + n2 and k = k1 + a k2, the transform over n1 gives `[n2, k1]`, the twiddle
    exp(-2 pi i n2 k1 / N) is multiplied in, and the transform over n2 gives `[k2, k1]`, which is the order of k.
    """

    def __init__(self, graph: GraphBuilder, size: int) -> None:
        """Take the graph to write to and N, which is even."""
        self._graph = graph
        self._size = size
        self._a = next(factor for factor in range(math.isqrt(size), 0, -1) if size % factor == 0)
        self._b = size // self._a
        self.bins = size // 2 + 1
        self._rows = -(-self.bins // self._a)
        """Of k2 that half a spectrum reaches."""
        angle = 2 * np.pi / size * np.outer(np.arange(self._b), np.arange(self._a))
        self._cosine, self._sine = graph.floats(np.cos(angle)), graph.floats(np.sin(angle))

    def forward(self, frames: str) -> tuple[str, str]:
        """Return real and imaginary part `[T, F]` of frames `[T, N]`."""
        graph, a, b = self._graph, self._a, self._b
        grid = graph.op("Transpose", graph.op("Reshape", frames, graph.integers([-1, a, b])), perm=[0, 2, 1])
        angle = 2 * np.pi / a * np.outer(np.arange(a), np.arange(a))
        first = graph.op("MatMul", grid, graph.floats(np.concatenate([np.cos(angle), -np.sin(angle)], 1)))
        real, imaginary = graph.split(first, [a, a], 2)
        turned = self._turned(real, imaginary, back=False)
        angle = 2 * np.pi / b * np.outer(np.arange(self._rows), np.arange(b))
        cosine, sine = np.cos(angle), np.sin(angle)
        both = graph.floats(np.block([[cosine, sine], [-sine, cosine]]))
        second = graph.op("MatMul", both, graph.op("Concat", *turned, axis=1))
        flat = graph.op("Reshape", second, graph.integers([-1, 2, self._rows * a]))
        parts = graph.split(flat, [1, 1], 1)
        wide = graph.integers([-1, self._rows * a])
        real, imaginary = (graph.cut(graph.op("Reshape", part, wide), 0, self.bins, 1) for part in parts)
        return real, imaginary

    def inverse(self, real: str, imaginary: str) -> str:
        """Return frames `[T, N]` of half a spectrum `[T, F]`."""
        graph, a, b = self._graph, self._a, self._b
        missing = self._rows * a - self.bins
        weights = np.full(self.bins, 2.0 / self._size)
        weights[[0, -1]] = 1.0 / self._size
        grid = []
        for part in (real, imaginary):
            weighted = graph.op("Mul", part, graph.floats(weights))
            padded = graph.op("Pad", weighted, graph.integers([0, 0, 0, missing]))
            grid.append(graph.op("Reshape", padded, graph.integers([-1, self._rows, a])))
        angle = 2 * np.pi / b * np.outer(np.arange(b), np.arange(self._rows))
        cosine, sine = np.cos(angle), np.sin(angle)
        both = graph.floats(np.block([[cosine, -sine], [sine, cosine]]))
        first = graph.op("MatMul", both, graph.op("Concat", *grid, axis=1))
        turned = self._turned(*graph.split(first, [b, b], 1), back=True)
        angle = 2 * np.pi / a * np.outer(np.arange(a), np.arange(a))
        matrix = graph.floats(np.concatenate([np.cos(angle), -np.sin(angle)]))
        second = graph.op("MatMul", graph.op("Concat", *turned, axis=2), matrix)
        frames = graph.op("Transpose", second, perm=[0, 2, 1])
        return graph.op("Reshape", frames, graph.integers([-1, self._size]))

    def _turned(self, real: str, imaginary: str, *, back: bool) -> tuple[str, str]:
        """Return a product with the twiddle, or with its conjugate."""
        graph = self._graph
        plus, minus = ("Sub", "Add") if back else ("Add", "Sub")
        turned_real = graph.op(plus, graph.op("Mul", real, self._cosine), graph.op("Mul", imaginary, self._sine))
        turned = graph.op(minus, graph.op("Mul", imaginary, self._cosine), graph.op("Mul", real, self._sine))
        return turned_real, turned


def write_refinement(graph: GraphBuilder, refinement: MelRefinement, samples: str, mel: str) -> str:
    """Return samples `[S]` whose mel spectrogram is nearer to that asked for. See `MelRefinement`.

    Args:
        graph: to write to.
        refinement: what is written.
        samples: `[S]`, S = T * hop_length.
        mel: `[T, M]`.
    """
    config = refinement.config
    if not refinement.passes:
        return samples
    unit = float(LOG_UNITS[config.log])
    target = graph.op("Mul", mel, graph.floats(config.std / unit))
    target = graph.op("Add", target, graph.floats(config.mean / unit))
    filters, spread = refinement_filters(config)
    analysis, spreading = graph.floats(filters.T), graph.floats(spread.T)
    fourier = FourierGraph(graph, config.n_fft)
    frames = _Frames(graph, config, graph.op("Shape", mel, start=0, end=1))
    for number in range(1, refinement.passes + 1):
        real, imaginary = fourier.forward(frames.cut(samples))
        power = graph.op("Add", graph.op("Mul", real, real), graph.op("Mul", imaginary, imaginary))
        powered = graph.op("Sqrt", power) if config.power == 1.0 else power
        if config.power not in (1.0, 2.0):
            powered = graph.op("Pow", power, graph.floats(config.power / 2))
        found = graph.op("Max", graph.op("MatMul", powered, analysis), graph.floats(config.floor))
        excess = graph.op("Mul", graph.op("Sub", target, graph.op("Log", found)), graph.floats(STRENGTH / config.power))
        bounded = graph.op("Min", graph.op("Max", excess, graph.floats(-LARGEST_STEP)), graph.floats(LARGEST_STEP))
        log_gain = graph.op("MatMul", bounded, spreading)
        if number == refinement.passes and refinement.postfilter:
            log_gain = graph.op("Add", log_gain, _postfilter(graph, refinement, power, fourier.bins))
        gain = graph.op("Exp", log_gain)
        samples = frames.joined(fourier.inverse(graph.op("Mul", real, gain), graph.op("Mul", imaginary, gain)))
    return samples


def _postfilter(graph: GraphBuilder, refinement: MelRefinement, power: str, bins: int) -> str:
    """Return the log of the postfilter's gain `[T, F]` for squared magnitudes `[T, F]`. See `postfilter_log_gain`."""
    weights, around = postfilter_weights(refinement.config)
    column = graph.op("Unsqueeze", graph.cut(power, 0, heard_bins(refinement.config), 1), graph.integers([1]))
    mean = graph.op("AveragePool", column, kernel_shape=[2 * around + 1], pads=[around, around], count_include_pad=0)
    powers, means = (
        graph.cut(part, 0, len(weights), 1) for part in (power, graph.op("Squeeze", mean, graph.integers([1])))
    )
    own, level = (graph.op("Add", part, graph.floats(LEAST_POWER)) for part in (powers, means))
    log_gain = graph.op(
        "Mul", graph.op("Log", graph.op("Div", own, level)), graph.floats(0.5 * refinement.postfilter * weights)
    )
    bounded = graph.op("Min", graph.op("Max", log_gain, graph.floats(-LOWERED)), graph.floats(RAISED))
    squared = graph.op("Exp", graph.op("Add", bounded, bounded))
    energy, kept = (
        graph.op("Add", graph.op("ReduceSum", one, graph.integers([1]), keepdims=1), graph.floats(LEAST_POWER))
        for one in (powers, graph.op("Mul", powers, squared))
    )
    shift = graph.op("Mul", graph.op("Log", graph.op("Div", energy, kept)), graph.floats(0.5))
    bounded = graph.op("Add", bounded, shift)
    return graph.op("Pad", bounded, graph.integers([0, 0, 0, bins - len(weights)]))


class _Frames:
    """Windowed frames of a signal that is mirrored at its ends, and their sum."""

    def __init__(self, graph: GraphBuilder, config: AudioConfig, count: str) -> None:
        """Take the graph, the contract and T, int64 [1]."""
        self._graph, self._config = graph, config
        hop, n_fft = config.hop_length, config.n_fft
        self._parts = -(-n_fft // hop)
        self._window = hann_window(config.win_length, n_fft)
        self._count = count
        self._length = graph.op("Mul", count, graph.integers([hop]))
        """Of the signal."""
        size = graph.op(
            "Squeeze", graph.op("Mul", graph.op("Add", count, graph.integers([self._parts - 1])), graph.integers([hop]))
        )
        place = graph.op(
            "Sub", graph.op("Range", graph.integers(0), size, graph.integers(1)), graph.integers(n_fft // 2)
        )
        last = graph.op("Sub", self._length, graph.integers([1]))
        self._inside = graph.op(
            "And",
            graph.op("Not", graph.op("Less", place, graph.integers([0]))),
            graph.op("Not", graph.op("Less", last, place)),
        )
        mirrored = graph.op("Sub", last, graph.op("Abs", graph.op("Sub", last, graph.op("Abs", place))))
        self._place = graph.op("Max", mirrored, graph.integers([0]))
        squares = np.broadcast_to(self._window**2, (1, n_fft))
        shape = graph.op("Concat", count, graph.integers([n_fft]), axis=0)
        self._weight = self._added(graph.op("Expand", graph.floats(squares), shape))

    def cut(self, samples: str) -> str:
        """Return frames `[T, n_fft]` of a signal `[S]`."""
        graph, hop, n_fft = self._graph, self._config.hop_length, self._config.n_fft
        padded = graph.op("Gather", samples, self._place, axis=0)
        if self._config.pad_mode != "reflect":
            padded = graph.op("Where", self._inside, padded, graph.floats(0.0))
        blocks = graph.op("Reshape", padded, graph.integers([-1, hop]))
        views = []
        for part in range(self._parts):
            rest = self._parts - 1 - part
            views.append(graph.cut(blocks, part, -rest if rest else None, 0))
        frames = graph.op("Concat", *views, axis=1) if len(views) > 1 else views[0]
        if self._parts * hop > n_fft:
            frames = graph.cut(frames, 0, n_fft, 1)
        return graph.op("Mul", frames, graph.floats(self._window))

    def joined(self, frames: str) -> str:
        """Return the signal `[S]` that windowed frames `[T, n_fft]` add up to."""
        graph = self._graph
        total = self._added(graph.op("Mul", frames, graph.floats(self._window)))
        heard = graph.op("Less", graph.floats(LEAST_WEIGHT), self._weight)
        divisor = graph.op("Where", heard, self._weight, graph.floats(1.0))
        return graph.op("Div", total, divisor)

    def _added(self, frames: str) -> str:
        """Return the sum of frames `[T, n_fft]` where the signal lies, `[S]`."""
        graph, hop, n_fft = self._graph, self._config.hop_length, self._config.n_fft
        missing = self._parts * hop - n_fft
        if missing:
            frames = graph.op("Pad", frames, graph.integers([0, 0, 0, missing]))
        total = ""
        for part, columns in enumerate(graph.split(frames, [hop] * self._parts)):
            moved = graph.op("Pad", columns, graph.integers([part, 0, self._parts - 1 - part, 0]))
            total = moved if not total else graph.op("Add", total, moved)
        flat = graph.op("Reshape", total, graph.integers([-1]))
        half = n_fft // 2
        beyond = graph.op("Pad", flat, graph.integers([0, half + hop]))  # no frame may reach the end
        start = graph.integers([half])
        return graph.op("Slice", beyond, start, graph.op("Add", self._length, start), graph.integers([0]))


def fade_ramp(length: int) -> NDArray[np.float32]:
    """Return the factors `[length + 1]` of the samples at an end of a sentence, 1 being the last of them."""
    ramp = np.sin(np.linspace(0, np.pi / 2, length + 2)[1:-1]).astype(np.float32) ** 2
    return np.append(ramp, np.float32(1.0))
