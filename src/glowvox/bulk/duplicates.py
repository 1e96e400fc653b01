"""Finding ids that stand twice among any number of rows, with little memory: hashes on disk, sorted part by part."""

import hashlib
import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np

_PARTS = 256
_WAITING = 1 << 16
_ENTRY = np.dtype([("high", "<u8"), ("low", "<u8"), ("row", "<u8")])


class DuplicateFinder:
    """Takes the id of every row, and says in the end which rows repeat an id; its files vanish with the block.

    Two ids are taken for the same where 128 bits of their SHA-256 are: for a thousand million rows that happens by
    chance with a probability of 10**-21. On disk every row takes 24 bytes, in memory a 256th part of that.
    """

    def __init__(self) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="glowvox-ids-")
        self._waiting: list[tuple[int, int, int]] = []

    def __enter__(self) -> "DuplicateFinder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._place.cleanup()

    def add(self, row: int, name: str) -> None:
        """Note the id of a row; rows come in rising order."""
        hashed = hashlib.sha256(name.encode("utf-8")).digest()
        self._waiting.append((int.from_bytes(hashed[:8], "little"), int.from_bytes(hashed[8:16], "little"), row))
        if len(self._waiting) >= _WAITING:
            self._flush()

    def duplicates(self) -> dict[int, int]:
        """Return the rows whose id stood before, each with the first row that has it."""
        self._flush()
        found: dict[int, int] = {}
        for part in sorted(Path(self._place.name).iterdir()):
            entries = np.sort(np.fromfile(part, _ENTRY), order=("high", "low", "row"))
            first = 0
            same = (entries["high"][1:] == entries["high"][:-1]) & (entries["low"][1:] == entries["low"][:-1])
            for place in np.flatnonzero(same) + 1:
                if place < 2 or not same[place - 2]:
                    first = int(place) - 1
                found[int(entries["row"][place])] = int(entries["row"][first])
        return found

    def _flush(self) -> None:
        entries = np.array(self._waiting, _ENTRY)
        self._waiting.clear()
        parts = entries["high"] % _PARTS
        for part in np.unique(parts):
            with (Path(self._place.name) / f"{part:03d}").open("ab") as file:
                file.write(entries[parts == part].tobytes())
