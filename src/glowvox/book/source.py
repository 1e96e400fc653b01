"""What every reader of books gives: pages in reading order, a table of contents, and what is known of the book."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glowvox.book.trees import Element


@dataclass(frozen=True, eq=False)
class Page:
    """A page of a book: what an EPUB calls a content document."""

    name: str
    """Of the file; in an EPUB, within the archive."""
    root: Element
    """Its XHTML."""
    listened: bool = True
    """Whether it is part of the reading order: a page of notes, or the table of contents itself, is not."""
    contents: bool = False
    """Whether it is the table of contents."""


@dataclass(frozen=True)
class TocEntry:
    """An entry of the table of contents."""

    title: str
    page: str
    """Name of the page where it begins."""
    fragment: str = ""
    """The `id` of the element where it begins; empty: the beginning of the page."""


@dataclass(frozen=True)
class Cover:
    """The picture on the front of a book."""

    content: bytes
    media_type: str
    """image/jpeg or image/png."""
    name: str = ""
    """Of the file, within the book; empty: it is none of the book's."""


@dataclass
class BookSource:
    """A book as it was read, before anything is left out for a listener."""

    path: Path
    title: str
    pages: Sequence[Page]
    toc: Sequence[TocEntry] = ()
    """Flat, in the order of the table of contents; empty: the book has none."""
    authors: tuple[str, ...] = ()
    language: str = ""
    """Language tag; empty: the book does not say."""
    publisher: str = ""
    date: str = ""
    """As the book writes it."""
    description: str = ""
    identifier: str = ""
    cover: Cover | None = None
    package: str = ""
    """Name of the package file in the archive; empty: the book is no EPUB."""
    old: bool = False
    """Whether it is an EPUB 2."""
    pictures: int = 0
    """How many pictures it holds."""
    left_out: dict[str, int] = field(default_factory=dict)
    """How often the reader left out what."""
    warnings: list[str] = field(default_factory=list)
