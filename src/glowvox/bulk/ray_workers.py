"""Shards on a Ray cluster, streamed through Ray Data: a stateless task per shard, in any free process of any machine.

Tasks, not actors: a task whose machine is lost is simply run elsewhere, while an actor would wait for a place to be
restarted at, and machines that join later are used. A process opens the voice at its first task and keeps it.
"""

import functools
import logging
import os
from collections.abc import Iterator, Sequence
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

_WAVE, _WAVE_PER_CPU = 1024, 32
"""Shards given to Ray Data at a time, in all and for each processor: what the driver holds of a run of any size. The
workers that are done wait for the last ones of a wave, so each shall have many."""
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
            import ray.data
        except ModuleNotFoundError as error:
            raise MissingExtraError(str(error.name), "cluster", "more than one worker") from error
        self._connect(ray)
        try:
            _quiet(ray.data.DataContext.get_current())
            work = functools.partial(
                run_shard,
                url=self.url,
                settings=self.settings,
                voice=ray.put(self.voice),
                voice_sha256=self.voice.sha256,
                threads=self.threads,
                version=__version__,
            )
            size = max(_WAVE, _WAVE_PER_CPU * int(ray.cluster_resources().get("CPU", 1)))
            for first in range(0, len(shards), size):
                yield from self._wave(ray, work, shards[first : first + size])
        finally:
            ray.shutdown()

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

    def _wave(self, ray: Any, work: Any, shards: Sequence[ShardPlan]) -> Iterator[ShardResult]:
        items = [shard.to_json() for shard in shards]
        found = ray.data.from_items(items, override_num_blocks=len(items)).map(
            work, num_cpus=self.threads, concurrency=self._count, ray_remote_args_fn=lambda: {"max_retries": _RETRIES}
        )
        for batch in found.iter_batches(batch_size=1, prefetch_batches=0):
            told = {name: values[0] for name, values in batch.items()}
            if told["fatal"]:
                raise EngineError(str(told["failure"]))
            yield ShardResult(
                int(told["shard"]), float(told["seconds"]), int(told["errors"]), failure=str(told["failure"])
            )


def run_shard(
    item: dict[str, Any],
    *,
    url: str,
    settings: RunSettings,
    voice: "ObjectRef[PackedVoice]",
    voice_sha256: str,
    threads: int,
    version: str,
) -> dict[str, Any]:
    """Do one shard in a worker process and return its result as plain values; what fails is told, not raised.

    Args:
        item: the shard's plan as JSON, under the key `item`.
        url: of the run's storage.
        settings: the run's.
        voice: where Ray keeps the voice.
        voice_sha256: its checksum.
        threads: CPU threads of the engine.
        version: of the program that started the run.
    """
    shard = shard_from_json(item["item"])
    fatal, failure, result = False, "", ShardResult(shard.number)
    try:
        if version != __version__:
            raise ConfigError(f"a worker has glowvox {__version__}, the run was started with {version}: install one")
        opened = _opened_voice(voice_sha256, voice, threads)

        def speak(row: Row) -> SynthesizedRow | BadRow:
            return speak_row(opened, row, settings)

        result = result_of(do_shard(open_storage(url), shard, settings, speak))
    except (EngineError, DataError, MemoryError) as error:
        # Of this machine or moment, it may be; the run decides.
        failure = one_line(error, empty="no memory left")
    except GlowvoxError as error:
        fatal, failure = True, str(error)
    return {
        "shard": shard.number,
        "seconds": result.seconds,
        "errors": result.errors,
        "failure": failure,
        "fatal": fatal,
    }


_VOICES: dict[tuple[str, int], Voice] = {}
"""The voices that this process has opened, by checksum and threads."""


def _opened_voice(sha256: str, voice: "ObjectRef[PackedVoice]", threads: int) -> Voice:
    import ray

    known = (sha256, threads)
    if known not in _VOICES:
        _VOICES.clear()
        _VOICES[known] = ray.get(voice).open(threads)
    return _VOICES[known]


def _quiet(context: Any) -> None:
    """Leave the terminal to the run's own progress; a shard lost too often is missing, not the end of the run."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.max_errored_blocks = -1
