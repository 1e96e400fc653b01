"""The folder beside a book in which its finished parts wait: what was spoken before is not spoken again."""

import fcntl
import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.errors import DataError

_PLAN = "plan.json"
_LOCK = "lock"


class WorkFolder:
    """Parts and tracks of one plan. Only what has its JSON beside it is finished."""

    def __init__(self, path: Path, plan: dict[str, Any]) -> None:
        """Open or make it; what another plan left there is thrown away.

        Args:
            path: the folder.
            plan: everything that decides how the book sounds; the same plan goes on.

        Raises:
            DataError: it cannot be made, or another run works in it.
        """
        self.path = path
        written = json.dumps(plan, sort_keys=True, ensure_ascii=False)
        self.fingerprint = hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = (path / _LOCK).open("a")
        except OSError as error:
            raise DataError(f"cannot make the folder {path}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise DataError(f"another run is at work on this book in {path}; wait for it, or stop it") from error
        self.goes_on = self._read(path / _PLAN).get("fingerprint") == self.fingerprint
        if not self.goes_on:
            for old in path.iterdir():
                if old.name != _LOCK and old.is_file():
                    old.unlink()
            self._write(path / _PLAN, {"fingerprint": self.fingerprint, "plan": plan})
        for aside in path.glob(".*.part"):
            aside.unlink(missing_ok=True)

    def close(self) -> None:
        """Let others work in it."""
        self._lock.close()

    def remove(self) -> None:
        """Throw it away: the book is finished."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def part(self, track: int, part: int) -> dict[str, Any] | None:
        """Return what is known of a part that is finished; None: it is not."""
        known = self._read(self._part(track, part, "json"))
        sound = self._part(track, part, "flac")
        return known if known and sound.is_file() and sound.stat().st_size == known.get("bytes") else None

    def save_part(self, track: int, part: int, samples: NDArray[np.int16], rate: int, known: dict[str, Any]) -> None:
        """Keep a part.

        Args:
            track: its number.
            part: its number in the track.
            samples: [S].
            rate: samples per second.
            known: what is to be known of it later.

        Raises:
            DataError: it cannot be written.
        """
        content = io.BytesIO()
        soundfile.write(content, samples, rate, format="FLAC", subtype="PCM_16")
        with replacing(self._part(track, part, "flac"), DataError) as stream:
            stream.write(content.getvalue())
        self._write(self._part(track, part, "json"), {**known, "bytes": len(content.getvalue())})

    def samples(self, track: int, parts: int) -> Iterator[NDArray[np.int16]]:
        """Yield the samples of a track, part by part.

        Raises:
            DataError: a part was changed by somebody.
        """
        for part in range(parts):
            try:
                found, _ = soundfile.read(self._part(track, part, "flac"), dtype="int16")
            except (soundfile.SoundFileError, OSError) as error:
                path = self._part(track, part, "flac")
                raise DataError(f"{path} is damaged; delete the folder and start again") from error
            yield found

    def track(self, track: int) -> dict[str, Any] | None:
        """Return what is known of a track that is finished; None: it is not."""
        return self._read(self.path / f"{track:04d}.json") or None

    def save_track(self, track: int, known: dict[str, Any], parts: int) -> None:
        """Mark a track as finished; its parts are not needed any more.

        Raises:
            DataError: it cannot be written.
        """
        self._write(self.path / f"{track:04d}.json", known)
        for part in range(parts):
            for ending in ("json", "flac"):
                self._part(track, part, ending).unlink(missing_ok=True)

    def _part(self, track: int, part: int, ending: str) -> Path:
        return self.path / f"{track:04d}-{part:03d}.{ending}"

    @staticmethod
    def _read(path: Path) -> dict[str, Any]:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    @staticmethod
    def _write(path: Path, content: dict[str, Any]) -> None:
        with replacing(path, DataError) as stream:
            stream.write(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))
