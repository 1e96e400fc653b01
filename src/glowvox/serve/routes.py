"""HTTP routes: speech, alignment, the lists of models and voices, and the state of the server."""

import base64
import json
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from glowvox.errors import AudioError, GlowvoxError, SilentTextError, TextError
from glowvox.serve.metrics import CONTENT_TYPE
from glowvox.serve.notes_header import notes_header
from glowvox.serve.preview import read_through
from glowvox.serve.refusal import Refusal, refusal_of
from glowvox.serve.service import Service
from glowvox.serve.speech_request import PlainOverrides, SpeechQuery, SpeechRequest
from glowvox.serve.speech_stream import (
    DisconnectWatcher,
    EventsResponse,
    SpeechResponse,
    SpeechStream,
    check_length,
    viseme_table,
    word_table,
)
from glowvox.serve.voice_registry import MODEL, OPENAI_MODELS, Selection
from glowvox.synthesis.aligner import Aligner, TextOptions
from glowvox.synthesis.recording import read_upload
from glowvox.synthesis.script import kind_of_text
from glowvox.synthesis.speech_encoding import MEDIA_TYPES, completed
from glowvox.synthesis.timestamps import as_json, srt, textgrid, vtt
from glowvox.synthesis.visemes import TimedViseme, VisemeTrack

_SPEECH_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The speech.",
        "content": {
            **{media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA_TYPES.values()},
            "text/event-stream": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}
_ADDRESS_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The speech.",
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA_TYPES.values()},
    }
}
_FORMATS = {
    "json": (as_json, "application/json"),
    "srt": (srt, "application/x-subrip"),
    "vtt": (vtt, "text/vtt"),
    "textgrid": (textgrid, "text/plain"),
}
_ALIGN_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The times of the words and phonemes.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            **{media: {"schema": {"type": "string"}} for _, media in list(_FORMATS.values())[1:]},
        },
    },
    501: {"description": "No voice here can align."},
}


def speech_router(service: Service) -> APIRouter:
    """Return the route POST /v1/audio/speech."""
    router = APIRouter(prefix="/v1/audio", tags=["speech"])

    def headers(sample_rate: int, notes: list[str]) -> dict[str, str]:
        told = {"X-Sample-Rate": str(sample_rate), "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if notes:
            told["X-Notes"] = notes_header(notes)
        return told

    @router.post("/speech", response_class=Response, responses=_SPEECH_ANSWERS, summary="Speak a text")
    async def speech(body: SpeechRequest, request: Request) -> Response:
        """Speak a text: as a sound file sent while it is spoken, as events, or as JSON with the times of the words."""
        stream = await SpeechStream.begin(service, request, body)
        told = headers(stream.first.sample_rate, stream.notes)
        if body.stream_format == "json":
            return JSONResponse(await _whole(stream, body), headers=told)
        if body.stream_format == "sse":
            return EventsResponse(stream, _events(stream, body), told)
        return SpeechResponse(stream, MEDIA_TYPES[body.response_format], told)

    async def spoken_address(query: Annotated[SpeechQuery, Query()], request: Request) -> Response:
        """Speak the text of an address as a sound file sent while it is spoken: what a player can open."""
        body = query.request()
        media_type = MEDIA_TYPES[body.response_format]
        if request.scope.get("head"):  # players ask what there is before they open it
            client = service.keys.client(request, query.api_key)
            selection = body.select(service.registry)
            check_length(body, service.settings.limits)
            body.check(selection)
            with body.encoder(selection.voice) as encoder:
                told = headers(encoder.rate, body.notes(selection.voice))
            if body.input_format == "ssml" or kind_of_text(body.input, final=True) == "ssml":
                await _check_document(service, request, client, body, selection)  # no other text can be refused
            # an answer whose length nobody knows: GET has none in its header either
            return StreamingResponse((), media_type=media_type, headers=told)
        stream = await SpeechStream.begin(service, request, body, query.api_key)
        told = headers(stream.first.sample_rate, stream.notes)
        return SpeechResponse(stream, media_type, told)

    if service.settings.get_speech:
        summary = "Speak the text of an address"
        answers = _ADDRESS_ANSWERS
        router.get("/speech", response_class=Response, responses=answers, summary=summary)(spoken_address)

    return router


async def _check_document(
    service: Service, request: Request, client: str, body: SpeechRequest, selection: Selection
) -> None:
    """Refuse an SSML document that cannot be spoken, without speaking it."""
    try:
        await read_through(service, request, client, body.input, body, selection)
    except SilentTextError:
        pass  # it is answered with a silence
    except TextError as error:
        raise Refusal(400, str(error), param="input") from error


async def _whole(stream: SpeechStream, body: SpeechRequest) -> dict[str, Any]:
    data, words = bytearray(), []
    warnings: list[str] = []
    track = VisemeTrack()
    visemes: list[TimedViseme] = []
    async with aclosing(stream.pieces()) as pieces:
        async for piece in pieces:
            data += piece.data
            words += word_table(piece)
            visemes += track.push(piece.timeline.words)
            warnings += piece.warnings
    visemes += track.finish(stream.report.seconds)
    audio = completed(bytes(data), body.response_format)
    return {
        "audio": base64.b64encode(audio).decode("ascii"),
        "format": body.response_format,
        "sample_rate": stream.first.sample_rate,
        "duration": round(stream.report.seconds, 4),
        "words": words,
        "visemes": viseme_table(visemes),
        "warnings": warnings,
    }


async def _events(stream: SpeechStream, body: SpeechRequest) -> AsyncGenerator[bytes, None]:
    """Yield the events of OpenAI's interface, and those of the words where they are asked for."""
    rate = {"sample_rate": stream.first.sample_rate} if body.timestamps else {}
    begun = False
    track = VisemeTrack()
    warnings: list[str] = []
    try:
        async with aclosing(stream.pieces()) as pieces:
            async for piece in pieces:
                warnings += piece.warnings
                if body.timestamps and (piece.timeline.words or not begun):
                    visemes = viseme_table(track.push(piece.timeline.words))
                    told = {"words": word_table(piece), "visemes": visemes, **rate}
                    yield _event("speech.audio.words", told | {"audio_seconds": round(piece.start, 4)})
                if body.timestamps and piece.warnings:
                    yield _event("speech.audio.warnings", {"warnings": list(piece.warnings)})
                begun = True
                if piece.data:
                    yield _event("speech.audio.delta", {"audio": base64.b64encode(piece.data).decode("ascii")})
    except Exception as error:  # the status has been sent: the stream says what happened
        yield _event("error", {"error": refusal_of(error).error})
        return
    seconds = stream.report.seconds
    tokens, made = len(body.input), round(1000 * seconds)
    usage = {"input_tokens": tokens, "output_tokens": made, "total_tokens": tokens + made}
    if body.timestamps and (silence := viseme_table(track.finish(seconds))):
        told = {"words": [], "visemes": silence, **rate, "audio_seconds": round(seconds, 4)}
        yield _event("speech.audio.words", told)
    duration = {"duration": round(seconds, 4), **rate} if body.timestamps else {}
    yield _event("speech.audio.done", {"usage": usage, **duration} | ({"warnings": warnings} if warnings else {}))


def _event(kind: str, content: dict[str, Any]) -> bytes:
    return f"data: {json.dumps({'type': kind, **content}, separators=(',', ':'))}\n\n".encode()


def align_router(service: Service, aligners: "Aligners") -> APIRouter:
    """Return the route POST /v1/align: when the words of a text are said in a recording."""
    router = APIRouter()

    @router.post(
        "/v1/align", response_class=Response, responses=_ALIGN_ANSWERS, tags=["alignment"], summary="Align a text"
    )
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
        client = service.keys.client(request)
        selection = service.registry.find(voice, speaker)
        limits = service.settings.limits
        if len(text) > limits.characters:
            raise Refusal(413, f"the text has {len(text)} characters, more than {limits.characters}", param="text")
        content = await file.read()
        write, media_type = _FORMATS[response_format]
        options: TextOptions = {"on_warning": lambda _: None}
        if selection.speaker is not None:
            options["speaker"] = selection.speaker
        if language is not None:
            PlainOverrides(language=language).options(selection)  # which refuses one that the voice does not speak
            options["language"] = language

        def work(_: object) -> Generator[str, None, None]:
            aligner = aligners.load(selection.voice.name)
            try:
                samples, rate = read_upload(content, limits.recording_seconds)
                yield write(aligner.align(samples, rate, text, **options).timeline)
            except (AudioError, TextError) as error:
                raise Refusal(400, str(error), param="file" if isinstance(error, AudioError) else "text") from error

        watcher = DisconnectWatcher(request)
        job, answer = await watcher.start(service.pool.submit(client, work))
        watcher.stop(job)
        return Response(answer, media_type=media_type)

    return router


class Aligners:
    """The voices' aligners, which lay texts over recordings; each is loaded when it is first asked for."""

    def __init__(self, loaders: Mapping[str, Callable[[], Aligner]]) -> None:
        self._loaders = loaders
        self._loaded: dict[str, Aligner] = {}
        self._lock = threading.Lock()

    def load(self, voice: str) -> Aligner:
        """Return the aligner of a voice; the first call takes its time.

        Raises:
            Refusal: this server has none for that voice.
        """
        if voice not in self._loaders:
            raise Refusal(501, "this server does not align recordings", code="not_available")
        with self._lock:
            if voice not in self._loaded:
                try:
                    self._loaded[voice] = self._loaders[voice]()
                except GlowvoxError as error:
                    raise Refusal(501, str(error), code="not_available") from error
            return self._loaded[voice]


def listing_router(service: Service) -> APIRouter:
    """Return the routes that say what there is (models, voices) and how the server is (health, readiness, metrics)."""
    router = APIRouter()

    def admit(request: Request) -> None:
        """Ask for a key, unless the operator lists voices and models to everybody."""
        if not service.settings.public_voices:
            service.keys.client(request)

    @router.get("/v1/models", tags=["speech"], summary="List the models")
    async def models(request: Request) -> dict[str, Any]:
        """List the names by which the model can be asked for."""
        admit(request)
        return {"object": "list", "data": [_model(name) for name in (MODEL, *OPENAI_MODELS)]}

    @router.get("/v1/audio/models", tags=["speech"], summary="List the models as Open WebUI asks for them")
    async def audio_models(request: Request) -> dict[str, Any]:
        """List the same names."""
        admit(request)
        return {"models": [{"id": name, "name": name} for name in (MODEL, *OPENAI_MODELS)]}

    @router.get("/v1/models/{model}", tags=["speech"], summary="Show a model")
    async def model(model: str, request: Request) -> dict[str, Any]:
        """Show one of them."""
        admit(request)
        service.registry.check_model(model)
        return _model(model)

    @router.get("/v1/audio/voices", tags=["speech"], summary="List the voices")
    async def voices(
        request: Request,
        format: Annotated[
            Literal["objects", "names"], Query(description="`names`: bare names instead of objects.")
        ] = "objects",
    ) -> dict[str, Any]:
        """List the voices with their speakers and languages, or every name by which one can be asked for."""
        admit(request)
        return {"voices": service.registry.names() if format == "names" else service.registry.listing()}

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
        return JSONResponse({"status": "ready", "voices": [voice.name for voice in service.registry]})

    @router.get("/metrics", tags=["server"], summary="Figures for Prometheus", response_class=Response)
    async def metrics(request: Request) -> Response:
        """Return the figures in Prometheus' text format."""
        service.keys.client(request)
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)

    return router


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "glowvox"}
