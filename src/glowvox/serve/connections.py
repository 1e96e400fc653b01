"""Whether the client of a request is still there."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from glowvox.serve.problems import Refusal

T = TypeVar("T")


class ClientGone(Exception):  # noqa: N818 (nobody did anything wrong)
    """The client closed the connection before its answer was complete."""


class DisconnectWatcher:
    """Watches for the disconnect of a request whose body has been read."""

    def __init__(self, request: Request) -> None:
        self._watch = asyncio.create_task(_gone(request))

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns; it is cancelled when the client goes.

        Raises:
            ClientGone: it has gone.
        """
        task = asyncio.create_task(work)
        try:
            await asyncio.wait({task, self._watch}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
        if task.done():
            return task.result()
        raise ClientGone

    def on_disconnect(self, call: Callable[[], object]) -> None:
        """Have something done when the client goes, or when its answer is complete."""
        self._watch.add_done_callback(lambda _: call())

    def stop(self) -> None:
        """Watch no longer."""
        self._watch.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


# Waiting for what a client writes next, but not for ever.


async def with_idle_timeout(reading: Coroutine[Any, Any, T], seconds: float, busy: Callable[[], bool]) -> T:
    """Return what is read before an idle timeout; a client that is being spoken to may be silent as long as that lasts.

    Args:
        reading: the read, which is not begun anew in between.
        seconds: for which a client may write nothing.
        busy: whether it is being spoken to.

    Raises:
        Refusal: it wrote nothing for too long.
    """
    task = asyncio.create_task(reading)
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=seconds)
            if done:
                return task.result()
            if not busy():
                raise Refusal(408, f"nothing was written for {seconds:g} s", code="idle")
    finally:
        task.cancel()


# A stream reader that does not let a client fill the memory.


class BoundedReader:
    """Reads for a parser that believes every length it is told."""

    def __init__(self, reader: asyncio.StreamReader, limit: int) -> None:
        self._reader = reader
        self._limit = limit

    async def readline(self) -> bytes:
        """Return a line, of 64 KiB at most.

        Raises:
            ValueError: it is longer.
        """
        return await self._reader.readline()

    async def readexactly(self, count: int) -> bytes:
        """Return so many bytes.

        Raises:
            Refusal: it is more than the limit, or no number of bytes.
            asyncio.IncompleteReadError: the stream ended before.
        """
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= self._limit:
            raise Refusal(413, f"a part of the event has more than the {self._limit} bytes that it may have")
        return await self._reader.readexactly(count)
