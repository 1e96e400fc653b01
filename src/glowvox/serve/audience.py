"""Whether the client of a request is still there."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")


class ClientGone(Exception):  # noqa: N818 (nobody did anything wrong)
    """The client closed the connection before its answer was complete."""


class Audience:
    """Watches the connection of a request whose body has been read."""

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

    def on_leaving(self, call: Callable[[], object]) -> None:
        """Have something done when the client goes, or when its answer is complete."""
        self._watch.add_done_callback(lambda _: call())

    def dismiss(self) -> None:
        """Watch no longer."""
        self._watch.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
