"""Access log: every request gets an id, is logged and counted, and ends cleanly even if its answer cannot go on."""

import logging

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glowvox.errors import GlowvoxError
from glowvox.serve.access import address
from glowvox.serve.metrics import Metrics
from glowvox.serve.refusal import Refusal, refusal_of
from glowvox.serve.request_log import LOGGER, REQUEST_ID, RequestRecord, request_id
from glowvox.serve.speech_stream import ClientGone

_SWITCHED = 101
"""The status of a connection that has become a WebSocket."""
_FORBIDDEN = 403
_HEADER = b"x-request-id"


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
