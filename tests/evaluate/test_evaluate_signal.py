"""Tonal energy, pitch and signal checks on signals whose truth is known."""

import numpy as np
import pytest

from glowvox.audio.yin import PitchTrack, track_pitch
from glowvox.errors import AudioError
from glowvox.evaluate.distances import pitch_distance
from glowvox.evaluate.signal_checks import check_signal, tonal_energy

RATE = 22050


def _noise(seconds: float, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))


@pytest.mark.parametrize("group", [8, 16, 128, 256])
def test_noise_has_no_tones(group: int) -> None:
    energy = tonal_energy(_noise(4.0), RATE, group)
    assert len(energy.frequencies) == (group - 1) // 2
    assert abs(energy.mean) < 1.5


def test_a_tone_at_a_multiple_stands_out_and_one_beside_it_does_not() -> None:
    time = np.arange(4 * RATE) / RATE
    clean = _noise(4.0)
    on_line = tonal_energy(clean + 0.01 * np.sin(2 * np.pi * 2 * RATE / 8 * time), RATE, 8)
    assert on_line.frequencies == pytest.approx([RATE / 8, 2 * RATE / 8, 3 * RATE / 8])
    assert on_line.excess[1] == on_line.worst > 6.0
    assert abs(on_line.excess[0]) < 2.0
    assert tonal_energy(clean + 0.01 * np.sin(2 * np.pi * 2900.0 * time), RATE, 8).worst < 3.0


def test_the_edge_of_a_band_is_no_tone() -> None:
    spectrum = np.fft.rfft(_noise(4.0))
    spectrum[np.fft.rfftfreq(4 * RATE, 1 / RATE) > 2 * RATE / 8 + 1] = 0
    assert tonal_energy(np.fft.irfft(spectrum), RATE, 8).excess[1] < 2.0


def test_a_tone_counts_in_pauses_and_at_any_level() -> None:
    time = np.arange(4 * RATE) / RATE
    signal = _noise(4.0) * (np.sin(2 * np.pi * time) > 0) + 1e-3 * np.sin(2 * np.pi * RATE / 8 * time)
    signal += 1e-5 * _noise(4.0, 1)
    excess = tonal_energy(signal, RATE, 8).excess[0]
    assert excess > 10.0
    assert tonal_energy(signal * 100, RATE, 8).excess[0] == pytest.approx(excess)


@pytest.mark.parametrize(
    ("signal", "group", "message"),
    [
        (np.zeros(100000), 8, "silent"),
        (np.ones(100), 8, "needs 2048 samples"),
        (np.ones(100000), 2, "at least 3"),
        (np.full(100000, np.nan), 8, "finite"),
        (np.zeros((2, 100000)), 8, "finite samples"),
    ],
)
def test_tonal_energy_refuses(signal: np.ndarray, group: int, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        tonal_energy(signal, RATE, group)


def _voice(frequency: np.ndarray | float, seconds: float = 1.0) -> np.ndarray:
    """A glottal-like pulse train: twenty harmonics falling by 1/k."""
    steps = np.broadcast_to(np.asarray(frequency, dtype=np.float64), int(seconds * RATE))
    phase = 2 * np.pi * np.cumsum(steps) / RATE
    return 0.1 * sum(np.sin(k * phase + k) / k for k in range(1, 21))


@pytest.mark.parametrize("frequency", [70.0, 123.4, 220.0, 410.0])
def test_pitch_of_a_steady_voice(frequency: float) -> None:
    track = track_pitch(_voice(frequency), RATE)
    inner = track.frequency[5:-5]
    assert not np.isnan(inner).any()
    np.testing.assert_allclose(inner, frequency, rtol=0.005)
    np.testing.assert_allclose(track.span(), [frequency] * 3, rtol=0.01)


def test_pitch_follows_a_glide_within_a_hundredth() -> None:
    glide = np.linspace(120.0, 240.0, RATE)
    track = track_pitch(_voice(glide), RATE)
    expected = np.interp(track.times, np.arange(RATE) / RATE, glide)
    np.testing.assert_allclose(track.frequency[5:-8], expected[5:-8], rtol=0.03)


def test_noise_and_silence_are_unvoiced() -> None:
    assert track_pitch(np.zeros(RATE), RATE).span() is None
    assert np.mean(track_pitch(_noise(1.0), RATE).voiced) < 0.05


def test_pitch_does_not_depend_on_the_level() -> None:
    voice = np.concatenate([_voice(150.0), _noise(0.5)])
    quiet, loud = track_pitch(0.001 * voice, RATE), track_pitch(voice, RATE)
    np.testing.assert_allclose(quiet.frequency, loud.frequency)


def test_pitch_distance_in_cents() -> None:
    times = np.arange(4.0)
    first = PitchTrack(times, np.array([100.0, 100.0, np.nan, np.nan]))
    second = PitchTrack(times, np.array([200.0, np.nan, np.nan, 100.0]))
    distance = pitch_distance(first, second)
    assert distance.cents == pytest.approx(1200.0)
    assert distance.voicing_error == 0.5
    assert np.isnan(pitch_distance(first, PitchTrack(times, np.full(4, np.nan))).cents)
    with pytest.raises(AudioError, match="4 and 3 frames"):
        pitch_distance(first, PitchTrack(times[:3], second.frequency[:3]))


@pytest.mark.parametrize("kwargs", [{"f_min": 0.0}, {"f_max": 40.0}, {"f_max": 20000.0}, {"hop_length": 0}])
def test_pitch_refuses_an_impossible_range(kwargs: dict) -> None:
    with pytest.raises(AudioError, match="no pitch between"):
        track_pitch(np.zeros(1000), RATE, **kwargs)


def test_signal_check_measures_silence_and_level() -> None:
    speech = 0.5 * np.sign(_noise(1.0))
    signal = np.concatenate([np.zeros(RATE // 2), speech, np.zeros(2 * RATE), speech, np.zeros(RATE // 4)])
    check = check_signal(signal, RATE)
    assert check.duration == pytest.approx(4.75, abs=1e-3)
    assert check.leading_silence == pytest.approx(0.5, abs=0.021)
    assert check.trailing_silence == pytest.approx(0.25, abs=0.021)
    assert check.longest_pause == pytest.approx(2.0, abs=0.041)
    assert check.peak_db == pytest.approx(-6.02, abs=0.01)
    assert check.problems() == ["a silence of 2.0 s within speech"]
    assert check.problems(longest_pause=3.0) == []


def test_signal_check_finds_clipping_offset_and_values_that_are_no_numbers() -> None:
    clipped = np.clip(20.0 * _noise(1.0), -1.0, 1.0)
    clipped[:3] = [np.nan, np.inf, -np.inf]
    problems = check_signal(clipped, RATE).problems()
    assert problems[0] == "3 samples are not finite"
    assert "reach full scale" in problems[1]
    assert "offset of +0.200" in check_signal(0.2 + _noise(1.0), RATE).problems()[0]
    assert check_signal(np.zeros(RATE), RATE).problems() == ["silent throughout"]
    assert check_signal(_noise(1.0), RATE).problems() == []


@pytest.mark.parametrize("signal", [np.zeros(0), np.zeros((2, 5))])
def test_signal_check_refuses_what_is_no_signal(signal: np.ndarray) -> None:
    with pytest.raises(AudioError, match="expected samples"):
        check_signal(signal, RATE)
