"""What means the same is called the same, over all commands that speak, and does the same."""

import argparse
import json

import pytest
import soundfile
from tiny_voice import fake_voice

from glowvox.cli.main import COMMANDS, command_parser, main
from glowvox.cli.say_options import SPEECH_OPTIONS, add_speech_options, speech_overrides
from glowvox.synthesis.options import SpeechOptions

SPEAKING = [name for name in ("say", "book", "dub", "bulk") if name in COMMANDS]

NOISE = ("--sigma", "--denoise", "--refine", "--postfilter")
"""What a book may leave to the voice."""


def _actions(parser):
    return {name: action for action in parser._actions for name in action.option_strings}


def _of(command):
    (commands,) = [action for action in command_parser(command)._actions if isinstance(action.choices, dict)]
    return _actions(commands.choices[command])


@pytest.mark.parametrize("command", SPEAKING)
def test_a_command_that_speaks_has_all_options_of_speech(command):
    shared = argparse.ArgumentParser()
    add_speech_options(shared)
    own = _of(command)
    for name, action in _actions(shared).items():
        if name in ("-h", "--help") or (name in NOISE and name not in own and command == "book"):
            continue
        assert name in own, f"glowvox {command} has no {name}"
        for what in ("dest", "type", "choices", "metavar", "default", "const"):
            assert getattr(own[name], what) == getattr(action, what), f"glowvox {command} {name}: {what}"
    assert {"--seed", "--engine", "--threads", "--json", "-o", "--output"} <= set(own)


def test_the_options_are_those_of_a_voice():
    assert set(SPEECH_OPTIONS) <= set(SpeechOptions.__dataclass_fields__)
    assert set(SpeechOptions.__dataclass_fields__) - set(SPEECH_OPTIONS) == {"seed", "context_tokens"}
    parser = argparse.ArgumentParser()
    add_speech_options(parser)
    given = parser.parse_args(
        ["--speed", "2", "--no-pause-tags", "--paragraph-pause", "1", "--refine", "0", "--postfilter", "0.5"]
    )
    given.seed = "7"
    assert speech_overrides(given) == {
        "seed": 7,
        "speed": 2.0,
        "pause_tags": False,
        "paragraph_pause": 1.0,
        "refine": 0,
        "postfilter": 0.5,
    }


@pytest.mark.parametrize(
    "words",
    [
        ("--speed", "0"),
        ("--sentence-pause", "61"),
        ("--refine", "-1"),
        ("--postfilter", "2"),
        ("--postfilter", "-0.1"),
        ("--seed", "x"),
    ],
)
def test_a_wrong_value_is_refused_in_the_same_words(words, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("glowvox.synthesis.installed_voices.load_voice", lambda *_, **__: fake_voice())
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nHello.\n")
    said = []
    for command in (["say", "Hello."], ["dub", str(tmp_path / "a.srt")]):
        assert main([*command, "-o", str(tmp_path / "a.wav"), *words]) == 2
        said.append(capsys.readouterr().err.partition(": ")[2])
    assert said[0] == said[1] and said[0].count("\n") == 1


def test_pauses_and_times_of_a_dubbed_track(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("glowvox.synthesis.installed_voices.load_voice", lambda *_, **__: fake_voice())
    (tmp_path / "a.srt").write_text(
        "1\n00:00:01,000 --> 00:00:09,000\nOne. Two.\n\n2\n00:00:10,000 --> 00:00:19,000\nThree.\n"
    )
    out, times = tmp_path / "a.wav", tmp_path / "a.json"
    command = ["dub", str(tmp_path / "a.srt"), "-o", str(out), "--slowest", "1", "--timestamps", str(times)]
    found = []
    for pause in ("0", "2"):
        assert main([*command, "--sentence-pause", pause]) == 0
        told = json.loads(times.read_text("utf-8"))
        words = {word["text"]: word for word in told["words"]}
        assert list(words) == ["One", "Two", "Three"]
        assert words["One"]["start"] >= 1.0 and words["Three"]["start"] >= 10.0
        assert words["One"]["phonemes"][0]["start"] == pytest.approx(words["One"]["start"], abs=0.002)
        assert told["duration"] == pytest.approx(soundfile.info(out).duration)
        found.append(words["Two"]["start"] - words["One"]["end"])
    assert found[1] - found[0] == pytest.approx(2.0, abs=0.1)
    capsys.readouterr()
    assert main([*command[:-1], str(tmp_path / "a.txt")]) == 2
    assert "times of words are written as" in capsys.readouterr().err
    assert main(["dub", str(tmp_path / "a.srt"), "-o", str(out), "--lexicon", "none.txt"]) == 2
    assert "cannot read the lexicon none.txt" in capsys.readouterr().err
