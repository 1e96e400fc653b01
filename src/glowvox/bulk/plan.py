"""The plan of a run: the manifest's rows, checked and cut into shards, written once before anything is spoken.

So every machine reads a few small files instead of a manifest of any size and format, and a manifest that is changed
meanwhile changes nothing. `plan/00000007.jsonl` holds the rows of shard 7, `plan/index.jsonl` a line for each shard.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from glowvox.bulk.row import BadRow, Row
from glowvox.errors import DataError
from glowvox.storage.object_storage import Storage

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


_INDEX = "plan/index.jsonl"


@dataclass(frozen=True)
class ShardPlan:
    """One shard: the unit of work."""

    number: int
    rows: int
    characters: int
    """Of the texts that can be spoken: the measure of work."""
    sha256: str
    """Of the shard's file in the plan."""
    duplicates: dict[str, int] = field(default_factory=dict)
    """Rows whose id stood before, by their numbers, with the number of the first row that has it."""

    @property
    def name(self) -> str:
        """The shard's number as files have it."""
        return f"{self.number:08d}"

    def to_json(self) -> str:
        """Return one line."""
        return json.dumps(asdict(self), separators=(",", ":"))


def shard_from_json(line: str | bytes) -> ShardPlan:
    """Return the shard that `to_json` wrote."""
    return ShardPlan(**json.loads(line))


def write_plan(
    storage: Storage, rows: Iterable[Row | BadRow], shard_rows: int, on_progress: Callable[[int], None]
) -> list[ShardPlan]:
    """Cut rows into shards and write them.

    Args:
        storage: of the run.
        rows: of the manifests, streamed.
        shard_rows: rows in a shard.
        on_progress: told how many rows are planned.

    Raises:
        DataError: there are no rows, or nothing can be written.
    """
    shards: list[ShardPlan] = []
    with DuplicateFinder() as finder:
        for number, group in enumerate(_groups(rows, shard_rows)):
            for row in group:
                if isinstance(row, Row):
                    finder.add(row.number, row.id)
            content = "".join(_line(row) for row in group).encode("utf-8")
            characters = sum(len(row.text) for row in group if isinstance(row, Row))
            shard = ShardPlan(number, len(group), characters, hashlib.sha256(content).hexdigest())
            storage.write(_file(shard), content)
            shards.append(shard)
            on_progress(group[-1].number + 1)
        repeated = finder.duplicates()
    if not shards:
        raise DataError("the manifest holds no rows")
    for row_number, first in sorted(repeated.items()):
        shard = shards[row_number // shard_rows]
        shards[shard.number] = replace(shard, duplicates={**shard.duplicates, str(row_number): first})
    storage.write(_INDEX, "".join(shard.to_json() + "\n" for shard in shards).encode("utf-8"))
    return shards


def read_plan(storage: Storage) -> list[ShardPlan]:
    """Return the shards of a plan.

    Raises:
        DataError: it is missing or damaged.
    """
    try:
        return [shard_from_json(line) for line in storage.read(_INDEX).splitlines()]
    except (FileNotFoundError, ValueError, TypeError) as error:
        raise DataError(f"{storage.url}/{_INDEX}: damaged ({error}); name another output") from error


def read_shard(storage: Storage, shard: ShardPlan) -> list[Row | BadRow]:
    """Return the rows of a shard; one whose id stood before is a bad one.

    Raises:
        DataError: the shard's file is missing, or not the one that was planned.
    """
    try:
        content = storage.read(_file(shard))
    except FileNotFoundError as error:
        raise DataError(f"{storage.url}/{_file(shard)}: a part of the plan is missing; name another output") from error
    if hashlib.sha256(content).hexdigest() != shard.sha256:
        raise DataError(f"{storage.url}/{_file(shard)}: a part of the plan was changed; name another output")
    rows = [_row(json.loads(line)) for line in content.splitlines()]
    return [_refused(row, shard.duplicates.get(str(row.number))) for row in rows]


def _groups(rows: Iterable[Row | BadRow], size: int) -> Iterator[list[Row | BadRow]]:
    group: list[Row | BadRow] = []
    for row in rows:
        group.append(row)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _file(shard: ShardPlan) -> str:
    return f"plan/{shard.name}.jsonl"


def _line(row: Row | BadRow) -> str:
    return json.dumps(row.to_dict(), ensure_ascii=True, separators=(",", ":")) + "\n"


def _row(fields: dict[str, Any]) -> Row | BadRow:
    return BadRow(**fields) if "error" in fields else Row(**fields)


def _refused(row: Row | BadRow, first: int | None) -> Row | BadRow:
    if first is None or isinstance(row, BadRow):
        return row
    return BadRow(row.number, row.id, f"the id stood before, in row {first}")
