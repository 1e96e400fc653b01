"""The WebSocket /v1/audio/stream: text in as it is written, audio out as it is ready."""

import asyncio
import json
from contextlib import suppress
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter
from pydantic import BaseModel, Field, StrictBool, TypeAdapter, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from glowvox.errors import GlowvoxError
from glowvox.serve.connections import ADMITTED
from glowvox.serve.invalid_request import invalid_request
from glowvox.serve.refusal import ClientGone, Refusal, refusal_of
from glowvox.serve.service import Service
from glowvox.serve.session import Session, with_idle_timeout
from glowvox.serve.speech_request import Format, SpeechOverrides, SpokenText
from glowvox.serve.speech_stream import SpeechChunk, viseme_table, word_table
from glowvox.serve.unreadable_body import unreadable_json
from glowvox.synthesis.visemes import VisemeTrack

_POLICY, _TRY_LATER, _NORMAL = 1008, 1013, 1000
"""Codes by which a WebSocket is closed (RFC 6455, section 7.4)."""
_WHAT = "the message"
_MOST_WARNINGS = 200
"""Of one connection; those after are not sent."""


class Start(SpeechOverrides):
    """The first message: how the text to come shall be spoken. Without it, as the server does by default."""

    type: Literal["start"]
    response_format: Format = "pcm"
    timestamps: StrictBool = False
    cut: Literal["sentence", "clause"] = "sentence"
    api_key: Annotated[str, Field(max_length=1000)] = ""


class Text(BaseModel):
    """A piece of the text, cut anywhere."""

    type: Literal["text"]
    text: SpokenText


class Control(BaseModel):
    """flush: speak what was written; cancel: drop what was not sent yet; end: nothing follows."""

    type: Literal["flush", "cancel", "end"]


_MESSAGE: TypeAdapter[Start | Text | Control] = TypeAdapter(
    Annotated[Start | Text | Control, Field(discriminator="type")]
)


def socket_router(service: Service) -> APIRouter:
    """Return the route."""
    router = APIRouter()

    @router.websocket("/v1/audio/stream")
    async def stream(socket: WebSocket) -> None:
        if not _welcome(socket.headers.get("origin"), socket.headers.get("host"), service.settings.origins):
            await socket.close(_POLICY)  # before it is accepted: an answer with status 403
            return
        await socket.accept()
        conversation = _Conversation(service, socket)
        try:
            await conversation.hold()
        finally:
            conversation.leave()

    return router


def _welcome(origin: str | None, host: str | None, origins: tuple[str, ...]) -> bool:
    """Return whether a web page may open a WebSocket: browsers ask nobody before, unlike with requests (CORS)."""
    if origin is None or "*" in origins or origin in origins:
        return True
    try:
        return urlsplit(origin).netloc == host
    except ValueError:  # no address at all
        return False


class _Conversation:
    """One connection."""

    def __init__(self, service: Service, socket: WebSocket) -> None:
        self._service = service
        self._socket = socket
        self._session: Session | None = None
        self._timestamps = False
        self._visemes = VisemeTrack()
        self._warnings: list[str] = []
        self._client: str | None = None
        """Who it is, as soon as it has a slot."""

    def leave(self) -> None:
        """Give the slot back, if it had one."""
        if self._client is not None:
            self._service.websockets.leave(self._client)
            self._client = None

    async def hold(self) -> None:
        """Talk until the client has said that it is done, or is gone."""
        try:
            client = self._carried()
            if client is not None:
                self._enter(client)
            while await self._take_one():
                pass
        except (Refusal, GlowvoxError) as error:
            await _refuse(self._socket, refusal_of(error))
        except (WebSocketDisconnect, RuntimeError, ClientGone):
            pass  # gone
        finally:
            if self._session is not None:
                self._session.abandon()

    def _carried(self) -> str | None:
        """Return the client of the key that came with the connection; None: it may come in the first message."""
        try:
            return self._service.keys.client(self._socket)
        except Refusal:
            return None

    def _enter(self, client: str) -> None:
        """Take a slot for a client that may be here.

        Raises:
            Refusal: there is none.
        """
        if self._client is not None:
            return
        if self._service.stopping or not self._service.websockets.enter(client):
            raise Refusal(503, "the server has no room for another connection; try again in 5 s", code="overloaded")
        self._client = client
        self._socket.scope["state"][ADMITTED] = True

    async def _take_one(self) -> bool:
        """Take a message; return whether another one may follow."""
        message = await self._received()
        if isinstance(message, Start):
            if self._session is not None:
                raise Refusal(400, "'start' must be the first message", param="type")
            await self._start(message)
            return True
        if self._session is None:
            await self._start(Start(type="start"))
        assert self._session is not None
        if isinstance(message, Text):
            self._session.write(message.text)
        elif message.type == "flush":
            self._session.flush()
        elif message.type == "cancel":
            self._session.cancel()
            await self._tell("cancelled")
        else:
            await self._finish(self._session)
            return False
        return True

    async def _received(self) -> Start | Text | Control:
        limits = self._service.settings.limits
        idle = limits.key_seconds if self._client is None else limits.idle_seconds
        try:
            content = await with_idle_timeout(self._socket.receive_text(), idle, self._busy)
        except KeyError:
            raise Refusal(400, "messages are JSON in text frames, not binary ones") from None
        return _read(content)

    def _busy(self) -> bool:
        return self._session is not None and self._session.busy

    async def _start(self, overrides: Start) -> None:
        client = self._service.keys.client(self._socket, overrides.api_key)
        self._enter(client)
        selection = overrides.select(self._service.registry)
        overrides.check(selection)
        self._timestamps = overrides.timestamps
        self._session = Session(
            self._service, client, selection, overrides, self._send, self._fail, clauses=overrides.cut == "clause"
        )
        await self._tell(
            "started",
            voice=selection.voice.name,
            format=overrides.response_format,
            sample_rate=self._session.sample_rate,
        )

    async def _finish(self, session: Session) -> None:
        """Send the rest, listening all the while for whether the client is still there."""
        finishing = asyncio.create_task(session.finish())
        listening = asyncio.create_task(self._listen(session))
        try:
            await asyncio.wait({finishing, listening}, return_when=asyncio.FIRST_COMPLETED)
            if finishing.done():
                finishing.result()
                if self._timestamps and (silence := viseme_table(self._visemes.finish(session.seconds))):
                    await self._tell("words", words=[], visemes=silence)
                warnings = {"warnings": self._warnings} if self._warnings else {}
                await self._tell("done", duration=round(session.seconds, 4), **warnings)
                await self._socket.close(_NORMAL)
        finally:
            finishing.cancel()
            listening.cancel()

    async def _listen(self, session: Session) -> None:
        """Return when the client has gone; until then it may still cancel, and nothing else."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                with suppress(Refusal):
                    told = _read(message.get("text") or "")
                    if isinstance(told, Control) and told.type == "cancel":
                        session.cancel()
                        await self._tell("cancelled")

    async def _send(self, piece: SpeechChunk) -> None:
        try:
            if self._timestamps and piece.timeline.words:
                visemes = viseme_table(self._visemes.push(piece.timeline.words, piece.origin))
                await self._tell("words", words=word_table(piece), visemes=visemes)
            warnings = [warning for warning in piece.warnings if warning not in self._warnings]
            if warnings and len(self._warnings) < _MOST_WARNINGS:
                self._warnings += warnings
                if self._timestamps:
                    await self._tell("warnings", warnings=warnings)
            if piece.data:
                await self._socket.send_bytes(piece.data)
        except (WebSocketDisconnect, RuntimeError):
            raise ClientGone from None

    async def _fail(self, refusal: Refusal) -> None:
        await self._tell("error", error=refusal.error)

    async def _tell(self, kind: str, **content: Any) -> None:
        await self._socket.send_text(json.dumps({"type": kind, **content}, separators=(",", ":")))


def _read(content: str) -> Start | Text | Control:
    """Return the message that a text frame holds.

    Raises:
        Refusal: it is none.
    """
    try:
        # Python's own parser leaves halves of letters in a string, of which the field can then be told
        return _MESSAGE.validate_python(json.loads(content))
    except ValidationError as error:
        raise invalid_request(error.errors(), inside=1, what=_WHAT) from error
    except (ValueError, RecursionError) as error:
        raise Refusal(400, unreadable_json(error, _WHAT), code="invalid_request") from error


async def _refuse(socket: WebSocket, refusal: Refusal) -> None:
    try:
        await socket.send_text(json.dumps({"type": "error", "error": refusal.error}))
        await socket.close(_TRY_LATER if refusal.status == 503 else _POLICY)
    except (WebSocketDisconnect, RuntimeError):
        pass  # gone
