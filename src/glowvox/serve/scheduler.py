"""Fair scheduler: whose turn it is to compute, with a fair share of the processors for every client."""

import asyncio
import heapq
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Self

from glowvox.serve.refusal import Refusal


class FairScheduler:
    """Fair scheduler: lets a few threads compute at a time; those of the client that has computed least go first.

    A turn is a piece of work, such as one chunk of a stream. This is start-time fair queueing (Goyal, Vin and Cheng,
    1996) with all weights equal: a client that comes back after a pause has saved nothing up. Of one client's threads,
    that one goes first whose listener has least left to hear: a new text is heard soon, and a long one does not break
    off.
    """

    def __init__(self, turns: int) -> None:
        self._free = turns
        self._lock = threading.Lock()
        self._waiting: dict[str, list[tuple[float, int, threading.Event]]] = {}
        """For each client a heap: until when the turn must come, the number of the wait, and what ends it."""
        self._numbers = count()
        self._used: dict[str, float] = {}
        self._running: dict[str, int] = {}
        self._clock = 0.0

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

    def enter(self, client: str, deadline: float | None = None) -> None:
        """Wait until it is this client's turn.

        Args:
            client: whose turn it is.
            deadline: when its listener will have heard all that there is (`time.monotonic`); None: now.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                self._start(client)
                return
            ready = threading.Event()
            place = (time.monotonic() if deadline is None else deadline, next(self._numbers), ready)
            heapq.heappush(self._waiting.setdefault(client, []), place)
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
                _, _, ready = heapq.heappop(queue)
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
    """A turn to compute: waited for and held as a context manager, and given back for a while by `paused`."""

    def __init__(self, scheduler: FairScheduler, client: str) -> None:
        self._scheduler = scheduler
        self._client = client
        self._began = 0.0
        self.deadline: float | None = None
        """When the listener will have heard all that there is (`time.monotonic`); None: there is nothing yet."""
        self.seconds = 0.0
        """For which it was held, up to when it was last given back."""

    def __enter__(self) -> Self:
        self._acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let others compute while this thread waits for something."""
        self._release()
        try:
            yield
        finally:
            self._acquire()

    def _acquire(self) -> None:
        self._scheduler.enter(self._client, self.deadline)
        self._began = time.perf_counter()

    def _release(self) -> None:
        held = time.perf_counter() - self._began
        self.seconds += held
        self._scheduler.leave(self._client, held)


def has_room(held: Mapping[str, int], client: str, places: int) -> bool:
    """Return whether there is room for one more of a client.

    No client may hold all places: of one that has them all, the last does not count against those who have none.

    Args:
        held: how many places each client has.
        client: who wants another.
        places: how many there are.
    """
    if sum(held.values()) < places:
        return True
    most = max(1, places - 1)
    return not held.get(client) and sum(min(count, most) for count in held.values()) < places


class Admission:
    """Admission control: how many texts are spoken at once, who waits, and who is sent away.

    A bounded queue before a bounded number of places, fair between clients. A text whose client has stopped reading
    steps aside: it has no place until it comes back. Lives in the event loop's thread.
    """

    def __init__(self, places: int, waiting: int, per_client: int = 0) -> None:
        """Open it.

        Args:
            places: texts spoken at once.
            waiting: requests that may wait.
            per_client: requests of one client, spoken or waiting; 0: no such limit.
        """
        self._places = places
        self._limit = waiting
        self._per_client = per_client
        self._speaking: Counter[str] = Counter()
        self._aside: Counter[str] = Counter()
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}
        self._new: Counter[str] = Counter()
        self.crowded = False
        """Whether a request waits that has not had a place yet; any thread may look."""
        self._pace = 1.0
        self._closed = False

    @property
    def speaking(self) -> int:
        """Texts being spoken."""
        return self._speaking.total()

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return sum(map(len, self._queues.values()))

    def close(self) -> None:
        """Let nobody else in; who waits already still gets a place."""
        self._closed = True

    async def enter(self, client: str) -> None:
        """Wait for a place.

        Raises:
            Refusal: the queue is full, the client has too many requests, or the server is stopping.
        """
        if self._closed:
            raise Refusal(
                503, "the server is stopping; try again in 5 s", code="stopping", headers={"Retry-After": "5"}
            )
        mine = self._speaking[client] + self._aside[client] + len(self._queues.get(client, ()))
        if self._per_client and mine >= self._per_client:
            raise Refusal(
                429,
                f"{mine} requests of this client are being answered, as many as it may have; wait for one of them",
                code="rate_limit_exceeded",
                headers={"Retry-After": str(self.retry_after)},
            )
        if has_room(self._speaking, client, self._places):
            self._speaking[client] += 1
            return
        if self._limit == 0 or not has_room(self._new, client, self._limit):
            raise Refusal(
                503,
                f"the server is busy and its queue is full; try again in {self.retry_after} s",
                code="overloaded",
                headers={"Retry-After": str(self.retry_after)},
            )
        self._new[client] += 1
        self.crowded = True
        try:
            await self._wait(client)
        finally:
            self._new[client] -= 1
            if not self._new[client]:
                del self._new[client]
            self.crowded = bool(self._new)

    def step_aside(self, client: str) -> None:
        """Give a place back, for as long as its client does not read or others are to be heard first."""
        self._aside[client] += 1
        self.leave(client)

    async def come_back(self, client: str) -> None:
        """Wait for a place again; nobody who has had one is refused."""
        if has_room(self._speaking, client, self._places):
            self._speaking[client] += 1
        else:
            await self._wait(client)

    def stay_away(self, client: str) -> None:
        """Count one that had stepped aside no more."""
        self._aside[client] -= 1
        if not self._aside[client]:
            del self._aside[client]

    async def _wait(self, client: str) -> None:
        """Wait in the queue for a place."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(client, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave(client)
            else:
                self._remove(client, place)
            raise

    def leave(self, client: str, seconds: float | None = None) -> None:
        """Free a place after so many seconds of use, and let the client in that has the fewest places."""
        if seconds is not None:
            self._pace += 0.1 * (seconds - self._pace)
        self._speaking[client] -= 1
        if not self._speaking[client]:
            del self._speaking[client]
        while self._queues and self._speaking.total() < self._places:
            following = min(self._queues, key=lambda name: self._speaking[name])
            place = self._queues[following][0]
            self._remove(following, place)
            # a client that was served goes behind the others that have as many places
            if following in self._queues:
                self._queues[following] = self._queues.pop(following)
            self._speaking[following] += 1
            place.set_result(None)

    @property
    def retry_after(self) -> int:
        """Seconds until the queue has probably moved, from how long places were used lately."""
        return max(1, min(60, round(self._pace * (self.waiting + 1) / self._places)))

    def _remove(self, client: str, place: asyncio.Future[None]) -> None:
        queue = self._queues[client]
        queue.remove(place)
        if not queue:
            del self._queues[client]
