"""The script of a book: every utterance with its voice and the silence before it, in tracks and parts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from glowvox.book.cast import Part, cast_key, spoken_parts
from glowvox.book.chapters import HeardBook, HeardPassage
from glowvox.book.dialogue import DIALOGUE, NARRATION
from glowvox.errors import ConfigError
from glowvox.text.sentences import split_sentences

_LONGEST = 900
"""Characters of an utterance, about a minute: so much is in memory for each core."""
_PART = 6000
"""Characters in a part, a few minutes of speech: what is lost at most when the program is killed."""


@dataclass(frozen=True)
class BookPauses:
    """Silences of a book, in seconds."""

    sentence: float = 0.2
    """After a sentence inside a paragraph."""
    paragraph: float = 0.6
    """After a paragraph."""
    heading: float = 1.0
    """After a heading; before one, half as much again."""
    scene: float = 1.6
    """At a break of the scene."""
    item: float = 0.4
    """Between items of a list, and rows of a table."""
    edge: float = 0.5
    """Before a chapter; after it, three times as much."""

    def __post_init__(self) -> None:
        for name in ("sentence", "paragraph", "heading"):
            if not 0 <= getattr(self, name) <= 60:
                raise ConfigError(f"the {name} pause must lie between 0 and 60 s, got {getattr(self, name)}")


@dataclass(frozen=True)
class Utterance:
    """What is spoken in one go."""

    number: int
    """In the book; its noise follows from it."""
    text: str
    role: str
    """Who speaks: one of the roles that have a voice."""
    pause: float
    """Seconds of silence before it."""
    passage: int
    """Number of its passage in the track."""
    start: int
    """Its first character in the passage."""


@dataclass(frozen=True, eq=False)
class Track:
    """What becomes one file of sound: a chapter, or a page of a read-along book."""

    number: int
    """From 1."""
    title: str
    passages: Sequence[HeardPassage]
    parts: Sequence[Sequence[Utterance]]
    ending: float
    """Seconds of silence at its end."""

    @property
    def characters(self) -> int:
        """How many characters are spoken."""
        return sum(len(one.text) for part in self.parts for one in part)


def speakers_of(book: HeardBook) -> dict[HeardPassage, list[Part]]:
    """Return of each passage who speaks what; a break of the scene ends a conversation."""
    found: dict[HeardPassage, list[Part]] = {}
    for chapter in book.chapters:
        texts: list[str] = []
        rows: list[HeardPassage | None] = []
        for one in chapter.passages:
            if one.passage.scene:
                texts.append("")
                rows.append(None)
            texts.append(one.passage.text)
            rows.append(one)
        found |= {row: parts for row, parts in zip(rows, spoken_parts(texts), strict=True) if row is not None}
    return found


def script_of(book: HeardBook, pauses: BookPauses, *, by_page: bool, roles: Collection[str] = ()) -> list[Track]:
    """Return the tracks of a book.

    Args:
        book: what is heard.
        pauses: the silences.
        by_page: whether each page is a track (a read-along book), instead of each chapter.
        roles: who has a voice beside the narrator: `DIALOGUE`, all who speak; `cast_key` of a name, that speaker.
            Their quotations are utterances of their own.
    """
    speakers = speakers_of(book) if set(roles) - {NARRATION} else {}
    groups: list[tuple[str, list[HeardPassage]]] = []
    if by_page:
        for one in book.passages:
            if not groups or groups[-1][1][-1].page != one.page:
                groups.append(("", []))
            groups[-1][1].append(one)
    else:
        groups = [(chapter.title, list(chapter.passages)) for chapter in book.chapters]
    tracks, number = [], 0
    for place, (title, passages) in enumerate(groups, 1):
        parts: list[list[Utterance]] = [[]]
        for index, one in enumerate(passages):
            pause = _pause(passages[index - 1] if index else None, one, pauses)
            for start, end, role in _utterances(
                one.passage.text, _cast_parts(speakers.get(one), one.passage.text, roles)
            ):
                if sum(len(each.text) for each in parts[-1]) > _PART:
                    parts.append([])
                text = one.passage.text[start:end]
                parts[-1].append(Utterance(number, text, role, pause, index, start))
                number += 1
                pause = pauses.sentence if text.rstrip()[-1:] in ".!?…" else min(0.08, pauses.sentence)
        tracks.append(Track(place, title, passages, parts, 3 * pauses.edge))
    return tracks


def _pause(previous: HeardPassage | None, following: HeardPassage, pauses: BookPauses) -> float:
    if previous is None:
        return pauses.edge
    first, second = previous.passage, following.passage
    if second.scene:
        return pauses.scene
    if first.kind == "heading":
        return 0.6 * pauses.heading if second.kind == "heading" else pauses.heading
    if second.kind == "heading":
        return 1.5 * pauses.heading
    if first.kind == second.kind and second.kind in ("item", "row"):
        return pauses.item
    return pauses.paragraph


def _cast_parts(parts: Sequence[Part] | None, text: str, roles: Collection[str]) -> list[Part]:
    """Return the parts of a passage with the roles that have a voice; neighbours with the same voice are one part."""
    cast: list[Part] = []
    for start, end, speaker in parts or [(0, len(text), NARRATION)]:
        role = NARRATION
        if speaker != NARRATION:
            role = next((one for one in (cast_key(speaker), DIALOGUE) if one in roles), NARRATION)
        if cast and cast[-1][2] == role:
            start = cast.pop()[0]
        cast.append((start, end, role))
    return cast


def _utterances(text: str, parts: Sequence[Part]) -> list[Part]:
    """Cut a passage into what is spoken in one go: whole sentences, up to a length, of one voice."""
    found: list[Part] = []
    for start, end, role in parts:
        if end - start <= _LONGEST:
            found.append((start, end, role))
            continue
        first = last = start
        for span in split_sentences(text[start:end]):
            if start + span.end - first > _LONGEST and last > first:
                found.append((first, last, role))
                first = start + span.start
            last = start + span.end
        found.append((first, end, role))
    return [(start, end, role) for start, end, role in found if text[start:end].strip()]
