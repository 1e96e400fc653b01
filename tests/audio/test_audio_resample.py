"""Resampling: frequencies and levels stay, streams equal the whole."""

import numpy as np
import pytest

from glowvox.audio.files import StreamingResampler, resample
from glowvox.errors import AudioError

RATES = [(22050, 24000), (24000, 22050), (48000, 16000), (8000, 44100), (22050, 22050)]


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_tone_stays_a_tone(source, target):
    tone = np.sin(2 * np.pi * 1000 * np.arange(source) / source).astype(np.float32)
    result = resample(tone, source, target)
    assert result.dtype == np.float32
    assert len(result) == target
    expected = np.sin(2 * np.pi * 1000 * np.arange(target) / target)
    middle = slice(target // 10, -target // 10)
    np.testing.assert_allclose(result[middle], expected[middle], atol=1e-3)


@pytest.mark.parametrize(("source", "target"), RATES)
@pytest.mark.parametrize("seed", range(3))
def test_a_stream_equals_the_whole(synthetic_voice, source, target, seed):
    rng = np.random.default_rng(seed)
    samples = synthetic_voice(1.0, source)
    stream, pieces, place = StreamingResampler(source, target), [], 0
    while place < len(samples):
        size = int(rng.integers(0, 3000))
        pieces.append(stream.push(samples[place : place + size]))
        place += size
    joined = np.concatenate([*pieces, stream.finish()])
    np.testing.assert_allclose(joined, resample(samples, source, target), atol=1e-6)
    with pytest.raises(AudioError, match="finished"):
        stream.push(samples)


@pytest.mark.parametrize("rates", [(0, 22050), (22050, -1), (22050, 10**9), (22050, 16000.5), (22050, True)])
def test_bad_rates(rates):
    with pytest.raises(AudioError, match="sample rate"):
        resample(np.zeros(10), *rates)
    with pytest.raises(AudioError, match="sample rate"):
        StreamingResampler(*rates)


def test_bad_samples():
    with pytest.raises(AudioError, match="NaN"):
        resample(np.full(10, np.nan), 22050, 16000)
    with pytest.raises(AudioError, match="no samples"):
        resample(np.zeros(0), 22050, 16000)
    with pytest.raises(AudioError, match="NaN"):
        StreamingResampler(22050, 16000).push(np.full(10, np.nan))
