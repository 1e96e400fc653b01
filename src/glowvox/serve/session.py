"""Speaking what a client writes, while it writes: one utterance after the other, in order."""

import asyncio
import queue
import re
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from glowvox.serve.refusal import ClientGone, Refusal, refusal_of
from glowvox.serve.scheduler import Turn
from glowvox.serve.service import Service
from glowvox.serve.speech_request import SpeechOverrides
from glowvox.serve.speech_stream import NOTHING, Report, SpeechChunk, seconds_of, speak
from glowvox.serve.voice_registry import Selection
from glowvox.serve.worker_pool import SynthesisJob
from glowvox.synthesis.script import kind_of_text

T = TypeVar("T")
_MOST_UTTERANCES = 64
"""Begun and not spoken yet."""
_DOCUMENT_END = re.compile(r"</speak\s*>|<speak\b[^>]*/>", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[,;:—–](?=\s)")
_SHORTEST_CLAUSE = 24
"""Characters; less is not worth a cut."""


class Session:
    """The speech of one connection; lives in the event loop's thread.

    Args:
        service: the server's parts.
        client: whose share of the processors is used.
        selection: the voice.
        overrides: how it speaks.
        send: takes each piece, in order.
        fail: is told of an utterance that could not be spoken; the next one is spoken all the same.
        clauses: whether to cut at the ends of clauses too; if not, at those of sentences only.
    """

    def __init__(
        self,
        service: Service,
        client: str,
        selection: Selection,
        overrides: SpeechOverrides,
        send: Callable[[SpeechChunk], Awaitable[None]],
        fail: Callable[[Refusal], Awaitable[None]],
        *,
        clauses: bool = False,
    ) -> None:
        self._service = service
        self._client = client
        self._selection = selection
        self._overrides = overrides
        self._send = send
        self._fail = fail
        self._cutter = ClauseCutter() if clauses else None
        self._documents = DocumentKeeper(overrides.input_format)
        self._encoder = overrides.encoder(selection.voice)
        self._held = ""
        self._feed: TextFeed | None = None
        self._waiting: asyncio.Queue[TextFeed | None] = asyncio.Queue()
        self._feeds: list[TextFeed] = []
        self._job: SynthesisJob[SpeechChunk] | None = None
        self._finishing = False
        self.seconds = 0.0
        """Of speech so far."""
        self._task = asyncio.create_task(self._speak_all())

    @property
    def busy(self) -> bool:
        """Whether anything written is not spoken yet and could be."""
        return self._job is not None and (self._feed is None or self._feed.unread > 0)

    @property
    def sample_rate(self) -> int:
        """Of the bytes, in Hz."""
        return self._encoder.rate

    def write(self, text: str) -> None:
        """Take a piece of text, cut anywhere.

        Raises:
            Refusal: more is waiting than the server takes.
        """
        limit = self._service.settings.limits.characters
        if len(self._held) + len(self._documents.held) + len(text) + sum(feed.unread for feed in self._feeds) > limit:
            raise Refusal(
                413,
                f"more than {limit} characters wait to be spoken; write no faster than they are",
                code="text_too_long",
            )
        fresh = self._feed is None and not self._held.strip()
        for piece, document in self._documents.push(text, fresh=fresh):
            if document:
                self._write(piece)
                self._end_utterance()
            else:
                self._write_cut(piece)

    def flush(self) -> None:
        """Speak what was written, even if its last sentence has no end."""
        if rest := self._documents.flush():
            self._write(rest)
        if self._cutter is not None:
            self._cutter.restart()
        self._end_utterance()

    def cancel(self) -> None:
        """Drop what was written and not been sent."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        if self._finishing:  # the end was among it
            self._waiting.put_nowait(None)
        for feed in self._feeds:
            feed.drop()
        self._feeds.clear()
        self._feed, self._held = None, ""
        self._documents.flush()
        if self._cutter is not None:
            self._cutter.restart()
        if self._job is not None:
            self._job.cancel()

    async def finish(self) -> None:
        """Speak the rest and end the sound file."""
        self.flush()
        self._finishing = True
        self._waiting.put_nowait(None)
        await asyncio.shield(self._task)

    def abandon(self) -> None:
        """Stop: nobody listens any more."""
        self.cancel()
        self._task.cancel()

    def _write_cut(self, text: str) -> None:
        """Take a piece that belongs to no document."""
        if self._cutter is None:
            self._write(text)
            return
        for piece, ends in self._cutter.cut(text):
            self._write(piece)
            if ends:
                self._end_utterance()

    def _write(self, text: str) -> None:
        self._held += text
        # what may not be spoken alone, such as blanks and signs, waits for what can
        if self._feed is not None or any(map(str.isalnum, self._held)):
            self._put()

    def _put(self) -> None:
        """Have what is held spoken, in the utterance that is being written or a new one."""
        if self._feed is None:
            if len(self._feeds) >= _MOST_UTTERANCES:
                raise Refusal(429, f"{_MOST_UTTERANCES} utterances wait to be spoken; flush less often")
            self._feed = TextFeed()
            self._feeds.append(self._feed)
            self._waiting.put_nowait(self._feed)
        self._feed.put(self._held)
        self._held = ""

    def _end_utterance(self) -> None:
        if self._held.strip():  # signs alone: of some, a smiley or a currency's, the name is spoken
            self._put()
        self._held = ""
        if self._feed is not None:
            self._feed.end()
            self._feed = None

    async def _speak_all(self) -> None:
        with self._encoder as encoder:
            await self._speak_utterances()
            await self._send(SpeechChunk(encoder.finish(), NOTHING, self.seconds, encoder.rate))

    async def _speak_utterances(self) -> None:
        while (feed := await self._waiting.get()) is not None:
            report = Report(self._service, self._selection.voice.name, self._client, "")
            try:
                await self._speak(feed, report)
            except ClientGone as error:
                report.failed(error)
            except Exception as error:
                report.failed(error)
                await self._fail(refusal_of(error))
            except asyncio.CancelledError as error:
                report.failed(error)
                raise
            finally:
                if feed in self._feeds:
                    self._feeds.remove(feed)
                if feed is self._feed:
                    self._feed = None

    async def _speak(self, feed: "TextFeed", report: Report) -> None:
        """Send the pieces of one utterance."""

        def produce(turn: Turn) -> Generator[SpeechChunk, None, None]:
            return speak(self._selection, feed.pieces(turn), self._overrides, self._service.settings, self._encoder)

        job = self._job = await self._service.pool.submit(self._client, produce, open_ended=True, seconds_of=seconds_of)
        origin = self.seconds
        try:
            async for piece in job:
                if feed.dropped:
                    break
                report.heard(piece)
                self.seconds = origin + piece.start + piece.timeline.duration
                await self._send(replace(piece, origin=origin))
            report.wrote(feed.characters)
            if feed.dropped:
                raise ClientGone
            report.finished(job.computing)
        finally:
            feed.drop()  # the thread may be waiting for more of it
            job.cancel()
            self._job = None


class TextFeed:
    """The pieces of an utterance that is still being written.

    They are put in the event loop, and read by a thread that lets others compute while it waits.
    """

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.characters = 0
        """Written so far."""
        self.unread = 0
        """Characters that the thread has not come to."""
        self.dropped = False
        """Whether what is left shall not be spoken."""

    def put(self, text: str) -> None:
        """Append a piece."""
        self.characters += len(text)
        self.unread += len(text)
        self._pieces.put(text)

    def end(self) -> None:
        """Say that no piece follows; a second call does nothing more."""
        self._pieces.put(None)

    def drop(self) -> None:
        """End it without what is left."""
        self.dropped = True
        self.end()

    def pieces(self, turn: Turn) -> Iterator[str]:
        """Yield the pieces; a turn is given back while there is none."""
        while True:
            try:
                piece = self._pieces.get_nowait()
            except queue.Empty:
                with turn.paused():
                    piece = self._pieces.get()
            if piece is None or self.dropped:
                return
            self.unread -= len(piece)
            yield piece


class DocumentKeeper:
    """Keeps an SSML document together that comes in pieces: it is spoken as an utterance, and ends with `</speak>`.

    Args:
        input_format: "ssml": all that is written is SSML; "auto": what begins with `<speak>`; others: nothing.
    """

    def __init__(self, input_format: str) -> None:
        self._format = input_format
        self.held = ""
        """Text that is kept until it is known what it is, or until its document ends."""

    def push(self, text: str, *, fresh: bool) -> Iterator[tuple[str, bool]]:
        """Yield what can be spoken after more text, each piece with whether it is a document.

        Args:
            text: the next piece of what is written.
            fresh: whether an utterance would begin with it.
        """
        if self._format not in ("auto", "ssml") or not (self.held or fresh):
            yield text, False
            return
        self.held += text
        while self.held:
            kind = "ssml" if self._format == "ssml" else kind_of_text(self.held)
            end = _DOCUMENT_END.search(self.held) if kind == "ssml" else None
            if kind is None or (kind == "ssml" and end is None):
                return
            place = end.end() if end is not None else len(self.held)
            piece, self.held = self.held[:place], self.held[place:]
            yield piece, kind == "ssml"

    def flush(self) -> str:
        """Return what is held, and hold it no longer."""
        held, self.held = self.held, ""
        return held


class ClauseCutter:
    """Finds the places in a text that is being written where a clause ends that is long enough to be spoken alone."""

    def __init__(self) -> None:
        self._since = ""

    def cut(self, text: str) -> Iterator[tuple[str, bool]]:
        """Yield the text in pieces, each with whether a clause ends after it."""
        begin = len(self._since)
        self._since += text
        place = 0
        for found in _CLAUSE_END.finditer(self._since):
            end = found.end()
            if end - place >= _SHORTEST_CLAUSE and end >= begin:
                yield self._since[max(place, begin) : end], True
                place = end
        yield self._since[max(place, begin) :], False
        self._since = self._since[place:]

    def restart(self) -> None:
        """Forget the clause that was begun."""
        self._since = ""


async def with_idle_timeout(reading: Coroutine[Any, Any, T], seconds: float, busy: Callable[[], bool]) -> T:
    """Return what is read before an idle timeout; a client that is being spoken to may be silent as long as that lasts.

    Args:
        reading: the read, which is not begun anew in between.
        seconds: for which a client may write nothing.
        busy: whether it is being spoken to.

    Raises:
        Refusal: it wrote nothing for too long.
    """
    task = asyncio.create_task(reading)
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=seconds)
            if done:
                return task.result()
            if not busy():
                task.cancel()
                await asyncio.wait({task})  # so that others may read
                raise Refusal(408, f"nothing was written for {seconds:g} s", code="idle")
    finally:
        task.cancel()
