"""How many texts are spoken at once, who waits, and who is sent away."""

import asyncio
from collections import deque

from glowvox.serve.problems import Refusal, busy


class Admission:
    """A bounded queue before a bounded number of places, fair between clients. Lives in the event loop's thread."""

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
        self._speaking: dict[str, int] = {}
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}
        self._pace = 1.0
        self._closed = False

    @property
    def speaking(self) -> int:
        """Texts being spoken."""
        return sum(self._speaking.values())

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
        mine = self._speaking.get(client, 0) + len(self._queues.get(client, ()))
        if self._per_client and mine >= self._per_client:
            raise Refusal(
                429,
                f"{mine} requests of this client are being answered, as many as it may have; wait for one of them",
                code="rate_limit_exceeded",
                headers={"Retry-After": str(self.retry_after)},
            )
        if self.speaking < self._places and not self._queues:
            self._seat(client)
            return
        if self.waiting >= self._limit:
            raise busy(self.retry_after)
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
        while self._queues and self.speaking < self._places:
            following = min(self._queues, key=lambda name: self._speaking.get(name, 0))
            place = self._queues[following][0]
            self._remove(following, place)
            # a client that was served goes behind the others that have as many places
            if following in self._queues:
                self._queues[following] = self._queues.pop(following)
            self._seat(following)
            place.set_result(None)

    @property
    def retry_after(self) -> int:
        """Seconds until the queue has probably moved, from how long places were used lately."""
        return max(1, min(60, round(self._pace * (self.waiting + 1) / self._places)))

    def _seat(self, client: str) -> None:
        self._speaking[client] = self._speaking.get(client, 0) + 1

    def _remove(self, client: str, place: asyncio.Future[None]) -> None:
        queue = self._queues[client]
        queue.remove(place)
        if not queue:
            del self._queues[client]
