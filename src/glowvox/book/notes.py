"""Notes that nothing says are notes: older books only link the mark to the note, and the note back to the mark."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from glowvox.book.archive import resolved
from glowvox.book.source import Page
from glowvox.book.trees import Element, local

_MARK = re.compile(r"\s*[\[({]?\s*(?:\d{1,4}|[a-z]|[*†‡§¶‖#]{1,4})\s*[\])}]?\s*[.:]?\s*")
_BLOCKS = frozenset(["p", "div", "li", "dd", "dt", "blockquote", "td", "th", "aside", "section", "body"])
_WHOLE = frozenset(["p", "div", "li", "dd", "aside"])
"""Elements that may be a note as a whole."""


@dataclass(frozen=True, eq=False)
class _Link:
    """A link that looks like the mark of a note."""

    element: Element
    block: Element
    place: str
    """Name of its page."""
    target: tuple[str, str]
    """Page and `id` that it leads to."""
    names: frozenset[str]
    """The `id`s by which it is reached itself."""
    begins: bool
    """Whether it begins its block, as the number of a note does."""


def unmarked_notes(pages: Sequence[Page]) -> list[Element]:
    """Return the blocks that are notes: a number at their beginning leads to a mark in a text that leads to them.

    Args:
        pages: of the book.
    """
    links = [link for page in pages for link in _links(page)]
    reached: dict[tuple[str, str], list[_Link]] = {}
    for link in links:
        for name in link.names:
            reached.setdefault((link.place, name), []).append(link)
    held = Counter(block for link in links if link.begins for block in link.element.iterancestors())
    texts: dict[Element, bool] = {}
    notes: list[Element] = []
    for note in links:
        if not note.begins:
            continue
        for mark in reached.get(note.target, ()):
            own = note.names | {one.get("id") for one in _around(note) if one.get("id")}
            if mark.begins or mark.target[0] != note.place or mark.target[1] not in own:
                continue
            if mark.block not in texts:
                texts[mark.block] = _is_text(mark.block)
            if texts[mark.block]:
                notes.append(_whole_note(note, mark.target[1], held))
                break
    return notes


def _links(page: Page) -> Iterator[_Link]:
    for element in page.root.iter("{*}a"):
        address = element.get("href") or ""
        written = "".join(element.itertext())
        if "#" not in address or len(written) > 12 or not _MARK.fullmatch(written):
            continue
        name, fragment = resolved(page.name, address)
        block = next((one for one in element.iterancestors() if local(one) in _BLOCKS), None)
        if not name or not fragment or block is None:
            continue
        inline = [element, *element.iterdescendants()]
        for one in element.iterancestors():
            if one is block:
                break
            inline.append(one)
        previous = element.getprevious()
        if previous is not None and not "".join(previous.itertext()) and not (previous.tail or "").strip():
            inline.append(previous)  # an anchor of its own
        names = {one.get("id") or (one.get("name") if local(one) == "a" else None) for one in inline}
        begins = _begins(element, block)
        yield _Link(element, block, page.name, (name, fragment), frozenset(one for one in names if one), begins)


def _begins(element: Element, block: Element) -> bool:
    """Return whether nothing is written before an element in its block."""
    while element is not block:
        for one in element.itersiblings(preceding=True):
            if (one.tail or "").strip() or (isinstance(one.tag, str) and "".join(one.itertext()).strip()):
                return False
        element = element.getparent()
        if (element.text or "").strip():
            return False
    return True


def _around(note: _Link) -> Iterator[Element]:
    """Yield the blocks that a note's number begins, from the inner one outwards."""
    inner = note.block
    while inner is not None and local(inner) in _WHOLE:
        yield inner
        outer = inner.getparent()
        if outer is None or (outer.text or "").strip() or inner.getprevious() is not None:
            return
        inner = outer


def _whole_note(note: _Link, name: str, held: Mapping[Element, int]) -> Element:
    """Return the block that is reached, with all its paragraphs, unless it holds other notes too."""
    for block in _around(note):
        if block.get("id") == name and held[block] == 1:
            return block
    return note.block


def _is_text(block: Element) -> bool:
    """Return whether a block is more than a list of links, as an index has it."""
    linked = sum(len("".join(one.itertext()).split()) for one in block.iter("{*}a"))
    return len("".join(block.itertext()).split()) > 2 * linked
