"""Shared engines: what several voices have in common is in memory once, for as long as one of them uses it.

Voices are often made with one vocoder, and speakers of one model are voices of their own. An engine keeps nothing of a
signal between calls, so whoever has the same files can have the same engine.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from glowvox.engines.base import AcousticEngine, VocoderEngine

T = TypeVar("T", bound=AcousticEngine | VocoderEngine)
_BLOCK = 1 << 20


class SharedEngines:
    """Engines by the content of their files; several threads may ask at once."""

    def __init__(self) -> None:
        self._engines: WeakValueDictionary[tuple[object, ...], AcousticEngine | VocoderEngine] = WeakValueDictionary()
        self._opening: dict[tuple[object, ...], threading.Lock] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._engines)

    def get(self, files: Iterable[Path], options: tuple[object, ...], load: Callable[[], T]) -> T:
        """Return the engine of files, which is opened if no voice has it.

        Args:
            files: all that it is made of.
            options: whatever makes it another engine: which one, its threads, its device.
            load: opens it.
        """
        key = (*options, *(_digest(file) for file in files))
        with self._lock:
            lock = self._opening.setdefault(key, threading.Lock())
        with lock:
            engine = self._engines.get(key)
            if engine is None:
                engine = self._engines[key] = load()
            return engine  # type: ignore[return-value]  # what was opened with this key is of one kind


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        digest = hashlib.sha256()
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
