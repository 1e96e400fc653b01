"""Running: from the first request to the last one after SIGTERM."""

import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI

from glowvox.errors import ConfigError
from glowvox.serve.discovery import Announcement
from glowvox.serve.service import LOGGER, Service
from glowvox.serve.settings import HIGHEST_PORT, Address
from glowvox.serve.wyoming_server import WyomingServer

_BACKLOG = 512
_FAREWELL = 0.1
"""Seconds for the last bytes of connections that are about to be closed."""


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; what was told with it (`extra={"told": {...}}`) becomes fields."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= record.__dict__.get("told", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


@contextlib.contextmanager
def log_to_stderr(level: str = "info") -> Iterator[None]:
    """Have everything logged as JSON lines on standard error, for as long as the context lasts.

    What was set up before is there again afterwards: a handler that stayed would write to a stream that its owner, a
    program that ran this command, has closed.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    try:
        yield
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])


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
            own.listen(_BACKLOG)
            exits.pop_all()
    except OSError as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"cannot listen at {host}, port {port}: {why}; choose another with --host and --port"
        ) from error
    own.set_inheritable(True)
    return own


class GracefulServer(uvicorn.Server):
    """Uvicorn, but that SIGTERM and SIGINT let what is being spoken be finished; a second one does not wait."""

    def __init__(self, app: FastAPI, address: Address) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=_BACKLOG,
                proxy_headers=bool(address.proxies),
                forwarded_allow_ips=address.proxies or None,
                timeout_graceful_shutdown=5,
                ws_max_size=app.state.service.settings.limits.body_bytes,
                ws="websockets-sansio",
            )
        )
        self._service: Service = app.state.service
        self._drain_seconds = address.drain_seconds
        self._draining: asyncio.Task[None] | None = None

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
        """Begin nothing new, finish what is being spoken, then end."""
        if self._draining is not None:
            self.should_exit = self.force_exit = True
            return
        logging.getLogger(LOGGER).info("stopping")
        self._service.stop()
        self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self._drain_seconds):
                while self._service.busy:
                    await asyncio.sleep(0.02)
                await asyncio.sleep(_FAREWELL)
        except TimeoutError:
            logging.getLogger(LOGGER).warning("not everything was finished")
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
