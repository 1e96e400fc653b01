"""A run from manifest to speech: planned once, continued where it stopped, summed up at the end."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from glowvox.bulk.card import RunCard, RunSettings, read_card, write_card
from glowvox.bulk.isolated_retry import IsolatedRetry
from glowvox.bulk.ledger import RunTotals, forget, read_all_complete, write_summary
from glowvox.bulk.manifest import ManifestColumns, check_formats, identify, manifest_rows
from glowvox.bulk.plan import ShardPlan, read_plan, write_plan
from glowvox.bulk.workers import Workers, do_shard, result_of
from glowvox.errors import EngineError, counted
from glowvox.storage.object_storage import Storage

_WINDOW_SECONDS = 900.0


@dataclass(frozen=True)
class Standing:
    """Where a run stands."""

    rows: int
    total_rows: int
    reused_rows: int
    """Of the rows done, those of an earlier start."""
    errors: int
    seconds_of_audio: float
    """Spoken since this start."""
    elapsed: float
    """Seconds since this start."""
    remaining: float | None
    """Seconds; None: nothing is known yet."""

    def line(self) -> str:
        """Return all this in a line."""
        again = f" ({self.reused_rows} from an earlier start)" if self.reused_rows else ""
        bad = f", {self.errors} bad" if self.errors else ""
        speed = f", {self.seconds_of_audio / self.elapsed:.1f} s of speech a second" if self.seconds_of_audio else ""
        rest = "not known yet" if self.remaining is None else duration(self.remaining)
        return f"{self.rows} of {counted(self.total_rows, 'row')}{again}{bad}{speed}; remaining: {rest}"


class Progress:
    """Counts the shards that are done.

    The rest is estimated from the characters still to be spoken, which tell the work far better than rows do, and from
    the pace of the last quarter of an hour in this start: neither what an earlier start did nor workers that are gone
    count in it. Before the first shard of this start is done, nothing is promised. The time until then counts only
    until as much has passed again: the voice is loaded in it, but many workers' first shards end at once after it.

    Args:
        total_rows: of the run.
        total_characters: of the run.
        clock: seconds from anywhere.
    """

    def __init__(self, total_rows: int, total_characters: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total_rows, self._total_characters = total_rows, total_characters
        self._clock = clock
        self._began = clock()
        self._rows = self._reused = self._errors = self._characters = 0
        self._seconds = 0.0
        self._recent: deque[tuple[float, int]] = deque([(self._began, 0)])

    def reuse(self, rows: int, characters: int, errors: int) -> None:
        """Count a shard that an earlier start did."""
        self._rows += rows
        self._reused += rows
        self._characters += characters
        self._errors += errors
        self._recent[0] = (self._clock(), 0)
        self._began = self._clock()

    def add(self, rows: int, characters: int, errors: int, seconds: float) -> None:
        """Count a shard done now, with its seconds of speech."""
        self._rows += rows
        self._characters += characters
        self._errors += errors
        self._seconds += seconds
        now = self._clock()
        self._recent.append((now, characters))
        while len(self._recent) > 2 and now - self._recent[1][0] > _WINDOW_SECONDS:
            self._recent.popleft()

    def standing(self) -> Standing:
        """Return where the run stands now."""
        now = self._clock()
        recent = list(self._recent)
        if len(recent) > 2 and now - recent[1][0] > recent[1][0] - recent[0][0]:
            del recent[0]
        spoken = sum(characters for _, characters in recent[1:])
        passed = now - recent[0][0]
        left = self._total_characters - self._characters
        remaining = passed * left / spoken if spoken else (0.0 if left == 0 else None)
        return Standing(
            self._rows, self._total_rows, self._reused, self._errors, self._seconds, now - self._began, remaining
        )


def duration(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


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


def plan_run(storage: Storage, sources: Sequence[str], settings: RunSettings, told: Told) -> list[ShardPlan]:
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
    rows = manifest_rows(sources, ManifestColumns(settings.id_column, settings.text_column), told.note)
    shards = write_plan(storage, rows, settings.shard_rows, told.planning)
    totals = (sum(shard.rows for shard in shards), sum(shard.characters for shard in shards), len(shards))
    write_card(storage, RunCard(settings, manifests, *totals))
    return shards


def do_run(
    storage: Storage,
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
    storage: Storage,
    shards: Sequence[ShardPlan],
    settings: RunSettings,
    workers: Workers,
    progress: Progress,
    told: Told,
) -> tuple[int, ...]:
    """Do the shards that failed on this machine, each row apart: now a row that fails is a bad one."""
    if not shards:
        return ()
    with IsolatedRetry(workers.voice, settings, workers.threads) as speaker:
        for shard in shards:
            result = result_of(do_shard(storage, shard, settings, speaker))
            progress.add(shard.rows, shard.characters, result.errors, result.seconds)
            told.standing(progress.standing())
    return tuple(shard.number for shard in shards)
