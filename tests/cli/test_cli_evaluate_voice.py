"""`glowvox evaluate voice`, from a voice and recordings to the report, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_voice import write_tiny_voice

import glowvox.evaluate.word_errors as recognised
from glowvox.audio.files import write_audio
from glowvox.cli.main import main

TEXTS = {"a": "Seven ships.", "b": "An old man.", "c": "Nobody knew."}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice of two speakers, recordings with texts, and lists."""
    place = tmp_path_factory.mktemp("evaluate_voice")
    write_tiny_voice(place / "tiny", place / "models", speakers=("ann", "bob"))
    noise = np.random.default_rng(0)
    (place / "recordings").mkdir()
    for name, text in TEXTS.items():
        samples = (0.1 * noise.standard_normal(16000)).astype(np.float32)
        write_audio(place / "recordings" / f"{name}.wav", samples, 22050)
        (place / "recordings" / f"{name}.txt").write_text(text, encoding="utf-8")
    (place / "ids.txt").write_text("# two of them\nc\n\na\n", encoding="utf-8")
    (place / "sentences.txt").write_text("one|Green apples.\nThree dots.\n...\n", encoding="utf-8")
    (place / "twice.txt").write_text("one|Green apples.\none|Red ones.\n", encoding="utf-8")
    (place / "wrong.txt").write_text("a\nzebra\n", encoding="utf-8")
    (place / "empty.txt").write_text("\n", encoding="utf-8")
    return place


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make the recogniser understand everything, and note how many clips it was given."""
    calls: list[int] = []

    def recognise(clips, rate, *, jobs):
        calls.append(len(clips))
        return ["nobody knew", "seven ships"][: len(clips)]

    monkeypatch.setattr(recognised, "recognise", recognise)
    return calls


def _words(place: Path, *extra: str) -> list[str]:
    return ["evaluate", "voice", str(place / "tiny"), *(word.format(tmp=place) for word in extra)]


def test_report_of_a_voice_beside_recordings(place: Path, tmp_path: Path, capsys, heard: list[int]) -> None:
    words = _words(place, "--data", "{tmp}/recordings", "--ids", "{tmp}/ids.txt", "-o", str(tmp_path / "report"))
    assert main([*words, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "report/report.json").read_text())
    assert list(printed["systems"]) == ["natural speech", "copy synthesis", "tiny"]
    assert [clip["id"] for clip in printed["clips"]] == ["c", "a"]
    assert heard == [2, 2, 2]
    assert printed["systems"]["tiny"]["wer"]["value"] == printed["systems"]["tiny"]["skips"]["value"] == 0.0
    assert printed["settings"]["Voice"].startswith("tiny (") and "seed 0" in printed["settings"]["Noise"]
    assert (tmp_path / "report/index.html").read_text().count("<audio") == 6


def test_the_table_and_what_is_not_asked_for(place: Path, tmp_path: Path, capsys, heard: list[int]) -> None:
    report = tmp_path / "deep/report"
    words = _words(place, "--data", "{tmp}/recordings", "--clips", "2", "-o", str(report), "--speaker", "bob")
    assert main([*words, "--no-wer", "--no-copy", "--players", "0", "--seed", "3"]) == 0
    shown = capsys.readouterr().out
    assert "Real-time factor" in shown and "copy synthesis" not in shown and "Word error" not in shown
    assert shown.splitlines()[-1] == f"report, to be opened in a browser: {report / 'index.html'}"
    assert heard == []
    stored = json.loads((report / "report.json").read_text())
    assert len(stored["clips"]) == 2 and "seed 3" in stored["settings"]["Noise"]
    assert "<audio" not in (report / "index.html").read_text()


def test_a_list_of_sentences_has_nothing_to_compare_with(place: Path, tmp_path: Path, capsys) -> None:
    report = tmp_path / "report"
    assert main(_words(place, "--sentences", "{tmp}/sentences.txt", "--no-wer", "-o", str(report))) == 0
    output = capsys.readouterr()
    assert "left out: sentence 3: nothing to say" in output.err
    stored = json.loads((report / "report.json").read_text())
    assert list(stored["systems"]) == ["tiny"]
    assert [clip["id"] for clip in stored["clips"]] == ["one", "sentence 2"]
    assert "mcd_dtw" not in stored["systems"]["tiny"]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--data", "{tmp}/recordings", "--ids", "{tmp}/wrong.txt"], "no recording 'zebra'"),
        (["--data", "{tmp}/recordings", "--ids", "{tmp}/none.txt"], "cannot be read as a list of ids"),
        (["--data", "{tmp}/recordings", "--ids", "{tmp}/empty.txt"], "names no clips"),
        (["--data", "{tmp}/recordings", "--clips", "0"], "at least 1, got 0"),
        (["--data", "{tmp}/recordings", "--speaker", "zoe"], "zoe"),
        (["--data", "{tmp}/nowhere"], "nowhere"),
        (["--data", "{tmp}/recordings", "-o", "{tmp}/empty.txt"], "cannot be made"),
        (["--sentences", "{tmp}/twice.txt"], "line 2: the id 'one' is there twice"),
        (["--sentences", "{tmp}/empty.txt"], "holds no sentences"),
        (["--sentences", "{tmp}/none.txt"], "cannot be read as a list of sentences"),
        (["--sentences", "{tmp}/sentences.txt", "--clips", "-1"], "at least 1, got -1"),
        (["--sentences", "{tmp}/sentences.txt", "--ids", "{tmp}/ids.txt"], "leave it out with --sentences"),
    ],
)
def test_mistakes_give_one_line(place: Path, tmp_path: Path, capsys, extra: list[str], message: str) -> None:
    output = [] if "-o" in extra else ["-o", str(tmp_path / "report")]
    assert main(_words(place, *extra, *output)) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1, error


def test_beside_another_system(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = _words(place, "--data", "{tmp}/recordings", "--ids", "{tmp}/ids.txt", "--no-wer", "--no-judges", "--json")
    beside = ["-o", str(tmp_path / "report"), "--beside", f"rival={place / 'recordings'}"]
    assert main([*words, *beside]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed["systems"]) == ["natural speech", "copy synthesis", "tiny", "rival"]
    assert printed["systems"]["rival"]["mel_dtw"]["value"] == pytest.approx(0.0, abs=1e-6)
    for wrong, reason in (("rival", "give each system a name"), ("rival=nowhere", "no c.wav")):
        assert main([*words, "-o", str(tmp_path / "report"), "--beside", wrong]) == 2
        assert reason in capsys.readouterr().err


def test_the_fallback_says_how_weak_it_is(place: Path, tmp_path: Path, capsys, heard: list[int], monkeypatch) -> None:
    monkeypatch.setattr("glowvox.evaluate.judges.whisper_folder", lambda named: None)
    words = _words(place, "--data", "{tmp}/recordings", "--ids", "{tmp}/ids.txt", "-o", str(tmp_path / "report"))
    assert main([*words, "--json", "--no-judges"]) == 0
    told = capsys.readouterr()
    assert "misreads a fifth of natural speech" in told.err
    assert "misreads a fifth" in json.loads(told.out)["settings"]["Recogniser"]
