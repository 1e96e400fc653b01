"""Log-mel distance and mel-cepstral distortion: known values, invariances, refusals."""

import itertools

import numpy as np
import pytest

from glowvox.errors import MelError
from glowvox.evaluate.distances import log_mel_distance, mel_cepstra, mel_cepstral_distortion, warping_path


def _mel(seed: int, frames: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).normal(-5.0, 2.0, (80, frames))


def test_distance_of_a_known_difference() -> None:
    mel = _mel(0)
    step = np.where(np.arange(80)[:, None] < 40, 0.5, -0.1)
    distance = log_mel_distance(mel, mel + step)
    assert distance.l1 == pytest.approx(0.3)
    assert distance.l2 == pytest.approx(np.sqrt((0.25 + 0.01) / 2))


def test_identical_mels_have_no_distance() -> None:
    mel = _mel(1)
    assert log_mel_distance(mel, mel).l1 == 0.0
    assert mel_cepstral_distortion(mel, mel) == 0.0
    assert mel_cepstral_distortion(mel, mel, align="dtw") == pytest.approx(0.0, abs=1e-5)


def test_cepstra_equal_scipys_transform() -> None:
    fft = pytest.importorskip("scipy.fft")
    mel = _mel(2)
    np.testing.assert_allclose(mel_cepstra(mel), fft.dct(mel, type=2, norm="ortho", axis=0)[1:14], atol=1e-10)
    np.testing.assert_allclose(mel_cepstra(mel, 80, 0), fft.dct(mel, type=2, norm="ortho", axis=0), atol=1e-10)


def test_distortion_of_one_cepstrum() -> None:
    """A unit step in one cepstrum is 10 sqrt(2) / ln 10 dB, and the level and the 14th cepstrum do not count."""
    mel = _mel(3)
    bins = np.arange(80) + 0.5
    for k, expected in ((0, 0.0), (1, 6.141851463713754), (13, 6.141851463713754), (14, 0.0)):
        shape = np.sqrt(2 / 80) * np.cos(np.pi * k * bins / 80)
        assert mel_cepstral_distortion(mel, mel + shape[:, None]) == pytest.approx(expected, abs=1e-9)
    level = np.full((80, 1), 0.5)
    assert mel_cepstral_distortion(mel, mel + level, first=0) == pytest.approx(6.141851463713754 * 0.5 * np.sqrt(80))


def test_warping_removes_a_change_of_tempo() -> None:
    mel = _mel(4, 30)
    slow = np.repeat(mel, 2, axis=1)
    assert mel_cepstral_distortion(mel, slow, align="dtw") == pytest.approx(0.0, abs=1e-5)
    assert mel_cepstral_distortion(mel, slow[:, :30]) > 5.0


def test_warping_path_is_the_cheapest() -> None:
    """Against an exhaustive recursion over all monotonic paths."""
    table = np.random.default_rng(5).random((5, 6))

    def best(i: int, j: int) -> float:
        if (i, j) == (0, 0):
            return table[0, 0]
        steps = [(i - 1, j), (i, j - 1), (i - 1, j - 1)]
        return table[i, j] + min(best(a, b) for a, b in steps if a >= 0 and b >= 0)

    path = warping_path(table)
    assert path[0] == (0, 0) and path[-1] == (4, 5)
    assert all((b[0] - a[0], b[1] - a[1]) in {(0, 1), (1, 0), (1, 1)} for a, b in itertools.pairwise(path))
    assert sum(table[step] for step in path) == pytest.approx(best(4, 5))


@pytest.mark.parametrize("align", ["frames", "dtw"])
@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.zeros((80, 0)), np.zeros((80, 0)), "shape"),
        (np.zeros(80), np.zeros(80), "shape"),
        (np.zeros((80, 3)), np.zeros((40, 3)), "bins"),
        (np.zeros((80, 3)), np.full((80, 3), np.nan), "not finite"),
        (np.zeros((13, 3)), np.zeros((13, 3)), "cepstra"),
    ],
)
def test_bad_mels_are_refused(first: np.ndarray, second: np.ndarray, message: str, align: str) -> None:
    with pytest.raises(MelError, match=message):
        mel_cepstral_distortion(first, second, align=align)


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(MelError, match="40 and 39 frames"):
        log_mel_distance(_mel(6), _mel(6, 39))
    with pytest.raises(MelError, match="dtw"):
        mel_cepstral_distortion(_mel(6), _mel(6, 39))


def test_a_table_too_large_is_refused_before_it_is_built() -> None:
    with pytest.raises(MelError, match="one sentence at a time"):
        mel_cepstral_distortion(np.zeros((14, 8000)), np.zeros((14, 8000)), align="dtw")
