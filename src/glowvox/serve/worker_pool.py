"""Worker pool: threads that speak texts in turns, each read by the event loop as it goes."""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any, Generic, TypeVar

from glowvox.serve.refusal import Refusal
from glowvox.serve.scheduler import Admission, FairScheduler, Turn
from glowvox.serve.settings import Limits

T = TypeVar("T")
Produce = Callable[[Turn], Generator[T, None, None]]
"""What a thread does: each item it yields is one turn's work."""
_AHEAD = 8
"""Items computed before the client has taken the first; a client that reads slowly is waited for."""
_PATIENCE = 1.0
"""Seconds for which a text that its client does not read keeps its place."""
_ASIDE = 3
"""Texts that may wait aside for their clients, for each place."""
_LEAD = 5.0
"""Seconds of speech by which a text may be ahead of its listener while others wait to be heard at all."""


class WorkerPool:
    """Runs synthesis jobs for clients, as many at once and as long as the limits allow."""

    def __init__(self, limits: Limits, turns: int) -> None:
        self.admission = Admission(limits.streams, limits.waiting, limits.per_client)
        self.scheduler = FairScheduler(turns)
        self.seconds = limits.seconds
        """That a request may take."""
        self.write_seconds = limits.write_seconds
        """For which a client may read nothing."""
        self._aside: dict[SynthesisJob[Any], None] = {}
        self._most_aside = _ASIDE * limits.streams
        # one text more is spoken where a client has all places; one more is aside until it has given up
        threads = limits.streams + 1 + self._most_aside + 1
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="speaking")

    @property
    def stalled(self) -> int:
        """Texts whose client has stopped reading."""
        return len(self._aside)

    async def submit(
        self,
        client: str,
        produce: Produce[T],
        *,
        open_ended: bool = False,
        seconds_of: Callable[[T], float] | None = None,
        is_last: Callable[[T], bool] | None = None,
    ) -> "SynthesisJob[T]":
        """Begin to speak, when there is a place for this client.

        Args:
            client: whose share of the processors is used.
            produce: what the thread does.
            open_ended: whether only the wait for a place and each pause of the listener is limited, not the whole: the
                text is still being written.
            seconds_of: how long an item is listened to; None: nobody listens. A text that is well ahead of its listener
                makes way for those who wait, so that long texts, even all of one client, keep no short one waiting.
            is_last: tells the item after which none comes, and whose turn is the last one; None: nobody knows.

        Raises:
            Refusal: there is no room, or the wait was too long.
        """
        deadline = time.monotonic() + self.seconds
        try:
            async with asyncio.timeout(self.seconds):
                await self.admission.enter(client)
        except TimeoutError:
            raise self.late() from None
        job = SynthesisJob(client, produce, self, math.inf if open_ended else deadline, seconds_of, is_last)
        self._threads.submit(job.run)
        return job

    def late(self) -> Refusal:
        """Return the refusal of a request that takes too long."""
        return Refusal(504, f"the request took longer than the {self.seconds:g} s that it may take", code="timeout")

    def stalled_too_long(self) -> Refusal:
        """Return the refusal of a client that does not read."""
        return Refusal(408, "the answer was not read; it has been broken off", code="stalled")

    def step_aside(self, job: "SynthesisJob[Any]") -> None:
        """Take the place of a text that its client does not read; the one that waits so longest may have to end."""
        self.admission.step_aside(job.client)
        self._aside[job] = None
        if len(self._aside) > self._most_aside:
            longest = next((one for one in self._aside if one.returning is None), job)
            longest.give_up()

    def make_way(self, job: "SynthesisJob[Any]") -> None:
        """Give the place of a text that is ahead of its listener to one that waits, and let it wait in turn."""
        if len(self._aside) >= self._most_aside:  # there are no threads for more
            job.settled(placed=True)
            return
        self.admission.step_aside(job.client)
        self._aside[job] = None
        self.come_back(job)

    def come_back(self, job: "SynthesisJob[Any]") -> None:
        """Give such a text a place again as soon as there is one, or none any more if it has ended."""
        self.admission.stay_away(job.client)
        if job.ending:
            self._settle(job, placed=False)
            return
        job.returning = asyncio.get_running_loop().create_task(self.admission.come_back(job.client))
        job.returning.add_done_callback(lambda task: self._settle(job, placed=not task.cancelled()))

    def _settle(self, job: "SynthesisJob[Any]", *, placed: bool) -> None:
        self._aside.pop(job, None)
        job.settled(placed=placed)

    def close(self) -> None:
        """Let nobody in any more; what is being spoken goes on."""
        self.admission.close()

    def shutdown(self) -> None:
        """End the threads as soon as they have nothing to do."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class SynthesisJob(Generic[T]):
    """A synthesis job: one text being spoken; iterate over it in the event loop, `cancel` it when nobody listens."""

    def __init__(
        self,
        client: str,
        produce: Produce[T],
        pool: WorkerPool,
        deadline: float,
        seconds_of: Callable[[T], float] | None = None,
        is_last: Callable[[T], bool] | None = None,
    ) -> None:
        self.client = client
        """Whose it is."""
        self.returning: asyncio.Task[None] | None = None
        """The wait for a place after its client had stopped reading."""
        self._produce = produce
        self._pool = pool
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[T | Exception | None] = asyncio.Queue()
        self._space = threading.Semaphore(_AHEAD)
        self._cancelled = threading.Event()
        self._given_up = False
        self._placed = True
        self._settled = threading.Event()
        self._ended = False
        self._began = time.monotonic()
        self._seconds_of = seconds_of
        self._is_last = is_last
        self._heard_from: float | None = None
        self._seconds = 0.0
        self.computing = 0.0
        """Seconds of computation up to the last piece, waits excluded."""

    def __aiter__(self) -> "SynthesisJob[T]":
        return self

    async def __anext__(self) -> T:
        if self._ended:
            raise StopAsyncIteration
        item = await self._items.get()
        self._space.release()
        if item is None or isinstance(item, Exception):
            self._ended = True
            if item is None:
                raise StopAsyncIteration
            raise item
        return item

    def cancel(self) -> None:
        """Stop speaking after the piece that is being computed; harmless when it has ended."""
        self._cancelled.set()
        self._space.release()
        if self.returning is not None:
            self.returning.cancel()

    def give_up(self) -> None:
        """End it, since its client does not read and others do not either."""
        self._given_up = True
        self._space.release()

    def settled(self, *, placed: bool) -> None:
        """Say whether it has a place again."""
        self.returning = None
        self._placed = placed
        self._settled.set()

    @property
    def ending(self) -> bool:
        """Whether it needs no place any more."""
        return self._given_up or self._cancelled.is_set()

    def run(self) -> None:
        """Speak; this is what the thread does."""
        ends: list[T | Exception | None] = [None]
        try:
            last = self._speak()
            if last is not None and self._await_space():
                ends.insert(0, last)
        except Exception as error:
            ends = [error]
        finally:
            # the event loop is woken once for all of it: each time it takes the interpreter from the threads
            self._tell(self._end, ends, time.monotonic() - self._began)

    def _end(self, items: "list[T | Exception | None]", seconds: float) -> None:
        """Give the last item on, and what ends the iteration; free the place after so many seconds."""
        for item in items:
            self._items.put_nowait(item)
        if self._placed:
            self._pool.admission.leave(self.client, seconds)

    def _speak(self) -> T | None:
        """Compute all items; hand over all but the last, if it is known which one that is, and return that."""
        with Turn(self._pool.scheduler, self.client) as turn, closing(self._produce(turn)) as items:
            while not self._cancelled.is_set() and (item := next(items, None)) is not None:
                if self._is_last is not None and self._is_last(item):
                    break
                with turn.paused():
                    self._hand_over(item, turn)
                if time.monotonic() > self._deadline:
                    raise self._pool.late()
            else:
                return None
        self.computing = turn.seconds
        return item

    def _await_space(self) -> bool:
        """Wait until the client has taken enough of the items before; return whether it wants another one."""
        if not self._space.acquire(timeout=max(0.0, min(_PATIENCE, self._left()))):
            self._wait_aside()
        if self._given_up:
            raise self._pool.stalled_too_long()
        return not self._cancelled.is_set()

    def _hand_over(self, item: T, turn: Turn) -> None:
        """Give an item on when the client has taken enough of those before; make way for others if it is far ahead."""
        self.computing = turn.seconds
        if not self._await_space():
            return
        self._tell(self._items.put_nowait, item)
        if self._seconds_of is not None:
            now = time.monotonic()
            self._heard_from = now if self._heard_from is None else self._heard_from
            self._seconds += self._seconds_of(item)
            turn.deadline = self._heard_from + self._seconds
            if self._pool.admission.crowded and turn.deadline - now > _LEAD:
                self._settled.clear()
                self._tell(self._pool.make_way, self)
                self._wait_for_place()

    def _left(self) -> float:
        return min(self._pool.seconds, self._deadline - time.monotonic())

    def _wait_aside(self) -> None:
        """Wait for a client that has stopped reading without the place that somebody else can use meanwhile."""
        if self._left() <= 0.0:
            raise self._pool.late()
        self._settled.clear()
        self._tell(self._pool.step_aside, self)
        late = self._left() < self._pool.write_seconds
        if not self._space.acquire(timeout=max(0.0, min(self._left(), self._pool.write_seconds))):
            self._given_up = True
        self._tell(self._pool.come_back, self)
        self._wait_for_place()
        if self._given_up and late:
            raise self._pool.late()

    def _wait_for_place(self) -> None:
        while not self._settled.wait(1.0):
            if self._loop.is_closed():
                self._placed = False
                return
            if time.monotonic() > self._deadline:
                self._tell(self._wait_no_longer)

    def _wait_no_longer(self) -> None:
        if self.returning is not None:
            self.returning.cancel()

    def _tell(self, what: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the event loop has ended: nobody is there to be told
            self._loop.call_soon_threadsafe(what, *arguments)
