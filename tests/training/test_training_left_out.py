"""Clips that training never sees are counted, once for all processes, and not dropped silently."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file
from tiny_runs import acoustic_preset, vocoder_preset

from glowvox.training.acoustic import train_acoustic
from glowvox.training.loop import Processes
from glowvox.training.start import StartOptions, say_left_out
from glowvox.training.vocoder import train_vocoder


def options(run: Path) -> StartOptions:
    return StartOptions(run, device="cpu", tensorboard=False)


@pytest.fixture
def uneven(prepared: Path, tmp_path: Path) -> Path:
    """The data set, its first clip cut to 100 frames; the others have 137."""
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    first, *others = map(json.loads, (folder / "train.jsonl").read_text().splitlines())
    assert {row["frames"] for row in others} == {137}
    arrays = load_file(folder / first["file"])
    cut = {"samples": arrays["samples"][:25600].copy(), "mel": arrays["mel"][:, :100].copy()}
    save_file(cut, folder / first["file"])
    rows = [{**first, "frames": 100, "samples": 25600}, *others]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_clips_shorter_than_a_segment(uneven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = {"training": {"max_minutes": 1e-9}, "vocoder_training": {"segment_frames": 101}}
    train_vocoder(vocoder_preset(**short), [uneven], options(tmp_path / "run"))
    assert "1 training clips are left out: shorter than a segment of 101 mel frames" in capsys.readouterr().err
    whole = {"training": {"max_minutes": 1e-9}, "vocoder_training": {"segment_frames": 100}}
    train_vocoder(vocoder_preset(**whole), [uneven], options(tmp_path / "other"))
    assert "left out" not in capsys.readouterr().err


def test_clips_longer_than_a_batch(uneven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    preset = acoustic_preset(training={"max_minutes": 1e-9}, acoustic_training={"frames_per_batch": 136})
    train_acoustic(preset, [uneven], options(tmp_path / "run"))
    assert "2 training clips are left out: longer than a batch of 136 mel frames" in capsys.readouterr().err


def test_it_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    say_left_out(0, "nothing", Processes())
    say_left_out(3, "too loud", Processes(rank=1, count=2))
    assert capsys.readouterr().err == ""
    say_left_out(3, "too loud", Processes(rank=0, count=2))
    assert capsys.readouterr().err == "3 training clips are left out: too loud\n"
