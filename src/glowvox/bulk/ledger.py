"""The ledger: one file per shard, written when all its speech is in place. A shard with a ledger is done, for ever.

`ledger/00000007.json` names every row of the shard with its file, length, seed and checksum, or its error, and every
output file with its size and checksum.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from glowvox.bulk.plan import ShardPlan
from glowvox.errors import DataError
from glowvox.storage.object_storage import Storage

FOLDER = "ledger"
_READERS = 16


@dataclass(frozen=True)
class OutputFile:
    """A file of the output."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Ledger:
    """What became of a shard."""

    shard: int
    plan_sha256: str
    rows: tuple[dict[str, Any], ...]
    """In the order of the plan: `row`, `id`, and either `error` or `text`, `file`, `seconds`, `samples`, `seed`,
    `sha256`."""
    files: tuple[OutputFile, ...]

    @property
    def seconds(self) -> float:
        """Speech, in seconds."""
        return float(sum(row.get("seconds", 0.0) for row in self.rows))

    @property
    def errors(self) -> int:
        """Rows that could not be spoken."""
        return sum("error" in row for row in self.rows)


def write_ledger(storage: Storage, ledger: Ledger) -> None:
    """Write a shard's ledger, the last of its files.

    Raises:
        DataError: it cannot be written.
    """
    content = {
        "shard": ledger.shard,
        "plan_sha256": ledger.plan_sha256,
        "files": [vars(file) for file in ledger.files],
        "rows": list(ledger.rows),
    }
    storage.write(_name(ledger.shard), (json.dumps(content, ensure_ascii=True) + "\n").encode("utf-8"))


def forget(storage: Storage, shard: ShardPlan) -> None:
    """Remove a shard's ledger, so that the shard is done again.

    Raises:
        DataError: it cannot be removed.
    """
    storage.remove(_name(shard.number))


def read_ledger(storage: Storage, shard: ShardPlan) -> Ledger | None:
    """Return a shard's ledger; None where there is none, it is damaged, or of another plan.

    Raises:
        DataError: the storage does not answer.
    """
    try:
        content = json.loads(storage.read(_name(shard.number)))
        files = tuple(OutputFile(**file) for file in content["files"])
        ledger = Ledger(content["shard"], content["plan_sha256"], tuple(content["rows"]), files)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    fits = ledger.plan_sha256 == shard.sha256 and len(ledger.rows) == shard.rows
    return ledger if fits else None


def read_complete(storage: Storage, shard: ShardPlan, *, verify: bool = False) -> Ledger | None:
    """Return the ledger of a shard whose output is all there; None where something is missing.

    Args:
        storage: of the run.
        shard: which.
        verify: read every file again and compare its checksum, not just its size.

    Raises:
        DataError: the storage does not answer.
    """
    ledger = read_ledger(storage, shard)
    if ledger is None:
        return None
    folders = {str(PurePosixPath(file.name).parent) for file in ledger.files}
    sizes = {f"{folder}/{name}": size for folder in folders for name, size in storage.sizes(folder).items()}
    if any(sizes.get(file.name) != file.bytes for file in ledger.files):
        return None
    if verify and any(hashlib.sha256(storage.read(file.name)).hexdigest() != file.sha256 for file in ledger.files):
        return None
    return ledger


def read_all_complete(
    storage: Storage, shards: Iterable[ShardPlan], *, verify: bool = False
) -> Iterator[tuple[ShardPlan, Ledger | None]]:
    """Yield the shards in order, each with its ledger where its output is all there; several are read at a time."""
    written = storage.sizes(FOLDER)
    listed = list(shards)

    def read(shard: ShardPlan) -> Ledger | None:
        return read_complete(storage, shard, verify=verify) if f"{shard.name}.json" in written else None

    with ThreadPoolExecutor(_READERS) as pool:
        for first in range(0, len(listed), 64 * _READERS):
            some = listed[first : first + 64 * _READERS]
            yield from zip(some, pool.map(read, some), strict=True)


def _name(number: int) -> str:
    return f"{FOLDER}/{number:08d}.json"


ROWS, ERRORS = "rows.jsonl", "errors.jsonl"


@dataclass(frozen=True)
class RunTotals:
    """A whole run in numbers."""

    rows: int
    spoken: int
    errors: int
    seconds: float
    bytes: int


def write_summary(storage: Storage, shards: Sequence[ShardPlan]) -> RunTotals:
    """Write `rows.jsonl` (what was spoken) and `errors.jsonl` (what could not be, and why) in the manifest's order.

    Raises:
        DataError: a shard is not complete, or nothing can be written.
    """
    rows_aside, errors_aside = storage.aside(), storage.aside()
    spoken = errors = size = 0
    seconds = 0.0
    try:
        with rows_aside.open("w", encoding="utf-8") as rows, errors_aside.open("w", encoding="utf-8") as bad:
            for shard, ledger in read_all_complete(storage, shards):
                if ledger is None:
                    raise DataError(f"{storage.url}: the shard {shard.name} was removed; start the run again")
                for row in ledger.rows:
                    (bad if "error" in row else rows).write(json.dumps(row, ensure_ascii=False) + "\n")
                errors += ledger.errors
                spoken += len(ledger.rows) - ledger.errors
                seconds += ledger.seconds
                size += sum(file.bytes for file in ledger.files)
        storage.put(ROWS, rows_aside)
        storage.put(ERRORS, errors_aside)
    except OSError as error:
        raise DataError(f"{storage.url}: cannot write the list of rows ({error.strerror or error})") from error
    finally:
        rows_aside.unlink(missing_ok=True)
        errors_aside.unlink(missing_ok=True)
    return RunTotals(spoken + errors, spoken, errors, seconds, size)
