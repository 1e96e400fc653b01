"""Running: from the first request to the last one after SIGTERM."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import cast

import uvicorn
from fastapi import FastAPI

from glowvox.errors import ConfigError
from glowvox.serve.access_log import LOGGER
from glowvox.serve.connections import (
    ACCEPTED_AT_ONCE,
    BACKLOG,
    HttpConnection,
    LoopErrors,
    WebSocketConnection,
    affordable_connections,
    why_not_listening,
)
from glowvox.serve.discovery import Announcement
from glowvox.serve.service import Service
from glowvox.serve.settings import HIGHEST_PORT, Address
from glowvox.serve.wyoming_server import WyomingServer

_STEP = 0.02
_LAST_BYTES = 0.1
"""Seconds for the last bytes of connections that are about to be closed."""
_FAREWELL = 1
"""Seconds in which those that are cut off have to end."""


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; who comes early waits until the server takes connections.

    Raises:
        ConfigError: the address cannot be used.
    """
    if not 0 <= port <= HIGHEST_PORT:
        raise ConfigError(f"cannot listen at port {port}: a port lies between 0 and {HIGHEST_PORT}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        with contextlib.ExitStack() as exits:
            own = exits.enter_context(socket.socket(found[0][0], socket.SOCK_STREAM))
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            own.bind(found[0][4])
            own.listen(BACKLOG)
            exits.pop_all()
    except (OSError, ValueError) as error:
        why = why_not_listening(error)
        raise ConfigError(
            f"cannot listen at {host[:100]}, port {port}: {why}; choose another with --host and --port"
        ) from error
    own.set_inheritable(True)
    return own


class GracefulServer(uvicorn.Server):
    """Uvicorn, but that SIGTERM and SIGINT let what is being spoken be finished; a second one does not wait."""

    def __init__(self, app: FastAPI, address: Address) -> None:
        limits, table = app.state.service.settings.limits, app.state.service.connections
        table.limit = affordable_connections(limits.connections)
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=ACCEPTED_AT_ONCE,
                proxy_headers=bool(address.proxies),
                forwarded_allow_ips=address.proxies or None,
                timeout_graceful_shutdown=_FAREWELL,
                ws_max_size=limits.body_bytes,
                http=cast(type[asyncio.Protocol], partial(HttpConnection, table=table, limits=limits)),
                ws=cast(type[asyncio.Protocol], partial(WebSocketConnection, table=table, limits=limits)),
            )
        )
        self._service: Service = app.state.service
        self._drain_seconds = address.drain_seconds
        self._draining: asyncio.Task[None] | None = None
        self._hurried = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; who comes in a crowd waits in the system's queue, not in a table of files that is full."""
        asyncio.get_running_loop().set_exception_handler(LoopErrors())
        await super().startup(sockets)
        for own in sockets or ():
            own.listen(BACKLOG)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals that end a process for as long as the server runs."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Begin nothing new, finish what is being spoken, then end; a second call waits no longer."""
        self._hurried = self._draining is not None
        if self._draining is None:
            logging.getLogger(LOGGER).info("stopping")
            self._service.stop()
            self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        until = time.monotonic() + self._drain_seconds
        while self._service.busy and not self._hurried and time.monotonic() < until:
            await asyncio.sleep(_STEP)
        if self._service.busy:
            logging.getLogger(LOGGER).warning("not everything was finished")
            self._service.connections.abort_all()
            until = time.monotonic() + _FAREWELL
            while self._service.busy and time.monotonic() < until:
                await asyncio.sleep(_STEP)
        else:
            await asyncio.sleep(0.0 if self._hurried else _LAST_BYTES)
        self.should_exit = True


def run(app: FastAPI, address: Address) -> None:
    """Serve until a signal ends it.

    Raises:
        ConfigError: the address cannot be used.
    """
    own = bound_socket(address.host, address.port)
    host, port = own.getsockname()[:2]
    with own:
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        logging.getLogger(LOGGER).info("listening", extra={"told": {"url": url}})
        gc.freeze()  # voices and modules stay: looking for garbage among them would stop all threads for 60 ms
        asyncio.run(_serve(app, address, own))


async def _serve(app: FastAPI, address: Address, own: socket.socket) -> None:
    wyoming = WyomingServer(app.state.service, address.wyoming) if address.wyoming else None
    async with contextlib.AsyncExitStack() as exits:
        if wyoming is not None:
            await wyoming.start()
            exits.push_async_callback(wyoming.stop)
            if address.zeroconf is not None:
                announcement = Announcement(address.zeroconf, wyoming.host, wyoming.port)
                await announcement.start()
                exits.push_async_callback(announcement.stop)
        await GracefulServer(app, address).serve(sockets=[own])
