"""Media overlays: what is spoken gets a span of its own in the page, and its time in a SMIL file (EPUB 3.3, section 9).

The clips of a page follow each other without gaps, since players skip what no clip holds: each begins exactly with its
first word and lasts to the next one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from glowvox.book.chapters import HeardPassage
from glowvox.book.listening import text_slots
from glowvox.book.production import TrackFile
from glowvox.book.trees import OPS, XHTML, Element, lxml_etree
from glowvox.text.sentences import split_sentences

SMIL = "http://www.w3.org/ns/SMIL"
UNITS = ("sentence", "word")
"""What lights up at once."""
_NO_SPANS = frozenset(
    f"{{{XHTML}}}{name}"
    for name in [
        "table",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "ul",
        "ol",
        "dl",
        "hgroup",
        "colgroup",
        "select",
        "picture",
        "ruby",
    ]
)
"""Elements whose content may not be a span."""
_TEXT_ONLY = frozenset((f"{{{XHTML}}}time",))
"""Elements that hold nothing but text unless they say it in an attribute, too: they light up as a whole."""
Words = Sequence[tuple[int, int, float, float]]


@dataclass(frozen=True)
class Clip:
    """What lights up, and when."""

    identifier: str
    """The `id` of its element in the page."""
    begin: float
    """Seconds."""
    end: float
    """Seconds."""


@dataclass(frozen=True)
class _Unit:
    start: int
    """First character in the page."""
    end: int
    words: tuple[tuple[int, float], ...]
    """Of each word its first character in the page and when it begins."""


def add_overlay(root: Element, file: TrackFile, unit: str) -> list[Clip]:
    """Give what is spoken of a page spans with ids; nothing else in the page is changed.

    Args:
        root: the page, which is changed.
        file: its track.
        unit: one of `UNITS`.

    Returns:
        The clips in the order of the page, which cover the sound of the track.
    """
    body = root.find("{*}body")
    page = _PageText(body)
    prefix = "gv-"
    taken = {one.get("id") for one in root.iter() if isinstance(one.tag, str) and one.get("id")}
    while any(str(one).startswith(prefix) for one in taken):
        prefix = f"x{prefix}"
    pieces: list[tuple[_Unit, Element]] = []
    for heard, words in zip(file.track.passages, file.words, strict=True):
        if not words:
            continue
        units = list(_units(heard, words, unit))
        if not units and heard.passage.element is not None:
            pieces.append((_Unit(-1, -1, ((-1, words[0][2]),)), heard.passage.element))
            continue
        for one in units:
            for piece, parent in page.placed(one, body):
                pieces.append((piece, parent))
    wraps: dict[Any, list[tuple[int, int, str]]] = {}
    starts: list[tuple[float, str]] = []
    for number, (piece, parent) in enumerate(pieces, 1):
        if piece.start < 0:
            identifier = parent.get("id") or f"{prefix}{number}"
            parent.set("id", identifier)
        else:
            identifier = f"{prefix}{number}"
            wraps.setdefault(parent, []).append((piece.start, piece.end, identifier))
        starts.append((piece.words[0][1], identifier))
    for parent, own in wraps.items():
        page.wrap(parent, sorted(own))
    ending = file.sound.samples / file.sound.sample_rate
    clips = []
    for place, (begin, identifier) in enumerate(starts):
        end = starts[place + 1][0] if place + 1 < len(starts) else ending
        begin = 0.0 if place == 0 else begin
        if end > begin:
            clips.append(Clip(identifier, begin, end))
    return clips


def smil(clips: Sequence[Clip], page: str, sound: str) -> Element:
    """Return the media overlay of a page.

    Args:
        clips: in order.
        page: address of the page, relative to the overlay.
        sound: address of the sound file, relative to the overlay.
    """
    etree = lxml_etree()
    root = etree.Element(f"{{{SMIL}}}smil", nsmap={None: SMIL, "epub": OPS}, version="3.0")
    body = etree.SubElement(root, f"{{{SMIL}}}body")
    for number, clip in enumerate(clips, 1):
        par = etree.SubElement(body, f"{{{SMIL}}}par", id=f"par-{number}")
        par.tail = "\n"
        etree.SubElement(par, f"{{{SMIL}}}text", src=f"{page}#{clip.identifier}")
        times = {"clipBegin": f"{clip.begin:.4f}s", "clipEnd": f"{clip.end:.4f}s"}
        etree.SubElement(par, f"{{{SMIL}}}audio", {"src": sound, **times})
    return root


def clock(seconds: float) -> str:
    """Return a length as a clock value of SMIL."""
    milliseconds = round(1000 * seconds)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours}:{minutes:02d}:{rest / 1000:06.3f}"


def _units(heard: HeardPassage, words: Words, unit: str) -> Iterator[_Unit]:
    """Yield what lights up of a passage, as characters of the page."""
    said = heard.passage.said
    placed = []
    for first, last, begin, _ in words:
        place = said.place(first, last)
        if place is not None:
            placed.append((first, place, begin))
    if unit == "word":
        end = -1
        for _, (start, last), begin in placed:
            if start >= end:
                yield _Unit(start, last, ((start, begin),))
                end = last
        return
    end = -1
    for span in split_sentences(said.text):
        own = [one for one in placed if span.start <= one[0] < span.end]
        place = said.place(span.start, span.end)
        if not own or place is None:
            continue
        start, last = max(place[0], end), place[1]
        if last > start:
            yield _Unit(start, last, tuple((max(one[1][0], start), one[2]) for one in own))
            end = last


class _PageText:
    """The characters of a page, and which of them each element holds."""

    def __init__(self, body: Element) -> None:
        self.text = "".join(text for _, _, text in text_slots(body))
        self._ranges: dict[Any, tuple[int, int]] = {}
        self._measure(body, 0)

    def _measure(self, element: Element, start: int) -> int:
        place = start
        if isinstance(element.tag, str):
            place += len(element.text or "")
            for child in element:
                place = self._measure(child, place) + len(child.tail or "")
        self._ranges[element] = (start, place)
        return place

    def _blank(self, start: int, end: int) -> bool:
        return start >= end or not self.text[start:end].strip()

    def placed(self, unit: _Unit, parent: Element) -> Iterator[tuple[_Unit, Element]]:
        """Yield a unit, or its pieces where it begins and ends in different elements, each with its parent."""
        start, end = unit.start, unit.end
        for child in parent:
            first, last = self._ranges[child]
            if first <= start and end <= last and first < last:
                if child.tag in _TEXT_ONLY and child.get("datetime") is None:
                    yield _Unit(-1, -1, unit.words), child
                    return
                yield from self.placed(unit, child)
                return
        cuts = {start, end}
        for child in parent:
            first, last = self._ranges[child]
            if first >= last or last <= start or end <= first:
                continue
            inside = self._blank(first, max(first, start)) and self._blank(min(last, end), last)
            if not inside or parent.tag in _NO_SPANS:
                cuts |= {max(first, start), min(last, end)}
        borders = sorted(cuts)
        if len(borders) == 2:
            if parent.tag not in _NO_SPANS:
                yield unit, parent
            return
        waiting = unit.words
        for first, last in pairwise(borders):
            if self._blank(first, last):
                continue
            own = tuple(word for word in waiting if first <= word[0] < last)
            if own:
                # A piece without a word of its own lights up with the one before it, or not at all.
                yield from self.placed(_Unit(first, last, own), parent)

    def wrap(self, parent: Element, wraps: Sequence[tuple[int, int, str]]) -> None:
        """Put stretches of what an element holds into spans."""
        etree = lxml_etree()
        place = self._ranges[parent][0]
        content: list[tuple[str, Any, int, int]] = [("text", parent.text or "", place, place + len(parent.text or ""))]
        for child in list(parent):
            first, last = self._ranges[child]
            tail = child.tail or ""
            content.append(("child", child, first, last))
            content.append(("text", tail, last, last + len(tail)))
            child.tail = None
            parent.remove(child)
        parent.text = None
        waiting = list(wraps)
        span: Element = None

        def opened() -> Element:
            nonlocal span
            if span is None:
                span = etree.SubElement(parent, f"{{{XHTML}}}span", id=waiting[0][2])
            return span

        def closed(until: int) -> None:
            nonlocal span
            while waiting and waiting[0][1] <= until:
                waiting.pop(0)
                span = None

        for kind, what, first, last in content:
            closed(first)
            if kind == "child":
                overlaps = (
                    waiting and first < waiting[0][1] and (last > waiting[0][0] if last > first else span is not None)
                )
                (opened() if overlaps else parent).append(what)
                continue
            position = first
            while position < last:
                closed(position)
                if not waiting or waiting[0][0] >= last:
                    _append(parent, what[position - first :])
                    break
                if position < waiting[0][0]:
                    _append(parent, what[position - first : waiting[0][0] - first])
                    position = waiting[0][0]
                until = min(waiting[0][1], last)
                _append(opened(), what[position - first : until - first])
                position = until


def _append(element: Element, text: str) -> None:
    if not text:
        return
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text
