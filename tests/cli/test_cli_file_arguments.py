"""Commands that read a file and write one: what is read is never replaced."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from glowvox.cli.main import main


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    place = tmp_path / "take.wav"
    soundfile.write(place, 0.1 * np.random.default_rng(0).standard_normal(8000), 16000)
    return place


@pytest.mark.parametrize(
    "words",
    [
        ("vocode", "{}", "-o", "{}", "--griffin-lim"),
        ("denoise", "{}", "-o", "new.wav", "--noise-from", "0-0.2", "--save-bias", "{}"),
        ("denoise", "other.wav", "-o", "{}", "--noise-from", "{}"),
        ("convert-voice", "{}", "hello", "-o", "{}", "--to", "ann"),
        ("align", "other.wav", "--text-file", "{}", "-o", "{}"),
        ("score", "{}", "-o", "{}"),
        ("plot", "{}", "-o", "{}"),
        ("mel", "{}", "-o", "{}"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_no_command_writes_over_what_it_reads(
    words: tuple[str, ...], recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(recording.parent)
    (recording.parent / "other.wav").write_bytes(recording.read_bytes())
    suffix = {"align": ".srt", "score": ".csv", "mel": ".npy"}.get(words[0], ".wav")
    place = recording.rename(recording.with_suffix(suffix))
    before = place.read_bytes()
    assert main([word.replace("{}", place.name) for word in words]) == 2
    told = capsys.readouterr().err
    assert "which would be lost; name another one" in told
    assert len(told.strip().splitlines()) == 1
    assert place.read_bytes() == before


def test_scores_do_not_replace_the_list_of_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "metadata.csv").write_text("take|hello\n")
    assert main(["score", str(tmp_path), "-o", str(tmp_path / "metadata.csv")]) == 2
    assert "which would be lost" in capsys.readouterr().err
    assert (tmp_path / "metadata.csv").read_text() == "take|hello\n"
