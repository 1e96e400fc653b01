"""The harmonic source: flat, on pitch, in step with the flow's transform, and the same in pieces."""

import numpy as np
import pytest

from glowvox.audio.pitch import BINS, LOG_CENTRES, HarmonicSource, lapped_coefficients, read_pitch, target_bins

RATE, HOP = 22050, 256


def _samples(coefficients: np.ndarray) -> np.ndarray:
    """Return the signal of lapped coefficients `[hop, T]`: the transform is orthonormal, so by its transpose."""
    count = coefficients.shape[1]
    matrix = np.stack([lapped_coefficients(row.reshape(count, HOP)).ravel() for row in np.eye(count * HOP)])
    return matrix @ coefficients.T.ravel()


def test_the_transform_is_the_flows() -> None:
    torch = pytest.importorskip("torch")
    from glowvox.flows.lapped import Lapped

    blocks = np.random.default_rng(0).standard_normal((9, HOP))
    theirs, _ = Lapped(HOP)(torch.from_numpy(blocks.reshape(1, 1, -1)))
    assert np.abs(lapped_coefficients(blocks).T - theirs[0].numpy()).max() < 1e-12


def test_a_steady_pitch_gives_its_harmonics() -> None:
    pulses, _ = HarmonicSource(RATE, HOP)(np.full(12, 210.0), np.ones(12))
    signal = _samples(pulses)[HOP:-HOP]
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    frequency = np.arange(len(spectrum)) * RATE / len(signal)
    for harmonic in range(1, 12):
        at = spectrum[np.abs(frequency - 210.0 * harmonic) < 12].max()
        between = spectrum[np.abs(frequency - 210.0 * (harmonic + 0.5)) < 12].max()
        assert at > 20 * between


def test_voiced_frames_have_unit_density_and_unvoiced_ones_only_noise() -> None:
    source = HarmonicSource(RATE, HOP)
    pulses, gain = source(np.full(400, 133.0), np.ones(400))
    assert 0.8 < float((pulses[:60] ** 2).mean()) < 1.25
    assert np.allclose(gain, source.noise_gain)
    pulses, gain = source(np.full(40, 133.0), np.zeros(40))
    assert not pulses.any()
    assert (gain == 1).all()


@pytest.mark.parametrize("frames", [1, 2, 3, 200])
def test_pieces_are_the_whole(frames: int) -> None:
    random = np.random.default_rng(frames)
    frequency = 200 * np.exp(np.cumsum(random.normal(0, 0.05, frames)))
    voicing = random.random(frames)
    source = HarmonicSource(RATE, HOP)
    stream, made, place = source.stream(), [], 0
    while place < frames:
        end = min(frames, place + int(random.integers(0, 9)))
        made.append(stream.push(frequency[place:end], voicing[place:end]))
        place = end
    made.append(stream.finish())
    for mine, whole in zip(zip(*made, strict=True), source(frequency, voicing), strict=True):
        joined = np.concatenate(mine, 1)
        assert joined.shape == whole.shape == (HOP, frames)
        assert np.abs(joined - whole).max() < 1e-6


def test_absurd_pitches_stay_finite() -> None:
    pulses, gain = HarmonicSource(RATE, HOP)(np.array([0.0, 1e9, -5.0, 300.0]), np.array([2.0, -1.0, 0.5, 1.0]))
    assert np.isfinite(pulses).all()
    assert gain.min() >= 0


def test_pitch_bins_come_back() -> None:
    truth = np.array([61.0, 100.0, 233.3, 480.0, np.nan])
    bins, voiced = target_bins(truth)
    logits = np.concatenate([np.log(np.maximum(bins, 1e-9)), np.where(voiced, 9.0, -9.0)[None]])
    frequency, voicing = read_pitch(logits)
    assert bins.shape == (BINS, 5)
    assert np.abs(np.log(frequency[:4] / truth[:4])).max() < 0.01 * (LOG_CENTRES[1] - LOG_CENTRES[0]) / 0.022 + 5e-3
    assert (voicing > 0.5).tolist() == [True, True, True, True, False]
