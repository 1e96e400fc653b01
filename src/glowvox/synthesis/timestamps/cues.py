"""Subtitles: words put together to cues that a reader can follow."""

from collections.abc import Sequence
from dataclasses import dataclass

from glowvox.audio.sound import TimedWord

_MOST_CHARACTERS = 84
"""Two lines of 42, what subtitles have."""
_MOST_SECONDS = 7.0


@dataclass(frozen=True)
class Cue:
    """A subtitle."""

    text: str
    """One line."""
    start: float
    """Seconds."""
    end: float
    """Seconds."""


def cues(words: Sequence[TimedWord]) -> list[Cue]:
    """Return the subtitles of words: one for each sentence, more where it is too long to be read at once."""
    found: list[Cue] = []
    row: list[TimedWord] = []
    for word in words:
        if row and not _fits([*row, word]):
            found.append(_cue(row))
            row = []
        row.append(word)
        if word.ends_sentence:
            found.append(_cue(row))
            row = []
    return [*found, _cue(row)] if row else found


def _fits(row: Sequence[TimedWord]) -> bool:
    return len(_text(row)) <= _MOST_CHARACTERS and row[-1].end - row[0].start <= _MOST_SECONDS


def _cue(row: Sequence[TimedWord]) -> Cue:
    return Cue(_text(row), row[0].start, row[-1].end)


def _text(row: Sequence[TimedWord]) -> str:
    return " ".join("".join(word.before + word.text + word.after for word in row).split())
