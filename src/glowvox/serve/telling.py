"""A text on its way to the client of an HTTP request."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Self

from starlette.requests import Request

from glowvox.serve.audience import Audience
from glowvox.serve.reports import Report
from glowvox.serve.service import Service
from glowvox.serve.speech_request import SpeechRequest
from glowvox.serve.spoken import Spoken, speak_file
from glowvox.serve.studio import Take


class Telling:
    """Its pieces, the first of which is there already; made by `begin`."""

    def __init__(self, first: Spoken, take: Take[Spoken], audience: Audience, report: Report) -> None:
        self.first = first
        self.report = report
        self._take = take
        self._audience = audience

    @classmethod
    async def begin(cls, service: Service, request: Request, body: SpeechRequest) -> Self:
        """Wait for a place and for the first piece, so that what goes wrong at first can be answered with a status.

        Raises:
            Refusal, GlowvoxError: the text cannot be spoken, or not now.
            ClientGone: nobody waits for it any more.
        """
        client = service.gate.client(request)
        choice = body.choice(service.shelf)
        body.check(service.settings.limits)
        report = Report(service, choice.voice.name, client, body.input)
        audience = Audience(request)
        take: Take[Spoken] | None = None
        try:
            take = await audience.wait(
                service.studio.take(client, lambda _: speak_file(choice, body, service.settings))
            )
            audience.on_leaving(take.cancel)
            first = await audience.wait(take.following())
        except BaseException as error:
            if take is not None:
                take.cancel()
            audience.dismiss()
            report.failed(error)
            raise
        return cls(first, take, audience, report)

    async def pieces(self) -> AsyncGenerator[Spoken, None]:
        """Yield the pieces, the first one too.

        Raises:
            Refusal, GlowvoxError: it cannot go on.
        """
        try:
            self.report.heard(self.first)
            yield self.first
            async for piece in self._take:
                self.report.heard(piece)
                yield piece
        except BaseException as error:
            self.report.failed(error)
            raise
        else:
            self.report.finished(self._take.computing)
        finally:
            self._take.cancel()
            self._audience.dismiss()

    async def data(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the sound file."""
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                if piece.data:
                    yield piece.data
