"""Mistakes in a call are one line with the nearest name and the usage; help fits the terminal."""

import argparse
import json

import pytest

from glowvox.cli import main as command_line
from glowvox.cli.number_options import finite_number
from glowvox.cli.parser import nearest
from glowvox.synthesis.installed_voices import find_voice

NESTED = [["export", "voice"], ["export", "model"], ["evaluate", "voice"], ["evaluate", "vocoder"]]
ALL = [*([name] for name in command_line.commands()), *NESTED]


def _refused(words, capsys):
    with pytest.raises(SystemExit) as end:
        command_line.main(words)
    assert end.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    return told.err


@pytest.mark.parametrize(
    ("words", "begins", "said"),
    [
        (["say", "--sped", "2", "hi"], "glowvox say: ", "did you mean '--speed'?"),
        (["say", "hi", "--speeed=2"], "glowvox say: ", "did you mean '--speed'?"),
        (["say", "hi", "--Speed", "2"], "glowvox say: ", "did you mean '--speed'?"),
        (["say", "hi", "-output", "x.wav"], "glowvox say: ", "did you mean '--output'?"),
        (["say", "hi", "-q"], "glowvox say: ", "no option '-q'"),
        (["say", "hi", "--format", "wave"], "glowvox say: ", "did you mean 'wav'?"),
        (["say", "hello", "world"], "glowvox say: ", 'put the text in quotes: "hello world"'),
        (["say", "hello", "big", "world", "-o", "x.wav"], "glowvox say: ", '"hello big world"'),
        (["explain", "hello", "world"], "glowvox explain: ", "put the text in quotes"),
        (["align", "a.wav", "good", "morning"], "glowvox align: ", '"good morning"'),
        (["mel", "a.wav", "b.wav", "-o", "c.npy"], "glowvox mel: ", "'b.wav' is one argument too many"),
        (["evaluate", "voice", "--data", "d", "-o", "o", "--clip5", "2"], "glowvox evaluate voice: ", "'--clips'"),
        (["export", "modle", "x"], "glowvox export: ", "did you mean 'model'?"),
        (["sayy"], "glowvox: ", "did you mean 'say'?"),
        (["sayy", "--speed", "2"], "glowvox: ", "did you mean 'say'?"),
        (["Say", "hi"], "glowvox: ", "did you mean 'say'?"),
        (["synthesize", "hi"], "glowvox: ", "did you mean 'say'?"),
        (["import_checkpoint", "x.pt"], "glowvox: ", "did you mean 'import-checkpoint'?"),
        (["Hello there"], "glowvox: ", 'glowvox say "Hello there"'),
        (["xyzzy"], "glowvox: ", "invalid choice: 'xyzzy' (usage"),
        (["say", "--speed", "fast", "hi"], "glowvox say: ", "--speed: must be a number from -1e9 to 1e9, got 'fast'"),
    ],
)
def test_a_mistake_is_one_line_with_the_nearest_name_and_the_usage(words, begins, said, capsys):
    line = _refused(words, capsys)
    assert line.startswith(begins)
    assert said in line
    assert f"(usage: {begins.removesuffix(': ')}" in line


def _number_options():
    """Yield the words before each option that takes a number with a point, and its name."""
    for words in [*ALL]:
        parser = command_line.command_parser(words[0])
        for word in words[: 2 if words in NESTED else 1]:
            [names] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
            parser = names.choices[word]
        for action in parser._actions:
            assert action.type is not float or words[0] in ("distill", "serve"), f"{words}: {action.option_strings}"
            if action.type is finite_number:
                yield words, action.option_strings[0]


def test_a_number_that_is_none_is_refused_by_every_option(capsys):
    options = list(_number_options())
    assert (["plot"], "--start") in options and (["evaluate", "vocoder"], "--sigma") in options
    for words, name in options:
        for wrong in ("nan", "inf", "-inf", "1e308"):
            line = _refused([*words, f"{name}={wrong}"], capsys)
            assert f"argument {name}" in line and f"must be a number from -1e9 to 1e9, got '{wrong}'" in line


def test_an_unknown_option_is_told_beside_what_is_missing(capsys):
    line = _refused(["train", "vocoder", "--dta", "x", "--run", "y"], capsys)
    assert "did you mean '--data'?" in line
    assert "required: --data" in line
    assert "usage: glowvox train [options] --data DATA --run RUN {vocoder,acoustic};" in line


def test_what_argparse_accepts_is_still_accepted():
    parse = command_line.command_parser("say").parse_args
    assert parse(["say", "hi", "--pitch-shift", "-2", "-ox.wav"]).pitch_shift == -2
    assert parse(["say", "hi", "-ox.wav"]).output == "x.wav"
    assert parse(["say", "--spee", "2", "hi"]).speed == 2
    assert parse(["say", "--", "--sped"]).text == "--sped"
    assert parse(["say", "hi", "--slot", "3"]).duration == 3
    assert parse(["say", "hi", "-o", "output"]).output == "output"


def test_a_hidden_former_option_is_not_suggested(capsys):
    assert "'--slot'" not in _refused(["say", "hi", "--slt", "3"], capsys).replace("option '--slt'", "")


def test_nearest():
    assert nearest("sped", ["speed", "speaker"]) == "speed"
    assert nearest("qqq", ["speed"]) is None


def test_without_arguments_five_lines_say_how_to_begin(capsys):
    with pytest.raises(SystemExit) as end:
        command_line.main([])
    assert end.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("glowvox ") for line in lines)
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("width", [60, 79])
@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help_fits_the_terminal(words, width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    with pytest.raises(SystemExit):
        command_line.main([*words, "--help"])
    for line in capsys.readouterr().out.splitlines():
        assert len(line) <= width or len(line.split()) == 1, line


def test_an_example_that_is_broken_can_still_be_copied(capsys, monkeypatch):
    def shown(width):
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit):
            command_line.main(["export", "voice", "--help"])
        examples = capsys.readouterr().out.partition("examples:")[2].partition("\n\n")[0]
        return [" ".join(line.split()) for line in examples.replace("\\\n", " ").strip().splitlines()]

    assert shown(50) == shown(200)
    assert '--weakness "names of places"' in shown(50)[-1]


def test_help_names_what_the_default_voice_does(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    card = json.loads((find_voice() / "voice.json").read_text("utf-8"))
    for command in ("say", "dub", "bulk"):
        with pytest.raises(SystemExit):
            command_line.main([command, "--help"])
        shown = capsys.readouterr().out
        assert f"{card['defaults']['temperature']:g} for {card['name']}" in shown
        assert f"(default: {card['name']})" in shown


def test_help_of_say_has_the_prosody_of_the_api(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["say", "--help"])
    shown = capsys.readouterr().out
    for option in ("speed", "pitch-shift", "pitch-range", "sentence-pause", "paragraph-pause", "duration"):
        assert f"--{option} " in shown


def test_help_of_train_names_the_presets(capsys):
    from glowvox.config.preset import preset_names

    with pytest.raises(SystemExit):
        command_line.main(["train", "--help"])
    shown = capsys.readouterr().out
    for name in preset_names():
        assert f"- {name}: " in shown
    assert "# " not in shown.partition("presets of")[2]


@pytest.mark.parametrize("words", [["help"], ["help", "mel"], ["help", "export", "model"]])
def test_help_is_a_command_too(words, capsys):
    with pytest.raises(SystemExit) as end:
        command_line.main(words)
    assert end.value.code == 0
    shown = capsys.readouterr().out
    with pytest.raises(SystemExit):
        command_line.main([*words[1:], "--help"])
    assert capsys.readouterr().out == shown
