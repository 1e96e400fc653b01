"""What a run says, and that it can be read back."""

import json
from pathlib import Path

import numpy as np
import pytest

from glowvox.errors import TrainingError
from glowvox.training.run_folder import Progress, RunLog
from glowvox.training.start import StartOptions, continued, new_or_resumed, read_run_preset


def test_metrics_are_lines_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = RunLog(tmp_path, tensorboard=False)
    log.figures(3, "train", {"loss": 0.12345678})
    log.event(4, "something happened")
    log.audio(4, "nothing", np.zeros(10), 8000)
    log.close()
    first, second = (json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert (first["step"], first["kind"], first["loss"]) == (3, "train", 0.123457)
    assert second["message"] == "something happened"
    assert "step 4: something happened" in capsys.readouterr().err


def test_a_second_run_of_the_log_appends(tmp_path: Path) -> None:
    for step in (1, 2):
        log = RunLog(tmp_path, tensorboard=False)
        log.figures(step, "train", {"loss": 1.0})
        log.close()
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2


def test_tensorboard_holds_figures_sound_and_pictures(tmp_path: Path) -> None:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = RunLog(tmp_path)
    log.figures(5, "validation", {"nats_per_sample": -4.0})
    log.audio(5, "copy/clip", np.sin(np.arange(800) / 5).astype(np.float32) * 2, 8000)
    log.picture(5, "copy/clip/mel", np.random.default_rng(0).normal(size=(8, 12)))
    log.picture(5, "flat", np.zeros((2, 2)))
    log.close()
    events = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert tags["audio"] == ["copy/clip"]
    assert set(tags["images"]) == {"copy/clip/mel", "flat"}
    assert tags["scalars"] == ["validation/nats_per_sample"]


def test_silent_log_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = RunLog(None)
    log.figures(1, "train", {"loss": 1.0})
    log.event(1, "hidden")
    log.close()
    assert capsys.readouterr() == ("", "")


def test_progress_counts_all_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("glowvox.training.run_folder.time.monotonic", lambda: now[0])
    progress = Progress(100, 200)
    progress.add(30.0)
    now[0] = 60.0
    assert progress.minutes == 1.0
    assert progress.rate() == 0.5
    assert progress.remaining(109) == "9 min"  # ten steps took a minute, ninety are left
    limited = Progress(100, 200, max_minutes=3.0)
    now[0] = 120.0
    assert limited.remaining(109) == "2 min"  # the limit comes before the last step
    now[0] = 6000.0
    assert progress.remaining(109).endswith("h")


def test_two_processes_do_not_train_in_one_folder(tmp_path: Path) -> None:
    first = RunLog(tmp_path, tensorboard=False)
    with pytest.raises(TrainingError, match="another process is training in this folder; wait for it, stop it"):
        RunLog(tmp_path, tensorboard=False)
    first.figures(1, "train", {"loss": 1.0})
    first.close()
    RunLog(tmp_path, tensorboard=False).close()
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(TrainingError, match=r"metrics\.jsonl: cannot be written"):
        RunLog(tmp_path)


def test_a_run_that_is_not_there_is_not_made_by_resuming(tmp_path: Path) -> None:
    options = StartOptions(tmp_path / "no" / "run", resume=True)
    assert continued(options) == options
    with pytest.raises(TrainingError, match="no checkpoint to resume"):
        new_or_resumed(options)
    with pytest.raises(TrainingError, match="no run was begun there; mind the name"):
        read_run_preset("waveglow", None, options.run, [], resume=True)
    assert not (tmp_path / "no").exists()
