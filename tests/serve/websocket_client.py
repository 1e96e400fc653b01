"""A client of the server's WebSocket that reads every message sent to it, whenever the connection ends.

The package's own client of the lowest version that is allowed drops messages that arrive with the end of the
connection while it still opens it, and a refusal's status with a connection that is cut at once.
"""

import io
import json
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import parse_headers

import httpx
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri


class ConnectionEnded(Exception):  # noqa: N818 (as it should)
    """The server sends nothing more."""


class SocketClient:
    """An open WebSocket; it reads when it is asked to."""

    def __init__(self, own: socket.socket, uri: str, *, origin: str | None = None, headers=None) -> None:
        self._own = own
        self._protocol = ClientProtocol(parse_uri(uri), origin=origin, max_size=None)
        self._events: deque = deque()
        request = self._protocol.connect()
        for name, value in (headers or {}).items():
            request.headers[name] = value
        self._protocol.send_request(request)
        self._send()
        head = self._head()
        self.status = int(head.split(b" ", 2)[1])
        """Of the handshake's answer: 101 where it is open."""
        self.headers = parse_headers(io.BytesIO(head.partition(b"\r\n")[2]))
        """Of the handshake's answer."""

    def send(self, message: str | bytes) -> None:
        """Send a message; nothing if the server has closed the connection."""
        with suppress(Exception):
            if isinstance(message, bytes):
                self._protocol.send_binary(message)
            else:
                self._protocol.send_text(message.encode())
            self._send()

    def recv(self, timeout: float) -> str | bytes:
        """Return the next message.

        Raises:
            ConnectionEnded: there is none.
        """
        while True:
            frame = self._next(timeout)
            assert frame.fin
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
                return frame.data.decode() if frame.opcode is Opcode.TEXT else bytes(frame.data)

    @property
    def close_code(self) -> int:
        """With which the server has closed it; 1006: with none."""
        told = self._protocol.close_rcvd
        return 1006 if told is None else told.code

    def close(self) -> None:
        """End it."""
        with suppress(Exception):
            self._protocol.send_close(1000)
            self._send()
        self._own.close()

    def _head(self) -> bytes:
        self._own.settimeout(20)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._read()
        head = answer[: answer.index(b"\r\n\r\n") + 4]
        if head.startswith(b"HTTP/1.1 101 "):  # of an answer of another status, some releases send fields twice
            self._take(answer)
            self._events.popleft()
        return head

    def _next(self, timeout: float) -> Frame:
        self._own.settimeout(timeout)
        while not self._events:
            self._take(self._read())
        return self._events.popleft()

    def _read(self) -> bytes:
        with suppress(ConnectionResetError):
            if data := self._own.recv(1 << 16):
                return data
        raise ConnectionEnded

    def _take(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._events += self._protocol.events_received()
        self._send()

    def _send(self) -> None:
        for data in self._protocol.data_to_send():
            with suppress(OSError):
                if data:
                    self._own.sendall(data)


@contextmanager
def conversation(server, *, host: str = "", status: int = 101, **options) -> Iterator[SocketClient]:
    """Open the stream of a server that runs, by another name of it where `host` is one."""
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port), 20) as own:
        client = SocketClient(own, f"ws://{host or url.host}:{url.port}/v1/audio/stream", **options)
        assert client.status == status
        try:
            yield client
        finally:
            client.close()


def tell(client, kind, **content):
    """Send a message."""
    client.send(json.dumps({"type": kind, **content}))


def heard(client):
    """Return the audio and the messages up to the end of the connection."""
    audio, messages = b"", []
    while True:
        try:
            message = client.recv(20)
        except ConnectionEnded:
            return audio, messages
        if isinstance(message, bytes):
            audio += message
        else:
            messages.append(json.loads(message))
