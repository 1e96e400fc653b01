"""What takes long to make and is the same at the next start, kept in a folder of this user's.

An entry is written aside and renamed, so that two processes at once cannot meet a half of it; its name ends in the
digest of its content, so that a damaged one is noticed, thrown away and made again. What cannot be written is not kept,
and nothing fails.
"""

import contextlib
import functools
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

CACHE_VARIABLE = "GLOWVOX_CACHE"
"""Environment variable with the folder of the cache; `off`: nothing is kept."""
LARGEST_CACHE = 2 << 30
"""Bytes; beyond that the entries that were not used for longest go."""
_NOTE = ".sha256"
"""Suffix of an entry that holds the digest of a file of weights, by the file's place and state."""
_SETTLED_NS = 2_000_000_000
"""Nanoseconds after which a file counts as written; clocks of some file systems tick every two seconds."""


def cache_folder() -> Path | None:
    """Return the folder of the cache, which need not exist; None: nothing is kept."""
    named = os.environ.get(CACHE_VARIABLE)
    if named == "off":
        return None
    if named:
        return Path(named)
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "glowvox"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "glowvox" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "glowvox"


def from_cache(key: str, suffix: str, load: Callable[[Path], T]) -> T | None:
    """Return what `load` makes of an entry; None: there is none, or it is damaged and was thrown away.

    Args:
        key: what it is made of.
        suffix: of the entry's file.
        load: takes the entry's file, and may fail in any way.
    """
    folder = cache_folder()
    if folder is None:
        return None
    for place in folder.glob(f"{key}-*{suffix}"):
        try:
            if place.name != _name(key, place, suffix):
                raise ValueError("damaged")
            loaded = load(place)
        except Exception:  # engines' errors have no base class of their own; the entry is made again
            with contextlib.suppress(OSError):
                place.unlink()
        else:
            with contextlib.suppress(OSError):
                os.utime(place)
            return loaded
    return None


def into_cache(key: str, suffix: str, write: Callable[[Path], object]) -> None:
    """Keep an entry, if that is possible.

    Args:
        key: what it is made of.
        suffix: of the entry's file.
        write: writes the file that it is given.
    """
    folder = cache_folder()
    if folder is not None:
        with contextlib.suppress(OSError):
            _write_aside(folder, suffix, write, lambda made: _name(key, made, suffix))
            _tidy(folder)


def _write_aside(folder: Path, suffix: str, write: Callable[[Path], object], name: Callable[[Path], str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as aside:
        made = Path(aside) / f"made{suffix}"
        write(made)
        made.replace(folder / name(made))


def _name(key: str, file: Path, suffix: str) -> str:
    return f"{key}-{_digest(file).hex()[:32]}{suffix}"


def _digest(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def known_digest(file: Path) -> bytes:
    """Return the SHA-256 of a large file, which is read once for as long as it is the same.

    It is kept between starts: to read 20 MB of weights for it takes a fifth of the time in which a voice is loaded.

    Raises:
        OSError: the file cannot be read.
    """
    known = file.stat()
    state = known.st_dev, known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns
    return _digest_in_state(file.resolve(), *state)


@functools.lru_cache(maxsize=16)
def _digest_in_state(file: Path, *state: int) -> bytes:
    folder = cache_folder()
    if folder is None:
        return _digest(file)
    note = folder / f"{hashlib.sha256(repr((str(file), state)).encode()).hexdigest()[:32]}{_NOTE}"
    with contextlib.suppress(OSError):
        kept = note.read_bytes()
        if len(kept) == hashlib.sha256().digest_size:
            return kept
    digest = _digest(file)
    if max(state[3:]) + _SETTLED_NS < time.time_ns():  # what is written to again within a clock's tick looks the same
        with contextlib.suppress(OSError):
            _write_aside(folder, _NOTE, lambda aside: aside.write_bytes(digest), lambda _made: note.name)
    return digest


def _tidy(folder: Path) -> None:
    """Throw away what was not used for longest, where the whole is too large."""
    entries = sorted((entry for entry in folder.iterdir() if entry.is_file()), key=lambda entry: -entry.stat().st_mtime)
    total = 0
    for entry in entries:
        total += entry.stat().st_size
        if total > LARGEST_CACHE:
            entry.unlink(missing_ok=True)
