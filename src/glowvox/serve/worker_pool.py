"""Worker pool: threads that speak texts in turns, each read by the event loop as it goes."""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Generic, TypeVar

from glowvox.serve.problems import Refusal
from glowvox.serve.scheduler import Admission, FairScheduler, Turn
from glowvox.serve.settings import Limits

T = TypeVar("T")
Produce = Callable[[Turn], Generator[T, None, None]]
"""What a thread does: each item it yields is one turn's work."""
_AHEAD = 8
"""Items computed before the client has taken the first; a client that reads slowly is waited for."""


class WorkerPool:
    """Runs synthesis jobs for clients, as many at once and as long as the limits allow."""

    def __init__(self, limits: Limits, turns: int) -> None:
        self.admission = Admission(limits.streams, limits.waiting, limits.per_client)
        self.scheduler = FairScheduler(turns)
        self.seconds = limits.seconds
        """That a request may take."""
        self._turns = turns
        self._threads = ThreadPoolExecutor(limits.streams, thread_name_prefix="speaking")

    async def submit(self, client: str, produce: Produce[T], *, open_ended: bool = False) -> "SynthesisJob[T]":
        """Begin to speak, when there is a place for this client.

        Args:
            client: whose share of the processors is used.
            produce: what the thread does.
            open_ended: whether only the wait for a place and each pause of the listener is limited, not the whole: the
                text is still being written.

        Raises:
            Refusal: there is no room, or the wait was too long.
        """
        deadline = time.monotonic() + self.seconds
        try:
            async with asyncio.timeout(self.seconds):
                await self.admission.enter(client)
        except TimeoutError:
            raise _late(self.seconds) from None
        job = SynthesisJob(client, produce, self, math.inf if open_ended else deadline)
        self._threads.submit(job.run)
        return job

    def late(self) -> Refusal:
        """Return the refusal of a request that takes too long."""
        return _late(self.seconds)

    def close(self) -> None:
        """Let nobody in any more; what is being spoken goes on."""
        self.admission.close()

    def shut(self) -> None:
        """End the threads as soon as they have nothing to do."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class SynthesisJob(Generic[T]):
    """A synthesis job: one text being spoken; iterate over it in the event loop, `cancel` it when nobody listens."""

    def __init__(self, client: str, produce: Produce[T], pool: WorkerPool, deadline: float) -> None:
        self._client = client
        self._produce = produce
        self._pool = pool
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[T | Exception | None] = asyncio.Queue()
        self._space = threading.Semaphore(_AHEAD)
        self._cancelled = threading.Event()
        self._ended = False
        self._began = time.monotonic()
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

    async def following(self) -> T:
        """Return the next item; there must be one."""
        return await anext(self)

    def cancel(self) -> None:
        """Stop speaking after the piece that is being computed; harmless when it has ended."""
        self._cancelled.set()
        self._space.release()

    @property
    def cancelled(self) -> bool:
        """Whether nobody listens any more."""
        return self._cancelled.is_set()

    def run(self) -> None:
        """Speak; this is what the thread does."""
        try:
            end: Exception | None = None
            try:
                self._speak()
            except Exception as error:
                end = error
            self._tell(self._items.put_nowait, end)
        finally:
            self._tell(self._pool.admission.leave, self._client, time.monotonic() - self._began)

    def _speak(self) -> None:
        with self._pool.scheduler.turn(self._client) as turn, closing(self._produce(turn)) as items:
            while not self.cancelled:
                item = next(items, None)
                if item is None or self.cancelled:
                    return
                with turn.paused():
                    self.computing = turn.seconds
                    left = min(self._pool.seconds, self._deadline - time.monotonic())
                    if not self._space.acquire(timeout=max(0.0, left)):
                        raise self._pool.late()
                    if not self.cancelled:
                        self._tell(self._items.put_nowait, item)
                if time.monotonic() > self._deadline:
                    raise self._pool.late()

    def _tell(self, what: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the event loop has ended: nobody is there to be told
            self._loop.call_soon_threadsafe(what, *arguments)


def _late(seconds: float) -> Refusal:
    return Refusal(504, f"the request took longer than the {seconds:g} s that it may take", code="timeout")
