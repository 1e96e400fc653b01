"""One client's connection by the Wyoming protocol: describe, ping, and synthesize, even while the text is written."""

import asyncio
from contextlib import suppress

from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.info import Attribution, Describe, Info, TtsProgram, TtsVoice, TtsVoiceSpeaker
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeTextFormat,
    SynthesizeVoice,
)

from glowvox import __version__
from glowvox.errors import GlowvoxError
from glowvox.serve.bounded_reader import BoundedReader
from glowvox.serve.patience import patiently
from glowvox.serve.problems import Refusal, refusal_of
from glowvox.serve.service import Service
from glowvox.serve.speech_request import PlainWishes
from glowvox.serve.voice_shelf import OPENAI_VOICES, Choice
from glowvox.serve.wyoming_speech import WyomingSpeech


class WyomingConnection:
    """Answers one client.

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
        self._writer = writer
        self._client = client
        self._speech: WyomingSpeech | None = None
        self._writing: WyomingSpeech | None = None
        """The speech whose text is being written."""

    async def hold(self) -> None:
        """Answer events until the client is gone or writes nonsense."""
        try:
            while True:
                reading = async_read_event(self._reader)  # type: ignore[arg-type]
                event = await patiently(reading, self._idle, self._busy)
                if event is None:
                    return
                await self._answer(event)
        except (Refusal, GlowvoxError) as error:
            with suppress(OSError):
                await self._fail(refusal_of(error))
        except (OSError, EOFError):
            pass  # gone
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # what the package's own parser raises at an event that is none
            with suppress(OSError):
                await self._fail(Refusal(400, "the event is not one of the Wyoming protocol"))
        finally:
            if self._speech is not None:
                self._speech.abandon()

    def _busy(self) -> bool:
        return self._speech is not None and not self._speech.done

    async def _answer(self, event: Event) -> None:
        if Describe.is_type(event.type):
            await self._write(description(self._service).event())
        elif Ping.is_type(event.type):
            await self._write(Pong(text=Ping.from_event(event).text).event())
        elif SynthesizeStart.is_type(event.type):
            begin = SynthesizeStart.from_event(event)
            self._writing = self._begin(begin.voice, begin.text_format, streamed=True)
        elif SynthesizeChunk.is_type(event.type) and self._writing is not None:
            self._writing.write(_text(SynthesizeChunk.from_event(event).text))
        elif SynthesizeStop.is_type(event.type) and self._writing is not None:
            self._writing.end()
            self._writing = None
        elif Synthesize.is_type(event.type) and self._writing is None:
            # within start and stop it repeats the whole text, for servers that do not stream
            whole = Synthesize.from_event(event)
            text = _text(whole.text)
            if self._speech is not None:
                await self._speech.ended()
            speech = self._begin(whole.voice, whole.text_format, streamed=False)
            speech.write(text)
            speech.end()

    def _begin(self, voice: SynthesizeVoice | None, text_format: str | None, *, streamed: bool) -> WyomingSpeech:
        if text_format not in (None, SynthesizeTextFormat.TEXT):
            raise Refusal(400, "only plain text is spoken here, not SSML")
        if self._speech is not None and not self._speech.done:
            raise Refusal(400, "the speech before has not ended yet")
        choice, language = self._chosen(voice or SynthesizeVoice())
        wishes = PlainWishes(response_format="pcm", sample_rate=choice.voice.sample_rate, language=language)
        choice.voice.options(**wishes.options(choice))
        self._speech = WyomingSpeech(self._service, self._client, choice, wishes, self._write, streamed=streamed)
        return self._speech

    def _chosen(self, wish: SynthesizeVoice) -> tuple[Choice, str | None]:
        """Return the voice that was named, or the first one that speaks the language."""
        shelf = self._service.shelf
        if wish.name is None and wish.language is not None:
            tag = str(wish.language).lower().replace("_", "-")
            for voice in shelf:
                for language in voice.card.front_ends:
                    if language == tag or language.split("-")[0] == tag.split("-")[0]:
                        return Choice(voice, None), language
        name = None if wish.name is None or wish.name in OPENAI_VOICES else str(wish.name)
        return shelf.find(name, None if wish.speaker is None else str(wish.speaker)), None

    async def _write(self, event: Event) -> None:
        await async_write_event(event, self._writer)

    async def _fail(self, refusal: Refusal) -> None:
        await self._write(Error(text=refusal.message, code=refusal.code).event())


def description(service: Service) -> Info:
    """Return what Wyoming's clients may know of the voices."""
    maker = Attribution(name="Glowvox", url="")
    voices = [
        TtsVoice(
            name=voice.name,
            attribution=maker,
            installed=True,
            description=voice.card.description or voice.name,
            version=str(voice.card.provenance.get("version", __version__)),
            languages=list(voice.card.front_ends),
            speakers=[TtsVoiceSpeaker(name) for name in voice.speakers] if len(voice.speakers) > 1 else None,
        )
        for voice in service.shelf
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


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Refusal(400, "the text of an event must be a string")
    return value
