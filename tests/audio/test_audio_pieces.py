"""What is measured and analysed in pieces is what the whole gives."""

import io

import numpy as np
import pytest

from glowvox.audio.files import audio_blocks, read_audio, write_audio
from glowvox.audio.loudness import LevelMeter, active_speech_level, normalise_loudness
from glowvox.audio.mel import MelStream, MelTransform
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError


def pieces_of(samples, seed, largest):
    generator, start = np.random.default_rng(seed), 0
    while start < len(samples):
        size = int(generator.integers(0, largest))
        yield samples[start : start + size]
        start += size


def bursts(count):
    generator = np.random.default_rng(0)
    envelope = np.repeat(generator.uniform(0, 0.3, count // 1000 + 1) ** 2, 1000)[:count]
    return (envelope * generator.standard_normal(count)).clip(-1, 1).astype(np.float32)


@pytest.mark.parametrize(
    "config",
    [
        AudioConfig(),
        AudioConfig(center=False),
        AudioConfig(pad_mode="constant", hop_length=300),
        AudioConfig(n_fft=400, win_length=400, hop_length=300, n_mels=20),
        AudioConfig(n_fft=256, win_length=256, hop_length=600, n_mels=20),
        AudioConfig(n_fft=401, win_length=401, hop_length=100, n_mels=20),
    ],
)
@pytest.mark.parametrize("count", [1, 200, 513, 1024, 1300, 20_011])
@pytest.mark.parametrize("largest", [3, 700, 9000])
def test_mel_of_pieces(config, count, largest):
    samples = bursts(count)
    stream = MelStream(config)

    def streamed():
        return np.concatenate([*[stream.push(piece) for piece in pieces_of(samples, 1, largest)], stream.finish()], 1)

    try:
        whole = MelTransform(config)(samples)
    except AudioError:
        with pytest.raises(AudioError, match="too short"):
            streamed()
        return
    np.testing.assert_allclose(streamed(), whole, atol=1e-5)


def test_mel_stream_ends():
    stream = MelStream(AudioConfig())
    stream.push(bursts(2000))
    stream.finish()
    for call in (stream.finish, lambda: stream.push(bursts(10))):
        with pytest.raises(AudioError, match="has ended"):
            call()
    with pytest.raises(AudioError, match="no samples"):
        MelStream(AudioConfig()).finish()
    with pytest.raises(AudioError, match="NaN"):
        MelStream(AudioConfig()).push(np.array([np.nan]))


@pytest.mark.parametrize("count", [1, 100, 551, 552, 771, 772, 50_000])
@pytest.mark.parametrize("largest", [3, 700, 9000])
@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_level_of_pieces(count, largest, rate):
    samples = bursts(count)
    meter = LevelMeter(rate)
    for piece in pieces_of(samples, 2, largest):
        meter.push(piece)
    assert meter.level() == pytest.approx(active_speech_level(samples, rate), abs=1e-6)
    assert meter.gain(-23.0) == pytest.approx(normalise_loudness(samples, rate, -23.0)[1], rel=1e-6)
    assert (meter.n_samples, meter.peak) == (count, np.abs(samples).max())


def test_silence_has_no_level():
    meter = LevelMeter(22050)
    assert (meter.level(), meter.gain(-23.0)) == (-np.inf, 1.0)
    meter.push(np.zeros(5000, np.float32))
    assert (meter.level(), meter.gain(-23.0)) == (-np.inf, 1.0)


def test_files_in_pieces(tmp_path):
    samples = bursts(300_000)
    path = tmp_path / "a.wav"
    write_audio(path, samples, 16000, subtype="FLOAT")
    for source in (path, io.BytesIO(path.read_bytes())):
        with audio_blocks(source) as (rate, blocks):
            found = list(blocks)
        assert rate == 16000
        assert len(found) > 1
        np.testing.assert_array_equal(np.concatenate(found), samples)
    np.testing.assert_array_equal(read_audio(path)[0], samples)


def test_what_comes_late_in_a_file_is_found(tmp_path):
    samples = bursts(300_000)
    samples[290_000] = np.nan
    import soundfile

    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    with (
        pytest.raises(AudioError, match=r"a\.wav, from sample 262144: 1 samples are NaN"),
        audio_blocks(tmp_path / "a.wav") as (_, blocks),
    ):
        list(blocks)
    with pytest.raises(AudioError, match="is a folder"), audio_blocks(tmp_path):
        pass
