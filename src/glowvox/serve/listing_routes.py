"""What there is: models and voices; and how the server is: /health, /ready, /metrics."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glowvox.serve.metrics import CONTENT_TYPE
from glowvox.serve.problems import Refusal
from glowvox.serve.service import Service
from glowvox.serve.voice_shelf import MODEL, OPENAI_MODELS


def listing_router(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.get("/v1/models", tags=["speech"], summary="List the models")
    async def models(request: Request) -> dict[str, Any]:
        """List the names by which the model can be asked for."""
        service.gate.client(request)
        return {"object": "list", "data": [_model(name) for name in (MODEL, *OPENAI_MODELS)]}

    @router.get("/v1/models/{model}", tags=["speech"], summary="Show a model")
    async def model(model: str, request: Request) -> dict[str, Any]:
        """Show one of them."""
        service.gate.client(request)
        service.shelf.check_model(model)
        return _model(model)

    @router.get("/v1/audio/voices", tags=["speech"], summary="List the voices")
    async def voices(request: Request) -> dict[str, Any]:
        """List the voices with their speakers and languages."""
        service.gate.client(request)
        return {"voices": service.shelf.listing()}

    @router.get("/health", tags=["server"], summary="Whether the process is alive")
    async def health() -> dict[str, str]:
        """Answer as long as the process does."""
        return {"status": "ok"}

    @router.get("/ready", tags=["server"], summary="Whether requests are welcome")
    async def ready() -> JSONResponse:
        """Answer 200 while texts are spoken at once; 503 while voices are loading, and when the server is stopping."""
        if not service.warm:
            raise Refusal(503, "the voices are loading", code="loading", headers={"Retry-After": "1"})
        if service.stopping:
            raise Refusal(503, "the server is stopping", code="stopping", headers={"Retry-After": "5"})
        return JSONResponse({"status": "ready", "voices": [voice.name for voice in service.shelf]})

    @router.get("/metrics", tags=["server"], summary="Figures for Prometheus", response_class=Response)
    async def metrics(request: Request) -> Response:
        """Return the figures in Prometheus' text format."""
        service.gate.client(request)
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)

    return router


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "glowvox"}
