"""Who does the shards: this process, or the processes of a Ray cluster. Both give results as they come."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

from glowvox.bulk.card import RunSettings
from glowvox.bulk.ledger import Ledger, read_complete, write_ledger
from glowvox.bulk.output import FileOutput, ParquetOutput, ShardOutput, TarOutput
from glowvox.bulk.packed_voice import PackedVoice
from glowvox.bulk.plan import ShardPlan, read_shard
from glowvox.bulk.row import BadRow, Row
from glowvox.bulk.speaker import SynthesizedRow, speak_row
from glowvox.errors import EngineError, one_line
from glowvox.storage.object_storage import Storage, open_storage

SpeakRow = Callable[[Row], SynthesizedRow | BadRow]


def do_shard(storage: Storage, shard: ShardPlan, settings: RunSettings, speak: SpeakRow) -> Ledger:
    """Speak a shard, unless that was done before, and return its ledger, which is written last.

    Doing it twice, even at the same time on two machines, gives the same bytes under the same names; so a shard whose
    worker is lost is simply done again.

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


def open_output(storage: Storage, name: str, settings: RunSettings) -> ShardOutput:
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


@dataclass(frozen=True)
class ShardResult:
    """What became of a shard in a worker's hands."""

    shard: int
    seconds: float = 0.0
    """Of speech."""
    errors: int = 0
    """Rows that could not be spoken."""
    failure: str = ""
    """Why the shard was not done; empty: it was."""


def result_of(ledger: Ledger) -> ShardResult:
    """Return the result of a shard that is done."""
    return ShardResult(ledger.shard, ledger.seconds, ledger.errors)


class Workers(ABC):
    """Does shards in any order.

    Args:
        url: of the run's storage.
        settings: the run's.
        voice: the run's.
        threads: CPU threads of each worker's engine.
    """

    def __init__(self, url: str, settings: RunSettings, voice: PackedVoice, threads: int) -> None:
        self.url, self.settings, self.voice, self.threads = url, settings, voice, threads

    @abstractmethod
    def results(self, shards: Sequence[ShardPlan]) -> Iterator[ShardResult]:
        """Yield the results of shards as they come; one that was lost with its worker too often may be missing.

        Raises:
            GlowvoxError: nothing can be done, whatever the shard.
        """


@final
class LocalWorker(Workers):
    """This process; it needs nothing but the base installation."""

    def results(self, shards: Sequence[ShardPlan]) -> Iterator[ShardResult]:
        """See `Workers.results`."""
        storage = open_storage(self.url)
        voice = self.voice.open(self.threads)

        def speak(row: Row) -> SynthesizedRow | BadRow:
            return speak_row(voice, row, self.settings)

        for shard in shards:
            try:
                yield result_of(do_shard(storage, shard, self.settings, speak))
            except (EngineError, MemoryError) as error:
                yield ShardResult(shard.number, failure=one_line(error, empty="no memory left"))
