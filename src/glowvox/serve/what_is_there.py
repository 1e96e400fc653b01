"""What is there: what a client is told that asks at an address without an answer, or in a way that it does not take."""

import re
from collections.abc import Iterator
from http import HTTPStatus

from starlette.requests import Request
from starlette.routing import Match

from glowvox.serve.refusal import Refusal

_PREFIX = "/v1"
_SPEECH, _ALL = "/v1/audio/speech", "/openapi.json"
_LONGEST_SHOWN = 100


def refusal_at(request: Request, status: int) -> Refusal:
    """Return the refusal of a request that no route takes, with what it could have been.

    Args:
        request: the request.
        status: 404, or 405 where only its method is wrong.
    """
    path = request.scope["path"]
    shown = f"'{path[:_LONGEST_SHOWN]}'"
    if _is_socket(request, path):
        return Refusal(
            HTTPStatus.UPGRADE_REQUIRED,
            f"{shown} is opened as a WebSocket (ws:// or wss://), not asked with {request.method[:20]}",
            code="upgrade_required",
            headers={"Upgrade": "websocket", "Connection": "Upgrade"},
        )
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted(_methods(request, path)))
        return Refusal(
            status,
            f"{shown} takes {allowed}, not {request.method[:20]}",
            code="method_not_allowed",
            headers={"Allow": allowed},
        )
    meant = next((one for one in _near(path) if _methods(request, one) or _is_socket(request, one)), None)
    if meant is None:
        there = f"speech is at {_SPEECH}, and {_ALL} lists everything"
    elif meant == _SPEECH:
        there = f"speech is at {_SPEECH}"
    else:
        there = f"did you mean {meant[:_LONGEST_SHOWN]}?"
    return Refusal(404, f"there is nothing at {shown}; {there}", code="not_found")


def _near(path: str) -> Iterator[str]:
    """Yield what a path may have been meant to be: other slashes, and the version forgotten or given twice."""
    plain = re.sub("/+", "/", f"/{path}").rstrip("/")
    yield plain
    yield f"{_PREFIX}{plain}"
    yield plain.replace(f"{_PREFIX}{_PREFIX}/", f"{_PREFIX}/", 1)


def _methods(request: Request, path: str) -> set[str]:
    """Return the methods by which there is an answer at a path."""
    found = {
        method
        for method in ("GET", "POST")
        for route in request.app.routes
        if route.matches({**request.scope, "path": path, "method": method})[0] is Match.FULL
    }
    return found | ({"HEAD"} if "GET" in found else set())


def _is_socket(request: Request, path: str) -> bool:
    scope = {**request.scope, "type": "websocket", "path": path}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
