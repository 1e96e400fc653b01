"""The mel transform against librosa, on synthetic and on real speech, under several contracts."""

import tracemalloc
from dataclasses import replace

import librosa
import numpy as np
import pytest

from glowvox.audio.files import read_audio
from glowvox.audio.mel import MelTransform, mel_filterbank, mel_to_linear
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError, MelError

DEFAULT = AudioConfig()
CONTRACTS = {
    "default": DEFAULT,
    "8 kHz": AudioConfig(sample_rate=8000, n_fft=512, hop_length=128, win_length=400, n_mels=40, f_max=4000.0),
    "16 kHz htk": AudioConfig(
        sample_rate=16000, n_fft=800, hop_length=200, win_length=800, f_min=60.0, f_max=7600.0, mel_scale="htk"
    ),
    "power, htk, db": AudioConfig(mel_scale="htk", mel_norm="none", power=2.0, log="db", floor=1e-10),
    "log10, normalised": AudioConfig(log="log10", mean=-2.5, std=1.5, pad_mode="constant"),
    "48 kHz, not centred": AudioConfig(
        sample_rate=48000, n_fft=2048, hop_length=512, win_length=2048, n_mels=128, f_max=24000.0, center=False
    ),
}


def librosa_mel(samples, config):
    energy = librosa.feature.melspectrogram(
        y=samples,
        sr=config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        win_length=config.win_length,
        center=config.center,
        pad_mode=config.pad_mode,
        power=config.power,
        n_mels=config.n_mels,
        fmin=config.f_min,
        fmax=config.f_max,
        htk=config.mel_scale == "htk",
        norm="slaney" if config.mel_norm == "slaney" else None,
    )
    energy = np.maximum(energy, config.floor)
    logarithm = {"ln": np.log, "log10": np.log10, "db": lambda value: 20 * np.log10(value)}[config.log]
    return (logarithm(energy) - config.mean) / config.std


@pytest.mark.parametrize("name", CONTRACTS)
def test_filters_equal_librosa(name):
    config = CONTRACTS[name]
    theirs = librosa.filters.mel(
        sr=config.sample_rate,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.f_min,
        fmax=config.f_max,
        htk=config.mel_scale == "htk",
        norm="slaney" if config.mel_norm == "slaney" else None,
        dtype=np.float64,
    )
    np.testing.assert_allclose(mel_filterbank(config), theirs, atol=1e-12)


@pytest.mark.parametrize("name", CONTRACTS)
def test_equals_librosa_on_a_synthetic_voice(name, synthetic_voice):
    config = CONTRACTS[name]
    samples = synthetic_voice(1.0, config.sample_rate)
    mel = MelTransform(config)(samples)
    assert mel.dtype == np.float32
    np.testing.assert_allclose(mel, librosa_mel(samples, config), atol=1e-4)


def test_equals_librosa_on_recordings(shared):
    clips = [*sorted((shared / "speech/kathleen/wavs").iterdir())[::500]]
    clips += [*sorted((shared / "speech/ljspeech-sample/wavs").iterdir())[:2]]
    assert len(clips) > 4
    for clip in clips:
        samples, rate = read_audio(clip)
        assert rate == 22050
        difference = np.abs(MelTransform(DEFAULT)(samples) - librosa_mel(samples, DEFAULT)).max()
        assert difference < 1e-4, clip.name


@pytest.mark.parametrize("length", [513, 22050, 22015, 22016, 22017])
def test_frames(length, synthetic_voice):
    samples = synthetic_voice(1.0)[:length]
    mel = MelTransform(DEFAULT)(samples)
    assert mel.shape == (80, 1 + length // 256)
    assert MelTransform(DEFAULT).frame_count(length) == mel.shape[1]


def test_a_batch_is_its_rows(synthetic_voice):
    batch = np.stack([synthetic_voice(0.5, seed=seed) for seed in range(3)])
    transform = MelTransform(DEFAULT)
    mel = transform(batch)
    assert mel.shape == (3, 80, 44)
    for row, alone in zip(mel, batch, strict=True):
        np.testing.assert_allclose(row, transform(alone), atol=1e-5)


def test_silence_is_the_floor():
    np.testing.assert_allclose(MelTransform(DEFAULT)(np.zeros(4096)), np.log(1e-5), rtol=1e-6)


def test_memory_is_that_of_the_result():
    samples = np.random.default_rng(0).standard_normal(22050 * 120).astype(np.float32)
    transform = MelTransform(DEFAULT)
    tracemalloc.start()
    transform(samples)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    whole_spectrum = 513 * (1 + len(samples) // 256) * 16
    assert peak < whole_spectrum * 0.9


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(512), "too short"),
        (np.zeros(0), "no samples"),
        (np.full(2000, np.nan), "NaN"),
        (np.r_[np.zeros(2000), np.inf], r"1 samples are NaN or infinite, the first at \[2000\]"),
        (np.zeros((1, 1, 2000)), r"\[1, 1, 2000\]"),
        (np.float32(1.0), "shape"),
        (np.zeros(2000, np.int16), "int16"),
        (np.zeros(2000, complex), "complex"),
        ("hello", "floating-point"),
    ],
)
def test_bad_samples(samples, message):
    with pytest.raises(AudioError, match=message):
        MelTransform(DEFAULT)(samples)


@pytest.mark.parametrize("name", CONTRACTS)
def test_mel_to_linear_has_that_mel(name, synthetic_voice):
    config = CONTRACTS[name]
    mel = MelTransform(config)(synthetic_voice(1.0, config.sample_rate))
    spectrum = mel_to_linear(mel, config)
    assert spectrum.shape == (config.n_fft // 2 + 1, mel.shape[1])
    assert spectrum.min() >= 0
    wanted = 10 ** (mel * config.std + config.mean) if config.log == "log10" else None
    if config.log == "ln":
        wanted = np.exp(mel)
    elif config.log == "db":
        wanted = 10 ** (mel / 20)
    energy = mel_filterbank(config) @ spectrum.astype(float) ** config.power
    assert np.linalg.norm(energy - wanted) < 0.03 * np.linalg.norm(wanted)


@pytest.mark.parametrize(
    ("mel", "message"),
    [
        (np.zeros((40, 80), np.float32), "transposed"),
        (np.zeros((40, 70), np.float32), "40 bins, the contract 80"),
        (np.zeros((80, 0), np.float32), "no frames"),
        (np.zeros(80, np.float32), "shape"),
        (np.full((80, 3), np.nan), "NaN"),
        (np.full((80, 3), 1000.0), "too large"),
        (np.zeros((80, 3), int), "int"),
    ],
)
def test_mel_to_linear_refuses(mel, message):
    with pytest.raises(MelError, match=message):
        mel_to_linear(mel, DEFAULT)


def test_two_contracts_do_not_share_filters():
    assert not np.allclose(mel_filterbank(DEFAULT), mel_filterbank(replace(DEFAULT, f_max=7000.0)))


@pytest.mark.parametrize("length", [2048, 2049, 2303, 2304])
@pytest.mark.parametrize("center", [True, False])
def test_whole_frames_are_what_a_vocoder_takes(length, center):
    config = AudioConfig(center=center)
    signal = np.random.default_rng(0).normal(0, 0.1, (2, length)).astype(np.float32)
    samples, mel = MelTransform(config).whole_frames(signal)
    assert samples.shape == (2, mel.shape[2] * config.hop_length)
    assert mel.shape[1] == config.n_mels
    np.testing.assert_array_equal(samples, signal[:, : samples.shape[1]])
    if center:
        assert mel.shape[2] == length // config.hop_length
    alone, mel_alone = MelTransform(config).whole_frames(signal[1])
    np.testing.assert_array_equal(alone, samples[1])
    np.testing.assert_allclose(mel_alone, mel[1], atol=1e-6)
