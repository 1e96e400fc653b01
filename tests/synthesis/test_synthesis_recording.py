"""A recording in pieces gives the mel of the whole, at the level of the training data."""

import io
import os
import threading

import numpy as np
import pytest

from glowvox.audio.files import resample, write_audio
from glowvox.audio.loudness import active_speech_level, normalise_loudness
from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError, MelError
from glowvox.synthesis.recording import Recording, fit_mel

CONTRACT = AudioConfig()


@pytest.fixture
def recording(tmp_path):
    generator = np.random.default_rng(0)
    samples = (0.01 * generator.standard_normal(700_001)).astype(np.float32)
    write_audio(tmp_path / "in.wav", samples, 48_000, subtype="FLOAT")
    return tmp_path / "in.wav", samples


def test_mel_of_a_recording(recording):
    path, samples = recording
    at_rate = resample(samples, 48_000, 22_050)
    louder, gain = normalise_loudness(at_rate, 22_050, -23.0)
    found = Recording(path, CONTRACT)
    assert found.n_samples == len(at_rate)
    assert found.gain == pytest.approx(gain, rel=1e-4)
    assert found.level_db == pytest.approx(active_speech_level(at_rate, 22_050), abs=1e-3)
    mel = np.concatenate(list(found.mels()), 1)
    assert mel.shape[1] == found.n_frames
    np.testing.assert_allclose(mel, MelTransform(CONTRACT)(louder), atol=1e-3)
    own = Recording(path, CONTRACT, level_db=None)
    assert own.gain == 1.0
    np.testing.assert_allclose(np.concatenate(list(own.mels()), 1), MelTransform(CONTRACT)(at_rate), atol=1e-3)


def test_streams_and_pipes(recording, tmp_path):
    path, _ = recording
    wanted = np.concatenate(list(Recording(path, CONTRACT).mels()), 1)
    found = Recording(io.BytesIO(path.read_bytes()), CONTRACT)
    np.testing.assert_array_equal(np.concatenate(list(found.mels()), 1), wanted)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(path.read_bytes()))
    writer.start()
    found = Recording(pipe, CONTRACT)
    writer.join()
    np.testing.assert_array_equal(np.concatenate(list(found.mels()), 1), wanted)


def test_silence(tmp_path):
    write_audio(tmp_path / "silence.wav", np.zeros(5000, np.float32), 22_050)
    found = Recording(tmp_path / "silence.wav", CONTRACT)
    assert (found.level_db, found.gain) == (-np.inf, 1.0)
    assert np.concatenate(list(found.mels()), 1).max() == pytest.approx(np.log(1e-5))


def test_damage_is_named(tmp_path):
    (tmp_path / "text.wav").write_text("no audio")
    with pytest.raises(AudioError, match=r"text\.wav"):
        Recording(tmp_path / "text.wav", CONTRACT)
    with pytest.raises(AudioError, match=r"^cannot read the stream as audio: Error opening the stream: "):
        Recording(io.BytesIO(b"no audio"), CONTRACT)


def test_fitting_mels():
    mel = np.random.default_rng(0).normal(-5, 2, (80, 12)).astype(np.float32)
    assert fit_mel(mel, None, CONTRACT) is mel
    assert fit_mel(mel, CONTRACT, CONTRACT) is mel
    decibels = AudioConfig(log="db", mean=-40.0, std=20.0)
    there = fit_mel(mel, CONTRACT, decibels)
    np.testing.assert_allclose(there, (mel * 20 / np.log(10) + 40) / 20, atol=1e-5)
    np.testing.assert_allclose(fit_mel(there, decibels, CONTRACT), mel, atol=1e-4)
    with pytest.raises(MelError, match="sample_rate 16000 against 22050"):
        fit_mel(mel, AudioConfig(sample_rate=16_000), CONTRACT)
    with pytest.raises(MelError, match="beyond the range of float32"):
        fit_mel(np.full((80, 2), 3e38, np.float32), CONTRACT, AudioConfig(std=0.01))
