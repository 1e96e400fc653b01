"""A text on its way to the client of an HTTP request."""

import logging
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Self

from starlette.requests import Request

from glowvox.serve.connections import ClientGone, DisconnectWatcher
from glowvox.serve.problems import refusal_of
from glowvox.serve.service import LOGGER, Service
from glowvox.serve.settings import ServerSettings
from glowvox.serve.speech_request import SpeechOverrides, SpeechRequest
from glowvox.serve.voice_registry import Selection
from glowvox.serve.worker_pool import SynthesisJob
from glowvox.synthesis.speech_encoding import SpeechEncoder
from glowvox.synthesis.timestamps import Timeline

# What a thread makes of a text: bytes of the requested format with the words that begin in them.


NOTHING = Timeline((), (), 0.0)
"""Of a piece that only ends the sound file."""


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


def speak(
    selection: Selection,
    text: str | Iterable[str],
    overrides: SpeechOverrides,
    settings: ServerSettings,
    encoder: SpeechEncoder,
) -> Generator[SpeechChunk, None, None]:
    """Yield the speech of a text as it becomes ready; the encoder, which several texts may share, is not finished.

    Raises:
        GlowvoxError: see `Voice.stream`.
    """
    seconds = 0.0
    for chunk in selection.voice.stream(text, **_unlogged(settings), **overrides.options(selection)):
        timeline = Timeline.of([chunk])
        yield SpeechChunk(encoder.push(chunk.samples), timeline, seconds, encoder.rate)
        seconds += timeline.duration


def speak_file(
    selection: Selection, body: SpeechRequest, settings: ServerSettings
) -> Generator[SpeechChunk, None, None]:
    """Yield the sound file of a request's text, piece by piece.

    Every text is computed by itself, whatever waits beside it: in the pieces of its stream, together with others, it
    takes as long, and cut otherwise its samples would be rounded otherwise.

    Raises:
        GlowvoxError: see `Voice.stream` and `SpeechEncoder`.
    """
    with SpeechEncoder(body.response_format, selection.voice.sample_rate, body.target_rate()) as encoder:
        seconds = 0.0
        for piece in speak(selection, body.input, body, settings, encoder):
            yield piece
            seconds += piece.timeline.duration
        yield SpeechChunk(encoder.finish(), NOTHING, seconds, encoder.rate)


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
        }
        for word in piece.timeline.words
    ]


def _unlogged(settings: ServerSettings) -> dict[str, Any]:
    """Return the argument by which a voice logs no warnings: they quote the text."""
    return {} if settings.log_text else {"on_warning": _ignored}


def _ignored(_: str) -> None:
    """Take a warning and log nothing."""


# What is told of each text spoken: to the metrics and, without the text, to the log.


class Report:
    """Follows one text from the arrival of its request to the end of its speech."""

    def __init__(self, service: Service, voice: str, client: str, text: str) -> None:
        self._service = service
        self._voice = voice
        self._began = time.perf_counter()
        self._first: float | None = None
        self._told: dict[str, Any] = {"voice": voice, "client": client, "characters": len(text)}
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
        code = "client_gone"
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


class SpeechStream:
    """Streams the speech of a text to one HTTP client; made by `begin` when the first piece is there."""

    def __init__(
        self, first: SpeechChunk, job: SynthesisJob[SpeechChunk], watcher: DisconnectWatcher, report: Report
    ) -> None:
        self.first = first
        self.report = report
        self._job = job
        self._watcher = watcher

    @classmethod
    async def begin(cls, service: Service, request: Request, body: SpeechRequest) -> Self:
        """Wait for a place and for the first piece, so that what goes wrong at first can be answered with a status.

        Raises:
            Refusal, GlowvoxError: the text cannot be spoken, or not now.
            ClientGone: nobody waits for it any more.
        """
        client = service.gate.client(request)
        selection = body.select(service.registry)
        body.check(service.settings.limits)
        report = Report(service, selection.voice.name, client, body.input)
        watcher = DisconnectWatcher(request)
        job: SynthesisJob[SpeechChunk] | None = None
        try:
            job = await watcher.wait(
                service.pool.submit(client, lambda _: speak_file(selection, body, service.settings))
            )
            watcher.on_disconnect(job.cancel)
            first = await watcher.wait(job.following())
        except BaseException as error:
            if job is not None:
                job.cancel()
            watcher.stop()
            report.failed(error)
            raise
        return cls(first, job, watcher, report)

    async def pieces(self) -> AsyncGenerator[SpeechChunk, None]:
        """Yield the pieces, the first one too.

        Raises:
            Refusal, GlowvoxError: it cannot go on.
        """
        try:
            self.report.heard(self.first)
            yield self.first
            async for piece in self._job:
                self.report.heard(piece)
                yield piece
        except BaseException as error:
            self.report.failed(error)
            raise
        else:
            self.report.finished(self._job.computing)
        finally:
            self._job.cancel()
            self._watcher.stop()

    async def data(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the sound file."""
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                if piece.data:
                    yield piece.data
