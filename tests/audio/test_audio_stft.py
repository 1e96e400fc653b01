"""The STFT against librosa, its inverse, and its memory."""

import librosa
import numpy as np
import pytest

from glowvox.audio.mel import hann_window, istft, overlap_add, stft, stft_blocks
from glowvox.errors import AudioError

SIZES = [(1024, 256, 1024), (512, 128, 400), (600, 150, 600), (256, 100, 200), (1023, 200, 801)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("pad_mode", ["reflect", "constant"])
def test_equals_librosa(sizes, center, pad_mode):
    n_fft, hop, win = sizes
    samples = np.random.default_rng(0).standard_normal((2, 5000))
    ours = stft(samples, n_fft, hop, win, center=center, pad_mode=pad_mode)
    theirs = librosa.stft(
        samples, n_fft=n_fft, hop_length=hop, win_length=win, center=center, pad_mode=pad_mode, dtype=np.complex128
    )
    assert ours.dtype == np.complex128
    np.testing.assert_allclose(ours, theirs, atol=1e-10)


@pytest.mark.parametrize("sizes", SIZES[:3])
@pytest.mark.parametrize("length", [1025, 4096, 5003])
def test_inverse_gives_the_samples_back(sizes, length):
    samples = np.random.default_rng(1).standard_normal(length)
    back = istft(stft(samples, *sizes), *sizes, length=length)
    np.testing.assert_allclose(back, samples, atol=1e-10)
    single = samples.astype(np.float32)
    spectrum = stft(single, *sizes)
    assert spectrum.dtype == np.complex64
    back32 = istft(spectrum, *sizes, length=length)
    assert back32.dtype == np.float32
    np.testing.assert_allclose(back32, single, atol=1e-5)


def test_inverse_of_batches_and_beyond_the_frames():
    samples = np.random.default_rng(2).standard_normal((2, 3, 3000))
    spectrum = stft(samples, 512, 128, 512)
    back = istft(spectrum, 512, 128, 512, length=9000)
    np.testing.assert_allclose(back[..., :3000], samples, atol=1e-10)
    assert back.shape == (2, 3, 9000)
    assert not back[..., 4000:].any()
    np.testing.assert_array_equal(back[1, 2], istft(spectrum[1, 2], 512, 128, 512, length=9000))


def test_inverse_is_the_least_squares_answer():
    """Any other signal has an STFT at least as far from an inconsistent spectrum."""
    rng = np.random.default_rng(3)
    shape = stft(np.zeros(1000), 64, 16, 64).shape
    wanted = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    weights = np.full((33, 1), 2.0)
    weights[[0, -1]] = 1.0

    def distance(samples):
        # Zero padding: the reflected ends would count samples twice.
        return float((weights * np.abs(stft(samples, 64, 16, 64, pad_mode="constant") - wanted) ** 2).sum())

    wanted[[0, -1]] = wanted[[0, -1]].real
    wanted[..., :3] = wanted[..., -3:] = 0
    best = istft(wanted, 64, 16, 64, length=1000)
    for _ in range(5):
        assert distance(best) <= distance(best + 1e-3 * rng.standard_normal(1000))


def test_blocks_join_to_the_whole():
    samples = np.random.default_rng(4).standard_normal(400_000).astype(np.float32)
    blocks = list(stft_blocks(samples, 1024, 256, 1024))
    assert len(blocks) > 1
    joined = np.concatenate([block for _, block in blocks]).T
    np.testing.assert_array_equal(joined, stft(samples, 1024, 256, 1024))
    assert [first for first, _ in blocks] == list(np.cumsum([0] + [len(block) for _, block in blocks])[:-1])


def test_window_is_periodic_and_centred():
    np.testing.assert_allclose(hann_window(8)[4], 1.0)
    np.testing.assert_allclose(hann_window(8)[0], 0.0)
    np.testing.assert_allclose(hann_window(4, 8), [0, 0, 0, 0.5, 1, 0.5, 0, 0], atol=1e-12)


def test_overlap_add_of_ones_counts_frames():
    np.testing.assert_array_equal(overlap_add(np.ones((3, 5)), 2), [1, 1, 2, 2, 3, 2, 2, 1, 1, 0])


@pytest.mark.parametrize("length", [1, 511, 512])
def test_too_short(length):
    with pytest.raises(AudioError, match="too short"):
        stft(np.zeros(length), 1024, 256, 1024)


def test_too_short_without_centring():
    with pytest.raises(AudioError, match="one frame has 1024"):
        stft(np.zeros(1023), 1024, 256, 1024, center=False)


def test_inverse_refuses_other_sizes():
    with pytest.raises(AudioError, match=r"\[513, T\]"):
        istft(np.zeros((512, 4), np.complex64), 1024, 256, 1024, length=10)
