"""What is done of a run, how fast it goes, and how long the rest takes."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

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
        return f"{self.rows} of {self.total_rows} rows{again}{bad}{speed}; remaining: {rest}"


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
