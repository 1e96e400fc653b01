"""The noise of a position depends on the seed and the position only."""

import numpy as np
import pytest

from glowvox.errors import ConfigError
from glowvox.synthesis.options import noise


@pytest.mark.parametrize("channels", [1, 8, 256])
def test_any_slice_equals_the_whole(channels):
    whole = noise(7, channels, 0, 300)
    assert whole.dtype == np.float32
    assert whole.shape == (channels, 300)
    generator = np.random.default_rng(0)
    for _ in range(40):
        first = int(generator.integers(0, 300))
        count = int(generator.integers(0, 300 - first + 1))
        np.testing.assert_array_equal(noise(7, channels, first, count), whole[:, first : first + count])


def test_is_standard_normal_and_white():
    drawn = noise(0, 64, 12_345, 4000)
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 1) < 0.01
    assert abs((drawn[:, 1:] * drawn[:, :-1]).mean()) < 0.01
    assert abs((drawn[:, 64:] * drawn[:, :-64]).mean()) < 0.01
    assert abs((drawn[1:] * drawn[:-1]).mean()) < 0.01


def test_seeds_differ_and_the_values_stay_for_ever():
    assert np.abs(noise(0, 8, 0, 64) - noise(1, 8, 0, 64)).min() > 0
    np.testing.assert_allclose(noise(5, 3, 63, 2), PINNED, rtol=1e-6)


PINNED = np.array([[1.12982333, -1.85722899], [-0.401457518, 0.337732017], [-0.637934446, 1.6708858]], np.float32)


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, True, None, "0"])
def test_bad_seeds(seed):
    with pytest.raises(ConfigError, match="seed must be a whole number"):
        noise(seed, 8, 0, 1)


@pytest.mark.parametrize(("channels", "first", "count"), [(8, -1, 2), (8, 0, -1), (0, 0, 1)])
def test_bad_positions(channels, first, count):
    with pytest.raises(ConfigError, match="no columns"):
        noise(0, channels, first, count)
