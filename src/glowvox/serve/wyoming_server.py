"""A server for the Wyoming protocol, by which Home Assistant speaks."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.info import Attribution, Describe, Info, TtsProgram, TtsVoice, TtsVoiceSpeaker
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeTextFormat,
    SynthesizeVoice,
)

from glowvox import __version__
from glowvox.errors import ConfigError, GlowvoxError
from glowvox.serve.access_log import LOGGER, REQUEST_ID, RequestRecord, request_id
from glowvox.serve.connections import ACCEPTED_AT_ONCE, BACKLOG, send_no_faster_than_taken, why_not_listening
from glowvox.serve.refusal import ClientGone, Refusal, refusal_of
from glowvox.serve.service import Service
from glowvox.serve.session import Session, with_idle_timeout
from glowvox.serve.settings import wyoming_address
from glowvox.serve.speech_request import PlainOverrides, SpeechOverrides
from glowvox.serve.speech_stream import SILENCE_SECONDS, SpeechChunk
from glowvox.serve.voice_registry import Selection
from glowvox.synthesis.voice_card import VoiceCard

_WIDTH = 2
"""Bytes of a sample."""
_NO_EVENT = "the event is not one of the Wyoming protocol: a line of JSON with a 'type', of 64 KiB at most"
_LAST_SECONDS = 1.0
"""For which a client that is told of an error may go on writing: what was not read would take the error with it."""


class WyomingServer:
    """Listens for Wyoming's clients. The protocol has no keys: whoever reaches the port may speak."""

    def __init__(self, service: Service, uri: str) -> None:
        """Prepare it.

        Args:
            service: the server's parts.
            uri: `tcp://HOST:PORT` or `unix:///PATH`.

        Raises:
            ConfigError: it is neither.
        """
        self._service = service
        self._uri = uri
        self._host, self._port, self._path = wyoming_address(uri)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._admitted: dict[WyomingConnection, str] = {}

    @property
    def host(self) -> str:
        """The host it listens at; empty for a Unix socket."""
        return self._host

    @property
    def port(self) -> int:
        """The TCP port it listens at; 0 for a Unix socket."""
        if self._server is None or self._path:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            ConfigError: the address cannot be used.
        """
        try:
            if self._path:
                self._server = await asyncio.start_unix_server(self._connected, self._path, backlog=ACCEPTED_AT_ONCE)
            else:
                self._server = await asyncio.start_server(
                    self._connected, self._host, self._port, backlog=ACCEPTED_AT_ONCE
                )
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot listen at {self._uri[:200]}: {why_not_listening(error)}") from error
        for own in self._server.sockets:
            with socket.socket(fileno=os.dup(own.fileno())) as listening:
                listening.listen(BACKLOG)
        told = {"url": f"unix://{self._path}" if self._path else f"tcp://{self._host}:{self.port}"}
        logging.getLogger(LOGGER).info("listening", extra={"told": told})

    async def stop(self) -> None:
        """Listen no longer and end the connections."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        peer = writer.get_extra_info("peername")
        client = f"address {peer[0]}" if isinstance(peer, tuple) else "address local"
        service = self._service
        send_no_faster_than_taken(writer.transport)
        connection = WyomingConnection(service, reader, writer, client)
        token = REQUEST_ID.set(connection.record.id)
        try:
            if service.stopping or not service.connections.enter(connection):
                return
            if self._admit(connection, client):
                await connection.hold()
            else:
                await connection.refuse()
        except asyncio.CancelledError:
            pass  # the server is stopping; the task ends with its connection
        finally:
            self._part(connection)
            service.connections.leave(connection)
            self._connections.discard(task)
            writer.close()
            REQUEST_ID.reset(token)
            record = connection.record
            service.metrics.requests.labels(record.path, str(record.status)).inc()
            service.metrics.request_seconds.labels(record.path).observe(record.seconds)
            record.log()

    def _admit(self, connection: "WyomingConnection", client: str) -> bool:
        """Give a connection a slot, if need be that of the one that has said nothing for longest."""
        slots = self._service.wyoming
        if not slots.enter(client):
            idle = [(since, one) for one in self._admitted if (since := one.idle_since) is not None]
            if not idle:
                return False
            _, longest = min(idle, key=lambda pair: pair[0])
            self._part(longest)
            longest.abort()
            if not slots.enter(client):
                return False
        self._admitted[connection] = client
        return True

    def _part(self, connection: "WyomingConnection") -> None:
        client = self._admitted.pop(connection, None)
        if client is not None:
            self._service.wyoming.leave(client)


class WyomingConnection:
    """One client's connection: describe, ping, and synthesize, even while the text is written.

    Args:
        service: the server's parts.
        reader: what the client sends.
        writer: to the client.
        client: who it is, for fairness between clients.
    """

    def __init__(
        self, service: Service, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str
    ) -> None:
        self._service = service
        limits = service.settings.limits
        self._reader = BoundedReader(reader, limits.body_bytes)
        self._idle = limits.idle_seconds
        self._write_seconds = limits.write_seconds
        self._since = time.monotonic()
        self.record = RequestRecord(request_id(""), "wyoming", "WYOMING", "wyoming", client, status=200)
        """What the log is told of it."""
        self._writer = writer
        self._client = client
        self._speech: WyomingSpeech | None = None
        self._writing: WyomingSpeech | None = None
        """The speech whose text is being written."""

    @property
    def idle_since(self) -> float | None:
        """Since when it has been waited for an event; None: the client is being spoken to."""
        return None if self._busy() else self._since

    def abort(self) -> None:
        """End it at once."""
        self._writer.transport.abort()

    async def refuse(self) -> None:
        """Say that there is no room."""
        with suppress(OSError):
            await self._fail(Refusal(503, "the server has no room for another connection", code="overloaded"))

    async def hold(self) -> None:
        """Answer events until the client is gone or writes nonsense."""
        try:
            while True:
                reading = async_read_event(self._reader)  # type: ignore[arg-type]
                event = await with_idle_timeout(reading, self._idle, self._busy)
                if event is None and not self._reader.ended:  # the package says so of a line that it cannot read
                    raise Refusal(400, _NO_EVENT)
                if event is None:
                    break
                await self._answer(event)
                self._since = time.monotonic()
            if self._speech is not None:  # it may write nothing more and hear all the same
                await self._speech.ended()
        except (Refusal, GlowvoxError) as error:
            await self._part_with(refusal_of(error))
        except (OSError, EOFError):
            pass  # gone
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # what the package's own parser raises at an event that is none
            await self._part_with(Refusal(400, _NO_EVENT))
        finally:
            if self._speech is not None:
                self._speech.abandon()

    def _busy(self) -> bool:
        return self._speech is not None and not self._speech.done

    async def _answer(self, event: Event) -> None:
        if not isinstance(event.type, str):
            raise Refusal(400, _NO_EVENT)
        if Describe.is_type(event.type):
            await self._write(description(self._service).event())
        elif Ping.is_type(event.type):
            await self._write(Pong(text=Ping.from_event(event).text).event())
        elif SynthesizeStart.is_type(event.type):
            begin = SynthesizeStart.from_event(event)
            self._writing = await self._begin(begin.voice, begin.text_format, streamed=True)
        elif SynthesizeChunk.is_type(event.type) and self._writing is not None:
            self._writing.write(_text(SynthesizeChunk.from_event(event).text))
        elif SynthesizeStop.is_type(event.type) and self._writing is not None:
            self._writing.end()
            self._writing = None
        elif Synthesize.is_type(event.type) and self._writing is None:
            # within start and stop it repeats the whole text, for servers that do not stream
            whole = Synthesize.from_event(event)
            text = _text(whole.text)
            speech = await self._begin(whole.voice, whole.text_format, streamed=False)
            speech.write(text)
            speech.end()

    async def _begin(
        self, voice: SynthesizeVoice | None, text_format: str | None, *, streamed: bool
    ) -> "WyomingSpeech":
        """Begin a speech when the one before has ended."""
        if text_format not in (None, SynthesizeTextFormat.TEXT, SynthesizeTextFormat.SSML):
            raise Refusal(400, f"the format '{text_format[:40]}' is not spoken here, only plain text and SSML")
        if self._speech is not None:
            if self._speech is self._writing:
                raise Refusal(400, "the text of the speech before has not ended yet; send synthesize-stop first")
            await self._speech.ended()
        selection, language = self._chosen(voice or SynthesizeVoice())
        overrides = PlainOverrides(
            response_format="pcm",
            sample_rate=selection.voice.card.sample_rate,
            language=language,
            input_format="ssml" if text_format == SynthesizeTextFormat.SSML else "auto",
        )
        overrides.check(selection)
        self._speech = WyomingSpeech(
            self._service, self._client, selection, overrides, self._write, self._fail, streamed=streamed
        )
        return self._speech

    def _chosen(self, wanted: SynthesizeVoice) -> tuple[Selection, str | None]:
        """Return the voice that was named, or the first one that speaks the language."""
        registry = self._service.registry
        if wanted.name is None and wanted.language is not None:
            tag = str(wanted.language).lower().replace("_", "-")
            for voice in registry:
                for language in voice.card.front_ends:
                    if language == tag or language.split("-")[0] == tag.split("-")[0]:
                        return Selection(voice, None), language
        name = None if wanted.name is None else str(wanted.name)
        return registry.find(name, str(wanted.speaker or "") or None), None

    async def _write(self, event: Event) -> None:
        self.record.bytes += len(event.payload or b"")
        try:
            async with asyncio.timeout(self._write_seconds):
                await async_write_event(event, self._writer)
        except TimeoutError:
            self.abort()  # a client that does not read is none
            raise

    async def _fail(self, refusal: Refusal) -> None:
        self.record.status = refusal.status
        await self._write(Error(text=refusal.message, code=refusal.code).event())

    async def _part_with(self, refusal: Refusal) -> None:
        """End what is spoken, tell what is wrong, and wait until the client has read it."""
        if self._speech is not None:
            self._speech.abandon()
        with suppress(OSError):
            await self._fail(refusal)
            self._writer.write_eof()
            async with asyncio.timeout(_LAST_SECONDS):
                await self._reader.skip()


class WyomingSpeech:
    """One answer, while its text may still be written: audio-start, chunks, audio-stop, and after a streamed text
    synthesize-stopped.
    """

    def __init__(
        self,
        service: Service,
        client: str,
        selection: Selection,
        overrides: SpeechOverrides,
        write: Callable[[Event], Awaitable[None]],
        fail: Callable[[Refusal], Awaitable[None]],
        *,
        streamed: bool,
    ) -> None:
        self._write = write
        self._tell = fail
        self._streamed = streamed
        self._rate = selection.voice.card.sample_rate
        self._begun = False
        self._failed = False
        self._ending: asyncio.Task[None] | None = None
        self._session = Session(service, client, selection, overrides, self._send, self._fail)

    @property
    def done(self) -> bool:
        """Whether everything was sent."""
        return self._ending is not None and self._ending.done()

    async def ended(self) -> None:
        """Wait until everything was sent; nothing if its text is still being written."""
        if self._ending is not None:
            await asyncio.shield(self._ending)

    def write(self, text: str) -> None:
        """Take a piece of the text."""
        self._session.write(text)

    def end(self) -> None:
        """Take it that no text follows."""
        self._ending = asyncio.create_task(self._end())

    def abandon(self) -> None:
        """Stop: nobody listens any more."""
        self._session.abandon()
        if self._ending is not None:
            self._ending.cancel()

    async def _end(self) -> None:
        with suppress(OSError, ClientGone):
            await self._session.finish()
            # Clients read up to the end of the audio, even where there was nothing to say, and make a file of it, which
            # must hold something to be one.
            if not self._begun and not self._failed:
                await self._start()
                await self._chunk(bytes(_WIDTH * round(SILENCE_SECONDS * self._rate)))
            await self._start()
            await self._write(AudioStop().event())
            if self._streamed:
                await self._write(SynthesizeStopped().event())

    async def _start(self) -> None:
        if not self._begun:
            self._begun = True
            await self._write(AudioStart(rate=self._rate, width=_WIDTH, channels=1).event())

    async def _send(self, piece: SpeechChunk) -> None:
        if piece.data:
            try:
                await self._start()
                await self._chunk(piece.data)
            except OSError:
                raise ClientGone from None

    async def _chunk(self, data: bytes) -> None:
        await self._write(AudioChunk(rate=self._rate, width=_WIDTH, channels=1, audio=data).event())

    async def _fail(self, refusal: Refusal) -> None:
        self._failed = True
        await self._tell(refusal)


class BoundedReader:
    """Reads a stream for a parser that believes every length it is told, so that no client fills the memory."""

    def __init__(self, reader: asyncio.StreamReader, limit: int) -> None:
        self._reader = reader
        self._limit = limit
        self.ended = False
        """Whether the client writes nothing more."""

    async def readline(self) -> bytes:
        """Return a line, of 64 KiB at most.

        Raises:
            ValueError: it is longer.
        """
        line = await self._reader.readline()
        self.ended = not line
        return line

    async def skip(self) -> None:
        """Read to the end, and keep nothing."""
        while await self._reader.read(1 << 16):
            pass

    async def readexactly(self, count: int) -> bytes:
        """Return so many bytes.

        Raises:
            Refusal: it is more than the limit, or no number of bytes.
            asyncio.IncompleteReadError: the stream ended before.
        """
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise Refusal(400, "the length of a part of an event must be a whole number of bytes")
        if count > self._limit:
            raise Refusal(413, f"a part of the event has more than the {self._limit} bytes that it may have")
        return await self._reader.readexactly(count)


def description(service: Service) -> Info:
    """Return what Wyoming's clients may know of the voices."""
    maker = Attribution(name="Glowvox", url="")
    voices = [
        TtsVoice(
            name=voice.name,
            attribution=attribution(voice.card),
            installed=True,
            description=voice.name,  # Home Assistant shows this as the voice's name
            version=str(voice.card.provenance.get("version", __version__)),
            languages=[posix_language(language) for language in voice.card.front_ends],
            speakers=[TtsVoiceSpeaker(name) for name in voice.card.speakers] if len(voice.card.speakers) > 1 else None,
        )
        for voice in service.registry
    ]
    program = TtsProgram(
        name="glowvox",
        attribution=maker,
        installed=True,
        description="Text-to-speech with normalizing flows",
        version=__version__,
        voices=voices,
        supports_synthesize_streaming=True,
    )
    return Info(tts=[program])


def attribution(card: VoiceCard) -> Attribution:
    """Return whom a voice is owed to: those who taught it to speak, with its licence."""
    # what only the vocoder has heard makes no voice: it is shared by voices that nobody taught
    teachers = [str(teacher.get("teacher", "")) for teacher in card.teachers_of("acoustic")]
    name = ", ".join(dict.fromkeys(filter(None, teachers))) or str(card.provenance.get("author") or "Glowvox")
    return Attribution(name=f"{name} ({card.licence})", url=str(card.provenance.get("url") or ""))


def posix_language(tag: str) -> str:
    """Return a language tag as Piper's server and Home Assistant write it: `en_US` for "en-us"."""
    language, _, region = tag.partition("-")
    return f"{language}_{region.upper()}" if region else language


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Refusal(400, "the text of an event must be a string")
    return value
