"""POST /v1/audio/speech."""

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from glowvox.serve.problems import refusal_of
from glowvox.serve.service import Service
from glowvox.serve.speech_request import SpeechRequest
from glowvox.serve.spoken import word_table
from glowvox.serve.telling import Telling
from glowvox.synthesis.speech_encoding import MEDIA_TYPES, completed

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The speech.",
        "content": {
            **{media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA_TYPES.values()},
            "text/event-stream": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


def speech_router(service: Service) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1/audio", tags=["speech"])

    @router.post("/speech", response_class=Response, responses=_ANSWERS, summary="Speak a text")
    async def speech(body: SpeechRequest, request: Request) -> Response:
        """Speak a text: as a sound file sent while it is spoken, as events, or as JSON with the times of the words."""
        telling = await Telling.begin(service, request, body)
        rate = telling.first.sample_rate
        headers = {"X-Sample-Rate": str(rate), "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if body.stream_format == "json":
            return JSONResponse(await _whole(telling, body), headers=headers)
        if body.stream_format == "sse":
            return StreamingResponse(_events(telling, body), media_type="text/event-stream", headers=headers)
        return StreamingResponse(telling.data(), media_type=MEDIA_TYPES[body.response_format], headers=headers)

    return router


async def _whole(telling: Telling, body: SpeechRequest) -> dict[str, Any]:
    data, words = bytearray(), []
    async with aclosing(telling.pieces()) as pieces:
        async for piece in pieces:
            data += piece.data
            words += word_table(piece)
    audio = completed(bytes(data), body.response_format)
    return {
        "audio": base64.b64encode(audio).decode("ascii"),
        "format": body.response_format,
        "sample_rate": telling.first.sample_rate,
        "duration": round(telling.report.seconds, 4),
        "words": words,
    }


async def _events(telling: Telling, body: SpeechRequest) -> AsyncGenerator[bytes, None]:
    """Yield the events of OpenAI's interface, and those of the words where they are wished."""
    rate = {"sample_rate": telling.first.sample_rate} if body.timestamps else {}
    begun = False
    try:
        async with aclosing(telling.pieces()) as pieces:
            async for piece in pieces:
                if body.timestamps and (piece.timeline.words or not begun):
                    told = {"words": word_table(piece), **rate, "audio_seconds": round(piece.start, 4)}
                    yield _event("speech.audio.words", told)
                begun = True
                if piece.data:
                    yield _event("speech.audio.delta", {"audio": base64.b64encode(piece.data).decode("ascii")})
    except Exception as error:  # the status has been sent: the stream says what happened
        yield _event("error", {"error": refusal_of(error).error})
        return
    seconds = telling.report.seconds
    tokens, made = len(body.input), round(1000 * seconds)
    usage = {"input_tokens": tokens, "output_tokens": made, "total_tokens": tokens + made}
    duration = {"duration": round(seconds, 4), **rate} if body.timestamps else {}
    yield _event("speech.audio.done", {"usage": usage, **duration})


def _event(kind: str, content: dict[str, Any]) -> bytes:
    return f"data: {json.dumps({'type': kind, **content}, separators=(',', ':'))}\n\n".encode()
