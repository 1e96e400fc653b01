import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowvox.audio.time_stretch import FASTEST, SLOWEST, TimeStretch, stretched
from glowvox.errors import AudioError

RATE = 16000


def _tone(seconds: float = 1.0, hertz: float = 150.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    harmonics = sum(np.sin(2 * np.pi * hertz * n * time) / n for n in (1, 2, 3))
    return (0.3 * harmonics).astype(np.float32)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.5, 2.0, 3.0, 4.0])
def test_the_pitch_stays_and_the_length_changes(factor):
    short = stretched(_tone(), RATE, factor)
    assert len(short) == round(RATE / factor)
    middle = short[len(short) // 4 : -len(short) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 1 << 16))
    assert np.argmax(spectrum) * RATE / (1 << 16) == pytest.approx(150, abs=2)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(np.sqrt(np.mean(_tone() ** 2)), rel=0.05)


def test_the_speed_of_nature_changes_nothing():
    assert np.array_equal(stretched(_tone(), RATE, 1.0), _tone())


@given(st.lists(st.integers(0, 900), max_size=30), st.sampled_from([0.6, 1.3, 2.0, 3.7]), st.integers(0, 9000))
@settings(deadline=None, max_examples=30)
def test_pieces_are_the_whole(sizes, factor, length):
    noise = np.random.default_rng(length).standard_normal(length).astype(np.float32)
    stream, made, place = TimeStretch(RATE, factor), [], 0
    for size in sizes:
        made.append(stream.push(noise[place : place + size]))
        place += size
    made += [stream.push(noise[place:]), stream.finish()]
    assert np.array_equal(np.concatenate(made), stretched(noise, RATE, factor))


@pytest.mark.parametrize("length", [0, 1, 5, 100, 177, 178, 400])
@pytest.mark.parametrize("factor", [SLOWEST, 0.9, 2.0, FASTEST])
def test_any_length_has_its_own(length, factor):
    assert len(stretched(np.ones(length, np.float32), RATE, factor)) == round(length / factor)


def test_a_click_stays_where_it_is():
    signal = np.zeros(RATE, np.float32)
    signal[8000:8040] = 0.5
    for factor in (0.5, 2.0):
        place = np.argmax(np.abs(stretched(signal, RATE, factor)))
        assert place / RATE == pytest.approx(0.5 / factor, abs=0.02)


def test_it_is_ready_early():
    stream = TimeStretch(RATE, 2.0)
    assert len(stream.push(_tone(0.25))) > 0.1 * RATE


@pytest.mark.parametrize("factor", [0.0, -1.0, 9.0, float("nan"), float("inf")])
def test_a_factor_out_of_range_is_refused(factor):
    with pytest.raises(AudioError):
        TimeStretch(RATE, factor)
