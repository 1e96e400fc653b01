"""Who computes next: a fair share of the processors for every client, however many texts it has."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turnstile:
    """Lets a few threads compute at a time; those of the client that has computed least go first.

    A turn is a piece of work, such as one chunk of a stream. This is start-time fair queueing (Goyal, Vin and Cheng,
    1996) with all weights equal: a client that comes back after a pause has saved nothing up.
    """

    def __init__(self, turns: int) -> None:
        self._free = turns
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[threading.Event]] = {}
        self._used: dict[str, float] = {}
        self._running: dict[str, int] = {}
        self._clock = 0.0

    @contextmanager
    def turn(self, client: str) -> "Iterator[Turn]":
        """Wait for a turn and hold it."""
        held = Turn(self, client)
        held.take()
        try:
            yield held
        finally:
            held.give()

    @property
    def waiting(self) -> int:
        """Threads that wait for a turn."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    @property
    def accounts(self) -> int:
        """Clients that are remembered."""
        with self._lock:
            return len(self._used)

    def enter(self, client: str) -> None:
        """Wait until it is this client's turn."""
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                self._start(client)
                return
            ready = threading.Event()
            self._waiting.setdefault(client, deque()).append(ready)
        ready.wait()

    def leave(self, client: str, seconds: float) -> None:
        """End a turn that took so long, and let the next one begin."""
        with self._lock:
            self._used[client] += seconds
            self._running[client] -= 1
            if not self._running[client]:
                del self._running[client]
            self._free += 1
            if self._waiting:
                following = min(self._waiting, key=lambda name: self._used.get(name, self._clock))
                queue = self._waiting[following]
                ready = queue.popleft()
                if not queue:
                    del self._waiting[following]
                self._free -= 1
                self._start(following)
                ready.set()
            self._forget()

    def _start(self, client: str) -> None:
        began = max(self._used.get(client, 0.0), self._clock)
        self._clock = began
        self._used[client] = began
        self._running[client] = self._running.get(client, 0) + 1

    def _forget(self) -> None:
        """Drop the accounts that would start at the clock anyway, so that memory does not grow with the clients."""
        if not (self._running or self._waiting):
            self._used.clear()
            self._clock = 0.0
        if len(self._used) > 2 * (len(self._running) + len(self._waiting)) + 64:
            self._used = {
                name: used
                for name, used in self._used.items()
                if used > self._clock or name in self._running or name in self._waiting
            }


class Turn:
    """A turn that can be given back for a while."""

    def __init__(self, turnstile: Turnstile, client: str) -> None:
        self._turnstile = turnstile
        self._client = client
        self._began = 0.0
        self.seconds = 0.0
        """For which it was held, up to when it was last given back."""

    def take(self) -> None:
        """Wait for the turn."""
        self._turnstile.enter(self._client)
        self._began = time.perf_counter()

    def give(self) -> None:
        """Give the turn back."""
        held = time.perf_counter() - self._began
        self.seconds += held
        self._turnstile.leave(self._client, held)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let others compute while this thread waits for something."""
        self.give()
        try:
            yield
        finally:
            self.take()
