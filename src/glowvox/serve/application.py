"""The application: all routes, and what every request passes through."""

import asyncio
import hashlib
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib import resources
from inspect import signature
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glowvox import __version__
from glowvox.errors import GlowvoxError
from glowvox.serve.access import RequestGuard
from glowvox.serve.access_log import AccessLog
from glowvox.serve.invalid_request import invalid_request
from glowvox.serve.preview import preview_router
from glowvox.serve.refusal import ClientGone, Refusal, refusal_of
from glowvox.serve.routes import Aligners, align_router, listing_router, speech_router
from glowvox.serve.service import Service
from glowvox.serve.settings import ServerSettings
from glowvox.serve.unreadable_body import unreadable_form, unreadable_json
from glowvox.serve.voice_registry import ServedVoice, VoiceRegistry
from glowvox.serve.websocket import socket_router
from glowvox.serve.what_is_there import refusal_at
from glowvox.synthesis.aligner import Aligner
from glowvox.synthesis.voice import Voice

_ABOUT = "Text-to-speech with normalizing flows. Errors are `{error: {message, type, param, code}}`."
_NO_ONE = 499
"""The status that logs have for a client that went away; nobody gets it."""
_ERROR = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["message", "type", "param", "code"],
                    "properties": {
                        "message": {"type": "string"},
                        "type": {"type": "string"},
                        "param": {"type": ["string", "null"]},
                        "code": {"type": ["string", "null"]},
                    },
                }
            },
        }
    }
}
_WITHOUT_KEY = ("/health", "/ready")
"""Routes that ask nobody for a key; so do those of the page's own files."""
_LISTS = ("/v1/models", "/v1/models/{model}", "/v1/audio/models", "/v1/audio/voices")
"""Routes that do neither where the voices are public."""
_PRIVATE_NETWORK: dict[str, Any] = (
    {"allow_private_network": True} if "allow_private_network" in signature(CORSMiddleware).parameters else {}
)
"""A permitted page may lie in the internet, and this server in the network at home; older releases do not mind."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; media-src 'self' blob:; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_TYPES = {
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".css": "text/css",
    ".woff2": "font/woff2",
}


def create_app(
    voices: Iterable[Voice | ServedVoice],
    settings: ServerSettings | None = None,
    aligners: Mapping[str, Callable[[], Aligner]] | None = None,
) -> FastAPI:
    """Return the application that speaks with these voices; its `state.service` is what its parts share.

    Args:
        voices: the first one is the default.
        settings: keys, limits and so on.
        aligners: what loads the aligner of a voice, by its name; the others cannot align.

    Raises:
        VoiceError: there is no voice, or two have one name.
        ConfigError: an alias means none of them.
    """
    settings = settings or ServerSettings()
    service = Service(VoiceRegistry(voices, settings.aliases), settings)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(asyncio.to_thread(service.warm_up))
        releasing = asyncio.create_task(service.release_voices())
        yield
        releasing.cancel()
        service.stop()
        await warming
        service.pool.shutdown()

    app = FastAPI(
        title="Glowvox",
        version=__version__,
        description=_ABOUT,
        docs_url=None,  # their pages load scripts from other hosts
        redoc_url=None,
        openapi_url=None,  # a route of ours, which asks for a key as the others do
        redirect_slashes=False,  # it would send clients to whatever host they have named, without TLS
        lifespan=living,
        responses={"4XX": {"description": "The request is refused.", "content": _ERROR}},
    )
    app.state.service = service
    app.include_router(speech_router(service))
    app.include_router(socket_router(service))
    app.include_router(align_router(service, Aligners(aligners or {})))
    app.include_router(preview_router(service))
    app.include_router(listing_router(service))
    app.router.routes.append(Route("/openapi.json", _describer(app, service), include_in_schema=False))
    app.router.routes.extend(page_routes())
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(GlowvoxError, _refused)
    app.add_exception_handler(ClientGone, _nobody)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _not_taken)
    app.add_middleware(HeadRequests)
    app.add_middleware(RequestGuard, settings=service.settings, keys=service.keys)
    if service.settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.settings.origins),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["*"],  # clients tell of themselves in headers of their own, such as x-stainless-os
            expose_headers=["X-Sample-Rate", "X-Notes", "Retry-After", "X-Request-Id"],
            **_PRIVATE_NETWORK,
        )
    app.add_middleware(AccessLog, metrics=service.metrics)
    return app


def _describer(app: FastAPI, service: Service) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with the OpenAPI document of an application; it tells of keys where the server has them."""

    async def describe(request: Request) -> Response:
        service.keys.client(request)
        document = dict(app.openapi())
        if not service.keys.open:
            schemes = {"key": {"type": "http", "scheme": "bearer", "description": "An API key of this server."}}
            document["components"] = {**document.get("components", {}), "securitySchemes": schemes}
            document["security"] = [{"key": []}]
            free = (*_WITHOUT_KEY, *(_LISTS if service.settings.public_voices else ()))
            paths = document["paths"]
            document["paths"] = {
                path: {method: {**route, "security": []} for method, route in routes.items()}
                if path in free
                else routes
                for path, routes in paths.items()
            }
        return JSONResponse(_with_whole_numbers(document))

    return describe


def _with_whole_numbers(value: Any) -> Any:
    """Return JSON in which numbers without a fraction have none: as 9.2e18, the bound of a seed is read inexactly."""
    if isinstance(value, dict):
        return {key: _with_whole_numbers(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class HeadRequests:
    """Answers HEAD wherever there is an answer to GET: its headers, and no body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; HEAD becomes GET, and `scope["head"]` tells of it."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        asked = {**scope, "method": "GET", "head": True}
        try:
            await self._app(asked, receive, without_body)
        finally:
            if "route" in asked:  # the log and the metrics name it
                scope["route"] = asked["route"]


async def _refused(_: Request, error: Exception) -> Response:
    return refusal_of(error).response()


async def _nobody(_: Request, __: Exception) -> Response:
    return Response(status_code=_NO_ONE)


async def _invalid(_: Request, error: Exception) -> Response:
    """Answer a body that is not what it should be."""
    assert isinstance(error, RequestValidationError)
    return invalid_request(error.errors()).response()


async def _not_taken(request: Request, error: Exception) -> Response:
    """Answer what no route takes: another address, another method, a body that cannot be read."""
    assert isinstance(error, HTTPException)
    if error.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        return refusal_at(request, error.status_code).response()
    if error.status_code != HTTPStatus.BAD_REQUEST:
        return Refusal(error.status_code, error.detail, headers=error.headers).response()
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        service: Service = request.app.state.service
        return unreadable_form(error.detail, service.settings.limits.characters).response()
    return Refusal(error.status_code, unreadable_json(error.__cause__), code="invalid_request").response()


def page_routes() -> list[Route]:
    """Return a route for each file of the page that is there when the server starts; `/` is index.html."""
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
