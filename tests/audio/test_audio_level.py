"""Loudness and trimming on signals whose answer is known."""

import numpy as np
import pytest

from glowvox.audio.loudness import active_speech_level, gated_level, normalise_loudness, trim_silence
from glowvox.errors import AudioError

RATE = 22050


def tone(seconds, level_db, rate=RATE):
    return np.sqrt(2) * 10 ** (level_db / 20) * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_the_level_of_a_tone(rate):
    assert active_speech_level(tone(1.0, -23.0, rate), rate) == pytest.approx(-23.0, abs=0.05)


def test_pauses_do_not_count():
    pause = 1e-4 * np.random.default_rng(0).standard_normal(3 * RATE)
    with_pauses = np.concatenate([pause, tone(1.0, -23.0), pause, tone(1.0, -23.0), pause])
    assert active_speech_level(with_pauses, RATE) == pytest.approx(-23.0, abs=0.2)


def test_normalising_reaches_the_target(synthetic_voice):
    for target in (-30.0, -26.0, -20.0):
        loud, gain = normalise_loudness(synthetic_voice(1.0) * 0.1, RATE, target)
        assert loud.dtype == np.float32
        assert active_speech_level(loud, RATE) == pytest.approx(target, abs=0.01)
        np.testing.assert_allclose(loud, synthetic_voice(1.0) * 0.1 * gain, rtol=1e-5)


def test_it_never_clips(synthetic_voice):
    loud, _ = normalise_loudness(synthetic_voice(1.0), RATE, 0.0)
    assert np.abs(loud).max() == pytest.approx(0.98)
    assert np.abs(normalise_loudness(tone(0.1, 10.0), RATE, -1.0, peak=0.5)[0]).max() <= np.float32(0.5)


@pytest.mark.parametrize("length", [1, 100, RATE])
def test_silence_stays_silence(length):
    for silence in (np.zeros(length), np.full(length, 1e-5)):
        same, gain = normalise_loudness(silence, RATE)
        assert gain == 1.0
        np.testing.assert_array_equal(same, silence.astype(np.float32))
        assert active_speech_level(silence, RATE) == -np.inf


def test_trimming_finds_the_speech():
    noise = 1e-4 * np.random.default_rng(0).standard_normal(3 * RATE)
    signal = noise.copy()
    signal[RATE : 2 * RATE] += tone(1.0, -23.0)
    start, end = trim_silence(signal, RATE, padding_seconds=0.0)
    assert RATE - 0.03 * RATE <= start <= RATE
    assert 2 * RATE <= end <= 2 * RATE + 0.03 * RATE
    padded = trim_silence(signal, RATE, padding_seconds=0.25)
    assert padded == (start - round(0.25 * RATE), end + round(0.25 * RATE))


def test_clicks_are_not_speech():
    signal = np.zeros(3 * RATE)
    signal[RATE : 2 * RATE] = tone(1.0, -40.0)
    signal[100] = signal[-100] = 1.0
    start, end = trim_silence(signal, RATE)
    assert start > RATE * 0.8
    assert end < 2.2 * RATE


@pytest.mark.parametrize("length", [1, 5, 600, RATE])
def test_speech_to_the_edges_is_kept_and_silence_is_empty(length):
    assert trim_silence(tone(1.0, -20.0)[1 : length + 1], RATE) == (0, min(length, RATE - 1))
    assert trim_silence(np.zeros(length), RATE) == (0, 0)


@pytest.mark.parametrize("measure", [active_speech_level, normalise_loudness, trim_silence])
def test_bad_samples(measure):
    for bad, message in [(np.zeros(0), "no samples"), (np.full(9, np.nan), "NaN"), (np.zeros((2, 9)), "shape")]:
        with pytest.raises(AudioError, match=message):
            measure(bad, RATE)
    with pytest.raises(AudioError, match="sample rate"):
        measure(np.zeros(9), 0)


def test_bad_parameters():
    for target in (1.0, np.nan, -np.inf):
        with pytest.raises(AudioError, match="target"):
            normalise_loudness(np.ones(9), RATE, target)
    with pytest.raises(AudioError, match="peak"):
        normalise_loudness(np.ones(9), RATE, -20.0, peak=1.5)
    with pytest.raises(AudioError, match="threshold"):
        trim_silence(np.ones(9), RATE, threshold_db=0.0)
    with pytest.raises(AudioError, match="padding"):
        trim_silence(np.ones(9), RATE, padding_seconds=-1.0)


@pytest.mark.parametrize(("below", "counts"), [(15.5, True), (14.0, True), (16.3, False)])
def test_speech_counts_down_to_15_9_db_below_its_mean(below: float, counts: bool) -> None:
    """ITU-T P.56: a margin of 15.9 dB."""
    share = 10 ** (-below / 10)
    quiet = 10 * np.log10(share / (2 - share))  # `below` dB below the mean power of it and 0 dB
    levels = np.array([0.0, quiet] * 20)
    mean = 10 * np.log10(np.mean(10 ** (levels / 10)))
    assert mean - quiet == pytest.approx(below)
    assert gated_level(levels) == pytest.approx(mean if counts else 0.0)
