"""Synthetic recordings and corpora."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from glowvox.data import report as report_html

RATE = 22050


def _voiced(seconds: float = 0.8, *, pitch: float = 140.0, rate: int = RATE, level: float = 0.1) -> np.ndarray:
    """Harmonics with a syllable-like envelope, and a little noise, between two short silences."""
    time = np.arange(round(seconds * rate)) / rate
    generator = np.random.default_rng(round(pitch * 1000))
    tone = sum(np.sin(2 * np.pi * pitch * k * time + k * k) / k for k in range(1, 20))
    envelope = np.clip(np.minimum(time, seconds - time) * 10, 0, 1) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))
    return (level * tone * envelope + 1e-4 * generator.standard_normal(len(time))).astype(np.float32)


def _write(path: Path, samples: np.ndarray, rate: int = RATE, **options: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)
    return path


MakeCorpus = Callable[..., Path]


@pytest.fixture(scope="session")
def voiced() -> Callable[..., np.ndarray]:
    return _voiced


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    return _write


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make reports without plots, as on a machine without matplotlib: plots take most of the time."""
    monkeypatch.setattr(report_html, "can_plot", lambda: False)


@pytest.fixture
def make_corpus(tmp_path: Path) -> MakeCorpus:
    """Write a corpus in the LJ Speech layout: texts by id, one recording each with its own pitch."""

    def make(texts: dict[str, str], name: str = "corpus") -> Path:
        folder = tmp_path / name
        for index, identifier in enumerate(texts):
            _write(folder / "wavs" / f"{identifier}.wav", _voiced(pitch=120.0 + 3 * index))
        rows = "".join(f"{identifier}|{text}\n" for identifier, text in texts.items())
        (folder / "metadata.csv").write_text(rows, encoding="utf-8")
        return folder

    return make


_TEACHER = '''
import os, sys, time
import numpy as np

def speak(text, voice, seed):
    """Sound that rises and falls; the words of a text make trouble."""
    if "crash" in text:
        os._exit(11)
    if "hang" in text:
        time.sleep(60)
    if "raise" in text:
        raise RuntimeError("no such sound")
    rate = 16000 if "slow" in text else 22050
    rng = np.random.default_rng(seed)
    seconds = 0.08 * len(text)
    time_ = np.arange(int(seconds * rate)) / rate
    sound = 0.3 * np.sin(2 * np.pi * 150 * time_) * np.sin(2 * np.pi * 2 * time_) ** 2
    sound = sound + 0.001 * rng.standard_normal(len(sound))
    if "stereo" in text:
        sound = np.stack([sound, 0.5 * sound], 1)
    if "integers" in text:
        sound = (sound * 32767).astype(np.int16)
    if "text" == text.lower():
        return "words"
    return sound.astype(np.float32) if sound.dtype.kind == "f" else sound, rate
'''


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """Write a Python file with a teacher for distillation: `speak`."""
    path = tmp_path / "teacher.py"
    path.write_text(_TEACHER)
    return path
