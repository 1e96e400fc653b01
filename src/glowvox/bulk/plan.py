"""The plan of a run: the manifest's rows, checked and cut into shards, written once before anything is spoken.

So every machine reads a few small files instead of a manifest of any size and format, and a manifest that is changed
meanwhile changes nothing. `plan/00000007.jsonl` holds the rows of shard 7, `plan/index.jsonl` a line for each shard.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from glowvox.bulk.duplicates import DuplicateFinder
from glowvox.bulk.row import BadRow, Row
from glowvox.bulk.run_storage import RunStorage
from glowvox.errors import DataError

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
    storage: RunStorage, rows: Iterable[Row | BadRow], shard_rows: int, on_progress: Callable[[int], None]
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


def read_plan(storage: RunStorage) -> list[ShardPlan]:
    """Return the shards of a plan.

    Raises:
        DataError: it is missing or damaged.
    """
    try:
        return [shard_from_json(line) for line in storage.read(_INDEX).splitlines()]
    except (FileNotFoundError, ValueError, TypeError) as error:
        raise DataError(f"{storage.url}/{_INDEX}: damaged ({error}); name another output") from error


def read_shard(storage: RunStorage, shard: ShardPlan) -> list[Row | BadRow]:
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
