"""Pause tags in plain text: `[pause:1s]` and `[pause:300ms]`, whole or in pieces as a stream brings them."""

import re
from dataclasses import dataclass

LONGEST_PAUSE = 60.0
"""Seconds; a longer tag is as long as this."""
_TAG = re.compile(
    r"(?<!\[)\[pause:\s?(?P<value>\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})\s?(?P<unit>ms|s)\](?!\])", re.IGNORECASE
)
_LONGEST_TAG = 32
_BEGINNING = "[pause:"


@dataclass(frozen=True)
class PauseTag:
    """A silence that the text asks for."""

    start: int
    """First character of the tag."""
    end: int
    seconds: float


def find_pause_tags(text: str) -> list[PauseTag]:
    """Return the pause tags of a text in order."""
    if "[" not in text:
        return []
    return [PauseTag(match.start(), match.end(), _seconds(match)) for match in _TAG.finditer(text)]


def without_pause_tags(text: str, tags: list[PauseTag]) -> str:
    """Return a text of the same length with blanks in place of its tags."""
    for tag in tags:
        text = text[: tag.start] + " " * (tag.end - tag.start) + text[tag.end :]
    return text


def _seconds(match: re.Match[str]) -> float:
    value = float(match["value"]) / (1000.0 if match["unit"].lower() == "ms" else 1.0)
    return min(value, LONGEST_PAUSE)


class PauseTagStream:
    """Cuts a text that arrives in pieces at its pause tags; a tag may be cut anywhere."""

    def __init__(self) -> None:
        self._held = ""

    def push(self, piece: str) -> list[str | PauseTag]:
        """Add a piece; return the text and the tags that are complete. A tag's place counts from its own start."""
        return self._take(self._held + piece, final=False)

    def flush(self) -> list[str | PauseTag]:
        """Return what was held back, at the end of the text."""
        return self._take(self._held, final=True)

    def _take(self, text: str, *, final: bool) -> list[str | PauseTag]:
        keep = len(text) if final else _unfinished(text)
        found: list[str | PauseTag] = []
        place = 0
        for tag in find_pause_tags(text):
            if tag.end > keep:
                break
            if tag.start > place:
                found.append(text[place : tag.start])
            found.append(PauseTag(0, tag.end - tag.start, tag.seconds))
            place = tag.end
        if keep > place:
            found.append(text[place:keep])
        self._held = text[max(place, keep) :]
        return found


def _unfinished(text: str) -> int:
    """Return where a tag begins that later pieces may complete, or change, else the end of the text."""
    start = text.rfind("[", max(0, len(text) - _LONGEST_TAG))
    if start < 0:
        return len(text)
    tail = text[start:].lower()
    # A tag that ends the piece may still be followed by the bracket that makes it inline phonemes.
    if not (_BEGINNING.startswith(tail) or tail.startswith(_BEGINNING)) or "]" in tail[:-1]:
        return len(text)
    while start and text[start - 1] == "[":
        start -= 1
    return start
