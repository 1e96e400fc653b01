"""`glowvox explain`."""

import argparse
import io
import json
from pathlib import Path

import pytest

from glowvox.cli import explain
from glowvox.errors import TextError


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    explain.add_arguments(parser)
    return explain.run(parser.parse_args(arguments))


def test_json_has_exactly_the_promised_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "Dr. Glowvoxen paid $5.") == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert list(result) == ["normalized", "words", "warnings"]
    assert result["normalized"] == "doctor Glowvoxen paid five dollars."
    assert result["words"][0] == {"text": "doctor", "phonemes": "d ˈɑ k t ɚ", "source": "lexicon"}
    assert all(list(word) == ["text", "phonemes", "source"] for word in result["words"])
    assert result["warnings"] == ["'Glowvoxen' is not in the lexicon: said by rules"]
    assert captured.err == ""


def test_the_plain_form_names_sources_and_warns_on_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("Hello Glowvoxen") == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0] == "Hello Glowvoxen"
    assert lines[1].split() == ["Hello", "h", "ɛ", "l", "ˈoʊ", "lexicon"]
    assert lines[2].split()[-1] == "rules"
    assert captured.err == "warning: 'Glowvoxen' is not in the lexicon: said by rules\n"


def test_language_lexicon_and_ssml(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lexicon = tmp_path / "own.txt"
    lexicon.write_text("Hund = k a t\n", encoding="utf-8")
    assert run("--json", "--language", "de", "--lexicon", str(lexicon), "3 Hund") == 0
    words = json.loads(capsys.readouterr().out)["words"]
    assert [(word["text"], word["source"]) for word in words] == [("drei", "lexicon"), ("Hund", "user lexicon")]
    assert words[1]["phonemes"] == "k a t"
    assert run("--json", "--ssml", "<speak>Hello<break/></speak>") == 0
    assert json.loads(capsys.readouterr().out)["normalized"] == "Hello"
    with pytest.raises(TextError, match="SSML line 1"):
        run("--ssml", "no document")


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("Straße\n".encode())))
    assert run("--json", "--language", "de", "-") == 0
    assert json.loads(capsys.readouterr().out)["normalized"] == "Straße"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe")))
    with pytest.raises(TextError, match="standard input is not UTF-8"):
        run("-")


def test_empty_text_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["normalized"], result["words"]) == ("", [])
    assert result["warnings"] == ["nothing to say: the text holds no word that can be spoken"]
