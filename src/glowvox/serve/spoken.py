"""What a thread makes of a text: bytes of the wished format with the words that begin in them."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

from glowvox.serve.settings import ServerSettings
from glowvox.serve.speech_request import SpeechRequest, SpeechWishes
from glowvox.serve.voice_shelf import Choice
from glowvox.synthesis.speech_encoding import SpeechEncoder
from glowvox.synthesis.timestamps.timeline import Timeline

NOTHING = Timeline((), (), 0.0)
"""Of a piece that only ends the sound file."""


@dataclass(frozen=True)
class Spoken:
    """A piece of speech."""

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
    choice: Choice,
    text: str | Iterable[str],
    wishes: SpeechWishes,
    settings: ServerSettings,
    encoder: SpeechEncoder,
) -> Generator[Spoken, None, None]:
    """Yield the speech of a text as it becomes ready; the encoder, which several texts may share, is not finished.

    Raises:
        GlowvoxError: see `Voice.stream`.
    """
    seconds = 0.0
    for chunk in choice.voice.stream(text, **_unlogged(settings), **wishes.options(choice)):
        timeline = Timeline.of([chunk])
        yield Spoken(encoder.push(chunk.samples), timeline, seconds, encoder.rate)
        seconds += timeline.duration


def speak_file(choice: Choice, body: SpeechRequest, settings: ServerSettings) -> Generator[Spoken, None, None]:
    """Yield the sound file of a request's text, piece by piece.

    Every text is computed by itself, whatever waits beside it: in the pieces of its stream, together with others, it
    takes as long, and cut otherwise its samples would be rounded otherwise.

    Raises:
        GlowvoxError: see `Voice.stream` and `SpeechEncoder`.
    """
    with SpeechEncoder(body.response_format, choice.voice.sample_rate, body.target_rate()) as encoder:
        seconds = 0.0
        for piece in speak(choice, body.input, body, settings, encoder):
            yield piece
            seconds += piece.timeline.duration
        yield Spoken(encoder.finish(), NOTHING, seconds, encoder.rate)


def word_table(piece: Spoken) -> list[dict[str, Any]]:
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
