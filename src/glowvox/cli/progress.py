"""Progress on standard error: in place on a terminal, a line now and then in a log."""

import sys
import threading
import time
from collections.abc import Callable
from typing import final

_SECONDS_ON_A_TERMINAL = 0.5
_SECONDS_IN_A_LOG = 15.0
_PATIENCE = 0.7
"""Seconds after which it is said what began: a mistake is found sooner, and stays the only line."""
_waiting: list[threading.Timer] = []


def phase(what: str) -> None:
    """Say what begins, before anything can be counted, unless it is over at once."""
    end_phase()
    timer = threading.Timer(_PATIENCE, _say, [what])
    timer.daemon = True
    _waiting.append(timer)
    timer.start()


def end_phase() -> None:
    """Say no more of what began: it is over, or something else is told."""
    while _waiting:
        _waiting.pop().cancel()


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{what} ...", end="", file=sys.stderr, flush=True)
    else:
        print(f"{what} ...", file=sys.stderr, flush=True)


class StatusLine:
    """A line that says where a run stands, now and then, and lines that stay.

    Args:
        command: whose they are: the beginning of lines that stay.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._terminal = sys.stderr.isatty()
        self._shown = time.monotonic()

    def show(self, line: str) -> None:
        """Show where the run stands, in place on a terminal; ask `due` before."""
        print(f"{self._start()}{line}", end="" if self._terminal else "\n", file=sys.stderr, flush=True)

    def note(self, message: str) -> None:
        """Show a line that stays."""
        print(f"{self._start()}glowvox {self._command}: {message}", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave an empty line behind."""
        print(self._start(), end="", file=sys.stderr, flush=True)

    def due(self) -> bool:
        """Return whether it is time for another line."""
        now = time.monotonic()
        if now - self._shown < (_SECONDS_ON_A_TERMINAL if self._terminal else _SECONDS_IN_A_LOG):
            return False
        self._shown = now
        return True

    def _start(self) -> str:
        return "\r\033[K" if self._terminal else ""


@final
class Progress:
    """A progress line with what is done and the time that remains.

    A call with nothing done says that the start-up is over: time counts from there.
    """

    def __init__(self, what: str, *, begins: str = "", keep: bool = True) -> None:
        """Begin to count the time.

        Args:
            what: what is counted, in the plural.
            begins: what to say at once, while nothing can be counted yet.
            keep: whether the last line stays on a terminal.
        """
        self._what = what
        self._keep = keep
        self._began = self._shown = time.monotonic()
        self._terminal = sys.stderr.isatty()
        if begins:
            phase(begins)

    def __call__(self, done: int, total: int, reused: int = 0) -> None:
        """Show the state, where it is time to.

        Args:
            done: how many are done.
            total: how many there are.
            reused: how many of those that are done an earlier run did; they say nothing about the time that remains.
        """
        end_phase()
        now, last = time.monotonic(), self._terminal and done == total
        worked = done - reused
        if worked == 0:
            self._began = now
            if not self._terminal:
                return
        if done and now - self._shown < (_SECONDS_ON_A_TERMINAL if self._terminal else _SECONDS_IN_A_LOG) and not last:
            return
        self._shown = now
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
    """Return what shows steps done, of how many, the one at work, and the time that remains.

    In place on a terminal; in a log a line for every tenth, and one every quarter of a minute.
    """
    terminal = sys.stderr.isatty()
    shown, began, said = -1, time.monotonic(), 0.0

    def show(done: int, total: int, what: str) -> None:
        nonlocal shown, began, said
        end_phase()
        now = time.monotonic()
        if done == 0:
            began = now
        remaining = f", {(now - began) / done * (total - done):.0f} s remain" if done else ""
        line = f"[{done}/{total}] {what}{remaining}"
        if terminal:
            end = "" if done < total else "\r\033[K"
            print(f"\r\033[K{line}", end=end, file=sys.stderr, flush=True)
        elif (tenth := 10 * done // max(total, 1)) != shown or now - said >= _SECONDS_IN_A_LOG:
            shown, said = tenth, now
            print(line, file=sys.stderr, flush=True)

    return show
