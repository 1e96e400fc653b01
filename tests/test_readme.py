"""What the README says is true: its commands and snippets run, its table is the program's, its links lead somewhere.

Blocks that follow the comment `<!-- run -->` are executed, in a folder with the files that they speak of, and with
settings that make them small.
"""

import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tiny_voice import acoustic_model, write_tiny_voice

from glowvox import Audio
from glowvox.checkpoint.model_folder import save_model
from glowvox.cli.main import COMMANDS, commands, main
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHAPTERS = ("index", "quickstart", "training", "checkpoints", "audio", "alignment", "likelihoods", "dubbing", "api")
"""The pages in the order in which they are read, and in which their blocks run."""
PAGES = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in CHAPTERS)]
BLOCK = re.compile(r"<!-- run -->\n```(sh|python)\n(.*?)```", re.DOTALL)
SMALL = {
    ("train", "vocoder"): [
        *("--set", "training.steps=2", "--set", "training.validate_every=2", "--set", "training.batch_size=2"),
        *("--set", "waveglow.n_flows=2", "--set", "waveglow.n_channels=16", "--set", "waveglow.n_skip_channels=16"),
        *("--set", "waveglow.encoder_channels=16", "--set", "vocoder_training.segment_frames=16"),
        *("--set", "vocoder_training.pitch_steps=5"),
        "--no-tensorboard",
    ],
    ("evaluate", "vocoder"): ["--clips", "1"],
}
"""What is added to a command so that it takes seconds."""


def _blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with recordings, a published checkpoint, subtitles, an acoustic model and a voice."""
    folder = tmp_path_factory.mktemp("readme")
    speech = runpy.run_path(str(EXAMPLES / "speech_like.py"))
    (folder / "recordings").mkdir()
    for index in range(6):
        samples = speech["speech_like"](1.0, 100 + 10 * index, index)
        Audio(samples, speech["SAMPLE_RATE"]).save(folder / "recordings" / f"{index}.wav")
        (folder / "recordings" / f"{index}.txt").write_text(f"This is sentence number {index}.", encoding="utf-8")
    Audio(speech["speech_like"](1.0), speech["SAMPLE_RATE"]).save(folder / "recording.wav")
    shutil.copy(ROOT / "tests/golden/waveglow_tiny.official.pt", folder / "waveglow_256channels.pt")
    (folder / "film.srt").write_text("1\n00:00:00,500 --> 00:00:02,000\nGood morning.\n", encoding="utf-8")
    write_tiny_voice(folder / "voices/pair", folder / "models/pair", speakers=("ann", "bob"))
    front_ends = {"en-us": load_front_end("en-us").to_dict()}
    text = {"tokenizer": Tokenizer().to_dict(), "front_ends": front_ends, "speakers": ["ann"]}
    save_model(acoustic_model(), folder / "runs/acoustic", provenance={"text": text})
    return folder


def _run(page: str, kind: str, block: str) -> None:
    if kind == "python":
        exec(compile(block, page, "exec"), {"__name__": "page"})
        return
    for line in block.replace("\\\n", " ").strip().splitlines():
        program, *words = shlex.split(line, comments=True)
        assert program == "glowvox", f"only glowvox commands can be marked to be run, not {line!r}"
        words += SMALL.get(tuple(words[:2]), [])
        assert main(words) == 0, f"{page}: {line}"


def test_the_two_commands_are_the_first_block():
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first[1] == 'make say TEXT="Hello, world."\nmake test\n'


def test_marked_blocks_run(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert len(_blocks(PAGES[0])) == 3
    for page in PAGES:
        for kind, block in _blocks(page):
            _run(page.name, kind, block)
    made = ("data/report.html", "report/index.html", "recording.png", "models/waveglow/config.json", "again.flac")
    for name in made:
        assert (folder / name).stat().st_size > 0
    assert "three dollars and fifty cents" in capsys.readouterr().out


def test_every_page_is_read():
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} == set(CHAPTERS)


def test_the_table_of_commands_is_the_program_s():
    table = README.split("## The commands")[1].split("\n## ")[0]
    described = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    assert set(commands()) <= set(described), "a command of this installation is not in the README"
    assert set(described) <= set(COMMANDS), "the README describes a command that does not exist"


@pytest.mark.parametrize("page", sorted({*PAGES, *ROOT.glob("*.md")}), ids=lambda page: page.name)
def test_links_and_files_exist(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for name in re.findall(r"`((?:src|examples|tests|docs|benchmarks|recipes)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), f"{page.name} speaks of {name}"


def test_the_papers_table_names_files_of_the_package():
    table = README.split("## The papers in the code")[1].split("\n## ")[0]
    names = re.findall(r"`([a-z_]+/[\w.]*)`", table)
    assert len(names) > 8
    for name in names:
        assert (ROOT / "src/glowvox" / name).exists(), name


def test_presets_named_in_the_pages_exist():
    named = {
        name
        for page in PAGES
        for name in re.findall(r"--preset ([a-z0-9-]+)(?![\w.-])", page.read_text(encoding="utf-8"))
    }
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
    }


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def _make(*words: str) -> str:
    done = subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


@needs_make
def test_make_help_lists_the_targets():
    shown = _make("help")
    for target in ("say", "test", "lint", "bench", "docs", "clean"):
        assert f"make {target} " in shown


@needs_make
@pytest.mark.parametrize("target", ["say", "test", "lint", "bench", "docs"])
def test_make_targets_set_themselves_up(target, tmp_path):
    planned = _make("-n", target, f"VENV={tmp_path / 'venv'}")
    assert f"-m venv {tmp_path / 'venv'}" in planned
    assert "--constraint constraints.txt" in planned


def test_every_constraint_is_exact():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line) for line in pins)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *extras["train"], *extras["dev"], *extras["docs"]]
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
    assert "make test" in script.read_text(encoding="utf-8")
