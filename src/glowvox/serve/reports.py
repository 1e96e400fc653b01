"""What is told of each text spoken: to the metrics and, without the text, to the log."""

import logging
import time
from typing import Any

from glowvox.serve.audience import ClientGone
from glowvox.serve.problems import refusal_of
from glowvox.serve.service import LOGGER, Service
from glowvox.serve.spoken import Spoken


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
        service.telling += 1

    def wrote(self, characters: int) -> None:
        """Say how long the text was that came in pieces."""
        self._told["characters"] = characters

    def heard(self, piece: Spoken) -> None:
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
        self._service.telling -= 1
        self._service.metrics.seconds.labels(self._voice).inc(self.seconds)
        self._told |= {"code": code, "speech_seconds": round(self.seconds, 3)}
        self._told["took_seconds"] = round(time.perf_counter() - self._began, 4)
        logging.getLogger(LOGGER).log(level, "speech", extra={"told": self._told})
