"""The commands `import-checkpoint` and `inspect`."""

import json
import os
from pathlib import Path

import pytest
import torch

from glowvox.checkpoint.model_folder import load_model
from glowvox.cli.main import main

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CHECKPOINT = GOLDEN / "waveglow_tiny.official.pt"


def test_import_then_inspect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "models" / "tiny"
    assert main(["import-checkpoint", str(CHECKPOINT), "-o", str(folder)]) == 0
    printed = capsys.readouterr().out
    for piece in ("waveglow, 212,780 parameters", "pickled module glow.WaveGlow", "folded away", "1,234", "n_flows 4"):
        assert piece in printed
    load_model(folder)
    assert main(["inspect", str(folder)]) == 0
    printed = capsys.readouterr().out
    for piece in ("waveglow, 212,780 parameters", "1,234", "sample_rate", "22050", "fingerprint", "waveglow_tiny"):
        assert piece in printed
    assert main(["inspect", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["type"], found["steps"], found["parameters"]) == ("model", "waveglow", 1234, 212780)
    assert found["config"]["n_flows"] == 4 and found["mel"]["n_mels"] == 8


def test_import_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-checkpoint", str(CHECKPOINT), "-o", str(tmp_path / "m"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["weight_norm"] is True and found["config"]["n_channels"] == 32 and found["parameters"] == 212780


@pytest.mark.parametrize("name", ["waveglow_tiny", "waveglow_12flows"])
@pytest.mark.parametrize("suffix", ["official.pt", "weights.safetensors"])
def test_inspect_foreign_files(capsys: pytest.CaptureFixture[str], name: str, suffix: str) -> None:
    assert main(["inspect", str(GOLDEN / f"{name}.{suffix}"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    sizes = json.loads((GOLDEN / f"{name}.json").read_text())["waveglow_config"]
    assert (found["kind"], found["type"]) == ("foreign", "waveglow")
    assert found["config"]["n_flows"] == sizes["n_flows"]
    assert found["config"]["n_channels"] == sizes["WN_config"]["n_channels"]
    assert ("weight normalisation on" in found["layout"]) == (name == "waveglow_tiny")


def test_nothing_is_overwritten_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "m"
    assert main(["import-checkpoint", str(CHECKPOINT), "-o", str(folder)]) == 0
    before = (folder / "model.safetensors").stat().st_mtime_ns
    capsys.readouterr()
    assert main(["import-checkpoint", str(CHECKPOINT), "-o", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "exists already" in error and error.count("\n") == 1
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    assert main(["import-checkpoint", str(GOLDEN / "waveglow_12flows.official.pt"), "-o", str(folder), "--force"]) == 0
    assert load_model(folder).config.n_flows == 12


class _Runs:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("command", ["import-checkpoint", "inspect"])
def test_hostile_files_get_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    path, canary = tmp_path / "evil.pt", tmp_path / "canary"
    torch.save({"model": _Runs(f"touch {canary}")}, path)
    output = ["-o", str(tmp_path / "m")] if command == "import-checkpoint" else []
    assert main([command, str(path), *output]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("reading ")]
    assert len(lines) == 1 and "hostile" in lines[0] and "system" in lines[0]
    assert not canary.exists() and not (tmp_path / "m").exists()


def test_no_traceback_for_anything_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.pt").write_bytes(b"x" * 100)
    (tmp_path / "best").write_bytes(b"../..")
    for path in (tmp_path / "absent", tmp_path / "x.pt", tmp_path, tmp_path / "best"):
        assert main(["inspect", str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
