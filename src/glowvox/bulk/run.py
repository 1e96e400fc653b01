"""A run from manifest to speech: planned once, continued where it stopped, summed up at the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from glowvox.bulk.card import RunCard, RunSettings, read_card, write_card
from glowvox.bulk.careful import CarefulSpeaker
from glowvox.bulk.ledger import forget, read_all_complete
from glowvox.bulk.manifest import ManifestColumns, check_formats, identify, manifest_rows
from glowvox.bulk.plan import ShardPlan, read_plan, write_plan
from glowvox.bulk.progress import Progress, Standing
from glowvox.bulk.run_storage import RunStorage
from glowvox.bulk.shard_work import do_shard
from glowvox.bulk.summary import RunTotals, write_summary
from glowvox.bulk.workers import Workers, result_of
from glowvox.errors import EngineError

_FAILURES_AT_FIRST = 3
_FAILURES_IN_A_ROW = 10
"""So many failures before anything has succeeded, or one after the other, are no matter of single rows."""


@dataclass
class Told:
    """Who is told how a run goes."""

    planning: Callable[[int], None]
    """Rows planned so far."""
    standing: Callable[[Standing], None]
    note: Callable[[str], None]
    """A line on something out of the ordinary."""


@dataclass(frozen=True)
class RunReport:
    """A finished run."""

    totals: RunTotals
    standing: Standing
    shards: int
    done_again: tuple[int, ...] = field(default=())
    """Shards that failed and were done once more, row by row."""


def plan_run(storage: RunStorage, sources: Sequence[str], settings: RunSettings, told: Told) -> list[ShardPlan]:
    """Return the shards of a run: planned now, or when it was first started.

    Args:
        storage: of the run.
        sources: the manifests.
        settings: of the run.
        told: who is told.

    Raises:
        DataError: a manifest cannot be read, or the output not written.
        ConfigError: the output holds another run.
    """
    check_formats(sources)
    manifests = tuple(identify(source) for source in sources)
    card = read_card(storage)
    if card is not None:
        card.require(settings, manifests)
        return read_plan(storage)
    rows = manifest_rows(sources, ManifestColumns(settings.id_column, settings.text_column))
    shards = write_plan(storage, rows, settings.shard_rows, told.planning)
    totals = (sum(shard.rows for shard in shards), sum(shard.characters for shard in shards), len(shards))
    write_card(storage, RunCard(settings, manifests, *totals))
    return shards


def do_run(
    storage: RunStorage,
    shards: Sequence[ShardPlan],
    settings: RunSettings,
    workers: Workers,
    told: Told,
    *,
    verify: bool = False,
) -> RunReport:
    """Speak what is not spoken yet of a planned run, and sum it up.

    Args:
        storage: of the run.
        shards: of the run.
        settings: of the run.
        workers: who does the shards.
        told: who is told.
        verify: whether checksums, not only sizes, tell what is complete.

    Raises:
        DataError: the output cannot be written; what is complete stays.
        EngineError: nothing can be spoken at all.
    """
    progress = Progress(sum(shard.rows for shard in shards), sum(shard.characters for shard in shards))
    missing: dict[int, ShardPlan] = {}
    for shard, ledger in read_all_complete(storage, shards, verify=verify):
        if ledger is None:
            # Workers look at sizes only: to them, a ledger says that nothing is to do.
            if verify:
                forget(storage, shard)
            missing[shard.number] = shard
        else:
            progress.reuse(shard.rows, shard.characters, ledger.errors)
    failed = _first_round(missing, workers, progress, told)
    again = _second_round(storage, failed, settings, workers, progress, told)
    totals = write_summary(storage, shards)
    storage.sweep()
    return RunReport(totals, progress.standing(), len(shards), again)


def _first_round(missing: dict[int, ShardPlan], workers: Workers, progress: Progress, told: Told) -> list[ShardPlan]:
    """Let the workers do the shards; return those that they could not do."""
    waiting, in_a_row = dict(missing), 0
    for result in workers.results(list(missing.values())) if missing else ():
        if result.failure:
            in_a_row += 1
            told.note(f"shard {result.shard} failed, and will be done again row by row: {result.failure}")
            limit = _FAILURES_AT_FIRST if len(waiting) == len(missing) else _FAILURES_IN_A_ROW
            if in_a_row >= limit:
                raise EngineError(f"nothing could be spoken in {in_a_row} shards: {result.failure}")
            continue
        in_a_row = 0
        shard = waiting.pop(result.shard)
        progress.add(shard.rows, shard.characters, result.errors, result.seconds)
        told.standing(progress.standing())
    return list(waiting.values())


def _second_round(
    storage: RunStorage,
    shards: Sequence[ShardPlan],
    settings: RunSettings,
    workers: Workers,
    progress: Progress,
    told: Told,
) -> tuple[int, ...]:
    """Do the shards that failed on this machine, each row apart: now a row that fails is a bad one."""
    if not shards:
        return ()
    with CarefulSpeaker(workers.voice, settings, workers.threads) as speaker:
        for shard in shards:
            result = result_of(do_shard(storage, shard, settings, speaker))
            progress.add(shard.rows, shard.characters, result.errors, result.seconds)
            told.standing(progress.standing())
    return tuple(shard.number for shard in shards)
