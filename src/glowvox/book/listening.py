"""From a page to what a listener hears: passages without footnote marks, page numbers and what only eyes need."""

import re
from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from glowvox.book.mapped_text import NOWHERE, MappedText
from glowvox.book.spoken_form import ends_as_formula, is_scene_break, spoken_form
from glowvox.book.trees import OPS, Element, local, plain_title

KEEPS = ("notes", "tables", "pictures", "contents")
"""What can be read although it is left out otherwise; `pictures`: also those without a description worth hearing."""
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hgroup",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
) | frozenset(_HEADINGS)
_SILENT = frozenset(
    [
        "script",
        "style",
        "head",
        "template",
        "noscript",
        "canvas",
        "object",
        "iframe",
        "audio",
        "video",
        "select",
        "textarea",
        "datalist",
        "button",
        "rp",
        "rt",
    ]
)
_NOTES = frozenset(
    [
        "footnote",
        "footnotes",
        "endnote",
        "endnotes",
        "rearnote",
        "rearnotes",
        "note",
        "doc-footnote",
        "doc-endnote",
        "doc-endnotes",
    ]
)
_CONTENTS = frozenset(
    [
        "toc",
        "landmarks",
        "page-list",
        "loi",
        "lot",
        "index",
        "doc-toc",
        "doc-pagelist",
        "doc-index",
        "bibliography",
        "doc-bibliography",
    ]
)
_MARKS = frozenset(("noteref", "doc-noteref", "doc-backlink", "backlink"))
_PAGE_BREAKS = frozenset(("pagebreak", "doc-pagebreak"))
_PAGE_CLASS = re.compile(r"page-?_?(?:num(?:ber)?|no|break)s?|x-ebookmaker-pageno", re.IGNORECASE)
_NOTE_CLASS = re.compile(r"(?:foot|end)notes?", re.IGNORECASE)
_MARK_CLASS = re.compile(r"fnanchor|fnref|noteref|footnote-?(?:ref|anchor|mark)|reference", re.IGNORECASE)
_CHAPTERS = frozenset(("chapter", "doc-chapter"))
_VERSE = frozenset(("z3998:verse", "z3998:poem", "z3998:song"))
_VERSE_CLASS = re.compile(r"poem|poetry|verse|stanza", re.IGNORECASE)
_DROP_CAP = re.compile(r"drop-?_?cap|initial|lettrine|first-?letter", re.IGNORECASE)
_MARK = re.compile(r"\s*[\[({]?\s*(?:\d{1,4}|[a-z]|[*†‡§¶‖#]{1,4})\s*[\])}]?\s*")
_SUP_MARK = re.compile(r"\s*[\[(]?(?:\d{1,3}|[*†‡§¶‖]{1,4})[\])]?(?:\s*,\s*\d{1,3})*\s*")
_UNIT = re.compile(r"(?:^|[\s\d(/·])(?:[a-zA-Z]|[kcmdµn]m|ft|in|yd|mi|sec)$")
_EXPONENT = re.compile(r"\s*[-−–+]?(?:\d{1,3}|n)\s*")
_RAISED = str.maketrans("0123456789-−–+n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁻⁺ⁿ")
_FILE_NAME = re.compile(r"\.(?:jpe?g|png|gif|svg|webp|bmp)$", re.IGNORECASE)
_TRIVIAL = frozenset(
    ["image", "img", "picture", "illustration", "cover", "photo", "figure", "logo", "graphic", "decoration", "ornament"]
)
_DROPPED = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_MOST_ROWS, _MOST_CELLS = 15, 90
WORDS = {
    "en": {
        "picture": "Picture",
        "formula": "formula",
        "table": "Table with {rows} rows, left out",
        "chapter": "Chapter",
    },
    "de": {
        "picture": "Bild",
        "formula": "Formel",
        "table": "Tabelle mit {rows} Zeilen, ausgelassen",
        "chapter": "Kapitel",
    },
}
"""The few words that a reader aloud adds, by language without region."""


@dataclass(frozen=True, eq=False)
class Passage:
    """What is read between two pauses: a paragraph, a heading, an item, a stanza, a row of a table."""

    kind: str
    """heading, text, verse, item, row, caption or picture."""
    said: MappedText
    level: int = 0
    """Of a heading, from 1."""
    scene: bool = False
    """Whether a break of the scene stands before it."""
    element: Element | None = None
    """The picture that it describes."""
    written: str = ""
    """A heading as it stands in the book."""

    @property
    def text(self) -> str:
        """What is spoken."""
        return self.said.text


@dataclass
class HeardPage:
    """The passages of a page in order, and which of them an `id` leads to."""

    passages: list[Passage] = field(default_factory=list)
    anchors: dict[str, int] = field(default_factory=dict)
    """The number of the first passage at or after the element with an `id`."""
    left_out: dict[str, int] = field(default_factory=dict)
    """How often what was left out."""


def text_slots(body: Element) -> Iterator[tuple[Element, str, str]]:
    """Yield the texts of a tree in the order of reading: the element that holds it, `text` or `tail`, and the text.

    The place of a character in a page counts along these texts.
    """
    if isinstance(body.tag, str) and body.text:
        yield body, "text", body.text
    for child in body:
        yield from text_slots(child)
        if child.tail:
            yield child, "tail", child.tail


def tokens_of(element: Element) -> frozenset[str]:
    """Return the semantics of an element: its `epub:type` and its role."""
    return frozenset(
        f"{element.get(f'{{{OPS}}}type') or ''} {element.get('role') or ''} {element.get('type') or ''}".lower().split()
    )


def heard_page(root: Element, language: str, keep: Collection[str] = (), notes: Collection[Element] = ()) -> HeardPage:
    """Return what of a page is heard.

    Args:
        root: the page.
        language: of the few words that are added, without region.
        keep: which of `KEEPS` is read although it is left out otherwise.
        notes: elements that are notes, though they do not say so.
    """
    body = root.find("{*}body")
    listener = _Listener(WORDS.get(language, WORDS["en"]), language, keep, notes)
    if body is not None:
        listener.hear(body)
        listener.flush()
    return listener.page


def _is_verse(element: Element) -> bool:
    classes = (element.get("class") or "").split()
    return bool(tokens_of(element) & _VERSE) or any(_VERSE_CLASS.search(one) for one in classes)


class _Table:
    """Where the listener is in a table."""

    def __init__(self, element: Element) -> None:
        rows = list(element.iter("{*}tr"))
        cells = [[one for one in row if local(one) in ("td", "th")] for row in rows]
        self.rows, self.cells = len(rows), sum(map(len, cells))
        nested = any(
            local(inner) in ("p", "table", "ul", "ol", "blockquote", *_HEADINGS)
            for row in cells
            for cell in row
            for inner in cell.iter()
            if inner is not cell
        )
        widest = max(map(len, cells), default=0)
        self.layout = "presentation" in tokens_of(element) or widest < 2 or nested
        first = cells[0] if cells else []
        header = len(first) > 1 and all(local(one) == "th" for one in first) and self.rows > 1
        self.labels: list[str] = []
        for one in first if header else ():
            self.labels += [plain_title("".join(one.itertext()))] * _spanned(one, "colspan")
        self.header_row = rows[0] if header else None
        self.column = 0
        """Where the next cell stands, unless one of a row above reaches down to there."""
        self._taken: dict[int, int] = {}
        """Of each column, for how many rows from here on a cell of a row above fills it."""

    def begin_row(self) -> None:
        """Go on to the next row."""
        self.column = 0
        self._taken = {column: rows - 1 for column, rows in self._taken.items() if rows > 1}

    def place_cell(self, cell: Element) -> int:
        """Return the column of a cell, which may span several, as cells of the rows above may reach down."""
        while self.column in self._taken:
            self.column += 1
        place = self.column
        self.column += _spanned(cell, "colspan")
        rows = _spanned(cell, "rowspan")
        if rows > 1:
            self._taken.update(dict.fromkeys(range(place, self.column), rows))
        return place


def _spanned(cell: Element, attribute: str) -> int:
    """Return how many columns or rows a cell spans."""
    stated = (cell.get(attribute) or "").strip()
    return min(int(stated), 1000) if stated.isascii() and stated.isdigit() and len(stated) < 6 and int(stated) else 1


class _Numbers:
    """The numbers of a list, as HTML counts them."""

    def __init__(self, element: Element) -> None:
        backwards = element.get("reversed") is not None
        items = sum(local(one) == "li" for one in element)
        self._next = _whole(element.get("start"), items if backwards else 1)
        self._step = -1 if backwards else 1

    def take(self, item: Element) -> int:
        """Return the number of the next item, which may say it itself."""
        number = _whole(item.get("value"), self._next)
        self._next = number + self._step
        return number


def _whole(stated: str | None, default: int) -> int:
    return int(stated) if stated is not None and re.fullmatch(r"\s*-?[0-9]{1,6}\s*", stated) else default


class _Listener:
    """Walks through a page once, counting the characters of all its texts, and collects passages."""

    def __init__(self, words: dict[str, str], language: str, keep: Collection[str], notes: Collection[Element]) -> None:
        self.page = HeardPage()
        self._notes = set(notes)
        self._words, self._language, self._keep = words, language, keep
        self._characters: list[str] = []
        self._origins = array("q")
        self._gap = self._lead = ""
        self._offset = 0
        self._silent = 0
        self._kind, self._level = "text", 0
        self._scene = False
        self._verse = 0
        self._pre = 0
        self._raised = 0
        """In how many exponents it is."""
        self._tables: list[_Table] = []
        self._lists: list[_Numbers | None] = []
        self._picture: Element | None = None
        self._chapter_starts = False
        self._begins = True
        """Whether the next paragraph is the first one after a heading or a break, where initials are set large."""
        self._large_initial = False

    def hear(self, element: Element) -> None:
        """Walk through an element: its text, its children, what follows each of them."""
        name = local(element)
        if not name:
            return
        here = self._silences(element, name)
        block = name in _BLOCKS and not here
        verse = block and _is_verse(element)
        if block:
            self.flush()
            self._open(element, name)
        raised = name == "sup" and not here and _EXPONENT.fullmatch("".join(element.itertext())) is not None
        self._verse += verse
        self._raised += raised
        identifier = element.get("id") or (element.get("name") if name == "a" else None)
        if identifier:
            self.page.anchors.setdefault(identifier, len(self.page.passages))
        self._silent += here
        if not self._silent:
            self._inline(element, name)
        if element.text:
            self._text(element.text)
        for child in element:
            self.hear(child)
            if child.tail:
                self._text(child.tail)
        self._silent -= here
        if block:
            self.flush()
            self._close(name)
        self._verse -= verse
        self._raised -= raised

    def flush(self) -> None:
        """End the passage."""
        said = MappedText("".join(self._characters), self._origins).stripped()
        kind, level, picture = self._kind, self._level, self._picture
        self._characters, self._origins, self._gap = [], array("q"), ""
        large, self._large_initial = self._large_initial, False
        self._picture = None
        if not said.text:
            return
        if is_scene_break(said.text):
            self._scene = self._begins = True
            return
        written = " ".join(said.text.split()) if kind == "heading" else ""
        chapter = self._words["chapter"] if kind == "heading" and self._chapter_starts else ""
        spoken_form(said, kind, self._language, begins=self._begins, large_initial=large, chapter=chapter)
        said = said.stripped()
        if not any(character.isalnum() for character in said.text):
            return
        if kind == "heading":
            self._chapter_starts = False
        if kind == "text" and self._verse:
            kind = "verse"
        self.page.passages.append(Passage(kind, said, level, self._scene, picture, written))
        self._scene, self._begins = False, kind == "heading"

    def _silences(self, element: Element, name: str) -> bool:
        """Return whether nothing in an element is heard, and count what is left out."""
        if self._silent:
            return False
        kinds = tokens_of(element)
        classes = element.get("class") or ""
        style = (element.get("style") or "").replace(" ", "").lower()
        if name in _SILENT or element.get("hidden") is not None or "display:none" in style:
            return True
        if element.get("aria-hidden") == "true" and name not in ("img", "svg"):
            return True
        if kinds & _PAGE_BREAKS or any(_PAGE_CLASS.fullmatch(one) for one in classes.split()):
            return self._left("page numbers")
        if self._is_mark(element, name, kinds, classes):
            return self._left("footnote marks")
        if "notes" not in self._keep and (
            kinds & _NOTES
            or element in self._notes
            or (name in ("aside", "div", "section", "p", "li", "dl") and _NOTE_CLASS.fullmatch(classes.strip()))
        ):
            return self._left("notes")
        if "contents" not in self._keep and name != "body" and kinds & _CONTENTS:
            return self._left("tables of contents")
        if name == "table" and "tables" not in self._keep and "presentation" not in kinds:
            table = _Table(element)
            if not table.layout and (table.rows > _MOST_ROWS or table.cells > _MOST_CELLS):
                self.flush()
                self._say(self._words["table"].format(rows=table.rows))
                self._kind = "caption"
                self.flush()
                self._kind = "text"
                return self._left("tables")
        if name == "pre" and "code" not in self._keep and any(local(one) == "code" for one in element):
            return self._left("code")
        if name == "case" and any(local(one) == "default" for one in element.getparent()):
            return True  # of a switch of EPUB 3.0: what stands in for it is heard
        if name in ("svg", "math"):
            said = element.get("alttext") or element.get("aria-label") or ""
            if name == "math":
                self._glue(said or self._words["formula"])
            else:
                title = element.find("{*}title")
                self._describe(element, said or (title.text or "" if title is not None else ""))
            return True
        return False

    def _is_mark(self, element: Element, name: str, kinds: frozenset[str], classes: str) -> bool:
        """Return whether an element is the mark of a footnote."""
        if kinds & _MARKS:
            return True
        if name not in ("a", "sup", "span"):
            return False
        inside = "".join(element.itertext())
        if len(inside) > 12 or not _MARK.fullmatch(inside):
            return False
        if any(_MARK_CLASS.fullmatch(one) for one in classes.split()):
            return True
        if name == "span":
            return False
        before = "".join(self._characters[-12:])
        glued = bool(before) and not self._gap
        links = element.get("href") is not None or any(one.get("href") is not None for one in element.iter("{*}a"))
        raised = name == "sup" or any(local(one) == "sup" for one in element.iter())
        if links and (raised or inside.strip()[:1] in "[({*†‡" or glued):
            return bool(before)
        return (
            raised
            and glued
            and _SUP_MARK.fullmatch(inside) is not None
            and not before[-1:].isdigit()
            and _UNIT.search(before) is None
            and (links or not ends_as_formula("".join(self._characters[-60:])))
        )

    def _left(self, what: str) -> bool:
        self.page.left_out[what] = self.page.left_out.get(what, 0) + 1
        return True

    def _open(self, element: Element, name: str) -> None:
        kinds = tokens_of(element)
        if name in ("section", "div", "body", "article") and kinds & _CHAPTERS:
            self._chapter_starts = True
        if name in _HEADINGS or "heading" in kinds:
            stated = element.get("aria-level") or ""
            self._kind = "heading"
            self._level = _HEADINGS.get(name) or (int(stated) if stated in tuple("123456") else 2)
        elif name == "hr":
            self._scene = self._begins = True
        elif name == "pre":
            self._pre += 1
        elif name in ("ol", "ul"):
            numbered = name == "ol" and "none" not in (element.get("style") or "")
            self._lists.append(_Numbers(element) if numbered else None)
        elif name in ("li", "dt", "dd"):
            self._kind = "item"
            numbers = self._lists[-1] if name == "li" and self._lists else None
            if numbers is not None and not self._silent:
                self._lead = f"{numbers.take(element)}. "
        elif name in ("figcaption", "caption"):
            self._kind = "caption"
        elif name == "table":
            self._tables.append(_Table(element))
        elif name == "tr" and self._tables and not self._tables[-1].layout:
            self._kind = "row"
            self._tables[-1].begin_row()

    def _close(self, name: str) -> None:
        if name in ("ol", "ul") and self._lists:
            self._lists.pop()
        elif name == "li":
            self._lead = ""
        elif name == "table" and self._tables:
            self._tables.pop()
        elif name == "pre":
            self._pre -= 1
        elif name in ("section", "article") and self.page.passages:
            self._begins = False
        self._kind, self._level = ("item", 0) if name in ("p", "div") and self._lists else ("text", 0)

    def _inline(self, element: Element, name: str) -> None:
        if name == "br":
            self._gap = "\n"
        elif name == "img":
            self._image(element)
        elif name in ("td", "th") and self._tables:
            table = self._tables[-1]
            if table.layout:
                self.flush()
                return
            row = element.getparent()
            if table.column and self._characters:
                self._gap = ""
                self._glue(" " if self._characters[-1] in ",;:.!?" else "; ")
            column = table.place_cell(element)
            if table.labels and row is not table.header_row and column < len(table.labels):
                label = table.labels[column]
                if label and "".join(element.itertext()).strip():
                    self._glue(f"{label}: ")
        elif not self._characters and any(_DROP_CAP.search(one) for one in (element.get("class") or "").split()):
            self._large_initial = True

    def _image(self, element: Element) -> None:
        described = " ".join((element.get("alt") or "").split())
        if not self._characters and len(described) == 1 and described.isalpha():
            # An initial that was drawn: the rest of its word follows.
            self._say(described)
            self._large_initial = True
            return
        if any(_DROP_CAP.search(one) for one in (element.get("class") or "").split()):
            return
        self._describe(element, described)

    def _describe(self, element: Element, described: str) -> None:
        plain = described.strip().strip(".").lower()
        trivial = not plain or plain in _TRIVIAL or _FILE_NAME.search(described) is not None
        if trivial and not ("pictures" in self._keep and described):
            self._left("pictures")
            return
        if element.get("role") == "presentation":
            return
        if self._characters:
            # In the middle of a line it is read as the word that it stands for.
            self._glue(f" {described} ")
            return
        kind, self._kind = self._kind, "picture" if self._kind == "text" else self._kind
        self._say(f"{self._words['picture']}: {described}")
        self._picture = element
        if self._kind == "picture":
            self.flush()
        self._kind = kind

    def _say(self, words: str) -> None:
        """Say what stands nowhere."""
        self._characters.extend(words)
        self._origins.extend([NOWHERE] * len(words))

    def _glue(self, words: str) -> None:
        if self._gap and self._characters:
            self._say(self._gap)
        self._gap = ""
        self._say(words)

    def _text(self, text: str) -> None:
        """Take text: white space in a row is one blank, a line break of verse stays."""
        begin = self._offset
        self._offset += len(text)
        if self._silent:
            return
        characters, origins = self._characters, self._origins
        for place, character in enumerate(text, begin):
            if character.isspace():
                if self._pre and character == "\n":
                    self._gap = "\n"
                elif not self._gap:
                    self._gap = " "
                continue
            if ord(character) in _DROPPED:
                continue
            if self._lead:
                self._say(self._lead)
                self._lead = self._gap = ""
            if self._gap:
                if characters:
                    characters.append(self._gap)
                    origins.append(NOWHERE)
                self._gap = ""
            # "10" with a raised "6" is no 106.
            characters.append(character.translate(_RAISED) if self._raised else character)
            origins.append(place)
