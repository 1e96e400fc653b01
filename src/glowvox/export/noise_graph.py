"""Standard normal noise in ONNX operators: the numbers that NumPy's generators draw from the same seed.

`say` draws the noise of a sentence from Philox and that of the vocoder from PCG64, both through NumPy's ziggurat for
float32. With the same noise, a graph from tokens to samples speaks the same samples. The generators are those of J.
Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011, and of M. O'Neill, "PCG", 2014; the ziggurat is that
of G. Marsaglia and W. Tsang, 2000, with 256 strips.

Words of 64 bits are kept in int64, whose products and sums wrap around as those of unsigned words do.
"""

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glowvox.export.graph_builder import GraphBuilder

_INT64, _UINT64, _FLOAT, _DOUBLE = 7, 13, 1, 11
"""ONNX's numbers of types."""
_WORD = (1 << 64) - 1
_PHILOX_FACTORS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_PHILOX_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_PHILOX_ROUNDS = 10
_PCG_FACTOR = 0x2360ED051FC65DA44385DF649FCCF645
_STRIPS = 256
_R = 3.6541528853610088
"""Where the tail of the ziggurat begins."""
_AREA = 0.00492867323399
_ATTEMPTS = 8
"""Pairs of numbers that a draw from the tail may take: that many fail once in 10**11 draws."""
_LONGEST = 1 + 2 * _ATTEMPTS
"""Words that one draw takes at most."""
_SPARE = 128
"""Words more than are needed on average, over `_SHARE`: six standard deviations of any number of draws in use."""
_SHARE = 0.03
_NEIGHBOURS, _PASSES = 6, 8
"""How far, and how often, it is looked whether a draw begins inside the one before."""


class Words:
    """Arithmetic of unsigned words of 64 bits on int64 values of a graph."""

    def __init__(self, graph: GraphBuilder) -> None:
        self._graph = graph
        self._low = self.constant(0xFFFFFFFF)

    def constant(self, values: int | Sequence[Sequence[int]] | NDArray[np.uint64]) -> str:
        """Return words as a constant."""
        return self._graph.integers(np.asarray(values, np.uint64).view(np.int64))

    def right(self, value: str, places: int | str) -> str:
        """Return words shifted to the right, zeros coming in."""
        return self._shifted(value, places, "RIGHT")

    def left(self, value: str, places: int | str) -> str:
        """Return words shifted to the left."""
        return self._shifted(value, places, "LEFT")

    def _shifted(self, value: str, places: int | str, direction: str) -> str:
        graph = self._graph
        count = graph.integers(places) if isinstance(places, int) else places
        unsigned = [graph.op("Cast", one, to=_UINT64) for one in (value, count)]
        return graph.op("Cast", graph.op("BitShift", *unsigned, direction=direction), to=_INT64)

    def low(self, value: str) -> str:
        """Return the lower 32 bits."""
        return self._graph.op("BitwiseAnd", value, self._low)

    def added(self, first: str, *more: str) -> str:
        """Return a sum, modulo 2**64."""
        for one in more:
            first = self._graph.op("Add", first, one)
        return first

    def times(self, first: str, second: str) -> tuple[str, str]:
        """Return the upper and the lower word of a product."""
        graph = self._graph
        low_a, high_a = self.low(first), self.right(first, 32)
        low_b, high_b = self.low(second), self.right(second, 32)
        cross, other = graph.op("Mul", low_a, high_b), graph.op("Mul", high_a, low_b)
        carried = self.added(self.right(graph.op("Mul", low_a, low_b), 32), self.low(cross), self.low(other))
        upper = graph.op("Mul", high_a, high_b)
        upper = self.added(upper, self.right(cross, 32), self.right(other, 32), self.right(carried, 32))
        return upper, graph.op("Mul", first, second)

    def long_times(self, first: tuple[str, str], second: tuple[str, str]) -> tuple[str, str]:
        """Return the product of words of 128 bits (upper half, lower half), modulo 2**128."""
        graph = self._graph
        upper, lower = self.times(first[1], second[1])
        crossed = graph.op("Mul", first[0], second[1]), graph.op("Mul", first[1], second[0])
        return self.added(upper, *crossed), lower

    def long_added(self, first: tuple[str, str], second: tuple[str, str]) -> tuple[str, str]:
        """Return the sum of words of 128 bits, modulo 2**128."""
        graph = self._graph
        lower = graph.op("Add", first[1], second[1])
        both = graph.op("BitwiseAnd", first[1], second[1])
        either = graph.op("BitwiseOr", first[1], second[1])
        carry = graph.op("BitwiseOr", both, graph.op("BitwiseAnd", either, graph.op("BitwiseNot", lower)))
        return self.added(first[0], second[0], self.right(carry, 63)), lower


def philox_key(seed: int) -> NDArray[np.uint64]:
    """Return the key, two words, that a seed gives `numpy.random.Philox`."""
    key: NDArray[np.uint64] = np.random.Philox(seed).state["state"]["key"]
    return key


def pcg_states(seed: int, blocks: int) -> NDArray[np.uint64]:
    """Return state and increment `[blocks, 4]`, upper half first, of the generators of `synthesis.options.noise`."""
    rows = []
    for block in range(blocks):
        generator = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(block,)))
        state = generator.state["state"]
        rows.append([number >> shift & _WORD for number in (state["state"], state["inc"]) for shift in (64, 0)])
    return np.array(rows, np.uint64)


def write_philox_noise(graph: GraphBuilder, key: str, count: str) -> str:
    """Return the first numbers `[count]` that a Philox generator draws, float32.

    Args:
        graph: to write to.
        key: int64 [2], see `philox_key`.
        count: int64 [1].
    """
    needed = _words_for(graph, count)
    words = Words(graph)
    eight, one = graph.integers(8), graph.integers(1)
    blocks = graph.op("Squeeze", graph.op("Div", graph.op("Add", needed, graph.integers([7])), graph.integers([8])))
    counter = graph.op("Range", one, graph.op("Add", blocks, one), one)
    zeros = graph.op("Mul", counter, graph.integers(0))
    first = graph.op("Concat", *(graph.op("Unsqueeze", row, graph.integers([0])) for row in (counter, zeros)), axis=0)
    second = graph.op("Mul", first, graph.integers(0))
    factors, turned = words.constant([[factor] for factor in _PHILOX_FACTORS]), graph.integers([1, 0])
    keys = graph.op("Unsqueeze", key, graph.integers([1]))
    for number in range(_PHILOX_ROUNDS):
        own = words.constant([[step * number & _WORD] for step in _PHILOX_STEPS])
        upper, lower = words.times(first, factors)
        mixed = graph.op("BitwiseXor", graph.op("Gather", upper, turned, axis=0), second)
        first = graph.op("BitwiseXor", mixed, graph.op("Add", keys, own))
        second = graph.op("Gather", lower, turned, axis=0)
    # rows 0 and 1 of `first` and `second` are the words 0 and 2, 1 and 3 of each block
    pairs = [
        graph.op("Unsqueeze", graph.op("Transpose", value, perm=[1, 0]), graph.integers([2]))
        for value in (first, second)
    ]
    drawn = graph.op("Concat", *pairs, axis=2)
    row = graph.op(
        "Concat",
        graph.integers([1]),
        graph.op("Unsqueeze", graph.op("Mul", blocks, eight), graph.integers([0])),
        axis=0,
    )
    return write_ziggurat(graph, graph.op("Reshape", _halves(graph, words, drawn), row), count)


def write_pcg_noise(graph: GraphBuilder, states: str, count: int) -> str:
    """Return the first numbers that PCG64 generators draw, `[B * count]`, float32.

    Args:
        graph: to write to.
        states: int64 [B, 4], see `pcg_states`.
        count: of the numbers of each generator.
    """
    words = Words(graph)
    steps = -(-_least_words(count) // 2)
    inner = 128
    outer = -(-steps // inner)
    # After n steps the state is A**n s + (1 + A + ... + A**(n-1)) c, and n = 128 i + j + 1 here.
    near, far = _powers(range(1, inner + 1)), _powers(range(0, inner * outer, inner))
    near_power, near_sum = (_long(words, [column[which] for column in near], [1, inner]) for which in (0, 1))
    far_power, far_sum = (_long(words, [column[which] for column in far], [outer, 1]) for which in (0, 1))
    power = words.long_times(near_power, far_power)
    total = words.long_added(near_sum, words.long_times(near_power, far_sum))
    flat = graph.integers([1, -1])
    factors = [graph.op("Reshape", part, flat) for part in (*power, *total)]
    parts = graph.split(states, [1, 1, 1, 1])
    moved = words.long_times((parts[0], parts[1]), (factors[0], factors[1]))
    added = words.long_times((parts[2], parts[3]), (factors[2], factors[3]))
    upper, lower = words.long_added(moved, added)
    mixed, turn = graph.op("BitwiseXor", upper, lower), words.right(upper, 58)
    back = graph.op("BitwiseAnd", graph.op("Sub", graph.integers(64), turn), graph.integers(63))
    drawn = graph.op("BitwiseOr", words.right(mixed, turn), words.left(mixed, back))
    rows = graph.op("Reshape", _halves(graph, words, drawn), graph.integers([0, -1]))
    return write_ziggurat(graph, rows, graph.integers([count]))


def _powers(steps: Sequence[int]) -> list[tuple[int, int]]:
    """Return the factor of state and increment after each number of steps, modulo 2**128."""
    found, power, total, done = [], 1, 0, 0
    for step in steps:
        while done < step:
            total, power, done = (total * _PCG_FACTOR + 1) % (1 << 128), power * _PCG_FACTOR % (1 << 128), done + 1
        found.append((power, total))
    return found


def _long(words: Words, numbers: Sequence[int], shape: Sequence[int]) -> tuple[str, str]:
    halves = (np.array([number >> shift & _WORD for number in numbers], np.uint64) for shift in (64, 0))
    upper, lower = (words.constant(half.reshape(shape)) for half in halves)
    return upper, lower


def _halves(graph: GraphBuilder, words: Words, drawn: str) -> str:
    """Return the two halves of each word side by side, the lower one first, along a new last axis."""
    last = graph.integers([-1])
    halves = (words.low(drawn), words.right(drawn, 32))
    return graph.op("Concat", *(graph.op("Unsqueeze", half, last) for half in halves), axis=-1)


def _least_words(count: int) -> int:
    return int(count * (1 + _SHARE)) + _SPARE


def _words_for(graph: GraphBuilder, count: str) -> str:
    share = graph.op("Div", graph.op("Mul", count, graph.integers([round(100 * _SHARE)])), graph.integers([100]))
    return graph.op("Add", graph.op("Add", count, share), graph.integers([_SPARE]))


@functools.cache
def ziggurat_tables() -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Return for each strip the bound `[256]` below which a draw lies inside, its scale, and the density."""
    scale = 2.0**23
    bounds, widths, density = np.zeros(_STRIPS, np.int64), np.zeros(_STRIPS), np.ones(_STRIPS)
    edge = last = _R
    base = _AREA / np.exp(-0.5 * edge * edge)
    bounds[0] = int(edge / base * scale)
    widths[0], widths[-1], density[-1] = base / scale, edge / scale, np.exp(-0.5 * edge * edge)
    for strip in range(_STRIPS - 2, 0, -1):
        edge = np.sqrt(-2.0 * np.log(_AREA / edge + np.exp(-0.5 * edge * edge)))
        bounds[strip + 1] = int(edge / last * scale)
        last = edge
        density[strip], widths[strip] = np.exp(-0.5 * edge * edge), edge / scale
    return bounds, widths.astype(np.float32), density.astype(np.float32)


def write_ziggurat(graph: GraphBuilder, drawn: str, count: str) -> str:
    """Return the first numbers `[R * count]` that NumPy makes of rows of 32-bit words `[R, N]`, float32.

    Nearly every word is one number; the others take a few words more, which are found among all at once.

    Args:
        graph: to write to.
        drawn: int64, N words for at least `count` numbers.
        count: int64 [1].
    """
    words = Words(graph)
    bounds, widths, density = ziggurat_tables()
    # Words behind each row keep a draw at its end from reaching into the next one; zero is an easy draw.
    padded = graph.op("Pad", drawn, graph.integers([0, 0, 0, _LONGEST]))
    shape = graph.op("Shape", padded)
    flat = graph.op("Reshape", padded, graph.integers([-1]))
    strip = graph.op("BitwiseAnd", flat, graph.integers(255))
    size = graph.op("BitwiseAnd", words.right(flat, 9), graph.integers(0x7FFFFF))
    sign = graph.op("BitwiseAnd", words.right(flat, 8), graph.integers(1))
    signed = graph.op("Mul", size, graph.op("Sub", graph.integers(1), graph.op("Add", sign, sign)))
    value = graph.op(
        "Mul", graph.op("Cast", signed, to=_FLOAT), graph.op("Gather", graph.floats(widths), strip, axis=0)
    )
    inside = graph.op("Less", size, graph.op("Gather", graph.integers(bounds), strip, axis=0))
    slow = graph.op("Reshape", graph.op("NonZero", graph.op("Not", inside)), graph.integers([-1]))
    value, lost = _slow_draws(graph, words, flat, value, strip, size, slow, density)
    # what is left in its order, the first `count` of each row
    valid = graph.op("Reshape", graph.op("Sub", graph.integers(1), lost), shape)
    rank = graph.op("CumSum", valid, graph.integers(1))
    early = graph.op("Not", graph.op("Less", count, rank))
    kept = graph.op("And", graph.op("Cast", valid, to=9), early)
    return graph.op("Compress", value, graph.op("Reshape", kept, graph.integers([-1])), axis=0)


def _slow_draws(
    graph: GraphBuilder,
    words: Words,
    flat: str,
    value: str,
    strip: str,
    size: str,
    slow: str,
    density: NDArray[np.float32],
) -> tuple[str, str]:
    """Return the values `[N]` with those of the tail, and 1 `[N]` for words that are no number of their own.

    Args:
        graph: to write to.
        words: arithmetic.
        flat: all words [N].
        value: what each would be, inside its strip.
        strip: of each word.
        size: the 23 bits of each word's magnitude.
        slow: the places [m] of words that are not surely inside.
        density: at the edge of each strip.
    """

    def later(offsets: Sequence[int]) -> str:
        """Return numbers from 0 to 1, float32 `[m, P]`, of the words behind each slow one."""
        places = graph.op("Add", column, graph.integers(np.array([offsets])))
        found = graph.op("Gather", flat, places, axis=0)
        return graph.op("Mul", graph.op("Cast", words.right(found, 8), to=_FLOAT), graph.floats(2.0**-24))

    def exponential(offsets: Sequence[int]) -> str:
        rest = graph.op("Sub", graph.doubles(1.0), graph.op("Cast", later(offsets), to=_DOUBLE))
        return graph.op("Cast", graph.op("Neg", graph.op("Log", rest)), to=_FLOAT)

    second, flattened = graph.integers([1]), graph.integers([-1])
    column = graph.op("Unsqueeze", slow, second)
    own_strip, own_value = (graph.op("Gather", one, slow, axis=0) for one in (strip, value))
    tail = graph.op("Equal", own_strip, graph.integers(0))
    # the wedge beside a strip: under the density or not
    below = graph.op("Max", graph.op("Sub", own_strip, graph.integers(1)), graph.integers(0))
    lower = graph.op("Gather", graph.floats(density), own_strip, axis=0)
    higher = graph.op("Gather", graph.floats(density), below, axis=0)
    part = graph.op("Reshape", later([1]), flattened)
    height = graph.op("Add", graph.op("Mul", graph.op("Sub", higher, lower), part), lower)
    wide = graph.op("Cast", own_value, to=_DOUBLE)
    curve = graph.op("Exp", graph.op("Mul", graph.op("Mul", wide, wide), graph.doubles(-0.5)))
    missed = graph.op("Not", graph.op("Less", graph.op("Cast", height, to=_DOUBLE), curve))
    refused = graph.op("And", missed, graph.op("Not", tail))
    # the tail: pairs of numbers until one fits
    along = graph.op("Mul", exponential(range(1, _LONGEST, 2)), graph.floats(1.0 / _R))
    twice = graph.op("Mul", exponential(range(2, _LONGEST + 1, 2)), graph.floats(2.0))
    fits = graph.op("Cast", graph.op("Less", graph.op("Mul", along, along), twice), to=_INT64)
    attempt = graph.op("ArgMax", fits, axis=1, keepdims=1)
    distance = graph.op("Reshape", graph.op("GatherElements", along, attempt, axis=1), flattened)
    far = graph.op("Add", distance, graph.floats(_R))
    own_size = graph.op("Gather", size, slow, axis=0)
    negative = graph.op("BitwiseAnd", words.right(own_size, 8), graph.integers(1))
    direction = graph.op("Sub", graph.integers(1), graph.op("Add", negative, negative))
    far = graph.op("Mul", far, graph.op("Cast", direction, to=_FLOAT))
    pairs = graph.op("Reshape", attempt, flattened)
    length = graph.op("Add", graph.op("Add", pairs, pairs), graph.integers(3))
    length = graph.op("Where", tail, length, graph.integers(2))
    ends = graph.op("Add", slow, length)
    begins = _beginning(graph, slow, ends)
    # a word is lost where a draw takes it along, or does not become a number
    own = graph.op("Cast", graph.op("Not", refused), to=_INT64)
    offsets = graph.integers(np.arange(_LONGEST)[None])
    least = graph.op("Unsqueeze", own, second)
    inside = graph.op("Less", offsets, graph.op("Unsqueeze", length, second))
    taken = graph.op("And", inside, graph.op("Not", graph.op("Less", offsets, least)))
    taken = graph.op("And", taken, graph.op("Unsqueeze", begins, second))
    places = graph.op("Where", taken, graph.op("Add", column, offsets), graph.op("Shape", flat))
    places = graph.op("Reshape", places, flattened)
    nothing = graph.op("Mul", graph.op("Pad", flat, graph.integers([0, 1])), graph.integers(0))
    ones = graph.op("Add", graph.op("Mul", places, graph.integers(0)), graph.integers(1))
    lost = graph.cut(graph.op("ScatterElements", nothing, places, ones, axis=0), 0, -1, 0)
    whole = graph.op("Where", graph.op("And", begins, tail), far, own_value)
    return graph.op("ScatterElements", value, slow, whole, axis=0), lost


def _beginning(graph: GraphBuilder, slow: str, ends: str) -> str:
    """Return whether a draw begins at each slow word `[m]`, rather than that it is a part of the draw before."""
    second = graph.integers([1])
    begins = graph.op("Equal", slow, slow)
    column = graph.op("Unsqueeze", slow, second)
    count = graph.op("Squeeze", graph.op("Shape", slow), graph.integers([0]))
    own = graph.op("Unsqueeze", graph.op("Range", graph.integers(0), count, graph.integers(1)), second)
    # places in a row with so many before the first one
    before = graph.op("Add", own, graph.integers(np.arange(_NEIGHBOURS)[None]))
    for _ in range(_PASSES):
        reached = graph.op("Where", begins, ends, graph.integers(-1))
        padded = graph.op("Pad", reached, graph.integers([_NEIGHBOURS, 0]), graph.integers(-1))
        furthest = graph.op("ReduceMax", graph.op("Gather", padded, before, axis=0), second, keepdims=1)
        begins = graph.op("Not", graph.op("Reshape", graph.op("Less", column, furthest), graph.integers([-1])))
    return begins
