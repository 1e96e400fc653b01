"""`glowvox plot` draws recordings and mel files, and refuses the rest in one line."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch

from glowvox.audio.files import write_audio
from glowvox.checkpoint.model_folder import save_model
from glowvox.cli.main import main
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.models.waveglow import WaveGlow


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "in.flac"
    write_audio(path, (0.1 * np.random.default_rng(0).standard_normal(30000)).astype(np.float32), 22050)
    return path


def test_recording_with_and_without_a_model(recording: Path, tmp_path: Path, capsys) -> None:
    config = WaveGlowConfig(n_group=16, n_flows=2, n_channels=8, n_skip_channels=8, n_layers=1, conditioning="mel-rate")
    with torch.random.fork_rng(devices=[]):
        save_model(WaveGlow(config), tmp_path / "model")
    plain, full = tmp_path / "plain.png", tmp_path / "full.png"
    assert main(["plot", str(recording), "-o", str(plain)]) == 0
    assert main(["plot", str(recording), "-o", str(full), "--model", str(tmp_path / "model")]) == 0
    assert matplotlib.image.imread(full).shape[0] > matplotlib.image.imread(plain).shape[0]
    assert capsys.readouterr().out.split() == [str(plain), str(full)]


def test_mel_file(tmp_path: Path) -> None:
    np.save(tmp_path / "mel.npy", np.random.default_rng(0).normal(-5, 1, (80, 50)).astype(np.float32))
    assert main(["plot", str(tmp_path / "mel.npy"), "-o", str(tmp_path / "mel.svg")]) == 0
    assert "<svg" in (tmp_path / "mel.svg").read_text()


def test_a_stretch_of_a_long_recording(recording: Path, tmp_path: Path, capsys) -> None:
    assert main(["plot", str(recording), "-o", str(tmp_path / "p.png"), "--start", "0.5", "--seconds", "0.3"]) == 0
    assert "drawing 0.3 of 1.4 s" in capsys.readouterr().err


def test_more_seconds_than_there_are_is_all_of_them(recording: Path, tmp_path: Path, capsys) -> None:
    assert main(["plot", str(recording), "-o", str(tmp_path / "p.png"), "--seconds", "1e9"]) == 0
    np.save(tmp_path / "mel.npy", np.random.default_rng(0).normal(-5, 1, (80, 50)).astype(np.float32))
    assert main(["plot", str(tmp_path / "mel.npy"), "-o", str(tmp_path / "m.png"), "--seconds", "1e9"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{in}", "-o", "{tmp}/p.bmp"], "ends in .png"),
        (["{in}", "-o", "{tmp}/none/p.png"], "does not exist"),
        (["{tmp}/none.wav", "-o", "{tmp}/p.png"], "none.wav"),
        (["{in}", "-o", "{tmp}/p.png", "--start", "9"], "nothing to draw"),
        (["{in}", "-o", "{tmp}/p.png", "--start", "1e9"], "nothing to draw"),
        (["{in}", "-o", "{tmp}/p.png", "--seconds", "0"], "--seconds positive"),
        (["{in}", "-o", "{tmp}/p.png", "--model", "{tmp}/none"], "none"),
    ],
)
def test_mistakes_give_one_line(recording: Path, tmp_path: Path, capsys, words: list[str], message: str) -> None:
    assert main(["plot", *(word.format(**{"in": recording, "tmp": tmp_path}) for word in words)]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["in.flac"]
