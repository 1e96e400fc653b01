"""Shards on a Ray cluster: a stateless task per shard, in any free process of any machine.

Tasks, not actors: a task whose machine is lost is simply run elsewhere, while an actor would wait for a place to be
restarted at, and machines that join later are used. A process opens the voice at its first task and keeps it.

Plain tasks, not Ray Data: from Ray 2.64 on, its `map` takes no options of tasks, and without `max_retries` a shard that
kills its worker is tried for ever.
"""

import itertools
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from glowvox import __version__
from glowvox.bulk.card import RunSettings
from glowvox.bulk.packed_voice import PackedVoice
from glowvox.bulk.plan import ShardPlan, shard_from_json
from glowvox.bulk.row import BadRow, Row
from glowvox.bulk.speaker import SynthesizedRow, speak_row
from glowvox.bulk.workers import ShardResult, Workers, do_shard, result_of
from glowvox.errors import ConfigError, DataError, EngineError, GlowvoxError, MissingExtraError, one_line
from glowvox.storage.object_storage import open_storage
from glowvox.synthesis.voice import Voice

if TYPE_CHECKING:
    from ray import ObjectRef

_PENDING, _PENDING_PER_CPU = 1024, 32
"""Shards given to Ray at a time, in all and for each processor: what the driver holds of a run of any size."""
_OBJECT_STORE = 256 << 20
"""Bytes for a cluster of this machine alone: the voice, and results of a hundred bytes each."""
_RETRIES = 5
"""How often a shard is given to another worker when its own was lost. What kills every worker shall not do so for ever:
after that the shard is left to the second round, which finds the row."""


@final
class RayWorkers(Workers):
    """Processes of a Ray cluster.

    Args:
        url: of the run's storage; every machine must reach it.
        settings: the run's.
        voice: the run's; it travels to every machine through Ray.
        threads: CPU threads of each worker's engine.
        count: most workers at a time; None: as many as the cluster has processors for.
        address: of the cluster; None: one is started on this machine, for as long as this lasts.
    """

    def __init__(
        self,
        url: str,
        settings: RunSettings,
        voice: PackedVoice,
        threads: int,
        *,
        count: int | None = None,
        address: str | None = None,
    ) -> None:
        super().__init__(url, settings, voice, threads)
        self._count, self._address = count, address

    def results(self, shards: Sequence[ShardPlan]) -> Iterator[ShardResult]:
        """See `Workers.results`."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ModuleNotFoundError as error:
            raise MissingExtraError(str(error.name), "cluster", "more than one worker") from error
        self._connect(ray)
        try:
            yield from self._results(ray, shards)
        finally:
            ray.shutdown()

    def _results(self, ray: Any, shards: Sequence[ShardPlan]) -> Iterator[ShardResult]:
        task = ray.remote(num_cpus=self.threads, max_retries=_RETRIES)(run_shard)
        work = ShardWork(self.url, self.settings, ray.put(self.voice), self.voice.sha256, self.threads, __version__)
        waiting, pending = iter(shards), list[Any]()
        while True:
            room = self._most_pending(ray) - len(pending)
            pending += [task.remote(shard.to_json(), work) for shard in itertools.islice(waiting, max(0, room))]
            if not pending:
                return
            done, pending = ray.wait(pending)
            for one in done:
                try:
                    result, fatal = ray.get(one)
                except ray.exceptions.RayError:
                    continue  # lost with its workers, each time: it is missing
                if fatal:
                    raise EngineError(result.failure)
                yield result

    def _connect(self, ray: Any) -> None:
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
        if self._address is None:
            # Every task holds as many processors as its engine has threads.
            cpus = None if self._count is None else self._count * self.threads
            ray.init(num_cpus=cpus, include_dashboard=False, object_store_memory=_OBJECT_STORE, **quiet)
            return
        try:
            ray.init(address=self._address, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = one_line(error, limit=200)
            raise ConfigError(
                f"no Ray cluster can be joined at '{self._address}' ({reason}); start one with 'ray start --head'"
            ) from error

    def _most_pending(self, ray: Any) -> int:
        """Return how many shards may be given to Ray now; the cluster may have grown."""
        if self._count is not None:
            return self._count
        return max(_PENDING, _PENDING_PER_CPU * int(ray.cluster_resources().get("CPU", 1)))


@dataclass(frozen=True)
class ShardWork:
    """What a worker process must know besides the plan of its shard."""

    url: str
    """Of the run's storage."""
    settings: RunSettings
    voice: "ObjectRef[PackedVoice]"
    """Where Ray keeps the voice, which travels to each machine once, not with each task."""
    voice_sha256: str
    threads: int
    """CPU threads of the engine."""
    version: str
    """Of the program that started the run."""


def run_shard(plan: str, work: ShardWork) -> tuple[ShardResult, bool]:
    """Do one shard in a worker process; return its result, and whether the run cannot go on. Nothing is raised.

    Args:
        plan: the shard's, as JSON.
        work: the run's.
    """
    shard = shard_from_json(plan)
    try:
        if work.version != __version__:
            raise ConfigError(
                f"a worker has glowvox {__version__}, the run was started with {work.version}: install one"
            )
        voice = _opened_voice(work)

        def speak(row: Row) -> SynthesizedRow | BadRow:
            return speak_row(voice, row, work.settings)

        return result_of(do_shard(open_storage(work.url), shard, work.settings, speak)), False
    except (EngineError, DataError, MemoryError) as error:
        # Of this machine or moment, it may be; the run decides.
        return ShardResult(shard.number, failure=one_line(error, empty="no memory left")), False
    except GlowvoxError as error:
        return ShardResult(shard.number, failure=str(error)), True


_VOICES: dict[tuple[str, int], Voice] = {}
"""The voices that this process has opened, by checksum and threads."""


def _opened_voice(work: ShardWork) -> Voice:
    import ray

    known = (work.voice_sha256, work.threads)
    if known not in _VOICES:
        _VOICES.clear()
        _VOICES[known] = ray.get(work.voice).open(work.threads)
    return _VOICES[known]
