"""Progress on standard error: in place on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Callable
from typing import final

_SECONDS_ON_A_TERMINAL = 0.5
_SECONDS_IN_A_LOG = 15.0


@final
class Progress:
    """A progress line with what is done and the time that remains."""

    def __init__(self, what: str, *, keep: bool = True) -> None:
        """Begin to count the time.

        Args:
            what: what is counted, in the plural.
            keep: whether the last line stays on a terminal.
        """
        self._what = what
        self._keep = keep
        self._began = self._shown = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __call__(self, done: int, total: int, reused: int = 0) -> None:
        """Show the state, where it is time to.

        Args:
            done: how many are done.
            total: how many there are.
            reused: how many of those that are done an earlier run did; they say nothing about the time that remains.
        """
        now, last = time.monotonic(), self._terminal and done == total
        if now - self._shown < (_SECONDS_ON_A_TERMINAL if self._terminal else _SECONDS_IN_A_LOG) and not last:
            return
        self._shown = now
        worked = done - reused
        remaining = f", {(now - self._began) / worked * (total - done):.0f} s remain" if worked else ""
        again = f" ({reused} from an earlier run)" if reused else ""
        line = f"{done} of {total} {self._what}{again}{remaining}"
        if not self._terminal:
            print(line, file=sys.stderr, flush=True)
        elif last and not self._keep:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        else:
            print(f"\r\033[K{line}", end="\n" if last else "", file=sys.stderr, flush=True)


def counted_progress() -> Callable[[int, int, str], None]:
    """Return what shows steps done, of how many, and the one at work: in place on a terminal, else a line per tenth."""
    terminal = sys.stderr.isatty()
    shown = -1

    def show(done: int, total: int, what: str) -> None:
        nonlocal shown
        if terminal:
            end = "" if done < total else "\r\033[K"
            print(f"\r\033[K[{done}/{total}] {what}", end=end, file=sys.stderr, flush=True)
        elif (tenth := 10 * done // max(total, 1)) != shown:
            shown = tenth
            print(f"[{done}/{total}] {what}", file=sys.stderr, flush=True)

    return show
