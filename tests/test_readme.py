"""What the README says is true: its commands and snippets run, its table is the program's, its examples work.

Blocks that follow the comment `<!-- run -->` are executed in an empty folder, with the default voice and what the page
itself makes, and with settings that make them small. The examples have a folder with files to work on.
"""

import re
import runpy
import shutil
import subprocess
import sys
import tomllib

import pytest
from documentation import EXAMPLES, ROOT, run_page, snippets, write_files

from glowvox.cli.main import COMMANDS, commands

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = ROOT / "README.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the examples work on."""
    folder = tmp_path_factory.mktemp("readme")
    write_files(folder)
    return folder


def test_the_two_commands_are_the_first_block():
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first[1] == 'make say TEXT="Hello, world."\nmake test\n'


def test_marked_blocks_run(tmp_path, monkeypatch):
    """In an empty folder, with the default voice and what the page itself makes: that is what a reader has."""
    (tmp_path / "reader").mkdir()
    monkeypatch.chdir(tmp_path / "reader")
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path / "no-voices"))
    assert sum(snippet.runs for snippet in snippets(PAGE)) == 3
    run_page(PAGE)
    for name in ("data/report.html", "report/index.html", "recording.png", "again.wav", "again.flac"):
        assert (tmp_path / "reader" / name).stat().st_size > 0


def test_a_snippet_runs_or_says_why_not():
    for snippet in snippets(PAGE)[1:]:  # the first is that of `make`, which tests of its own run
        assert snippet.mark, f"mark this block as run, or not run: why\n{snippet.code}"


def test_the_table_of_commands_is_the_program_s():
    table = README.split("## The commands")[1].split("\n## ")[0]
    described = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    assert set(commands()) <= set(described), "a command of this installation is not in the README"
    assert set(described) <= set(COMMANDS), "the README describes a command that does not exist"


def test_the_papers_table_names_files_of_the_package():
    table = README.split("## The papers in the code")[1].split("\n## ")[0]
    names = re.findall(r"`([a-z_]+/[\w.]*)`", table)
    assert len(names) > 8
    for name in names:
        assert (ROOT / "src/glowvox" / name).exists(), name


def test_presets_named_exist():
    named = set(re.findall(r"--preset ([a-z0-9-]+)(?![\w.-])", README))
    assert named
    for name in named:
        assert (ROOT / f"src/glowvox/config/presets/{name}.toml").is_file(), name


@pytest.mark.parametrize(
    ("script", "arguments", "says"),
    [
        ("speech_like.py", ["made.wav"], "made.wav"),
        ("copy_synthesis.py", ["recording.wav", "spoken/again.wav"], "80 mel bins"),
        ("exact_flow.py", [], "bits per sample"),
        ("alignment.py", [], "X     #####    5 frames"),
    ],
)
def test_examples_run(script, arguments, says, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    runpy.run_path(str(EXAMPLES / script), run_name="__main__")
    assert says in capsys.readouterr().out
    assert all((folder / name).is_file() for name in arguments)


def test_two_moons_are_fitted_and_drawn(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["two_moons.py", "two_moons.png", "60"])
    runpy.run_path(str(EXAMPLES / "two_moons.py"), run_name="__main__")
    assert (folder / "two_moons.png").stat().st_size > 5000
    first = re.search(r"step 1: (-[\d.]+) nats", capsys.readouterr().out)
    assert float(first[1]) < -1.5


def test_the_plainest_training_lowers_the_loss_and_gives_a_model(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["train_waveglow.py", "recordings", "models/plain", "--steps", "6"])
    runpy.run_path(str(EXAMPLES / "train_waveglow.py"), run_name="__main__")
    first, last = re.findall(r"step \d+: (-?[\d.]+) nats", capsys.readouterr().out)
    assert float(last) < float(first)
    assert (folder / "models/plain/model.safetensors").is_file()


def test_examples_with_a_model_run(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    models = ["--model", "runs/acoustic", "--vocoder", "models/pair/vocoder"]
    for script, words, made in (
        ("likelihood_over_time.py", ["recording.wav", "This is said.", "over_time.png"], "over_time.png"),
        ("sampling_and_interpolation.py", ["This is said.", "sampled"], "sampled/one-calm-word.wav"),
    ):
        monkeypatch.setattr(sys, "argv", [script, *words, *models])
        runpy.run_path(str(EXAMPLES / script), run_name="__main__")
        assert (folder / made).stat().st_size > 1000
    monkeypatch.setattr(sys, "argv", [script, "Said.", "pair", "--model", "voices/pair", *models[2:]])
    runpy.run_path(str(EXAMPLES / script), run_name="__main__")
    voices = {"speaker-ann", "speaker-bob", "between-speakers-0.25", "between-speakers-0.75"}
    assert voices <= {path.stem for path in (folder / "pair").iterdir()}
    assert "bits per sample" in capsys.readouterr().out


def test_every_example_is_run():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {
        "likelihood_over_time.py",
        "sampling_and_interpolation.py",
        "speech_like.py",
        "copy_synthesis.py",
        "exact_flow.py",
        "alignment.py",
        "train_waveglow.py",
        "two_moons.py",
    }


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def _make(*words: str) -> str:
    done = subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


@needs_make
def test_make_help_lists_the_targets():
    shown = _make("help")
    for target in ("say", "test", "coverage", "test-oldest", "test-newest", "lint", "bench", "docs", "clean"):
        assert f"make {target} " in shown


@needs_make
@pytest.mark.parametrize("target", ["say", "test", "coverage", "lint", "bench", "docs"])
def test_make_targets_set_themselves_up(target, tmp_path):
    planned = _make("-n", target, f"VENV={tmp_path / 'venv'}")
    assert f"-m venv {tmp_path / 'venv'}" in planned
    assert "--constraint constraints.txt" in planned


@needs_make
@pytest.mark.parametrize("age", ["oldest", "newest"])
def test_the_oldest_and_the_newest_versions_have_environments_of_their_own(age, tmp_path):
    planned = _make("-n", f"test-{age}", f"VENV={tmp_path / 'venv'}")
    assert f"-m venv {tmp_path / 'venv'}-{age}" in planned
    assert f"--constraint constraints-{age}.txt" in planned


def test_the_oldest_versions_are_the_lower_bounds():
    """A bound that nothing runs with is a guess; torch alone is too large to have twice."""
    lines = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8").splitlines()
    oldest = {_plain(name): version for name, version in (line.split("==") for line in lines if line[0] != "#")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = ("train", "export", "openvino", "german", "serve", "hub", "fast", "quick")
    needed = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    for requirement in (requirement for requirements in needed for requirement in requirements):
        name, bound = re.match(r"([\w-]+)(?:\[[\w,]+\])?(?:[~>]=([\d.]+))?", requirement).groups()
        if name not in ("glowvox", "torch"):
            assert _release(oldest[_plain(name)]) == _release(bound), f"{requirement} is not tried at its lower bound"


def _release(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    while numbers[-1:] == [0]:
        numbers.pop()
    return tuple(numbers)


def test_every_constraint_is_exact():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line) for line in pins)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *extras["train"], *extras["quick"], *extras["dev"], *extras["docs"]]
    pinned = {_plain(line.split("==")[0]) for line in pins}
    for requirement in needed:
        name = _plain(re.match(r"[\w.-]+", requirement)[0])
        assert name == "glowvox" or name in pinned, f"{name} is not in constraints.txt"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_checks_of_a_change_need_no_terminal():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    text = script.read_text(encoding="utf-8")
    assert all(f"step make {target}" in text for target in ("lint", "docs", "test", "test-oldest", "test-newest"))
