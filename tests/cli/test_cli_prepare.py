"""The command `prepare`, as a user meets it."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from glowvox.cli import prepare
from glowvox.cli import progress as progress_module
from glowvox.cli.main import main
from glowvox.config.audio import AudioConfig
from glowvox.config.preset import load_preset
from glowvox.data import report as report_html
from glowvox.data.corpora import LAYOUTS
from glowvox.data.preparation import PrepareSettings, read_contract
from glowvox.data.prepared import PreparedData
from glowvox.errors import ConfigError


@pytest.fixture(autouse=True)
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no plots: they take most of the time."""
    monkeypatch.setattr(report_html, "can_plot", lambda: False)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    time = np.arange(22050) / 22050
    for n in range(3):
        tone = sum(np.sin(2 * np.pi * (110 + 10 * n) * k * time) / k for k in range(1, 12))
        soundfile.write(folder / f"{n}.flac", 0.1 * tone * np.sin(np.pi * time), 22050)
        (folder / f"{n}.txt").write_text(f"Sentence number {n}.")
    return folder


def test_the_summary_and_the_data(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (corpus / "bad.wav").write_bytes(b"no audio")
    (corpus / "bad.txt").write_text("Nobody said this.")
    assert main(["prepare", str(corpus), "-o", str(tmp_path / "data"), "--language", "de-de"]) == 0
    out = capsys.readouterr().out
    assert "train: 2 clips" in out
    assert "left out: unreadable: 1" in out
    assert "this data can support: 0 min" in out
    assert str(tmp_path / "data" / "report.html") in out
    assert PreparedData(tmp_path / "data").language == "de-de"


def test_json_on_standard_output_alone(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", str(corpus), "-o", str(tmp_path / "data"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "data" / "report.json").read_text())


def test_mistakes_give_one_line_and_status_2(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(tmp_path / "data")
    empty = tmp_path / "ids.txt"
    empty.write_text("\n")
    for words in (
        [str(tmp_path / "none"), "-o", data],
        [str(corpus), "-o", str(corpus)],
        [str(corpus), "-o", data, "--validation", "0.9"],
        [str(corpus), "-o", data, "--loudness", "1000"],
        [str(corpus), "-o", data, "--jobs", "0"],
        [str(corpus), "-o", data, "--contract", "no-such-preset"],
        [str(corpus), "-o", data, "--validation-ids", str(empty)],
        [str(corpus), "-o", data, "--validation-ids", str(tmp_path / "absent.txt")],
    ):
        assert main(["prepare", *words]) == 2
        error = capsys.readouterr().err
        assert error.startswith("glowvox prepare: ")
        assert error.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_contracts_are_read_from_what_holds_one(corpus: Path, tmp_path: Path) -> None:
    assert read_contract("lapped-base") == load_preset("lapped-base").waveglow.audio
    assert read_contract("glow-tts-base") == load_preset("glow-tts-base").glow_tts.audio
    own = tmp_path / "own.toml"
    own.write_text("sample_rate = 16000\nhop_length = 200\n")
    expected = AudioConfig(sample_rate=16000, hop_length=200)
    assert read_contract(str(own)) == expected
    assert main(["prepare", str(corpus), "-o", str(tmp_path / "data"), "--contract", str(own)]) == 0
    dataset = tmp_path / "data" / "dataset.json"
    assert read_contract(str(dataset)) == PreparedData(tmp_path / "data").audio == expected
    content = json.loads(dataset.read_text())
    content["audio"]["n_mels"] = 40
    for text, message in (
        (json.dumps(content), "fingerprint"),
        ("[]", "expected a JSON object"),
        ("{", "not a JSON file"),
        ('{"audio": 3}', "not a table"),
        ('{"hops": 3}', "unknown setting 'hops'"),
    ):
        dataset.write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_contract(str(dataset))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_contract(str(tmp_path / "absent.json"))


def test_defaults_are_those_of_the_settings() -> None:
    parser = argparse.ArgumentParser()
    prepare.add_arguments(parser)
    args, settings = parser.parse_args(["corpus", "-o", "data"]), PrepareSettings()
    assert (args.language, args.loudness, args.trim) == (settings.language, settings.loudness_db, settings.trim)
    assert (args.min_seconds, args.max_seconds) == (settings.limits.min_seconds, settings.limits.max_seconds)
    assert (args.validation, args.layout, args.jobs) == (settings.validation, settings.layout, settings.jobs)
    layout = next(action for action in parser._actions if action.dest == "layout")
    assert tuple(layout.choices or ()) == LAYOUTS


def test_progress_tells_what_remains(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([0.0, 5.0, 20.0, 21.0, 40.0])
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(clock))
    progress = progress_module.Progress("recordings")
    progress(1, 100, 0)
    progress(40, 100, 20)
    progress(41, 100, 20)
    progress(100, 100, 20)
    assert capsys.readouterr().err.splitlines() == [
        "40 of 100 recordings (20 from an earlier run), 60 s remain",
        "100 of 100 recordings (20 from an earlier run), 0 s remain",
    ]


def test_a_language_that_cannot_be_read_is_told_of_before_the_work(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", str(corpus), "-o", str(tmp_path / "data"), "--language", "xx"]) == 0
    assert "not 'xx'" in capsys.readouterr().err
    texts = ["--without-text", "--language", "xx"]
    assert main(["prepare", str(corpus), "-o", str(tmp_path / "other"), *texts]) == 0
    assert "not 'xx'" not in capsys.readouterr().err
