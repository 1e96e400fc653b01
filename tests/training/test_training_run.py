"""Whole runs on tiny models: exact resuming, pointers, warm starts, stopping, refusals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_runs import acoustic_preset, vocoder_preset

from glowvox.checkpoint.model_folder import load_model
from glowvox.cli.main import main
from glowvox.config.preset import load_preset
from glowvox.errors import CheckpointError, ConfigError, TrainingError
from glowvox.models.registry import build
from glowvox.training.acoustic import train_acoustic
from glowvox.training.loop import Trainer
from glowvox.training.run_folder import RunFolder, TrainingState
from glowvox.training.start import StartOptions, choose_device, finished_steps, read_run_preset, set_threads
from glowvox.training.vocoder import train_vocoder


def options(run: Path, **settings: object) -> StartOptions:
    return StartOptions(run, device="cpu", tensorboard=False, **settings)


def state(run: Path, step: int) -> dict[str, torch.Tensor]:
    return load_file(run / "checkpoints" / f"{step:06d}" / "training.safetensors")


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def test_vocoder_resumes_bit_for_bit(prepared: Path, tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert train_vocoder(vocoder_preset(), [prepared], options(whole)) == 20
    stopped = vocoder_preset(training={"checkpoint_every": 10, "max_minutes": 1e-9})
    resumed = vocoder_preset(training={"checkpoint_every": 10})
    train_vocoder(stopped, [prepared], options(halves))  # the time limit stops it before the first step
    for _ in range(2):
        train_vocoder(resumed, [prepared], options(halves, resume=True))
        resumed = vocoder_preset()
    assert_same(state(whole, 20), state(halves, 20))


def test_vocoder_stopped_at_ten_of_twenty(prepared: Path, tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    train_vocoder(vocoder_preset(training={"checkpoint_every": 10}), [prepared], options(whole))
    train_vocoder(vocoder_preset(training={"checkpoint_every": 10}), [prepared], options(halves))
    (halves / "last").write_text("checkpoints/000010\n")  # as if the machine had failed after step 10
    train_vocoder(vocoder_preset(training={"checkpoint_every": 10}), [prepared], options(halves, resume=True))
    assert_same(state(whole, 20), state(halves, 20))


def test_run_writes_config_metrics_pointers_and_a_loadable_model(prepared: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train_vocoder(vocoder_preset(), [prepared], options(run))
    assert load_preset(str(run / "config.toml")) == vocoder_preset()
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    kinds = {line["kind"] for line in lines}
    assert kinds == {"train", "validation"}
    last = [line for line in lines if line["kind"] == "validation"][-1]
    assert {"nats_per_sample", "bits_per_sample", "log_mel_distance"} <= last.keys()
    assert (run / "last").read_text() == (run / "best").read_text() == "checkpoints/000020\n"
    model = load_model(run)
    average = {name.removeprefix("average."): value for name, value in state(run, 20).items() if "average." in name}
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, average[name])


def test_checkpoints_are_bounded(prepared: Path, tmp_path: Path) -> None:
    train_vocoder(
        vocoder_preset(training={"checkpoint_every": 2, "keep_checkpoints": 2}), [prepared], options(tmp_path / "run")
    )
    run = tmp_path / "run"
    best = (run / "best").read_text().strip()
    kept = {f"checkpoints/{path.name}" for path in (run / "checkpoints").iterdir()}
    assert kept == {"checkpoints/000018", "checkpoints/000020", best}


def test_acoustic_run_learns_its_vocabulary_and_resumes(prepared: Path, tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    preset = acoustic_preset(training={"checkpoint_every": 2})
    assert train_acoustic(preset, [prepared], options(whole)) == 4
    train_acoustic(preset, [prepared], options(halves))
    (halves / "last").write_text("checkpoints/000002\n")
    train_acoustic(preset, [prepared], options(halves, resume=True))
    assert_same(state(whole, 4), state(halves, 4))
    card = json.loads((whole / "checkpoints" / "000004" / "config.json").read_text())
    assert card["provenance"]["text"]["speakers"] == ["buzz"]
    assert card["model"]["n_symbols"] == len(card["provenance"]["text"]["tokenizer"]["symbols"])


def test_init_from_takes_weights_only_and_says_what_it_skipped(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parent, child = tmp_path / "parent", tmp_path / "child"
    train_vocoder(vocoder_preset(), [prepared], options(parent))
    wider = vocoder_preset(waveglow={"encoder_channels": 16}, training={"max_minutes": 1e-9})
    train_vocoder(wider, [prepared], options(child, init_from=parent))
    assert "of another shape" in capsys.readouterr().err
    mine, theirs = state(child, 0), dict(load_model(parent).named_parameters())
    name = "steps.0.convolution.weight"
    assert torch.equal(mine[f"model.{name}"], theirs[name])
    assert bool(mine["model.steps.0.actnorm.initialised"])


def test_another_voice_is_learned_by_the_pitch_predictor_first(prepared: Path, tmp_path: Path) -> None:
    parent, child = tmp_path / "parent", tmp_path / "child"
    tiny = {"waveglow": {"harmonic": True, "n_group": 256}, "training": {"max_minutes": 1e-9}}
    train_vocoder(vocoder_preset(**tiny), [prepared], options(parent))
    train_vocoder(vocoder_preset(**tiny), [prepared], options(child, init_from=parent))
    before, after = dict(load_model(parent).named_parameters()), dict(load_model(child).named_parameters())
    learned = {name for name in before if not torch.equal(before[name], after[name])}
    assert learned == {name for name in before if name.startswith("pitch.")}
    kept = vocoder_preset(**tiny, vocoder_training={"pitch_steps": 0})
    train_vocoder(kept, [prepared], options(tmp_path / "kept", init_from=parent))
    assert all(torch.equal(value, before[name]) for name, value in load_model(tmp_path / "kept").named_parameters())
    with pytest.raises(TrainingError, match="learned nothing yet"):
        train_vocoder(kept, [prepared], options(tmp_path / "none"))
    train_vocoder(vocoder_preset(**tiny), [prepared], options(child, resume=True))
    assert all(torch.equal(value, after[name]) for name, value in load_model(child).named_parameters())


def test_sigterm_saves(prepared: Path, tmp_path: Path) -> None:
    preset = tmp_path / "preset.toml"
    run = tmp_path / "run"
    import tomli_w

    from glowvox.config.preset import preset_tables

    preset.write_text(tomli_w.dumps(preset_tables(vocoder_preset(training={"steps": 100000, "log_every": 1}))))
    command = [sys.executable, "-m", "glowvox", "train", "vocoder", "--preset", str(preset), "--data", str(prepared)]
    command += ["--run", str(run), "--no-tensorboard", "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    assert "step 1/" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert (run / (run / "last").read_text().strip() / "training.safetensors").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no signals between processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_start_that_is_stopped_is_one_line_and_goes_on(prepared: Path, tmp_path: Path, number: int) -> None:
    import tomli_w

    from glowvox.config.preset import preset_tables

    preset, run = tmp_path / "preset.toml", tmp_path / "run"
    slow = vocoder_preset(waveglow={"harmonic": True, "n_group": 256}, vocoder_training={"pitch_steps": 100000})
    preset.write_text(tomli_w.dumps(preset_tables(slow)))
    command = [sys.executable, "-m", "glowvox", "train", "vocoder", "--preset", str(preset), "--data", str(prepared)]
    command += ["--run", str(run), "--no-tensorboard", "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (run / "config.toml").is_file() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(number)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopped before the first step; go on with the same command and --resume" in told
    assert "Traceback" not in told
    assert read_run_preset("waveglow", None, run, [], resume=True) == slow


def test_a_second_signal_does_not_lose_the_checkpoint_of_the_first(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate, run = Trainer._validate, tmp_path / "run"

    def interrupted(self: Trainer) -> None:
        handler = signal.getsignal(signal.SIGINT)
        assert callable(handler)
        handler(signal.SIGINT, None)  # a real signal would end a worker of the tests
        validate(self)

    monkeypatch.setattr(Trainer, "_validate", interrupted)
    settings = {"max_minutes": 1e-9}
    done = train_vocoder(vocoder_preset(training=settings), [prepared], options(run))
    assert (run / "checkpoints" / f"{done:06d}" / "training.safetensors").is_file()


def test_a_checkpoint_is_there_until_its_successor_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, model = RunFolder(tmp_path), build(vocoder_preset().waveglow)
    folder.save(7, model, TrainingState({}, {"step": 7}), keep=1, provenance={})
    moved = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".tmp"):
            raise OSError(28, "No space left on device")
        return moved(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(TrainingError, match=r"cannot be written.*No space left.*--resume"):
        folder.save(7, model, TrainingState({}, {"step": 8}), keep=1, provenance={})
    assert folder.load().numbers == {"step": 7}


def test_bad_starts_are_refused(prepared: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(TrainingError, match="no checkpoint to resume"):
        train_vocoder(vocoder_preset(), [prepared], options(run, resume=True))
    train_vocoder(vocoder_preset(training={"max_minutes": 1e-9}), [prepared], options(run))
    with pytest.raises(TrainingError, match="holds a run already"):
        train_vocoder(vocoder_preset(), [prepared], options(run))
    with pytest.raises(CheckpointError, match="another model"):
        train_vocoder(vocoder_preset(waveglow={"n_channels": 12}), [prepared], options(run, resume=True))
    (run / "checkpoints" / "000000" / "training.json").write_text("{")
    with pytest.raises(CheckpointError, match="cannot be resumed"):
        train_vocoder(vocoder_preset(), [prepared], options(run, resume=True))
    with pytest.raises(TrainingError, match="no device"):
        choose_device("nonsense")
    with pytest.raises(TrainingError, match="negative"):
        set_threads(-1)
    with pytest.raises(ConfigError, match="describes a waveglow"):
        read_run_preset("glow_tts", "waveglow-256", run, [], resume=False)
    with pytest.raises(ConfigError, match="name a preset"):
        read_run_preset("waveglow", None, run, [], resume=False)
    preset = read_run_preset("waveglow", "waveglow-256", run, ["training.steps=7"], resume=False)
    assert preset.training.steps == 7


def test_a_run_stopped_before_its_first_checkpoint_is_resumed(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, whole, stopped = tmp_path / "start", tmp_path / "whole", tmp_path / "stopped"
    train_vocoder(vocoder_preset(training={"steps": 2, "validate_every": 2}), [prepared], options(start))
    train_vocoder(vocoder_preset(), [prepared], options(whole, init_from=start))

    def ctrl_c(*arguments: object, **settings: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("glowvox.training.vocoder.VocoderTask", ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            train_vocoder(vocoder_preset(), [prepared], options(stopped, init_from=start))
    preset = read_run_preset("waveglow", None, stopped, [], resume=True)
    assert preset == vocoder_preset()
    assert finished_steps(preset, options(stopped, resume=True)) is None
    assert train_vocoder(preset, [prepared], options(stopped, resume=True)) == 20
    assert_same(state(whole, 20), state(stopped, 20))
    assert finished_steps(preset, options(stopped, resume=True)) == 20


def test_a_run_that_was_never_begun_is_not_resumed(prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no checkpoint to resume"):
        train_vocoder(vocoder_preset(), [prepared], options(tmp_path / "run", resume=True))


def test_resuming_a_finished_run_says_so_and_what_comes_next(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    train_vocoder(vocoder_preset(), [prepared], options(run))
    capsys.readouterr()
    before = (run / "metrics.jsonl").read_bytes()
    assert main(["train", "vocoder", "--data", str(prepared), "--run", str(run), "--resume"]) == 0
    said = capsys.readouterr().out
    assert "the run is finished, 20 of 20 steps" in said
    assert "next: glowvox evaluate vocoder" in said
    assert (run / "metrics.jsonl").read_bytes() == before
    more = ["--resume", "--set", "training.steps=22", "--device", "cpu"]
    assert main(["train", "vocoder", "--data", str(prepared), "--run", str(run), *more]) == 0
    assert (run / "last").read_text() == "checkpoints/000022\n"


def test_training_speaks_from_its_first_step(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began: list[str] = []

    def begins(what: str, counted: str) -> Callable[[int, int], None]:
        began.append(f"{what}: {counted}")
        return lambda done, total: None

    preset = acoustic_preset(training={"log_every": 100}, glow_tts={"melody": True})
    assert train_acoustic(preset, [prepared], options(tmp_path / "run", begins=begins)) == 4
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("step 1/4  loss ")
    assert "remaining" in lines[0]
    assert began == [
        "reading the texts: clips",
        "finding the pitch in the recordings: seconds of speech searched for the pitch",
        "learning the pitch: steps of learning the pitch",
    ]
