"""Worker pool: threads that speak texts in turns, each read by the event loop as it goes."""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Generic, TypeVar

from glowvox.serve.refusal import Refusal
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
            raise self.late() from None
        job = SynthesisJob(client, produce, self, math.inf if open_ended else deadline)
        self._threads.submit(job.run)
        return job

    def late(self) -> Refusal:
        """Return the refusal of a request that takes too long."""
        return Refusal(504, f"the request took longer than the {self.seconds:g} s that it may take", code="timeout")

    def close(self) -> None:
        """Let nobody in any more; what is being spoken goes on."""
        self.admission.close()

    def shutdown(self) -> None:
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

    def cancel(self) -> None:
        """Stop speaking after the piece that is being computed; harmless when it has ended."""
        self._cancelled.set()
        self._space.release()

    def run(self) -> None:
        """Speak; this is what the thread does."""
        try:
            end: Exception | None = None
            try:
                with Turn(self._pool.scheduler, self._client) as turn, closing(self._produce(turn)) as items:
                    while not self._cancelled.is_set() and (item := next(items, None)) is not None:
                        with turn.paused():
                            self._hand_over(item, turn.seconds)
                        if time.monotonic() > self._deadline:
                            raise self._pool.late()
            except Exception as error:
                end = error
            self._tell(self._items.put_nowait, end)
        finally:
            self._tell(self._pool.admission.leave, self._client, time.monotonic() - self._began)

    def _hand_over(self, item: T, computing: float) -> None:
        """Wait until the client has taken enough of the items before."""
        self.computing = computing
        left = min(self._pool.seconds, self._deadline - time.monotonic())
        if not self._space.acquire(timeout=max(0.0, left)):
            raise self._pool.late()
        if not self._cancelled.is_set():
            self._tell(self._items.put_nowait, item)

    def _tell(self, what: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the event loop has ended: nobody is there to be told
            self._loop.call_soon_threadsafe(what, *arguments)
