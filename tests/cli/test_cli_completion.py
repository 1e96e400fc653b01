"""What a shell is told when somebody presses the tabulator."""

import shutil
import subprocess
import sys

import pytest

from glowvox.cli import main as command_line
from glowvox.cli.completion import completions


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["sa"], ["say"]),
        (["say", "--sp"], ["--speaker", "--speed"]),
        (["say", "--voice", "ka"], ["kathleen"]),
        (["say", "hi", "--format", ""], ["flac", "mp3", "ogg", "wav"]),
        (["train", ""], ["acoustic", "vocoder"]),
        (["train", "vocoder", "--preset", "lapped-b"], ["lapped-base"]),
        (["export", "v"], ["voice"]),
        (["export", "voice", "--acou"], ["--acoustic"]),
        (["evaluate", "vocoder", "--base"], ["--baselines"]),
        (["mel", "record"], []),
        (["levitate", "--"], []),
    ],
)
def test_completions(words, found):
    assert completions(words) == found


def test_every_command_and_no_hidden_option():
    assert set(completions([""])) == {*command_line.commands(), "--help", "--version"}
    assert "--slot" not in completions(["say", "--"])
    assert "--answer" not in completions(["completion", "--"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_its_shell_accepts(shell, capsys, tmp_path):
    assert command_line.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "glowvox completion --answer" in script
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


def test_bash_completes(tmp_path):
    program = tmp_path / "glowvox"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m glowvox "$@"\n')
    program.chmod(0o755)
    asked = (
        f'PATH="{tmp_path}:$PATH"; eval "$(glowvox completion bash)"; '
        'COMP_WORDS=(glowvox say --sp); COMP_CWORD=2; _glowvox; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "--speaker --speed\n"


def test_without_a_shell_they_are_named(capsys):
    assert command_line.main(["completion"]) == 2
    assert "bash|zsh|fish" in capsys.readouterr().err
