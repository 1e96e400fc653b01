"""The work on one shard: read its rows, speak them, put the speech in place, write the ledger last.

Doing it twice, even at the same time on two machines, gives the same bytes under the same names; so a shard whose
worker is lost is simply done again.
"""

from collections.abc import Callable

from glowvox.bulk.card import RunSettings
from glowvox.bulk.file_output import FileOutput
from glowvox.bulk.ledger import Ledger, read_complete, write_ledger
from glowvox.bulk.output import ShardOutput
from glowvox.bulk.parquet_output import ParquetOutput
from glowvox.bulk.plan import ShardPlan, read_shard
from glowvox.bulk.row import BadRow, Row
from glowvox.bulk.run_storage import RunStorage
from glowvox.bulk.speaker import Spoken
from glowvox.bulk.tar_output import TarOutput

SpeakRow = Callable[[Row], Spoken | BadRow]


def do_shard(storage: RunStorage, shard: ShardPlan, settings: RunSettings, speak: SpeakRow) -> Ledger:
    """Speak a shard, unless that was done before, and return its ledger.

    Args:
        storage: of the run.
        shard: which.
        settings: of the run.
        speak: speaks one row.

    Raises:
        DataError: the plan cannot be read, or the output not written.
        EngineError: the engine failed.
    """
    done = read_complete(storage, shard)
    if done is not None:
        return done
    rows = read_shard(storage, shard)
    with open_output(storage, shard.name, settings) as output:
        records = [_record(output, row, speak) for row in rows]
        ledger = Ledger(shard.number, shard.sha256, tuple(records), output.finish())
    write_ledger(storage, ledger)
    return ledger


def open_output(storage: RunStorage, name: str, settings: RunSettings) -> ShardOutput:
    """Return the output of a shard in the run's form.

    Raises:
        MissingExtraError: the form needs a package that is not installed.
    """
    kinds: dict[str, type[ShardOutput]] = {"files": FileOutput, "webdataset": TarOutput, "parquet": ParquetOutput}
    return kinds[settings.output](storage, name, settings)


def _record(output: ShardOutput, row: Row | BadRow, speak: SpeakRow) -> dict[str, object]:
    spoken = row if isinstance(row, BadRow) else speak(row)
    if isinstance(spoken, BadRow):
        return {"row": spoken.number, "id": spoken.id, "error": spoken.error}
    return output.add(spoken)
