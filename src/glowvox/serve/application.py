"""The application: all routes, and what every request passes through."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from glowvox import __version__
from glowvox.errors import GlowvoxError
from glowvox.serve.access import AccessLog, BodyLimit
from glowvox.serve.align_routes import align_router
from glowvox.serve.aligners import Aligners
from glowvox.serve.audience import ClientGone
from glowvox.serve.listing_routes import listing_router
from glowvox.serve.page_routes import page_routes
from glowvox.serve.problems import Refusal, refusal_of
from glowvox.serve.service import Service
from glowvox.serve.settings import ServerSettings
from glowvox.serve.socket_routes import socket_router
from glowvox.serve.speech_routes import speech_router
from glowvox.serve.voice_shelf import VoiceShelf
from glowvox.synthesis.aligner import Aligner
from glowvox.synthesis.voice import Voice

_ABOUT = "Text-to-speech with normalizing flows. Errors are `{error: {message, type, param, code}}`."
_NO_ONE = 499
"""The status that logs have for a client that went away; nobody gets it."""


def create_app(
    voices: Iterable[Voice],
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
    """
    service = Service(VoiceShelf(voices), settings or ServerSettings())

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(asyncio.to_thread(service.warm_up))
        yield
        service.stop()
        await warming
        service.studio.shut()

    app = FastAPI(
        title="Glowvox",
        version=__version__,
        description=_ABOUT,
        docs_url=None,  # their pages load scripts from other hosts
        redoc_url=None,
        lifespan=living,
        responses={"4XX": {"description": "The request is refused.", "content": _ERROR}},
    )
    app.state.service = service
    app.include_router(speech_router(service))
    app.include_router(socket_router(service))
    app.include_router(align_router(service, Aligners(aligners or {})))
    app.include_router(listing_router(service))
    app.router.routes.extend(page_routes())
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(GlowvoxError, _refused)
    app.add_exception_handler(ClientGone, _nobody)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_middleware(BodyLimit, limits=service.settings.limits)
    if service.settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.settings.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["X-Sample-Rate", "Retry-After"],
        )
    app.add_middleware(AccessLog, service=service)
    return app


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


async def _refused(_: Request, error: Exception) -> Response:
    return refusal_of(error).response()


async def _nobody(_: Request, __: Exception) -> Response:
    return Response(status_code=_NO_ONE)


async def _invalid(_: Request, error: Exception) -> Response:
    """Answer a body that is not what it should be: the first field that is wrong, and why."""
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = error.errors()[0]
    place = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
    param = ".".join(place) or None
    why = "it is not valid JSON" if first["type"] == "json_invalid" else first["msg"]
    where = f"'{param[:100]}'" if param else "the body"
    return Refusal(400, f"{where}: {why}", param=param, code="invalid_request").response()


async def _not_found(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Refusal(error.status_code, str(error.detail), headers=error.headers).response()
