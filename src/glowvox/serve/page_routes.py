"""The page, from the files beside it; only those that are there when the server starts."""

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; media-src 'self' blob:; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".html": "text/html", ".css": "text/css"}


def page_routes() -> list[Route]:
    """Return a route for each file of the page; `/` is index.html."""
    folder = resources.files("glowvox.serve") / "page"
    if not folder.is_dir():
        return []
    routes = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.is_file() or file.name.startswith((".", "_")):
            continue
        path = "/" if file.name == "index.html" else f"/{file.name}"
        routes.append(Route(path, _sender(file.read_bytes(), _media_type(file.name)), include_in_schema=False))
    return routes


def _media_type(name: str) -> str:
    suffix = name[name.rfind(".") :]
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _sender(content: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    async def send(request: Request) -> Response:
        headers = {**_HEADERS, "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=media_type, headers=headers)

    return send
