"""`glowvox mel` writes what the transform gives, under the contract asked for."""

import json

import numpy as np
import pytest

from glowvox.audio.files import resample, write_audio
from glowvox.audio.mel import MelTransform
from glowvox.audio.mel_file import read_mel
from glowvox.cli.main import main
from glowvox.config.audio import AudioConfig


@pytest.fixture
def recording(tmp_path):
    samples = (0.1 * np.random.default_rng(0).standard_normal(16000)).clip(-1, 1).astype(np.float32)
    path = tmp_path / "in.wav"
    write_audio(path, samples, 16000, subtype="FLOAT")
    return path, samples


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors"])
def test_default_contract(recording, tmp_path, capsys, suffix):
    path, samples = recording
    output = tmp_path / f"out{suffix}"
    assert main(["mel", str(path), "-o", str(output), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    mel, config = read_mel(output)
    np.testing.assert_allclose(mel, MelTransform(AudioConfig())(resample(samples, 16000, 22050)), atol=1e-5)
    assert told["frames"] == mel.shape[1] == 87
    assert told["fingerprint"] == AudioConfig().fingerprint()
    assert config == (None if suffix == ".npy" else AudioConfig())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.toml", "sample_rate = 16000\nhop_length = 200\n"),
        ("c.toml", "[audio]\nsample_rate = 16000\nhop_length = 200\n"),
        ("c.json", '{"sample_rate": 16000, "hop_length": 200}'),
        ("c.json", '{"audio": {"sample_rate": 16000, "hop_length": 200}}'),
    ],
)
def test_other_contracts(recording, tmp_path, capsys, name, text):
    (tmp_path / name).write_text(text)
    assert main(["mel", str(recording[0]), "-o", str(tmp_path / "o.npz"), "--config", str(tmp_path / name)]) == 0
    assert read_mel(tmp_path / "o.npz")[1] == AudioConfig(sample_rate=16000, hop_length=200)
    assert AudioConfig(sample_rate=16000, hop_length=200).fingerprint() in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.toml", "sample_rate = ", "is not TOML"),
        ("c.json", "{", "is not JSON"),
        ("c.json", "[3]", "expected a table"),
        ("c.json", '{"hop": 3}', "unknown setting 'hop'"),
        ("c.json", '{"f_max": 20000}', "f_max"),
        ("c.json", "[" * 100_000, "is not JSON"),
        ("none.json", None, "cannot read the contract"),
    ],
)
def test_bad_contracts(recording, tmp_path, capsys, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    assert main(["mel", str(recording[0]), "-o", str(tmp_path / "o.npz"), "--config", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_bad_files(recording, tmp_path, capsys):
    for source, target, message in [
        (recording[0], tmp_path / "o.txt", "ends in .npy"),
        (recording[0], tmp_path / "no/o.npy", "does not exist"),
        (tmp_path / "none.wav", tmp_path / "o.npy", "no file"),
    ]:
        assert main(["mel", str(source), "-o", str(target)]) == 2
        assert message in capsys.readouterr().err
    write_audio(tmp_path / "short.wav", np.zeros(100), 22050)
    assert main(["mel", str(tmp_path / "short.wav"), "-o", str(tmp_path / "o.npy")]) == 2
    assert "short.wav: the audio is too short" in capsys.readouterr().err
