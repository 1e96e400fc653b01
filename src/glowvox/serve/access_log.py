"""Access log: every request gets an id, is counted, has its line in the log, and ends cleanly even if it cannot go on.

The lines of requests and those of their texts find each other by the id.
"""

import contextlib
import json
import logging
import re
import sys
import time
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glowvox.errors import GlowvoxError
from glowvox.serve.access import address
from glowvox.serve.metrics import Metrics
from glowvox.serve.refusal import ClientGone, Refusal, refusal_of

LOGGER = "glowvox.serve"
"""Name of the server's logger."""
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered."""
LogFormat = Literal["auto", "text", "json"]
_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_SWITCHED = 101
"""The status of a connection that has become a WebSocket."""
_FORBIDDEN = 403
_HEADER = b"x-request-id"


def request_id(given: str) -> str:
    """Return the id of a request: the one that came with it, if it can stand in a log; else a new one."""
    return given if _ID.fullmatch(given) else uuid.uuid4().hex


@dataclass
class RequestRecord:
    """What is told of a request when it has been answered: the same for HTTP, WebSocket and Wyoming."""

    id: str
    protocol: Literal["http", "websocket", "wyoming"]
    method: str
    path: str
    address: str
    status: int = 0
    bytes: int = 0
    """Sent to the client, headers not counted."""
    broken_off: bool = False
    """Whether the answer ended before its end."""
    began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Since it came."""
        return time.perf_counter() - self.began

    def log(self) -> None:
        """Write the line."""
        told = {
            "request_id": self.id,
            "protocol": self.protocol,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "address": self.address,
            "bytes": self.bytes,
            "took_seconds": round(self.seconds, 4),
            "broken_off": self.broken_off,
        }
        logging.getLogger(LOGGER).info("request", extra={"told": told})


class JsonLines(logging.Formatter):
    """One JSON object a line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; what was told with it (`extra={"told": {...}}`) becomes fields."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": moment, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= _told(record)
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class TextLines(logging.Formatter):
    """One line for people: the time of day, the level where it is not that of every day, the event and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, and the trace of its exception below it."""
        moment = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        fields = " ".join(f"{name}={_word(value)}" for name, value in _told(record).items())
        line = f"{moment} {level}{_printable(record.getMessage())} {fields}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


@contextlib.contextmanager
def log_to_stderr(level: str = "info", form: LogFormat = "auto") -> Iterator[None]:
    """Have everything logged on standard error for as long as the context lasts.

    What was set up before is there again afterwards: a handler that stayed would write to a stream that its owner, a
    program that ran this command, has closed.

    Args:
        level: the lowest that is logged.
        form: lines for people ("text") or programs ("json"); "auto": for people on a terminal, else for programs.
    """
    people = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextLines() if people else JsonLines())
    handler.addFilter(_worth_a_line)
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    try:
        yield
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Return whether a record says what the server's own lines do not: of each request, they say all."""
    of_framework = record.name.startswith("uvicorn")
    return not of_framework or (record.levelno > logging.INFO and "without completing response" not in record.msg)


def _told(record: logging.LogRecord) -> dict[str, Any]:
    told = dict(record.__dict__.get("told", {}))
    if "request_id" not in told and (current := REQUEST_ID.get()):
        told["request_id"] = current
    return told


def _word(value: object) -> str:
    text = _printable(str(value))
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=') else text


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


class AccessLog:
    """Logs and counts every request, and ends the answers that cannot go on."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its answer counted."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        own = request_id(request.headers.get(_HEADER.decode(), ""))
        record = RequestRecord(own, kind, scope.get("method", "GET"), "", address(request))

        complete = kind == "websocket"  # which ends by itself

        async def counted(message: Message) -> None:
            nonlocal complete
            what = message["type"]
            if what in ("http.response.start", "websocket.http.response.start"):
                record.status = message["status"]
                message = _with_id(message, own)
            elif what == "websocket.accept":
                record.status = _SWITCHED
                message = _with_id(message, own)
            elif what == "websocket.close" and not record.status:
                record.status = _FORBIDDEN
            record.bytes += len(message.get("body") or message.get("bytes") or (message.get("text") or "").encode())
            await send(message)
            complete = complete or (what == "http.response.body" and not message.get("more_body", False))

        token = REQUEST_ID.set(own)
        try:
            await self._app(scope, receive, counted)
        except Exception as error:
            # Of one that was meant for the client, the status may have been sent; what is left then is to end the
            # connection, which the server does now. Any other is a defect of ours, and the log tells of it.
            if not _meant_for_client(error):
                logging.getLogger(LOGGER).exception("defect")
            if not record.status:
                await refusal_of(error).response()(scope, receive, counted)
        finally:
            REQUEST_ID.reset(token)
            route = scope.get("route")
            record.broken_off = not complete
            record.path = str(getattr(route, "path", "other"))
            self._metrics.requests.labels(record.path, str(record.status)).inc()
            self._metrics.request_seconds.labels(record.path).observe(record.seconds)
            record.log()


def _with_id(message: Message, own: str) -> Message:
    return {**message, "headers": [*message.get("headers", ()), (_HEADER, own.encode("ascii"))]}


def _meant_for_client(error: BaseException | None) -> bool:
    """Return whether an error, or what caused it, is one that clients are told."""
    if isinstance(error, BaseExceptionGroup):  # as older releases of the framework hand on what ends a stream
        return all(map(_meant_for_client, error.exceptions))
    while error is not None:
        if isinstance(error, (Refusal, GlowvoxError, ClientGone)):
            return True
        error = error.__cause__
    return False
