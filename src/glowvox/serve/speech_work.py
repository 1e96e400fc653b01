"""What a thread does for a request: speak its text alone, or together with others."""

from collections.abc import Generator
from typing import Any

from glowvox.serve.batches import LONGEST, Job
from glowvox.serve.service import Service
from glowvox.serve.speech_request import SpeechRequest
from glowvox.serve.spoken import NOTHING, Spoken, speak, unlogged
from glowvox.serve.turnstile import Turn
from glowvox.serve.voice_shelf import Choice
from glowvox.synthesis.speech_encoding import SpeechEncoder


class SpeechWork:
    """One text to be spoken into a sound file.

    With whom it is computed depends on how busy the server is; what is heard does not, to the last bit: the pieces are
    those of `Voice.stream`, since what is computed in other pieces is rounded otherwise.
    """

    def __init__(self, service: Service, choice: Choice, body: SpeechRequest) -> None:
        self._service = service
        self._choice = choice
        self._body = body
        self._wishes = body.options(choice)
        self._key = (choice.voice.name, *sorted(self._wishes.items()))
        self._job = Job(body.input) if len(body.input) <= LONGEST else None
        if self._job is not None:
            service.batches.put(self._key, self._job)

    def withdraw(self) -> None:
        """Let nobody else speak it any more; harmless when it was spoken."""
        if self._job is not None:
            self._service.batches.withdraw(self._key, self._job)

    def __call__(self, turn: Turn) -> Generator[Spoken, None, None]:
        """Yield the sound file, piece by piece.

        Raises:
            GlowvoxError: see `Voice.stream` and `SpeechEncoder`.
        """
        body, voice = self._body, self._choice.voice
        rate = body.target_rate()
        with SpeechEncoder(body.response_format, voice.sample_rate, rate) as encoder:
            seconds = 0.0
            for piece in self._pieces(encoder, turn):
                yield piece
                seconds += piece.timeline.duration
            yield Spoken(encoder.finish(), NOTHING, seconds, encoder.rate)

    def _pieces(self, encoder: SpeechEncoder, turn: Turn) -> Generator[Spoken, None, None]:
        service, choice = self._service, self._choice
        if self._job is not None:
            told: dict[str, Any] = {**unlogged(service.settings), **self._wishes}
            whole = service.batches.speak(self._key, self._job, choice.voice, told, turn)
            if whole is not None:
                yield Spoken(encoder.push(whole.samples), whole.timeline, 0.0, encoder.rate)
                return
        yield from speak(choice, self._body.input, self._body, service.settings, encoder)
