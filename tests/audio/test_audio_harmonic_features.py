"""Tests of what an acoustic model is told of a pitch, and of contours drawn through tokens."""

import numpy as np
import pytest

from glowvox.audio.mel import MelTransform, mel_edges, mel_filterbank
from glowvox.audio.pitch import (
    LOG_PITCH_STD,
    REFERENCE_HZ,
    harmonic_features,
    n_harmonic_features,
    pitch_contour,
    token_pitch,
    varied,
)
from glowvox.config.audio import AudioConfig

AUDIO = AudioConfig()


def test_edges_are_where_the_filters_begin_and_end() -> None:
    edges = mel_edges(AUDIO)
    assert edges[0] == AUDIO.f_min and edges[-1] == pytest.approx(AUDIO.f_max) and (np.diff(edges) > 0).all()
    bins = np.arange(AUDIO.n_fft // 2 + 1) * AUDIO.sample_rate / AUDIO.n_fft
    for row, low, high in zip(mel_filterbank(AUDIO), edges[:-2], edges[2:], strict=True):
        assert not row[(bins < low) | (bins > high)].any()


@pytest.mark.parametrize("hertz", [110.0, 190.0, 300.0])
def test_comb_is_high_where_a_pulse_train_has_its_harmonics(hertz: float) -> None:
    time = np.arange(AUDIO.sample_rate) / AUDIO.sample_rate
    harmonics = np.arange(1, int(4000 / hertz) + 1)
    samples = 0.02 * np.cos(2 * np.pi * hertz * harmonics[:, None] * time).sum(0)
    mel = MelTransform(AUDIO)(samples)[:, 20:60].mean(1)
    comb = harmonic_features(np.full(3, hertz), AUDIO)[2:, 1]
    low = slice(int(np.searchsorted(mel_edges(AUDIO)[1:-1], 0.7 * hertz)), 26)
    assert np.corrcoef(mel[low], comb[low])[0, 1] > 0.8
    wrong = harmonic_features(np.full(3, 1.3 * hertz), AUDIO)[2:, 1]
    assert np.corrcoef(mel[low], wrong[low])[0, 1] < 0.4


def test_comb_of_unvoiced_frames_is_zero_and_batches_do_not_matter() -> None:
    pitch = np.array([[0.0, 120.0, 250.0], [200.0, 0.0, 0.0]])
    comb = harmonic_features(pitch, AUDIO)
    assert comb.shape == (2, n_harmonic_features(AUDIO), 3) and comb.dtype == np.float32
    assert not comb[0, :, 0].any() and not comb[1, :, 1:].any() and comb[0, 0, 1] == 1.0
    np.testing.assert_array_equal(comb[1], harmonic_features(pitch[1], AUDIO))
    assert comb[0, 1, 2] == pytest.approx(np.log(250 / REFERENCE_HZ) / LOG_PITCH_STD)


def test_contour_goes_through_the_tokens_and_back() -> None:
    frames = np.array([4, 6, 0, 5, 3])
    height = np.array([0.5, -0.5, 9.0, 0.2, 1.0], np.float32)
    voicing = np.array([3.0, 3.0, -4.0, -3.0, 3.0], np.float32)
    pitch = pitch_contour(height, voicing, frames)
    assert pitch.shape == (18,)
    assert pitch[1:3].mean() == pytest.approx(REFERENCE_HZ * np.exp(LOG_PITCH_STD * 0.45), rel=0.03)
    assert (pitch[:8] > 0).all() and not pitch[11:14].any() and (pitch[16:] > 0).all()
    found, share = token_pitch(pitch, frames)
    assert found.shape == share.shape == (5,)
    np.testing.assert_allclose(found[[0, 1, 4]], height[[0, 1, 4]], atol=0.3)
    assert share[0] == 1.0 and share[3] < 0.5 and share[2] == 0.0


def test_melody_of_silence_and_of_nothing() -> None:
    height, share = token_pitch(np.zeros(6), np.array([2, 4]))
    assert not height.any() and not share.any()
    assert pitch_contour(np.zeros(2), np.ones(2), np.zeros(2, np.int64)).shape == (0,)


def test_varied_melody_is_raised_and_spread_about_its_mean() -> None:
    frames, voicing = np.array([5, 5, 10]), np.array([1.0, 1.0, -1.0])
    height = np.array([1.0, 3.0, 50.0])
    np.testing.assert_allclose(varied(height, voicing, frames), height)
    np.testing.assert_allclose(varied(height, voicing, frames, spread=0.0), 2.0)
    np.testing.assert_allclose(varied(height, voicing, frames, spread=2.0)[:2], [0.0, 4.0])
    raised = varied(height, voicing, frames, shift=12.0)
    np.testing.assert_allclose((raised - height) * LOG_PITCH_STD, np.log(2.0), rtol=1e-5)
