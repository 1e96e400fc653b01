"""POST /v1/align: when the words of a text are said in a recording."""

from collections.abc import Generator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from glowvox.serve.aligners import Aligners
from glowvox.serve.audience import Audience
from glowvox.serve.problems import Refusal
from glowvox.serve.service import Service
from glowvox.synthesis.sent_recording import read_recording
from glowvox.synthesis.text_reading import TextOptions
from glowvox.synthesis.timestamps.formats import as_json, srt, textgrid, vtt

_FORMATS = {
    "json": (as_json, "application/json"),
    "srt": (srt, "application/x-subrip"),
    "vtt": (vtt, "text/vtt"),
    "textgrid": (textgrid, "text/plain"),
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The times of the words and phonemes.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            **{media: {"schema": {"type": "string"}} for _, media in list(_FORMATS.values())[1:]},
        },
    },
    501: {"description": "No voice here can align."},
}


def align_router(service: Service, aligners: Aligners) -> APIRouter:
    """Return the route."""
    router = APIRouter()

    @router.post("/v1/align", response_class=Response, responses=_ANSWERS, tags=["alignment"], summary="Align a text")
    async def align(
        request: Request,
        file: Annotated[UploadFile, File(description="The recording: WAV, FLAC, Ogg or MP3.")],
        text: Annotated[str, Form(min_length=1, description="All that is said in it.")],
        voice: Annotated[str | None, Form(max_length=200)] = None,
        speaker: Annotated[str | None, Form(max_length=200)] = None,
        language: Annotated[str | None, Form(max_length=40)] = None,
        response_format: Annotated[Literal["json", "srt", "vtt", "textgrid"], Form()] = "json",
    ) -> Response:
        """Lay a text over its recording, on the most likely path of the voice's acoustic model."""
        client = service.gate.client(request)
        choice = service.shelf.find(voice, speaker)
        limits = service.settings.limits
        if len(text) > limits.characters:
            raise Refusal(413, f"the text has {len(text)} characters, more than {limits.characters}", param="text")
        content = await file.read()
        write, media_type = _FORMATS[response_format]
        options: TextOptions = {"on_warning": lambda _: None}
        if choice.speaker is not None:
            options["speaker"] = choice.speaker
        if language is not None:
            options["language"] = language

        def work(_: object) -> Generator[str, None, None]:
            aligner = aligners.load(choice.voice.name)
            samples, rate = read_recording(content, limits.recording_seconds)
            yield write(aligner.align(samples, rate, text, **options).timeline)

        audience = Audience(request)
        try:
            take = await audience.wait(service.studio.take(client, work))
            audience.on_leaving(take.cancel)
            try:
                answer = await audience.wait(take.following())
            finally:
                take.cancel()
        finally:
            audience.dismiss()
        return Response(answer, media_type=media_type)

    return router
