"""Products in blocks, and with banded matrices, are those of NumPy."""

import numpy as np
import pytest

from glowvox.audio.mel import BandedMatrix, mel_filterbank, product
from glowvox.config.audio import AudioConfig


@pytest.mark.parametrize("rows", [0, 1, 31, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_in_blocks(rows, dtype):
    generator = np.random.default_rng(rows)
    left, right = generator.standard_normal((rows, 96)), generator.standard_normal((96, 97))
    result = product(left.astype(dtype), right.astype(dtype))
    assert result.dtype == dtype and result.shape == (rows, 97)
    np.testing.assert_allclose(result, left @ right, rtol=0, atol=1e-4 if dtype == np.float32 else 1e-12)


def test_a_product_larger_than_a_block_by_itself():
    left, right = np.ones((3, 700)), np.ones((700, 900))
    np.testing.assert_array_equal(product(left, right), np.full((3, 900), 700.0))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("bands", [1, 8, 1000])
def test_filters_in_bands(turned, bands):
    filters = mel_filterbank(AudioConfig())
    matrix = filters if turned else filters.T  # to bins, many of which have no filter; to mels
    rows = np.random.default_rng(0).standard_normal((70, len(matrix)))
    banded = BandedMatrix(matrix, bands)
    assert banded.shape == matrix.shape
    np.testing.assert_allclose(rows @ banded, rows @ matrix, rtol=1e-12, atol=1e-12)


def test_any_matrix_will_do():
    generator = np.random.default_rng(0)
    full, rows = generator.standard_normal((5, 7)), generator.standard_normal((4, 5))
    np.testing.assert_allclose(rows @ BandedMatrix(full), rows @ full, rtol=1e-12)
    np.testing.assert_array_equal(rows @ BandedMatrix(np.zeros((5, 7))), np.zeros((4, 7)))
