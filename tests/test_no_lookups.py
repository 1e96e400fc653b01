"""No name is looked up by `say`, `vocode`, `serve` and `train`: nothing that one speaks or learns leaves the machine.

Three watchers: Python's audit events, everywhere; the system's calls (strace), and a network namespace of its own with
a resolver that takes notes, where they can be had. The last two see what native libraries do as well.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_data import write_prepared

from glowvox.audio.files import write_audio

WATCHER = Path(__file__).with_name("name_lookups.py")
Watch = Callable[..., list[str]]
_ASKED = re.compile(r'"/etc/(?:resolv\.conf|hosts)"|sin6?_port=htons\(53\)|sa_family=AF_INET6?,(?!.*"(?:127\.|::1))')


def _environment(home: Path, settings: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_", "GLOWVOX_"))}
    return {**kept, "HOME": str(home), "OMP_NUM_THREADS": "1", **settings}


def _run(words: list[str], home: Path, settings: dict[str, str]) -> None:
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        words, capture_output=True, text=True, env=_environment(home, settings), check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-500:]
    if "serve" in words:
        assert "answered 200" in done.stdout


def _audited(tmp_path: Path, words: list[str], **settings: str) -> list[str]:
    log = tmp_path / "names"
    log.touch()
    _run([sys.executable, str(WATCHER), "audit", str(log), *words], tmp_path / "home", settings)
    return log.read_text().splitlines()


def _traced(tmp_path: Path, words: list[str], **settings: str) -> list[str]:
    log = tmp_path / "calls"
    strace = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg,openat", "-o", str(log)]
    program = [sys.executable, str(WATCHER), "audit", str(tmp_path / "names"), *words]
    _run([*strace, *program], tmp_path / "home", settings)
    calls = log.read_text(errors="replace").splitlines()
    assert any("libonnxruntime" in line or "onnxruntime" in line or "torch" in line for line in calls)
    return [line for line in calls if _ASKED.search(line)]


def _caught(tmp_path: Path, words: list[str], **settings: str) -> list[str]:
    log, resolver = tmp_path / "asked", tmp_path / "resolv.conf"
    log.touch()
    resolver.write_text("nameserver 127.0.0.1\n")
    program = [sys.executable, str(WATCHER), "audit", str(tmp_path / "names"), *words]
    inside = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    catcher = [sys.executable, str(WATCHER), "catch", str(log)]
    _run(["unshare", "-rnm", "sh", "-c", inside, str(resolver), *catcher, *program], tmp_path / "home", settings)
    return log.read_text().splitlines()


def _works(*words: str) -> bool:
    if shutil.which(words[0]) is None:
        return False
    return subprocess.run(words, capture_output=True, check=False, timeout=60).returncode == 0


def _watcher(name: str) -> Callable[..., list[str]]:
    """Return a watcher; skip where it cannot be had."""
    if name == "system calls" and not _works("strace", "-f", "-qq", "-o", os.devnull, "true"):
        pytest.skip("strace is not here, or may not watch")
    if name == "namespace" and not _works(*_NAMESPACE):
        pytest.skip("no network namespace can be made here (unshare -rnm)")
    return {"audit events": _audited, "system calls": _traced, "namespace": _caught}[name]


_NAMESPACE = ("unshare", "-rnm", "sh", "-c", "mount --bind /etc/resolv.conf /etc/resolv.conf")


@pytest.fixture(params=["audit events", "system calls", "namespace"])
def watch(request: pytest.FixtureRequest, tmp_path: Path) -> Watch:
    """Run a command of ours, and return the names that were looked up, or what shows that one was."""
    run = _watcher(request.param)
    return lambda *words, **settings: run(tmp_path, list(words), **settings)


@pytest.fixture
def watch_libraries(tmp_path: Path) -> Watch:
    """Watch native libraries too, by whichever of the two can be had, for what takes long."""
    run = _watcher("namespace" if _works(*_NAMESPACE) else "system calls")
    return lambda *words, **settings: run(tmp_path, list(words), **settings)


def test_speaking(watch: Watch, tmp_path: Path) -> None:
    assert watch("say", "Yes.", "-o", str(tmp_path / "yes.wav")) == []


def test_vocoding(watch_libraries: Watch, tmp_path: Path) -> None:
    write_audio(tmp_path / "in.wav", 0.1 * np.sin(np.arange(11025) * 0.05), 22050)
    assert watch_libraries("vocode", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out.wav")) == []


def test_serving(watch: Watch) -> None:
    pytest.importorskip("uvicorn", reason="the server is not installed (extra: serve)")
    assert watch("serve", "--port", str(_free_port())) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_serving_for_as_long_as_telemetry_waits(watch_libraries: Watch) -> None:
    """ONNX Runtime looks its host up half a minute after its first session."""
    pytest.importorskip("uvicorn", reason="the server is not installed (extra: serve)")
    assert watch_libraries("serve", "--port", str(_free_port()), LINGER="40") == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_training(watch_libraries: Watch, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_prepared(data)
    settings = ["training.steps=1", "training.warmup_steps=1", "waveglow.n_channels=8", "waveglow.n_flows=2"]
    changes = [word for setting in settings for word in ("--set", setting)]
    where = ["--data", str(data), "--run", str(tmp_path / "run"), "--preset", "waveglow-small", "--device", "cpu"]
    assert watch_libraries("train", "vocoder", *where, *changes) == []
    assert (tmp_path / "run" / "last").exists()


def test_the_watchers_see_a_lookup(watch: Watch, tmp_path: Path) -> None:
    """A watcher that sees nothing proves nothing."""
    pytest.importorskip("huggingface_hub", reason="Hugging Face's client is not installed (extra: hub)")
    try:
        found = watch("say", "Yes.", "--voice", "hf:nobody/nothing", "-o", str(tmp_path / "yes.wav"))
    except AssertionError:
        found = [line for name in ("names", "calls", "asked") for line in _log(tmp_path / name)]
    assert found


def _log(path: Path) -> list[str]:
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return [line for line in lines if path.name != "calls" or _ASKED.search(line)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
