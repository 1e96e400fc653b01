"""Nothing foreign is written: a fresh home holds our cache alone after speaking, and the user's own choice stands."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glowvox.audio.files import write_audio


def _run(home: Path, *words: str, **settings: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_", "GLOWVOX_"))}
    env = {**kept, "HOME": str(home), "OMP_NUM_THREADS": "1", **settings}
    done = subprocess.run(
        [sys.executable, "-m", "glowvox", *words], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr


def _foreign(home: Path) -> list[str]:
    ours = home / ".cache" / "glowvox"
    return [str(path) for path in home.rglob("*") if path.is_file() and not path.is_relative_to(ours)]


@pytest.mark.parametrize("command", ["say", "vocode"])
def test_a_fresh_home_holds_our_cache_alone(tmp_path: Path, command: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    if command == "say":
        _run(home, "say", "Yes.", "-o", str(tmp_path / "yes.wav"))
    else:
        write_audio(tmp_path / "in.wav", 0.1 * np.sin(np.arange(11025) * 0.05), 22050)
        _run(home, "vocode", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out.wav"))
    assert _foreign(home) == []


def test_the_users_own_choice_stands() -> None:
    program = (
        "import os; from glowvox.engines.onnx_engine import quiet_telemetry; quiet_telemetry(); "
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    for given, expected in ((None, "1"), ("0", "0")):
        env = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
        env |= {} if given is None else {"ORT_DISABLE_TELEMETRY": given}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=True)
        assert done.stdout.strip() == expected
