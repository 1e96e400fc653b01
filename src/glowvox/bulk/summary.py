"""What a finished run leaves besides the speech: the list of all rows, and that of the rows that are bad."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from glowvox.bulk.ledger import read_all_complete
from glowvox.bulk.plan import ShardPlan
from glowvox.bulk.run_storage import RunStorage
from glowvox.errors import DataError

ROWS, ERRORS = "rows.jsonl", "errors.jsonl"


@dataclass(frozen=True)
class RunTotals:
    """A whole run in numbers."""

    rows: int
    spoken: int
    errors: int
    seconds: float
    bytes: int


def write_summary(storage: RunStorage, shards: Sequence[ShardPlan]) -> RunTotals:
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
