"""A server for the Wyoming protocol, by which Home Assistant speaks."""

import asyncio
import logging
from urllib.parse import urlsplit

from glowvox.errors import ConfigError
from glowvox.serve.service import LOGGER, Service
from glowvox.serve.wyoming_connection import WyomingConnection


class WyomingServer:
    """Listens for Wyoming's clients. The protocol has no keys: whoever reaches the port may speak."""

    def __init__(self, service: Service, uri: str) -> None:
        """Prepare it.

        Args:
            service: the server's parts.
            uri: `tcp://HOST:PORT` or `unix:///PATH`.

        Raises:
            ConfigError: it is neither.
        """
        self._service = service
        self._uri = uri
        parts = urlsplit(uri)
        try:
            self._host, self._port = parts.hostname or "", parts.port or 0
        except ValueError:
            self._host, self._port = "", 0
        self._path = parts.path if parts.scheme == "unix" else ""
        if not (self._path or (parts.scheme == "tcp" and self._host)):
            raise ConfigError(f"'{uri}' is no address for Wyoming; write tcp://HOST:PORT or unix:///PATH")
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The TCP port it listens at; 0 for a Unix socket."""
        if self._server is None or self._path:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            ConfigError: the address cannot be used.
        """
        try:
            if self._path:
                self._server = await asyncio.start_unix_server(self._connected, self._path)
            else:
                self._server = await asyncio.start_server(self._connected, self._host, self._port)
        except OSError as error:
            raise ConfigError(f"cannot listen at {self._uri}: {error.strerror or error}") from error
        told = {"url": f"unix://{self._path}" if self._path else f"tcp://{self._host}:{self.port}"}
        logging.getLogger(LOGGER).info("listening", extra={"told": told})

    async def stop(self) -> None:
        """Listen no longer and end the connections."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        peer = writer.get_extra_info("peername")
        client = f"address {peer[0]}" if isinstance(peer, tuple) else "address local"
        try:
            if self._service.connect():
                try:
                    await WyomingConnection(self._service, reader, writer, client).hold()
                finally:
                    self._service.disconnect()
        except asyncio.CancelledError:
            pass  # the server is stopping; the task ends with its connection
        finally:
            self._connections.discard(task)
            writer.close()
