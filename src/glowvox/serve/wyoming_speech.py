"""One answer of the Wyoming protocol: events of audio while the text may still be written."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.tts import SynthesizeStopped

from glowvox.serve.problems import Refusal
from glowvox.serve.service import Service
from glowvox.serve.session import Session
from glowvox.serve.speech_request import SpeechWishes
from glowvox.serve.spoken import Spoken
from glowvox.serve.voice_shelf import Choice

_WIDTH = 2
"""Bytes of a sample."""


class WyomingSpeech:
    """One answer: audio-start, chunks, audio-stop; after a streamed text, synthesize-stopped."""

    def __init__(
        self,
        service: Service,
        client: str,
        choice: Choice,
        wishes: SpeechWishes,
        write: Callable[[Event], Awaitable[None]],
        *,
        streamed: bool,
    ) -> None:
        self._write = write
        self._streamed = streamed
        self._rate = choice.voice.sample_rate
        self._begun = self._failed = False
        self._ending: asyncio.Task[None] | None = None
        self._session = Session(service, client, choice, wishes, self._send, self._fail)

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
        with suppress(OSError):
            await self._session.finish()
            if not self._session.seconds and not self._failed:
                await self._fail(Refusal(400, "nothing to say: the text holds no word that can be spoken"))
            if self._begun:
                await self._write(AudioStop().event())
            if self._streamed:
                await self._write(SynthesizeStopped().event())

    async def _start(self) -> None:
        if not self._begun:
            self._begun = True
            await self._write(AudioStart(rate=self._rate, width=_WIDTH, channels=1).event())

    async def _send(self, piece: Spoken) -> None:
        if piece.data:
            await self._start()
            chunk = AudioChunk(rate=self._rate, width=_WIDTH, channels=1, audio=piece.data)
            await self._write(chunk.event())

    async def _fail(self, refusal: Refusal) -> None:
        self._failed = True
        await self._write(Error(text=refusal.message, code=refusal.code).event())
