"""NumPy's noise in ONNX operators: the same numbers; in the tail, which takes a logarithm, but for the last digit."""

import numpy as np
import onnxruntime
import pytest

from glowvox.align.prior import position_noise
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.noise_graph import (
    Words,
    pcg_states,
    philox_key,
    write_pcg_noise,
    write_philox_noise,
    ziggurat_tables,
)
from glowvox.synthesis.options import NOISE_BLOCK, noise

TAIL = 3.6541529


def assert_same(drawn, expected):
    inside = np.abs(expected) < TAIL
    np.testing.assert_array_equal(drawn[inside], expected[inside])
    np.testing.assert_allclose(drawn, expected, rtol=2.5e-7)


def session_of(graph):
    model = graph.model("noise", {}).SerializeToString()
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def philox():
    graph = GraphBuilder(opset=18)
    key, count = graph.input("key", [2], np.int64), graph.input("count", [1], np.int64)
    graph.output(write_philox_noise(graph, key, count), "noise", ["N"])
    return session_of(graph)


@pytest.fixture(scope="module")
def pcg():
    graph = GraphBuilder(opset=18)
    states = graph.input("states", ["B", 4], np.int64)
    graph.output(write_pcg_noise(graph, states, NOISE_BLOCK * 20), "noise", ["N"])
    return session_of(graph)


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**63 - 1])
@pytest.mark.parametrize("frames", [1, 7, 400])
def test_philox_draws_what_numpy_draws(philox, seed, frames):
    given = {"key": philox_key(seed).view(np.int64), "count": np.array([80 * frames])}
    [drawn] = philox.run(None, given)
    assert_same(drawn.reshape(frames, 80).T, position_noise(seed, 80, frames))


@pytest.mark.parametrize("seed", [0, 3, 2**63 - 1])
def test_pcg_draws_what_numpy_draws(pcg, seed):
    [drawn] = pcg.run(None, {"states": pcg_states(seed, 40).view(np.int64)})
    assert_same(drawn.reshape(-1, 20).T, noise(seed, 20, 0, 40 * NOISE_BLOCK))


def test_draws_from_the_tail_are_among_them(philox):
    """About 30 of 100,000 numbers are drawn from beyond the ziggurat; they take other words than the rest."""
    [drawn] = philox.run(None, {"key": philox_key(5).view(np.int64), "count": np.array([400_000])})
    expected = position_noise(5, 1, 400_000)[0]
    assert (np.abs(expected) > TAIL).sum() > 50
    assert_same(drawn, expected)


def test_products_and_sums_of_long_words():
    graph = GraphBuilder(opset=18)
    names = [graph.input(name, ["N"], np.int64) for name in "abcd"]
    words = Words(graph)
    product = words.long_times((names[0], names[1]), (names[2], names[3]))
    total = words.long_added((names[0], names[1]), (names[2], names[3]))
    for label, value in zip(("pu", "pl", "su", "sl"), (*product, *total), strict=True):
        for half, shift in (("h", 32), ("l", 0)):  # outputs are float32: 32 bits of a word do not fit, 16 do
            for part in (16, 0):
                bits = graph.op("BitwiseAnd", words.right(value, shift + part), graph.integers(0xFFFF))
                graph.output(graph.op("Cast", bits, to=1), f"{label}{half}{part}", ["N"])
    draw = np.random.default_rng(0)
    given = draw.integers(0, 2**64, (4, 200), np.uint64, endpoint=False)
    given[:, :4] = np.array([[0, 2**64 - 1, 2**63, 1]], np.uint64)
    found = session_of(graph).run(None, dict(zip("abcd", given.view(np.int64), strict=True)))
    parts = np.array(found, np.uint64).reshape(4, 4, 200)
    for place in range(200):
        a, b = (int(given[row][place]) << 64 | int(given[row + 1][place]) for row in (0, 2))
        numbers = [
            int(sum(int(part) << shift for part, shift in zip(row[:, place], (48, 32, 16, 0), strict=True)))
            for row in parts
        ]
        assert numbers[0] << 64 | numbers[1] == a * b % 2**128
        assert numbers[2] << 64 | numbers[3] == (a + b) % 2**128


def test_the_ziggurat_covers_the_density():
    bounds, widths, density = ziggurat_tables()
    assert bounds[1] == 0 and (np.delete(bounds, 1) > 0.8 * 2**23).sum() > 240
    edges = widths.astype(np.float64)[1:] * 2**23
    assert (np.diff(edges) > 0).all()
    np.testing.assert_allclose(density[1:], np.exp(-0.5 * edges**2), rtol=1e-6)
