"""Chapters of a book: those of its table of contents, or its headings where it has none."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from glowvox.book.listening import WORDS, HeardPage, Passage, heard_page
from glowvox.book.mapped_text import MappedText
from glowvox.book.notes import unmarked_notes
from glowvox.book.source import BookSource
from glowvox.errors import DataError


@dataclass(frozen=True, eq=False)
class HeardPassage:
    """A passage, and the page that it stands on."""

    passage: Passage
    page: int
    """Number of the page in the book."""


@dataclass(frozen=True, eq=False)
class Chapter:
    """A chapter: its title as the table of contents has it, and what is heard of it."""

    title: str
    passages: Sequence[HeardPassage]

    @property
    def words(self) -> int:
        """How many words it has."""
        return sum(len(one.passage.text.split()) for one in self.passages)

    @property
    def characters(self) -> int:
        """How many characters are spoken."""
        return sum(len(one.passage.text) for one in self.passages)


@dataclass(frozen=True, eq=False)
class HeardBook:
    """A book as a listener gets it."""

    source: BookSource
    chapters: Sequence[Chapter]
    language: str
    """Of the book, without region."""
    left_out: dict[str, int] = field(default_factory=dict)
    """How often what was left out."""
    warnings: Sequence[str] = ()

    @property
    def passages(self) -> list[HeardPassage]:
        """Everything that is heard, in order."""
        return [passage for chapter in self.chapters for passage in chapter.passages]


def hear_book(source: BookSource, *, language: str = "", keep: Collection[str] = ()) -> HeardBook:
    """Return what of a book is heard, in chapters.

    Args:
        source: the book as it was read.
        language: its language where the book does not say, or another one than it says.
        keep: see `heard_page`.

    Raises:
        DataError: nothing in it can be read.
    """
    spoken = (language or source.language or "en").split("-")[0].lower()
    warnings = list(source.warnings)
    pages: dict[str, tuple[int, HeardPage]] = {}
    passages: list[HeardPassage] = []
    bases: dict[str, int] = {}
    left_out: Counter[str] = Counter(source.left_out)
    notes = unmarked_notes(source.pages)
    for number, page in enumerate(source.pages):
        if not page.listened and not ("notes" in keep or "contents" in keep):
            left_out["tables of contents" if page.contents else "pages outside of the reading order"] += 1
            continue
        heard = heard_page(page.root, spoken, keep, notes)
        pages[page.name] = (number, heard)
        bases[page.name] = len(passages)
        passages.extend(HeardPassage(passage, number) for passage in heard.passages)
        left_out.update(heard.left_out)
    if not passages:
        what = (
            "holds pictures only, no text; run text recognition (OCR) over it first"
            if source.pictures
            else "holds nothing that can be read"
        )
        raise DataError(f"{source.path}: the book {what}")
    starts: list[tuple[str, int, int]] = []
    every = {page.name: page for page in source.pages}
    for entry in source.toc:
        if entry.page not in pages:
            leads_to = every.get(entry.page)
            if leads_to is None:
                warnings.append(f"the table of contents names {entry.page[:100]!r}, which is no page of the book")
            elif not leads_to.contents:
                warnings.append(
                    f"the entry {entry.title[:60]!r} leads outside of the reading order; --keep notes reads that too"
                )
            continue
        index, heard = pages[entry.page]
        if entry.fragment and entry.fragment not in heard.anchors:
            warnings.append(
                f"the entry {entry.title[:60]!r} leads to no place in {entry.page}: it begins with the page"
            )
        starts.append((entry.title, bases[entry.page] + heard.anchors.get(entry.fragment, 0), index))
    if not starts:
        starts = _by_headings(source, passages)
        if len(starts) == 1:
            warnings.append("no chapters were found: the book is one")
    starts.sort(key=lambda start: start[1])
    chapters = []
    for place, (title, begin, index) in enumerate(starts):
        first = 0 if place == 0 else begin
        last = starts[place + 1][1] if place + 1 < len(starts) else len(passages)
        own = passages[first:last]
        # An entry with nothing to hear, a plate for example, is still a chapter that a player shows.
        chapters.append(Chapter(title, own or [_announced(title, index)]))
    return HeardBook(source, chapters, spoken, dict(left_out), warnings)


def _announced(title: str, page: int) -> HeardPassage:
    return HeardPassage(Passage("heading", MappedText(f"{title.rstrip('.')}."), level=1), page)


def _by_headings(source: BookSource, passages: Sequence[HeardPassage]) -> list[tuple[str, int, int]]:
    """Return chapters by headings: those of the highest levels of which there are several, else by pages."""
    counts = Counter(one.passage.level for one in passages if one.passage.kind == "heading")
    chosen = next((level for level in sorted(counts) if counts[level] > 1), None)
    if chosen is not None:
        levels = {level for level in counts if level <= chosen}
        starts: list[tuple[str, int, int]] = []
        for place, one in enumerate(passages):
            if one.passage.kind == "heading" and one.passage.level in levels:
                title = one.passage.written
                if starts and starts[-1][1] == place - 1 and len(passages[place - 1].passage.text) < 100:
                    # Several headings in a row are those of one chapter, or of a book and its first one.
                    previous = starts.pop()
                    if passages[place - 1].passage.level == one.passage.level:
                        title = f"{previous[0]}: {title}"
                        starts.append((title, previous[1], previous[2]))
                        continue
                    starts.append(previous)
                starts.append((title, place, one.page))
        if starts and starts[0][1] > 0:
            starts.insert(0, (source.title, 0, passages[0].page))
        return starts
    firsts: dict[int, int] = {}
    for place, one in enumerate(passages):
        firsts.setdefault(one.page, place)
    if len(firsts) > 1:
        word = WORDS.get(source.language.split("-")[0], WORDS["en"])["chapter"]
        return [
            (_page_title(source, page) or f"{word} {number}", place, page)
            for number, (page, place) in enumerate(firsts.items(), 1)
        ]
    return [(source.title, 0, passages[0].page)]


def _page_title(source: BookSource, page: int) -> str:
    element = source.pages[page].root.find("{*}head/{*}title")
    title = " ".join((element.text or "").split()) if element is not None else ""
    return "" if title == source.title else title
