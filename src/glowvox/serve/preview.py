"""Preview: what a voice sounds like, and how it would read a text, before anybody has it spoken."""

import hashlib
from collections import OrderedDict
from collections.abc import Generator
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictBool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glowvox.errors import TextError
from glowvox.serve.refusal import Refusal
from glowvox.serve.service import Service
from glowvox.serve.speech_request import Format, PlainOverrides, SpeechOverrides
from glowvox.serve.speech_stream import DisconnectWatcher, speak
from glowvox.serve.voice_registry import Selection
from glowvox.synthesis.explanation import Explanation
from glowvox.synthesis.sample_sentences import sample_sentence
from glowvox.synthesis.speech_encoding import MEDIA_TYPES

_FORMAT: Format = "mp3"
_MOST_SAMPLES = 256
_MOST_READINGS = 200
"""Characters of a text whose words' readings are looked up."""


class ExplainRequest(SpeechOverrides):
    """A text to be explained; fields that only change the sound are taken and make no difference."""

    input: Annotated[str, Field(min_length=1, description="The text.")]
    readings: Annotated[StrictBool, Field(description="Whether other readings of each word are given.")] = False


def preview_router(service: Service) -> APIRouter:
    """Return the routes that explain a text and give a sample of a voice."""
    router = APIRouter()
    samples = VoiceSamples()

    @router.post("/v1/explain", tags=["speech"], summary="Explain how a text is read")
    async def explain(body: ExplainRequest, request: Request) -> JSONResponse:
        """Say how each word is read, with its phonemes, where they are from, and what was guessed or left out."""
        client = service.keys.client(request)
        selection = body.select(service.registry)
        longest = _MOST_READINGS if body.readings else service.settings.limits.characters
        if len(body.input) > longest:
            raise Refusal(
                413,
                f"the input has {len(body.input)} characters; at most {longest} are explained at once",
                param="input",
                code="text_too_long",
            )

        try:
            explanation = await read_through(
                service, request, client, body.input, body, selection, readings=body.readings
            )
        except TextError as error:
            raise Refusal(400, str(error), param="input") from error
        return JSONResponse(explanation.to_dict())

    @router.get(
        "/v1/audio/voices/{voice}/sample",
        response_class=Response,
        responses={200: {"content": {MEDIA_TYPES[_FORMAT]: {"schema": {"type": "string", "format": "binary"}}}}},
        tags=["speech"],
        summary="Hear a voice",
    )
    async def sample(voice: str, request: Request, speaker: str | None = None) -> Response:
        """Return a sentence in the voice, spoken when it is first asked for and kept."""
        client = service.keys.client(request)
        selection = service.registry.find(voice, speaker)
        content = samples.known(selection)
        if content is None:
            watcher = DisconnectWatcher(request)
            job, content = await watcher.start(
                service.pool.submit(client, lambda _: samples.spoken(selection, service))
            )
            watcher.stop(job)
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=MEDIA_TYPES[_FORMAT], headers=headers)

    return router


async def read_through(
    service: Service,
    request: Request,
    client: str,
    text: str,
    overrides: SpeechOverrides,
    selection: Selection,
    *,
    readings: bool = False,
) -> Explanation:
    """Return how a text would be read, as soon as there is a turn for it; what a text is, the voice decides.

    Args:
        service: the server's parts.
        request: whose client waits for it.
        client: whose share of the processors is used.
        text: the text.
        overrides: how it would be spoken.
        selection: the voice.
        readings: whether other readings of each word are given.

    Raises:
        TextError: it cannot be read; a SilentTextError: there is nothing to say in it.
        Refusal, GlowvoxError: not by this voice, or not now.
        ClientGone: nobody waits for it any more.
    """

    def work(_: object) -> Generator[Explanation, None, None]:
        yield selection.voice.explain(text, readings=readings, **overrides.options(selection))

    watcher = DisconnectWatcher(request)
    job, explanation = await watcher.start(service.pool.submit(client, work))
    watcher.stop(job)
    return explanation


class VoiceSamples:
    """A sentence in each voice and speaker that was asked for, as the bytes of a sound file; the latest are kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str | None], bytes] = OrderedDict()

    def known(self, selection: Selection) -> bytes | None:
        """Return the sample if it is there."""
        return self._kept.get((selection.voice.name, selection.speaker))

    def spoken(self, selection: Selection, service: Service) -> Generator[bytes, None, None]:
        """Yield the sample, spoken now."""
        overrides = PlainOverrides(response_format=_FORMAT)
        card = selection.voice.card
        language = card.speaker_languages.get(selection.speaker or card.speakers[0], card.language)
        text = sample_sentence(language)
        with overrides.encoder(selection.voice) as encoder:
            pieces = speak(selection, text, overrides, service.settings, encoder, ends_file=True)
            content = b"".join(piece.data for piece in pieces)
        self._kept[selection.voice.name, selection.speaker] = content
        if len(self._kept) > _MOST_SAMPLES:
            self._kept.popitem(last=False)
        yield content
