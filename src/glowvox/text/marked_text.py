"""Text with what does not stand in its words: silences, settings and given pronunciations, whoever marked them.

SSML, inline phonemes and pause tags all become a `MarkedText`. A pause tag is `[pause:1s]` or `[pause:300ms]` in plain
text, whole or in pieces as a stream brings them.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from glowvox.errors import TextError
from glowvox.text.normalise import Fixed
from glowvox.text.sentences import TextSpan, split_sentences

_BLANK_LINE = re.compile(r"[ \t]*\n[ \t]*\n")


@dataclass(frozen=True)
class Setting:
    """From this character on, words are spoken so, until the next setting."""

    start: int
    rate: float = 1.0
    voice: str | None = None
    pitch: float = 0.0
    """Semitones."""
    volume: float = 1.0
    """Factor on the samples."""
    language: str | None = None
    """Language tag; None: that of the front end."""


@dataclass(frozen=True)
class Silence:
    """A silence before this character; it ends the sentence."""

    start: int
    seconds: float


@dataclass(frozen=True)
class MarkedText:
    """What the front end processes, whether it came as plain text or as SSML."""

    text: str
    origins: Sequence[int]
    """Index in the text as given of every character, and of the end."""
    fixed: dict[int, Fixed] = field(default_factory=dict)
    """Stretches whose words are given, by first character."""
    settings: Sequence[Setting] = (Setting(0),)
    """In the order of their places; the first one at 0."""
    silences: Sequence[Silence] = ()
    """In the order of their places."""
    ends: Sequence[int] = ()
    """Places before which a sentence ends in any case."""
    marks: Sequence[tuple[int, str]] = ()
    """Places and names of marks, in order."""

    def with_fixed(self, further: Mapping[int, Fixed]) -> "MarkedText":
        """Return the text with further given stretches, except where they overlap those that it has."""
        kept = {
            start: given
            for start, given in further.items()
            if all(given.end <= first or other.end <= start for first, other in self.fixed.items())
        }
        return replace(self, fixed=self.fixed | kept)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return the characters of the text as given that `[start, end)` stands for."""
        first = self.origins[start]
        return (first, first) if start >= end else (first, max(self.origins[end], self.origins[end - 1] + 1))

    def setting_at(self, place: int) -> Setting:
        """Return how the character at a place is spoken."""
        return self.settings[bisect_right(self.settings, place, key=lambda setting: setting.start) - 1]

    def lead(self, first: int) -> Silence:
        """Return the silence before the first sentence: its length in all, and the place of its last part (or 0)."""
        found = [silence for silence in self.silences if silence.start <= first]
        return Silence(found[-1].start if found else 0, sum(silence.seconds for silence in found))

    def silence_between(self, start: int, end: int) -> float | None:
        """Return the seconds of the silences at places in `(start, end]`, or None where there is none."""
        found = [silence.seconds for silence in self.silences if start < silence.start <= end]
        return sum(found) if found else None

    def sentences(self, max_characters: int) -> list[TextSpan]:
        """Split the text; silences and changes of voice or language always end a sentence, given words are never cut.

        Raises:
            TextError: A stretch with given words is longer than half a sentence may be.
        """
        whole = self._masked(max_characters)
        borders = {0, len(whole), *self.ends} | {silence.start for silence in self.silences}
        borders |= {
            later.start
            for earlier, later in pairwise(self.settings)
            if (earlier.voice, earlier.language) != (later.voice, later.language)
        }
        spans: list[TextSpan] = []
        for start, end in pairwise(sorted(borders)):
            found = split_sentences(whole[start:end], max_characters)
            for index, span in enumerate(found):
                first, last = start + span.start, start + span.end
                paragraph = span.ends_paragraph
                if index == len(found) - 1 and end < len(whole):
                    paragraph = _BLANK_LINE.match(whole, last) is not None
                # The first character of a given stretch is masked by a blank, which the splitter takes off.
                spans.append(TextSpan(first - (first - 1 in self.fixed), last, paragraph))
        return spans

    def _masked(self, max_characters: int) -> str:
        """Return the text with a word of X in place of each given stretch, so that no mark inside ends a sentence."""
        if not self.fixed:
            return self.text
        masked: list[str] = []
        place = 0
        for start, given in sorted(self.fixed.items()):
            length = given.end - start
            if length > max(1, max_characters // 2):
                raise TextError(
                    f"{self.text[start : start + 30]!r}... is {length} characters with a pronunciation of its own: "
                    f"at most {max(1, max_characters // 2)} can be spoken in one piece, make several of it"
                )
            masked.extend((self.text[place:start], " " if length > 1 else "", "X" * (length - (length > 1))))
            place = given.end
        return "".join(masked) + self.text[place:]


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
