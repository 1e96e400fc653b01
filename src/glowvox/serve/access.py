"""What every request passes through: a limit for its body, and a line in the log."""

import logging
import time

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glowvox.errors import GlowvoxError
from glowvox.serve.connections import ClientGone
from glowvox.serve.keys import address
from glowvox.serve.problems import Refusal, refusal_of
from glowvox.serve.service import LOGGER, Service
from glowvox.serve.settings import Limits

_LARGE_BODIES = frozenset({"/v1/align"})


class BodyLimit:
    """Refuses bodies that are too large, before they are in memory."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.recording_bytes if scope["path"] in _LARGE_BODIES else self._limits.body_bytes
        refusal = Refusal(413, f"the body has more than the {limit} bytes that it may have", code="body_too_large")
        stated = HTTPConnection(scope).headers.get("content-length", "")
        if stated.isdigit() and int(stated[:20]) > limit:
            await refusal.response()(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise refusal
            return message

        async def answered(message: Message) -> None:
            # whatever the framework makes of the error, the answer is this one
            if received <= limit:
                await send(message)
            elif message["type"] == "http.response.start":
                await refusal.response()(scope, receive, send)

        await self._app(scope, counted, answered)


class AccessLog:
    """Logs and counts every request, and ends the answers that cannot go on."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its answer counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, size = time.perf_counter(), 0, 0

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            size += len(message.get("body", b""))
            await send(message)

        broken = False
        try:
            await self._app(scope, receive, counted)
        except (Refusal, GlowvoxError, ClientGone):
            # the status has been sent; what is left is to end the connection, which the server does now
            broken = True
        except Exception as error:
            # a defect of ours: the log tells of it, and the connection can be used again
            logging.getLogger(LOGGER).exception("defect")
            broken = bool(status)
            if not broken:
                await refusal_of(error).response()(scope, receive, counted)
        finally:
            route = scope.get("route")
            path = str(getattr(route, "path", "other"))
            self._service.metrics.requests.labels(path, str(status)).inc()
            told = {
                "method": scope["method"],
                "path": path,
                "status": status,
                "address": address(HTTPConnection(scope)),
                "bytes": size,
                "took_seconds": round(time.perf_counter() - began, 4),
            }
            if broken:
                told["broken_off"] = True
            logging.getLogger(LOGGER).info("request", extra={"told": told})
