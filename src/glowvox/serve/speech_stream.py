"""Speech stream: a text on its way from a thread of the worker pool to the client of an HTTP request."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, Coroutine, Generator, Iterable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from glowvox.errors import SilentTextError, TextError
from glowvox.serve.access_log import LOGGER, REQUEST_ID
from glowvox.serve.refusal import ClientGone, Refusal, refusal_of
from glowvox.serve.scheduler import Turn
from glowvox.serve.service import Service
from glowvox.serve.settings import Limits, ServerSettings
from glowvox.serve.speech_request import SpeechOverrides, SpeechRequest
from glowvox.serve.voice_registry import Selection
from glowvox.serve.worker_pool import SynthesisJob
from glowvox.synthesis.speech_encoding import SpeechEncoder
from glowvox.synthesis.timestamps import Timeline
from glowvox.synthesis.visemes import TimedViseme

T = TypeVar("T")
NOTHING = Timeline((), (), 0.0)
"""Of a piece that only ends the sound file."""
SILENCE_SECONDS = 0.2
"""What a text is answered with in which there is nothing to say."""
_TAG = re.compile(r"<[^>]*>")
_LETTER_SECONDS = 0.05
_DIGIT_SECONDS = 0.125
"""What a letter and a digit take at least, on average; "1000000" takes little more."""


@dataclass(frozen=True)
class SpeechChunk:
    """A chunk of encoded speech, with the words in it."""

    data: bytes
    """The next bytes of the sound file; empty where the format holds them back."""
    timeline: Timeline
    """Its words, whose times count from the beginning of the utterance, and its seconds."""
    start: float
    """Seconds of the utterance before it."""
    sample_rate: int
    """Of the bytes, in Hz."""
    origin: float = 0.0
    """Seconds of speech before the utterance."""
    warnings: tuple[str, ...] = ()
    """What was guessed, replaced or left out since the chunk before; they quote the text."""
    silent: bool = False
    """Whether there was nothing to say in the text."""
    last: bool = False
    """Whether the sound file ends with it."""


class SpeechStream:
    """Streams the speech of a text to one HTTP client; made by `begin` when the first piece is there."""

    def __init__(
        self, first: SpeechChunk, job: SynthesisJob[SpeechChunk], watcher: "DisconnectWatcher", report: "Report"
    ) -> None:
        self.first = first
        self.report = report
        self.notes: list[str] = []
        """What of the request is not followed."""
        self._job = job
        self._watcher = watcher
        self._over = False

    @classmethod
    async def begin(cls, service: Service, request: Request, body: SpeechRequest, key: str = "") -> Self:
        """Wait for a place and for the first piece, so that what goes wrong at first can be answered with a status.

        Raises:
            Refusal, GlowvoxError: the text cannot be spoken, or not now.
            ClientGone: nobody waits for it any more.
        """
        client = service.keys.client(request, key)
        selection = body.select(service.registry)
        check_length(body, service.settings.limits)

        def produce(_: Turn) -> Generator[SpeechChunk, None, None]:
            with body.encoder(selection.voice) as encoder:
                yield from speak(selection, body.input, body, service.settings, encoder, ends_file=True)

        notes = body.notes(selection.voice)
        report = Report(service, selection.voice.name, client, body.input)
        watcher = DisconnectWatcher(request)
        try:
            job, first = await watcher.start(
                service.pool.submit(client, produce, seconds_of=seconds_of, is_last=lambda piece: piece.last)
            )
        except BaseException as error:
            report.failed(error)
            raise
        stream = cls(first, job, watcher, report)
        # what was left out of a silence stands in its warnings
        stream.notes = list(first.warnings) if first.silent else notes
        return stream

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Have the speech counted out at the end of its answer, even of one that nobody could begin to send.

        A generator that was never asked for its first piece does not end it: nothing in it has run.
        """
        try:
            yield
        except BaseException as error:
            self._end(error)
            raise
        self._end(ClientGone())

    async def pieces(self) -> AsyncGenerator[SpeechChunk, None]:
        """Yield the pieces, the first one too.

        Raises:
            Refusal, GlowvoxError: it cannot go on.
            ClientGone: the client has gone before the last one.
        """
        try:
            piece = self.first
            self.report.heard(piece)
            yield piece
            async for piece in self._job:
                self.report.heard(piece)
                yield piece
            if not piece.last:
                raise ClientGone
        except BaseException as error:
            self._end(error)
            raise
        self._end()

    def _end(self, error: BaseException | None = None) -> None:
        """Report the end, and stop what is still computed; nothing if that has been done."""
        if self._over:
            return
        self._over = True
        self._watcher.stop(self._job)
        if error is None:
            self.report.finished(self._job.computing)
        else:
            self.report.failed(error)


class SpeechResponse(StreamingResponse):
    """The answer that sends the sound file of a stream while it is spoken.

    The framework's own watches for the client's disconnect once more, with two tasks, and is called once more to end.
    """

    def __init__(self, stream: SpeechStream, media_type: str, headers: Mapping[str, str]) -> None:
        self._stream = stream
        self._pieces = stream.pieces()
        super().__init__((), media_type=media_type, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; if the client goes, the rest is sent to nobody."""
        with suppress(ClientGone), self._stream.answered():
            async with aclosing(self._pieces):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                async for piece in self._pieces:
                    if piece.data or piece.last:
                        await send({"type": "http.response.body", "body": piece.data, "more_body": not piece.last})


class EventsResponse(StreamingResponse):
    """The answer that sends the events of a stream."""

    def __init__(self, stream: SpeechStream, events: AsyncGenerator[bytes, None], headers: Mapping[str, str]) -> None:
        self._stream = stream
        super().__init__(events, media_type="text/event-stream", headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        with self._stream.answered():
            await super().__call__(scope, receive, send)


def speak(
    selection: Selection,
    text: str | Iterable[str],
    overrides: SpeechOverrides,
    settings: ServerSettings,
    encoder: SpeechEncoder,
    *,
    ends_file: bool = False,
) -> Generator[SpeechChunk, None, None]:
    """Yield the speech of a text as it becomes ready.

    Every text is computed by itself, whatever waits beside it: in the pieces of its stream, together with others, it
    takes as long, and cut otherwise its samples would be rounded otherwise.

    A whole text in which there is nothing to say is a short silence, with a warning: programs that speak chunk by
    chunk send full stops, smileys and blanks alone. One that comes in pieces stands beside others, and is nothing.

    Args:
        selection: the voice.
        text: the text, or its pieces while they are written.
        overrides: how it is spoken.
        settings: the server's.
        encoder: makes the bytes; several texts may share it.
        ends_file: whether the sound file ends with this text.

    Raises:
        GlowvoxError: see `Voice.stream` and `SpeechEncoder`.
    """
    seconds = 0.0
    warnings = overrides.notes(selection.voice)

    def warn(message: str) -> None:
        warnings.append(message)
        if settings.log_text:  # warnings quote the text
            logging.getLogger(LOGGER).warning(message)

    def chunk_of(samples: NDArray[np.float32], timeline: Timeline, *, last: bool, silent: bool = False) -> SpeechChunk:
        """Return a chunk; with the last one of the file goes what ends it, since each has its price on its way."""
        data = encoder.push(samples)
        last = last and ends_file
        if last:
            data += encoder.finish()
        told = tuple(warnings)
        warnings.clear()
        return SpeechChunk(data, timeline, seconds, encoder.rate, warnings=told, silent=silent, last=last)

    try:
        for chunk in selection.voice.stream(text, on_warning=warn, **overrides.options(selection)):
            timeline = Timeline.of([chunk])
            if seconds + timeline.duration > settings.limits.speech_seconds:
                raise _too_long(settings.limits)
            yield chunk_of(chunk.samples, timeline, last=chunk.last)
            seconds += timeline.duration
    except SilentTextError as error:
        if isinstance(text, str):
            warn(str(error))
            samples = np.zeros(round(SILENCE_SECONDS * selection.voice.card.sample_rate), np.float32)
            yield chunk_of(samples, Timeline((), (), SILENCE_SECONDS), last=True, silent=True)
    except TextError as error:
        if isinstance(text, str):
            raise Refusal(400, str(error), param="input") from error
        raise
    if warnings:  # of what came after all that was said
        yield SpeechChunk(b"", NOTHING, seconds, encoder.rate, warnings=tuple(warnings))


def seconds_of(piece: SpeechChunk) -> float:
    """Return how long a piece is listened to."""
    return piece.timeline.duration


def check_length(body: SpeechRequest, limits: Limits) -> None:
    """See whether a text is one that may be spoken at once.

    Raises:
        Refusal: it has too many characters, or its speech would surely be too long.
    """
    if len(body.input) > limits.characters:
        raise Refusal(
            413,
            f"the input has {len(body.input)} characters; at most {limits.characters} are spoken at once",
            param="input",
            code="text_too_long",
        )
    # better told now than when the beginning has been heard
    if least_seconds(body.input, body.speed) > limits.speech_seconds:
        raise _too_long(limits)


def _too_long(limits: Limits) -> Refusal:
    return Refusal(
        413,
        f"the speech would be longer than the {limits.speech_seconds:g} s that it may be; send less text at once",
        param="input",
        code="speech_too_long",
    )


def least_seconds(text: str, speed: float) -> float:
    """Return how long the speech of a text will be at least, as far as its letters and digits tell."""
    plain = _TAG.sub("", text)
    letters, digits = sum(map(str.isalpha, plain)), sum(map(str.isdigit, plain))
    return (letters * _LETTER_SECONDS + digits * _DIGIT_SECONDS) / speed


def word_table(piece: SpeechChunk) -> list[dict[str, Any]]:
    """Return the words of a piece as clients get them: seconds of all speech, to the tenth of a millisecond."""
    return [
        {
            "text": word.text,
            "start": round(piece.origin + word.start, 4),
            "end": round(piece.origin + word.end, 4),
            "before": word.before,
            "after": word.after,
            "ends_sentence": word.ends_sentence,
            "phonemes": [
                {
                    "text": phoneme.text,
                    "start": round(piece.origin + phoneme.start, 4),
                    "end": round(piece.origin + phoneme.end, 4),
                }
                for phoneme in word.phonemes
            ],
        }
        for word in piece.timeline.words
    ]


def viseme_table(visemes: Iterable[TimedViseme]) -> list[dict[str, Any]]:
    """Return visemes as clients get them; what ended where the next one began still does."""
    return [
        {"viseme": one.viseme, "start": round(one.start, 4), "end": round(one.end, 4)}
        for one in visemes
        if round(one.start, 4) < round(one.end, 4)
    ]


class Report:
    """Reports one text, from the arrival of its request to the end of its speech, to the metrics and the log.

    The log gets no text, unless the settings say so.
    """

    def __init__(self, service: Service, voice: str, client: str, text: str) -> None:
        self._service = service
        self._voice = voice
        self._began = time.perf_counter()
        self._first: float | None = None
        self._told: dict[str, Any] = {
            "request_id": REQUEST_ID.get(),
            "voice": voice,
            "client": client,
            "characters": len(text),
        }
        if service.settings.log_text:
            self._told["text"] = text
        self.seconds = 0.0
        """Of speech so far."""
        service.active_speeches += 1

    def wrote(self, characters: int) -> None:
        """Say how long the text was that came in pieces."""
        self._told["characters"] = characters

    def heard(self, piece: SpeechChunk) -> None:
        """Count a piece."""
        if self._first is None and piece.timeline.duration:
            self._first = time.perf_counter() - self._began
            self._service.metrics.first_audio.labels(self._voice).observe(self._first)
            self._told["first_audio_seconds"] = round(self._first, 4)
        self.seconds += piece.timeline.duration

    def finished(self, computing: float) -> None:
        """Tell of a text that was spoken to the end in so many seconds of computation."""
        metrics = self._service.metrics
        metrics.speeches.labels(self._voice).inc()
        metrics.characters.labels(self._voice).inc(self._told["characters"])
        if self.seconds:
            metrics.real_time_factor.labels(self._voice).observe(computing / self.seconds)
        self._log(logging.INFO, "ok")

    def failed(self, error: BaseException) -> None:
        """Tell of a text that was not."""
        code = "stopping" if self._service.stopping else "client_gone"
        if isinstance(error, Exception) and not isinstance(error, ClientGone):
            refusal = refusal_of(error)
            code = refusal.code or f"status_{refusal.status}"
        self._service.metrics.errors.labels(self._voice, code).inc()
        self._log(logging.WARNING if code == "internal_error" else logging.INFO, code)

    def _log(self, level: int, code: str) -> None:
        self._service.active_speeches -= 1
        self._service.metrics.seconds.labels(self._voice).inc(self.seconds)
        self._told |= {"code": code, "speech_seconds": round(self.seconds, 3)}
        self._told["took_seconds"] = round(time.perf_counter() - self._began, 4)
        logging.getLogger(LOGGER).log(level, "speech", extra={"told": self._told})


class DisconnectWatcher:
    """Watches for the disconnect of a request whose body has been read, which ends the job that answers it."""

    def __init__(self, request: Request) -> None:
        self._watch = asyncio.create_task(_disconnect(request))

    async def start(self, submission: Coroutine[Any, Any, SynthesisJob[T]]) -> tuple[SynthesisJob[T], T]:
        """Wait for a place and the first item; return the job, which a disconnect cancels from now on, and the item.

        Raises:
            Refusal, GlowvoxError: there is no place, or the job failed. It is cancelled, and nothing watched any more.
            ClientGone: so too, since the client has gone.
        """
        job: SynthesisJob[T] | None = None
        try:
            job = await self._wait(submission)
            self._watch.add_done_callback(lambda _: job.cancel())
            return job, await self._wait(job.__anext__())
        except BaseException:
            self.stop(job)
            raise

    def stop(self, job: SynthesisJob[T] | None) -> None:
        """Watch no longer, and end the job."""
        if job is not None:
            job.cancel()
        self._watch.cancel()

    async def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns; it is cancelled when the client goes.

        Raises:
            ClientGone: it has gone.
        """
        task, waiting, gone = asyncio.current_task(), True, False
        assert task is not None

        def end(_: asyncio.Task[None]) -> None:
            nonlocal gone
            if waiting and not gone:
                gone = True
                task.cancel()

        self._watch.add_done_callback(end)
        try:
            return await work
        except asyncio.CancelledError:
            if gone and not task.uncancel():  # nobody else has cancelled it
                raise ClientGone from None
            raise
        finally:
            waiting = False
            self._watch.remove_done_callback(end)


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
