"""Griffin-Lim gives a waveform whose mel is the one asked for."""

import numpy as np
import pytest

from glowvox.audio.files import read_audio, resample
from glowvox.audio.griffin_lim import griffin_lim
from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig
from glowvox.errors import MelError

CONTRACTS = [
    AudioConfig(),
    AudioConfig(sample_rate=16000, n_fft=800, hop_length=200, win_length=640, f_max=7600.0, log="db", mean=-40, std=20),
    AudioConfig(center=False, power=2.0, mel_scale="htk", mel_norm="none"),
]


@pytest.mark.parametrize("config", CONTRACTS)
def test_the_mel_comes_back(config, synthetic_voice):
    transform = MelTransform(config)
    mel = transform(synthetic_voice(1.0, config.sample_rate))
    errors = []
    for iterations in (0, 30):
        samples = griffin_lim(mel, config, iterations=iterations)
        assert samples.dtype == np.float32
        assert len(samples) == mel.shape[1] * config.hop_length
        again = transform(samples)[:, : mel.shape[1]]
        errors.append(np.abs(again - mel[:, : again.shape[1]]).mean())
    assert errors[1] < 0.5 * errors[0]


def test_seed_and_length(synthetic_voice):
    config = AudioConfig()
    mel = MelTransform(config)(synthetic_voice(0.3))
    first = griffin_lim(mel, config, iterations=3, length=6000)
    assert len(first) == 6000
    np.testing.assert_array_equal(first, griffin_lim(mel, config, iterations=3, length=6000))
    assert np.abs(first - griffin_lim(mel, config, iterations=3, seed=1, length=6000)).max() > 1e-3


def test_silence_stays_silent():
    samples = griffin_lim(np.full((80, 10), np.log(1e-5), np.float32), AudioConfig(), iterations=5)
    assert np.abs(samples).max() < 1e-3
    assert len(griffin_lim(np.zeros((80, 1), np.float32), AudioConfig())) == 256


def test_speech_quality(shared):
    pesq = pytest.importorskip("pesq").pesq
    config = AudioConfig()
    clips = sorted((shared / "speech/kathleen/wavs").iterdir())[100::500]
    scores = []
    for clip in clips:
        samples, _ = read_audio(clip)
        spoken = griffin_lim(MelTransform(config)(samples), config, length=len(samples))
        scores.append(pesq(16000, resample(samples, 22050, 16000), resample(spoken, 22050, 16000), "wb"))
    assert np.mean(scores) > 2.75, scores


@pytest.mark.parametrize(
    ("mel", "options", "message"),
    [
        (np.zeros((40, 80)), {}, "transposed"),
        (np.zeros(80), {}, "shape"),
        (np.full((80, 4), np.nan), {}, "NaN"),
        (np.broadcast_to(np.float32(0), (80, 300_000)), {}, "300000 frames"),
        (np.zeros((80, 4)), {"iterations": -1}, "iterations"),
        (np.zeros((80, 4)), {"momentum": 1.0}, "momentum"),
    ],
)
def test_refused(mel, options, message):
    with pytest.raises(MelError, match=message):
        griffin_lim(mel, AudioConfig(), **options)
