"""`glowvox evaluate vocoder`, from recordings to the report, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_voice import write_tiny_voice

from glowvox.audio.files import write_audio
from glowvox.checkpoint.model_folder import save_model
from glowvox.cli.main import main
from glowvox.config.audio import AudioConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.evaluate import vocoder
from glowvox.models.waveglow import WaveGlow
from glowvox.synthesis.options import VocoderOptions


def _model(folder: Path, **audio: object) -> Path:
    config = WaveGlowConfig(
        AudioConfig(**audio),
        n_group=16,
        n_flows=2,
        n_channels=8,
        n_skip_channels=8,
        n_layers=1,
        conditioning="mel-rate",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_model(WaveGlow(config), folder)
    return folder


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    noise = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        write_audio(folder / f"{name}.wav", (0.1 * noise.standard_normal(16000)).astype(np.float32), 22050)
        (folder / f"{name}.txt").write_text("some words", encoding="utf-8")
    return folder


def test_report_of_a_model_beside_griffin_lim(recordings: Path, tmp_path: Path, capsys) -> None:
    model, output = _model(tmp_path / "runs" / "mine" / "best"), tmp_path / "report"
    ids = tmp_path / "ids.txt"
    ids.write_text("# two of them\nc\n\na\n", encoding="utf-8")
    words = ["evaluate", "vocoder", str(model), "--data", str(recordings), "--ids", str(ids), "-o", str(output)]
    assert main([*words, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((output / "report.json").read_text())
    assert list(printed["systems"]) == ["natural speech", "Griffin-Lim", "mine/best"]
    assert [clip["id"] for clip in printed["clips"]] == ["c", "a"]
    assert "bits_per_dim" in printed["systems"]["mine/best"]
    assert "bits_per_dim" not in printed["systems"]["Griffin-Lim"]
    assert (output / "index.html").read_text().count("<audio") == 6
    assert main([*words, "--baselines"]) == 0
    shown = capsys.readouterr().out
    assert "mine/best" in shown and "Griffin-Lim" not in shown
    assert "index.html" in shown.splitlines()[-1]


def test_the_vocoder_inside_is_named_default(recordings: Path, tmp_path: Path, capsys) -> None:
    words = ["evaluate", "vocoder", "default", "--data", str(recordings), "--clips", "1", "--baselines"]
    assert main([*words, "--json", "-o", str(tmp_path / "report")]) == 0
    assert list(json.loads(capsys.readouterr().out)["systems"]) == ["natural speech", "default"]


def test_a_voices_vocoder_is_measured_as_the_voice_speaks(
    recordings: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    voice = write_tiny_voice(tmp_path / "tiny", tmp_path / "models")
    card = json.loads((voice / "voice.json").read_text("utf-8"))
    card["defaults"] |= {"sigma": 0.3, "denoise": 0.5, "refine": 2, "postfilter": 0.25}
    (voice / "voice.json").write_text(json.dumps(card), "utf-8")
    asked = []
    whole = vocoder.flow_vocoder
    monkeypatch.setattr(vocoder, "flow_vocoder", lambda model, options: asked.append(options) or whole(model, options))
    words = ["--data", str(recordings), "--clips", "1", "--baselines", "--json", "-o", str(tmp_path / "report")]
    for named in (voice, voice / "vocoder"):
        assert main(["evaluate", "vocoder", str(named), str(tmp_path / "models" / "vocoder"), *words]) == 0
        told = json.loads(capsys.readouterr().out)["settings"]
        assert told[f"Speaks {named.name}"] == (
            "noise of standard deviation 0.3, seed 0; 2 passes of refinement, postfilter 0.25, denoiser 0.5"
        )
    assert main(["evaluate", "vocoder", str(voice), *words, "--sigma", "0.8", "--seed", "7"]) == 0
    own, alone = VocoderOptions(0.3, 0.5, 2, 0.25), VocoderOptions(0.6, 0.0)
    assert asked == [own, alone, own, alone, VocoderOptions(0.8, 0.5, 2, 0.25, 7)]


def test_the_seed_decides_the_sample(recordings: Path, tmp_path: Path, capsys) -> None:
    model = _model(tmp_path / "model")
    distances = []
    for seed in ("1", "1", "2"):
        words = ["evaluate", "vocoder", str(model), "--data", str(recordings), "--clips", "1", "--baselines"]
        assert main([*words, "--seed", seed, "--sigma", "1", "-o", str(tmp_path / "report"), "--json"]) == 0
        distances.append(json.loads(capsys.readouterr().out)["systems"]["model"]["mel_l1"]["value"])
    assert distances[0] == distances[1] != distances[2]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--baselines"], "nothing to evaluate"),
        (["--sigma", "-1"], "must not be negative"),
        (["--clips", "0"], "at least 1"),
        (["--ids", "{tmp}/none.txt"], "cannot be read as a list of ids"),
        (["--ids", "{tmp}/empty.txt"], "names no clips"),
        (["--ids", "{tmp}/wrong.txt"], "no recording 'zebra'"),
        (["-o", "{tmp}/empty.txt"], "cannot be made"),
    ],
)
def test_mistakes_give_one_line(recordings: Path, tmp_path: Path, capsys, extra: list[str], message: str) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "wrong.txt").write_text("zebra\n")
    words = ["evaluate", "vocoder", "--data", str(recordings), "-o", str(tmp_path / "report")]
    assert main([*words, *(word.format(tmp=tmp_path) for word in extra)]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("subject", "extra", "message"),
    [
        ("vocoder", ["--sigma", "nan"], "--sigma: must be a number"),
        ("vocoder", ["--players", "-1"], "--players: must be a whole number of at least 0, got '-1'"),
        ("voice", ["--players", "-1"], "--players: must be a whole number of at least 0, got '-1'"),
        ("voice", ["--jobs", "0"], "--jobs: must be a whole number of at least 1, got '0'"),
        ("vocoder", ["--jobs", "two"], "--jobs: must be a whole number of at least 1, got 'two'"),
        ("vocoder", ["--threads", "-1"], "--threads: must be a whole number of at least 0, got '-1'"),
    ],
)
def test_impossible_numbers_are_refused(subject: str, extra: list[str], message: str, tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main(["evaluate", subject, "--data", str(tmp_path), "-o", str(tmp_path / "report"), *extra])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "report").exists()


def test_models_of_different_contracts_are_not_mixed(recordings: Path, tmp_path: Path, capsys) -> None:
    first, second = _model(tmp_path / "first"), _model(tmp_path / "second", f_max=7600.0)
    words = ["evaluate", "vocoder", str(first), str(second), "--data", str(recordings), "-o", str(tmp_path / "report")]
    assert main(words) == 2
    assert (
        "'second' has another mel contract than the first model: f_max 7600.0 against 8000.0" in capsys.readouterr().err
    )
