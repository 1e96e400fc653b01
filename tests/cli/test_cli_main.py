"""The command line as a whole: which commands there are, how each explains itself, and how mistakes end."""

import argparse
import importlib
import subprocess
import sys
import types
from pathlib import Path

import pytest

import glowvox
from glowvox.cli import main as command_line
from glowvox.errors import AudioError

NAMES = list(command_line.commands())


def _module(name: str) -> types.ModuleType:
    return importlib.import_module(command_line.module_name(name))


@pytest.fixture
def fake_command(monkeypatch):
    """Put a command of ours in the place of `mel`; the test gives its `run`."""

    def install(run):
        module = types.ModuleType("glowvox.cli.mel")
        module.SUMMARY, module.EXAMPLE = "does what the test wants", "examples:\n  glowvox mel"
        module.add_arguments = lambda parser: None
        module.run = run
        module.__spec__ = importlib.machinery.ModuleSpec("glowvox.cli.mel", None)
        monkeypatch.setitem(sys.modules, "glowvox.cli.mel", module)

    return install


def test_the_first_commands_are_there():
    assert {"mel", "denoise", "prepare", "train", "evaluate", "plot", "import-checkpoint", "inspect"} <= set(NAMES)


def test_every_module_of_the_folder_is_in_the_table():
    files = {path.stem for path in Path(command_line.__file__).parent.glob("*.py")} - {
        "main",
        "__init__",
        "clipboard",
        "defaults",
        "device_options",
        "file_arguments",
        "interactive",
        "interruption",
        "judge_options",
        "markup_options",
        "number_options",
        "parser",
        "progress",
        "streams",
    }
    commands = {name.replace("-", "_") for name in NAMES}
    assert commands <= files
    # `export voice` may have a file of its own beside `export`'s
    assert {file for file in files - commands if file.rpartition("_")[0] not in commands} == set()


def test_a_command_without_its_module_is_neither_shown_nor_callable(monkeypatch, capsys):
    monkeypatch.setitem(command_line.COMMANDS, "levitate", "not in this installation")
    assert "levitate" not in command_line.commands()
    with pytest.raises(SystemExit) as end:
        command_line.main(["levitate"])
    assert end.value.code == 2
    assert "invalid choice: 'levitate'" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_contract_of_a_command(name):
    module = _module(name)
    assert isinstance(module.SUMMARY, str)
    assert module.SUMMARY
    assert "\n" not in module.SUMMARY
    assert f"glowvox {name}" in module.EXAMPLE
    parser = argparse.ArgumentParser()
    assert module.add_arguments(parser) is None
    assert callable(module.run)


@pytest.mark.parametrize("name", NAMES)
def test_help_shows_an_example(name, capsys):
    with pytest.raises(SystemExit) as end:
        command_line.main([name, "--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert f"glowvox {name}" in shown.split("options:")[1]
    assert _module(name).SUMMARY.split()[1] in shown


def test_help_of_the_program_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as end:
        command_line.main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    for name, line in command_line.commands().items():
        assert name in shown
        assert " ".join(line.split()) in " ".join(shown.split())


def test_former_names_of_commands_work_and_are_not_shown(tmp_path, capsys):
    assert command_line.main(["convert", str(tmp_path / "absent.pt"), "-o", str(tmp_path / "model")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("glowvox import-checkpoint: ")
    with pytest.raises(SystemExit):
        command_line.main(["--help"])
    assert not any(line.split()[:1] == ["convert"] for line in capsys.readouterr().out.splitlines())


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        command_line.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"glowvox {glowvox.__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [([], "COMMAND"), (["speak"], "invalid choice: 'speak'"), (["mel"], "required"), (["mel", "--loud"], "required")],
)
def test_mistakes_in_the_call(words, said, capsys):
    with pytest.raises(SystemExit) as end:
        command_line.main(words)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_an_error_of_the_user_is_one_line_and_status_2(tmp_path, capsys):
    missing = tmp_path / "absent.wav"
    assert command_line.main(["mel", str(missing), "-o", str(tmp_path / "mel.npy")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert told.err.startswith("glowvox mel: ")
    assert str(missing) in told.err


def test_the_status_is_what_the_command_returns(fake_command):
    fake_command(lambda args: 3)
    assert command_line.main(["mel"]) == 3


def test_an_error_raised_in_the_middle(fake_command, capsys):
    def run(args):
        raise AudioError("sound.wav: is not a sound")

    fake_command(run)
    assert command_line.main(["mel"]) == 2
    assert capsys.readouterr().err == "glowvox mel: sound.wav: is not a sound\n"


def test_a_missing_package_names_the_extra(fake_command, capsys):
    def run(args):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    fake_command(run)
    assert command_line.main(["mel"]) == 2
    assert "pip install 'glowvox[train]'" in capsys.readouterr().err


def test_a_defect_of_ours_is_not_hidden(fake_command):
    def run(args):
        raise ModuleNotFoundError("No module named 'glowvox.gone'", name="glowvox.gone")

    fake_command(run)
    with pytest.raises(ModuleNotFoundError):
        command_line.main(["mel"])


def test_interruption(fake_command, capsys):
    def run(args):
        raise KeyboardInterrupt

    fake_command(run)
    assert command_line.main(["mel"]) == 130
    assert capsys.readouterr().err == "glowvox mel: interrupted\n"


def test_a_reader_that_went_away():
    program = (
        "import sys, types\n"
        "from glowvox.cli import main as m\n"
        "def run(args):\n"
        "    for line in range(100000): print('a line of speech', line)\n"
        "    return 0\n"
        "m._run = run\n"
        "sys.exit(m.main(['mel', 'in.wav', '-o', 'out.npy']))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"a line of speech 0\n"
        process.stdout.close()
        complaint = process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert complaint == b""


def test_module_and_script_are_the_same_program():
    done = subprocess.run([sys.executable, "-m", "glowvox", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"glowvox {glowvox.__version__}\n"
