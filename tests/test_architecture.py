"""The table of ARCHITECTURE.md holds: who imports whom, what the code may not do, how long files are."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from architecture import code_rules, coverage_of_rooms, import_rules
from architecture.source_file import ROOT, SOURCE, SourceFile, package_files

FILES = package_files()
FILE_RULES = (
    import_rules.table,
    import_rules.gates,
    code_rules.calls,
    code_rules.import_effects,
    code_rules.speech_words,
)
PACKAGE_RULES = (
    import_rules.engines_apart,
    import_rules.reaches_torch,
    import_rules.circles,
    code_rules.concrete_bases,
)


def _name(rule: Callable[..., Iterator[str]]) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", FILE_RULES, ids=_name)
def test_every_file_keeps(rule):
    assert [wrong for file in FILES for wrong in rule(file)] == []


@pytest.mark.parametrize("rule", PACKAGE_RULES, ids=_name)
def test_the_package_keeps(rule):
    assert list(rule(FILES)) == []


def test_every_room_is_in_the_table():
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and list(path.rglob("*.py"))}
    assert rooms <= set(import_rules.MAY_IMPORT)
    single = {path.stem for path in SOURCE.glob("*.py")}
    assert single == {"__init__", "__main__", "errors"}


def test_no_file_is_over_the_hard_limit():
    assert list(code_rules.long_files(code_rules.HARD_LIMIT)) == []


@pytest.mark.parametrize(
    ("walks", "most"),
    [
        (("sentence",), 25),
        pytest.param(("acoustic-step", "vocoder-step"), 18, marks=pytest.mark.slow),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_who_follows_a_sentence_or_a_step_reads_few_files(walks, most):
    tour = [sys.executable, str(ROOT / "benchmarks" / "tour.py"), "--counts", "--only", *walks]
    done = subprocess.run(tour, capture_output=True, text=True, check=True)
    files = re.findall(r": (\d+) files", done.stdout)
    assert len(files) == len(walks)
    assert all(10 < int(number) <= most for number in files), done.stdout


def _repository_paths() -> list[Path]:
    folders = ("src", "tests", "benchmarks", "examples", "docs", "recipes")
    paths = (path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*"))
    return [path for path in paths if not any(part.startswith((".", "__pycache__")) for part in path.parts)]


def test_names_say_what_is_inside():
    assert list(code_rules.banned_names(_repository_paths())) == []


def test_tests_mirror_the_package():
    tests = ROOT / "tests"
    for path in tests.glob("*/test_*.py"):
        room = path.parent.name
        assert (SOURCE / room).is_dir(), f"{path}: there is no room {room}"
        assert path.name.startswith(f"test_{room}_"), f"{path}: call it test_{room}_..."
    assert not list(tests.rglob("__init__.py"))


def _file(name: str, text: str) -> SourceFile:
    return SourceFile(name, text)


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("errors.py", "from glowvox.config.audio import AudioConfig", import_rules.table),
        ("audio/mel.py", "from glowvox.text.front_end import FrontEnd", import_rules.table),
        ("flows/base.py", "from glowvox.nn.wavenet import Rows", import_rules.table),
        ("models/waveglow.py", "def f():\n    import glowvox.data.prepared", import_rules.table),
        ("models/waveglow.py", "from ..checkpoint import folder", import_rules.table),
        ("engines/onnx_engine.py", "from glowvox.models.waveglow import WaveGlow", import_rules.table),
        ("synthesis/voice.py", "from glowvox.training.loop import Trainer", import_rules.table),
        ("serve/app.py", "from glowvox.audio.files import write_audio", import_rules.table),
        ("training/loop.py", "from glowvox.cli.main import main", import_rules.table),
        ("evaluate/page.py", "if TYPE_CHECKING:\n    from glowvox.serve.app import App", import_rules.table),
        ("audio/mel.py", "from glowvox import load_model", import_rules.table),
        ("attic/old.py", "from glowvox.errors import AudioError", import_rules.table),
        ("audio/mel.py", "def f():\n    import torch", import_rules.gates),
        ("synthesis/voice.py", "from torch import nn", import_rules.gates),
        ("engines/onnx_engine.py", "import torch", import_rules.gates),
        ("config/audio.py", "import numpy as np", import_rules.gates),
        ("synthesis/voice.py", "import fastapi", import_rules.gates),
        ("evaluate/vocoder.py", "import ray", import_rules.gates),
        ("data/prepared.py", "import pickle", import_rules.gates),
        ("models/waveglow.py", "from torch.optim import AdamW", import_rules.gates),
        ("evaluate/vocoder.py", "from torch import optim", import_rules.gates),
        ("models/waveglow.py", "from pathlib import Path", import_rules.gates),
        ("cli/mel.py", "from glowvox.audio.mel import MelTransform", import_rules.gates),
        ("cli/mel.py", "import numpy as np", import_rules.gates),
        ("audio/mel.py", "x = hasattr(y, 'z')", code_rules.calls),
        ("models/waveglow.py", "def f(x):\n    return x.cuda()", code_rules.calls),
        ("training/loop.py", "state = torch.load(path)", code_rules.calls),
        ("data/clips.py", "a = np.load(path, allow_pickle=True)", code_rules.calls),
        ("models/waveglow.py", "o = torch.optim.SGD(p)", code_rules.calls),
        ("flows/base.py", "def forward(self, x, reverse=False): ...", code_rules.calls),
        ("audio/mel.py", "print('hello')", code_rules.import_effects),
        ("audio/mel.py", "TABLE = open('table').read()", code_rules.import_effects),
        ("audio/mel.py", "for x in y:\n    pass", code_rules.import_effects),
        ("audio/mel.py", "try:\n    import soxr\nexcept ImportError:\n    soxr = None", code_rules.import_effects),
        ("flows/base.py", "def f(mel): ...", code_rules.speech_words),
        ("flows/base.py", "class GlowTTSStep: ...", code_rules.speech_words),
        ("flows/base.py", "def f():\n    raise ValueError('no audio')", code_rules.speech_words),
    ],
)
def test_a_rule_finds_what_it_is_for(name, text, rule):
    assert len(list(rule(_file(name, text)))) >= 1


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("engines/torch_engine.py", "from glowvox.models.waveglow import WaveGlow\nimport torch", import_rules.table),
        ("engines/torch_engine.py", "import torch", import_rules.gates),
        ("checkpoint/torch_files.py", "import pickletools", import_rules.gates),
        ("cli/mel.py", "def run(args):\n    import torch", import_rules.gates),
        ("models/waveglow.py", "device = torch.cuda.current_device", code_rules.calls),
        ("audio/mel.py", "LOG_10 = np.log(10.0)\nNAMES = 'a b'.split()", code_rules.import_effects),
        ("flows/base.py", "def f(x):\n    '''As the mel of WaveGlow.'''", code_rules.speech_words),
    ],
)
def test_a_rule_lets_the_rest_alone(name, text, rule):
    assert list(rule(_file(name, text))) == []


def test_rules_over_the_package_find_what_they_are_for():
    base = _file("nn/wavenet.py", "class Rows: ...")
    assert list(code_rules.concrete_bases([base, _file("nn/stack.py", "class Stack(rows.Rows): ...")]))
    assert not list(code_rules.concrete_bases([_file("nn/wavenet.py", "class Rows(ABC): ...\nclass Dense(Rows): ...")]))
    engines = [_file("engines/a.py", "import openvino"), _file("engines/b.py", "def f():\n    import openvino")]
    assert list(import_rules.engines_apart(engines)) == ["engines/b.py: openvino is engines/a.py's"]
    voice = _file("synthesis/voice.py", "from glowvox.engines.base import Engine")
    heavy = _file("engines/base.py", "from torch import nn")
    assert list(import_rules.reaches_torch([voice, heavy]))
    late = _file("engines/base.py", "def f():\n    from torch import nn")
    assert not list(import_rules.reaches_torch([voice, late]))
    back = _file("engines/base.py", "def f():\n    from glowvox.synthesis import voice")
    assert len(list(import_rules.circles([voice, back]))) == 2
    typed = _file("engines/base.py", "if TYPE_CHECKING:\n    from glowvox.synthesis.voice import Voice")
    assert not list(import_rules.circles([voice, typed]))


def test_banned_names_and_long_files_are_found(tmp_path):
    assert list(code_rules.banned_names([Path("src/glowvox/audio/utils.py")]))
    assert not list(code_rules.banned_names([Path("src/glowvox/audio/mel.py")]))
    assert list(code_rules.long_files(0))


RUNNING = """
import importlib.util, json, os, sys, threading
names = json.loads(sys.stdin.read())
if {blocked!r}:
    for name in {blocked!r}:
        sys.modules[name] = None
else:
    import numpy, torch, torch.distributed, torch.utils.checkpoint, safetensors.torch, soundfile, soxr
    import fastapi, prometheus_client, uvicorn, wyoming.tts  # what libraries do when they are imported is theirs
    if importlib.util.find_spec("triton"):
        import triton
    else:
        names.remove("glowvox.cuda.gated_conv")
    before = (torch.get_num_threads(), torch.initial_seed(), threading.active_count(), dict(os.environ))
    def watch(event, args):
        if event == "open" and not str(args[0]).endswith((".py", ".pyc", ".so", ".pyd")):
            raise RuntimeError(f"opens {{args[0]}} at import")
        if event in ("subprocess.Popen", "socket.connect", "socket.bind", "os.mkdir", "os.remove", "os.rename"):
            raise RuntimeError(f"{{event}} at import")
    sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
if not {blocked!r}:
    assert before == (torch.get_num_threads(), torch.initial_seed(), threading.active_count(), dict(os.environ))
"""


def _import_all(files: list[SourceFile], blocked: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    names = json.dumps([file.module for file in files if file.name != "__main__.py"])
    program = RUNNING.format(blocked=blocked)
    # Not measured: what notes the lines that run opens and removes files of its own.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    env["PYTHONDONTWRITEBYTECODE"] = "1"  # nor does the interpreter write what it has compiled
    return subprocess.run(
        [sys.executable, "-c", program], input=names, capture_output=True, text=True, check=False, env=env
    )


def test_importing_any_file_changes_nothing():
    done = _import_all(FILES, ())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_speaking_half_imports_where_there_is_no_torch():
    speaking = [file for file in FILES if file.room in import_rules.WITHOUT_TORCH - {"serve"} | {"cli"}]
    assert len(speaking) > 20
    done = _import_all(speaking, ("torch", "fastapi", "starlette", "ray", "matplotlib", "pesq"))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_server_imports_where_there_is_no_torch():
    serving = [file for file in FILES if file.room == "serve"]
    done = _import_all(serving, ("torch", "ray", "matplotlib", "pesq"))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_coverage_of_a_room_is_that_of_its_lines_not_of_its_files():
    files = {
        "src/glowvox/errors.py": (3, 4),
        "src/glowvox/text/front_end.py": (9, 10),
        "src/glowvox/text/normalise/symbols.py": (71, 90),
    }
    report = {
        "files": {
            name: {"summary": {"covered_lines": covered, "num_statements": lines}}
            for name, (covered, lines) in files.items()
        }
    }
    found = coverage_of_rooms.rooms(report)
    assert found == {"glowvox": (3, 4), "text": (80, 100)}
    shown = coverage_of_rooms.table(found)
    assert [line.split()[0] for line in shown] == ["glowvox", "text", "all"]
    assert shown[1].split()[1] == "80.0" and shown[1].endswith("LOW")
    wanting = coverage_of_rooms.wanting(report, found, most=1)
    assert wanting == ["  text/symbols.py: 19 lines are not run"]
    assert not coverage_of_rooms.wanting(report, {"text": (85, 100)})
