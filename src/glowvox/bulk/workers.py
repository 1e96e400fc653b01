"""Who does the shards: this process, or the processes of a Ray cluster. Both give results as they come."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from glowvox.bulk.card import RunSettings
from glowvox.bulk.carried_voice import CarriedVoice
from glowvox.bulk.ledger import Ledger
from glowvox.bulk.plan import ShardPlan
from glowvox.bulk.row import BadRow, Row
from glowvox.bulk.shard_work import do_shard
from glowvox.bulk.speaker import Spoken, speak_row
from glowvox.bulk.storage import open_storage
from glowvox.errors import EngineError


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

    def __init__(self, url: str, settings: RunSettings, voice: CarriedVoice, threads: int) -> None:
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

        def speak(row: Row) -> Spoken | BadRow:
            return speak_row(voice, row, self.settings)

        for shard in shards:
            try:
                yield result_of(do_shard(storage, shard, self.settings, speak))
            except (EngineError, MemoryError) as error:
                yield ShardResult(shard.number, failure=str(error) or "no memory left")
