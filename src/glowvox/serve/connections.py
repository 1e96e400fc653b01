"""Connections: how many there may be, how long one may be silent or not read, and which ends if they are too many."""

import asyncio
import contextlib
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol

import h11
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request, Response

from glowvox.serve.access_log import LOGGER
from glowvox.serve.refusal import Refusal
from glowvox.serve.scheduler import has_room
from glowvox.serve.settings import Limits

ADMITTED: Final = "glowvox.admitted"
"""In the state of a WebSocket's scope: its client has shown that it may be there."""
BACKLOG: Final = 512
"""Connections that wait in the system's queue until they are accepted."""
ACCEPTED_AT_ONCE: Final = 4
"""Connections that are accepted before it is seen whether they are too many."""
_SPARE_FILES = 24
"""File descriptors for everything that is no connection: voices that are loaded, programs that are asked."""
_FEWEST = 4
_UNSENT = 16 << 10
"""Bytes that the event loop, and the system, may hold of what a client has not been sent: 2 s of MP3 each."""


class Connection(Protocol):
    """What a table of connections knows of one."""

    @property
    def idle_since(self) -> float | None:
        """Since when (`time.monotonic`) it has been waited for its client; None: its client waits for an answer."""

    def abort(self) -> None:
        """End it at once."""


class ConnectionTable:
    """The open connections of every protocol. When there are too many, those that are waited for longest are ended."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._connections: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._connections)

    def enter(self, connection: Connection) -> bool:
        """Take a connection in, if need be in the place of one that is idle; return whether there was a place."""
        if len(self._connections) >= self.limit:
            idle = [(since, other) for other in self._connections if (since := other.idle_since) is not None]
            if not idle:
                return False
            _, longest = min(idle, key=lambda pair: pair[0])
            self.leave(longest)
            longest.abort()
        self._connections.add(connection)
        return True

    def leave(self, connection: Connection) -> None:
        """Forget a connection; nothing if it is not there."""
        self._connections.discard(connection)

    def abort_all(self) -> None:
        """End all of them at once."""
        for connection in list(self._connections):
            connection.abort()


class Slots:
    """A bounded number of connections of one kind, of which no client may have all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """How many there are."""
        return self._held.total()

    def enter(self, client: str) -> bool:
        """Count a client's connection in, if there is room for it."""
        if not has_room(self._held, client, self._limit):
            return False
        self._held[client] += 1
        return True

    def leave(self, client: str) -> None:
        """Count a client's connection out."""
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]


def affordable_connections(wanted: int) -> int:
    """Return how many connections the process may have, with the files that it may open: `wanted` at most."""
    try:
        import resource
    except ImportError:  # systems that have no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + 2 * _SPARE_FILES + 64
    if soft != resource.RLIM_INFINITY and soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
            soft = max(soft, most)
    if soft == resource.RLIM_INFINITY:
        return wanted
    listed = Path("/proc/self/fd")
    used = len(list(listed.iterdir())) if listed.is_dir() else 32
    return min(wanted, max(_FEWEST, soft - used - _SPARE_FILES))


class WriteTimer:
    """Ends a connection whose client takes nothing of what is sent to it, for too long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def start(self, transport: asyncio.Transport) -> None:
        """Begin to wait for a client."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, transport.abort)

    def stop(self) -> None:
        """Wait no longer: it has taken something, or is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class HttpConnection(H11Protocol):
    """A connection over which requests come: their headers in time, and what is sent to the client taken in time."""

    def __init__(self, *args: Any, table: ConnectionTable, limits: Limits, **options: Any) -> None:
        super().__init__(*args, **options)
        self._table = table
        self._limits = limits
        self._writing = WriteTimer(limits.write_seconds)
        self._phase: tuple[object, ...] = ()
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def idle_since(self) -> float | None:
        """Since when a request, or the rest of one, has been waited for."""
        return self._since if self.conn.their_state in (h11.IDLE, h11.SEND_BODY) or self._answered else None

    def abort(self) -> None:
        """End it at once."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it in, or say that there are too many."""
        super().connection_made(transport)
        send_no_faster_than_taken(transport)
        if self._table.enter(self):
            self._look()
        else:
            transport.write(plain_answer(too_many(self._table.limit)))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._part()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sends."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the form of every other error; nothing is written into an answer that has begun."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            wrong = Refusal(400, "the request cannot be read: it is not HTTP/1.1, or too long", code="invalid_http")
            self.transport.write(plain_answer(wrong))
        self.transport.close()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Give the connection over to the WebSocket's protocol."""
        self._part()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._writing.start(self.transport)

    def resume_writing(self) -> None:
        """Go on: it has read."""
        super().resume_writing()
        self._writing.stop()

    @property
    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _look(self) -> None:
        """See what is waited for, and for how long it may be. The application waits for the bodies that it reads."""
        phase = (self.conn.their_state, self.cycle, self._answered)
        if phase == self._phase:
            return
        self._phase, self._since = phase, time.monotonic()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._answered and not self.transport.is_closing():
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.receive_seconds, self._waited_enough)

    def _waited_enough(self) -> None:
        self._timer = None
        begun = self.conn.our_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if begun and not self.transport.is_closing():
            late = Refusal(
                408, "the header of the request came too slowly", code="request_timeout", headers={"Retry-After": "1"}
            )
            self.transport.write(plain_answer(late))
            self.transport.close()
        elif self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()  # what is left of the answer is taken by nobody
        else:
            self.transport.close()

    def _part(self) -> None:
        self._table.leave(self)
        self._writing.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class WebSocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket whose client must take what is sent to it in time."""

    def __init__(self, *args: Any, table: ConnectionTable, limits: Limits, **options: Any) -> None:
        super().__init__(*args, **options)
        self._table = table
        self._writing = WriteTimer(limits.write_seconds)
        self._since = time.monotonic()
        self._writable = asyncio.Event()
        self._writable.set()
        self._accept = self.conn.accept
        self.conn.accept = self._accepted  # type: ignore[method-assign]

    @property
    def idle_since(self) -> float | None:
        """Since when it has been waited for its client to show that it may be here."""
        if not self.handshake_initiated:
            return self._since
        return None if self.scope["state"].get(ADMITTED) else self._since

    def abort(self) -> None:
        """End it at once."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it in."""
        super().connection_made(transport)
        if not self._table.enter(self):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._table.leave(self)
        self._writing.stop()
        self._writable.set()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._writable.clear()
        self._writing.start(self.transport)

    def resume_writing(self) -> None:
        """Go on: it has read."""
        super().resume_writing()
        self._writable.set()
        self._writing.stop()

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message when the client has read enough of those before, which older releases do not wait for."""
        await self._writable.wait()
        await super().send(message)

    def _accepted(self, request: Request) -> Response:
        """Return the handshake's answer; one that refuses it has the form of every other error."""
        answer = self._accept(request)
        if answer.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            why = str(self.conn.handshake_exc or answer.reason_phrase)
            told = Refusal(answer.status_code, f"the WebSocket cannot be opened: {why}", code="invalid_handshake")
            answer.body = bytes(told.response().body)
            for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(answer.body)))):
                if name in answer.headers:
                    del answer.headers[name]
                answer.headers[name] = value
        return answer


def why_not_listening(error: OSError | ValueError) -> str:
    """Return why nothing can listen at an address; at what is no name of a host, Python fails with a ValueError."""
    return error.strerror or str(error) if isinstance(error, OSError) else "it is no name of a host"


def plain_answer(refusal: Refusal) -> bytes:
    """Return an answer to who has not asked anything that could be answered otherwise; the connection ends with it."""
    body = bytes(refusal.response().body)
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refusal.headers}
    lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in {**fields, "Connection": "close"}.items()]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def too_many(limit: int) -> Refusal:
    """Return what one connection too many is told."""
    return Refusal(
        503,
        f"the server has {limit} connections, as many as it may have; try again in 1 s",
        code="overloaded",
        headers={"Retry-After": "1"},
    )


def send_no_faster_than_taken(transport: asyncio.WriteTransport) -> None:
    """Have the system hold little that a client has not taken: what is computed ahead of a slow one stays bounded."""
    transport.set_write_buffer_limits(_UNSENT)
    own = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)  # Linux and macOS
    if own is not None and option is not None and own.family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            own.setsockopt(socket.IPPROTO_TCP, option, _UNSENT)


class LoopErrors:
    """Tells of the event loop's errors; of a full table of files, which come by the thousand, once a second at most."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told = float("-inf")
        self._count = 0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log an error."""
        if not isinstance(context.get("exception"), OSError) or "accept" not in context.get("message", ""):
            loop.default_exception_handler(context)
            return
        self._count += 1
        if self._now() - self._told >= 1.0:
            told = {"error": str(context["exception"]), "times": self._count}
            logging.getLogger(LOGGER).warning("no file descriptor for a connection", extra={"told": told})
            self._told, self._count = self._now(), 0
