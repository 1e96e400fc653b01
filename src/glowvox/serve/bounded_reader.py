"""A stream reader that does not let a client fill the memory."""

import asyncio

from glowvox.serve.problems import Refusal


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
