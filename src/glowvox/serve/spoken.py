"""What a thread makes of a text: bytes of the wished format with the words that begin in them."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

from glowvox.serve.settings import ServerSettings
from glowvox.serve.speech_request import SpeechWishes
from glowvox.serve.voice_shelf import Choice
from glowvox.synthesis.speech_encoding import SpeechEncoder
from glowvox.synthesis.timestamps.timeline import Timeline


@dataclass(frozen=True)
class Spoken:
    """A piece of speech."""

    data: bytes
    """The next bytes of the sound file; empty where the format holds them back."""
    timeline: Timeline
    """Its words, whose times count from the beginning of the speech, and its seconds."""
    start: float
    """Seconds of speech before it."""
    sample_rate: int
    """Of the bytes, in Hz."""


def ignore(_: str) -> None:
    """Take a warning and say nothing: it quotes the text."""


def speak(
    choice: Choice,
    text: str | Iterable[str],
    wishes: SpeechWishes,
    settings: ServerSettings,
) -> Generator[Spoken, None, None]:
    """Yield the speech of a text as it becomes ready.

    Raises:
        GlowvoxError: see `Voice.stream`.
    """
    told: dict[str, Any] = {} if settings.log_text else {"on_warning": ignore}
    chunks = choice.voice.stream(text, **told, **wishes.options(choice))
    with SpeechEncoder(wishes.response_format, choice.voice.sample_rate, wishes.target_rate()) as encoder:
        seconds = 0.0
        for chunk in chunks:
            timeline = Timeline.of([chunk])
            yield Spoken(encoder.push(chunk.samples), timeline, seconds, encoder.rate)
            seconds += timeline.duration
        yield Spoken(encoder.finish(), Timeline((), (), 0.0), seconds, encoder.rate)


def word_table(timeline: Timeline) -> list[dict[str, Any]]:
    """Return the words as clients get them; seconds, to the tenth of a millisecond."""
    return [
        {
            "text": word.text,
            "start": round(word.start, 4),
            "end": round(word.end, 4),
            "before": word.before,
            "after": word.after,
            "ends_sentence": word.ends_sentence,
        }
        for word in timeline.words
    ]
