"""Plain text as a book: wrapped lines, paragraphs, headings, verse, words cut at the ends of lines."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from glowvox.book.source import BookSource, Page
from glowvox.book.spoken_form import roman_number
from glowvox.book.trees import XHTML, Element, lxml_etree, new_page

_START = re.compile(r"^\s*\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG.*?\*\*\*\s*$", re.MULTILINE)
_END = re.compile(r"^\s*\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG", re.MULTILINE)
_FIELD = re.compile(r"^(?P<name>Title|Author|Language):[ \t]*(?P<value>\S.*)$", re.MULTILINE)
_LANGUAGES = {"english": "en", "german": "de", "french": "fr", "spanish": "es", "italian": "it", "dutch": "nl"}
_NUMBER = (
    r"(?:[0-9]{1,3}|[IVXLC]{1,8}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]+teen|"
    r"[a-z]+ty(?:-[a-z]+)?|the [a-z]+|the last)"
)
_CHAPTER = re.compile(
    rf"(?:chapter|book|part|volume|letter|act|stave|canto|kapitel|teil|buch) {_NUMBER}\b[.:—– -]*.{{0,80}}"
    r"|(?:prologue|epilogue|preface|introduction|foreword|afterword|prolog|vorwort|einleitung|nachwort)[.:]?",
    re.IGNORECASE | re.DOTALL,
)
_NUMERAL = re.compile(r"(?:[IVXLC]{1,8}|\d{1,3})\.?(?:[ \t]+[A-Z][^.!?]{0,60})?")
_SMALL_ROMAN = r"(?=[ivxlc])(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})"
_PAGE_LINE = re.compile(rf"\s*(?:(?P<number>\d{{1,4}})|(?P<roman>{_SMALL_ROMAN}))\s*")
_MARKED_PAGE_LINE = re.compile(
    rf"\s*(?:[-–—]\s*(?:\d{{1,4}}|{_SMALL_ROMAN})\s*[-–—]|(?:page|pg\.?)\s+\d{{1,4}})\s*", re.IGNORECASE
)
_SENTENCE_ENDS = re.compile(r"[.!?:;…][\"”’»)\]]*$")
_MOST_BLANK_PAGES = 4
_BROKEN = re.compile(r"([^\W\d_]+)-$")
_EMPHASIS = re.compile(r"(?<![\w_])_([^_\n]{1,400}?(?:\n[^_\n]{1,400}?){0,8})_(?![\w_])")
_NOTE = re.compile(r"^\[(?:Footnote|Fußnote)\s*\w*[:.].*\]$", re.DOTALL | re.IGNORECASE)
_SCENE = re.compile(r"\s*(?:[*•~#–—-]\s*){1,}")


def read_text_book(text: str, path: Path) -> BookSource:
    """Read a plain text.

    Args:
        text: all of it.
        path: where it lies, whose name is the title where the text has none.
    """
    header = text[:5000]
    fields = {match["name"]: match["value"].strip() for match in reversed(list(_FIELD.finditer(header)))}
    begin, end = _START.search(text), _END.search(text)
    if begin:
        text = text[begin.end() : end.start() if end else len(text)]
    elif _FIELD.match(text.lstrip()):
        ends = text.find("\n\n") + 1 or len(text)
        text = _FIELD.sub("", text[:ends]) + text[ends:]
    else:
        fields = {}
    language = _LANGUAGES.get(fields.get("Language", "").lower(), "")
    title = fields.get("Title") or path.stem.replace("_", " ")
    found, page_numbers = paragraphs(text)
    page = page_of_paragraphs(found, title, language or "en")
    authors = (fields["Author"],) if "Author" in fields else ()
    left_out = {"page numbers": page_numbers} if page_numbers else {}
    return BookSource(path, title, [Page("text.xhtml", page)], authors=authors, language=language, left_out=left_out)


def paragraphs(text: str) -> tuple[list[list[str]], int]:
    """Return the paragraphs of a text as lines without their ends, and how many page numbers between them were left."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n").expandtabs(4).split("\n")
    page_numbers = _page_numbers(lines)
    for place in page_numbers:
        lines[place] = ""
    return _paragraphs(lines), len(page_numbers)


def _page_numbers(lines: Sequence[str]) -> list[int]:
    """Return which lines are page numbers.

    A number that stands alone is one where it counts on from the one before, or parts a sentence. Those that count
    from 1, none of them in a sentence, are chapters; others are what the text says.
    """
    written = [place for place, line in enumerate(lines) if line.strip()]
    found: list[int] = []
    numbers: list[tuple[int, int, bool]] = []
    parts: dict[int, bool] = {}
    for before, place, after in zip([-2, *written], written, [*written[1:], len(lines) + 1], strict=False):
        if place - before < 2 or after - place < 2:
            continue
        if _MARKED_PAGE_LINE.fullmatch(lines[place]):
            found.append(place)
            continue
        match = _PAGE_LINE.fullmatch(lines[place])
        if match is None:
            continue
        value = int(match["number"]) if match["number"] else roman_number(match["roman"])
        numbers.append((place, value, match["roman"] is not None))
        parts[place] = (
            before >= 0
            and after < len(lines)
            and _SENTENCE_ENDS.search(lines[before].rstrip()) is None
            and lines[after].lstrip()[:1].islower()
        )
    arabic = [value for _, value, roman in numbers if not roman]
    chapters = len(arabic) > 1 and arabic == list(range(1, len(arabic) + 1)) and not any(parts.values())
    for (place, value, roman), (later, following, as_roman) in pairwise(numbers):
        counts_on = roman == as_roman and 0 < following - value <= _MOST_BLANK_PAGES
        if counts_on and any(line.strip() for line in lines[place + 1 : later]) and (roman or not chapters):
            parts[place] = parts[later] = True
    return sorted([*found, *(place for place, is_number in parts.items() if is_number)])


def _paragraphs(lines: Sequence[str]) -> list[list[str]]:
    blank = sum(not line.strip() for line in lines)
    found: list[list[str]] = []
    current: list[str] = []
    filled = [len(line.rstrip()) for line in lines if line.strip()]
    if filled and not blank and (max(filled) > 200 or len(filled) < 3):
        # No blank line at all and long lines: each line is a paragraph.
        return [[line] for line in lines if line.strip()]
    long_lines = bool(filled) and sorted(filled)[len(filled) // 2] > 160
    indented = _by_indent(lines, blank)
    for line in [*lines, ""]:
        begins = indented and bool(re.match(r" {2,8}\S", line)) and not _is_indented(current)
        if current and (not line.strip() or long_lines or begins):
            found.append(current)
            current = []
        if not line.strip():
            continue
        current.append(line.rstrip())
    return _joined_pages(found)


def _by_indent(lines: Sequence[str], blank: int) -> bool:
    """Return whether paragraphs begin with an indent, not with a blank line."""
    full = [line for line in lines if line.strip()]
    indents = sum(re.match(r" {2,8}\S", line) is not None for line in full)
    return len(full) > 20 and blank < len(full) / 20 and len(full) / 40 < indents < 0.7 * len(full)


def _is_indented(current: Sequence[str]) -> bool:
    return len(current) > 1 and all(line.startswith("  ") for line in current)


def _joined_pages(found: list[list[str]]) -> list[list[str]]:
    """Put paragraphs together that a page number parted: one stops in a sentence, the next goes on in small letters."""
    joined: list[list[str]] = []
    for lines in found:
        if joined and len(joined[-1]) > 1 and re.search(r"[^\W\d_][,-]?$", joined[-1][-1]) and lines[0][:1].islower():
            joined[-1].extend(lines)
        else:
            joined.append(lines)
    return joined


def page_of_paragraphs(found: Iterable[list[str]], title: str, language: str) -> Element:
    """Return a page with headings, paragraphs and verse for paragraphs of lines."""
    etree = lxml_etree()
    root = new_page(title, language)
    body = root.find("{*}body")
    found = list(found)
    words = Counter(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", "\n".join("\n".join(lines) for lines in found).lower()))
    widths = sorted(len(line) for lines in found for line in lines if len(lines) > 2)
    width = widths[len(widths) * 9 // 10] if widths else 0
    numerals = sum(_is_numeral(lines) for lines in found)
    for lines in found:
        whole = " ".join(line.strip() for line in lines)
        if _NOTE.match(whole):
            etree.SubElement(body, f"{{{XHTML}}}aside", {"class": "footnote"}).text = whole
            continue
        if _SCENE.fullmatch(whole):
            etree.SubElement(body, f"{{{XHTML}}}hr")
            continue
        level = _heading_level(lines, whole, numerals)
        if level:
            etree.SubElement(body, f"{{{XHTML}}}h{level}").text = whole
            continue
        element = etree.SubElement(body, f"{{{XHTML}}}p")
        if _is_verse(lines, width):
            element.set("class", "verse")
            for number, line in enumerate(lines):
                if number:
                    etree.SubElement(element, f"{{{XHTML}}}br")
                _emphasised(element, line.strip())
            continue
        _emphasised(element, joined_lines(lines, words))
    return root


def joined_lines(lines: Sequence[str], words: "Counter[str]", *, cut_words: bool = False) -> str:
    """Return the text of wrapped lines; a word that was cut at the end of a line is one word again.

    Args:
        lines: of one paragraph.
        words: how often each word stands in the book, in small letters.
        cut_words: whether the text cuts words at the ends of lines as a habit, as print does.
    """
    text = ""
    for line in lines:
        line = line.strip()
        broken = _BROKEN.search(text)
        first = re.match(r"[^\W\d_]+", line)
        if broken and first and first[0][:1].islower():
            whole, hyphened = (broken[1] + first[0]).lower(), f"{broken[1]}-{first[0]}".lower()
            unknown = not words[hyphened] and not words[first[0].lower()] and "-" not in text.split()[-1][:-1]
            if words[whole] or (cut_words and not words[hyphened]) or unknown:
                text = text[:-1] + line
            else:
                text += line
        else:
            text += (" " if text else "") + line
    return text


def _emphasised(element: Element, text: str) -> None:
    """Add text to the end of an element, `_this_` as emphasis."""
    etree = lxml_etree()
    place = 0
    for match in _EMPHASIS.finditer(text):
        _add(element, text[place : match.start()])
        emphasis = etree.SubElement(element, f"{{{XHTML}}}em")
        emphasis.text = match[1]
        place = match.end()
    _add(element, text[place:])


def _add(element: Element, text: str) -> None:
    text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", "", text)
    if not text:
        return
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _is_numeral(lines: list[str]) -> bool:
    return len(lines) == 1 and _NUMERAL.fullmatch(lines[0].strip()) is not None


def _heading_level(lines: list[str], whole: str, numerals: int) -> int:
    """Return the level of a heading; 0: it is none."""
    if len(lines) > 3 or len(whole) > 120:
        return 0
    if _CHAPTER.fullmatch(whole) and not re.search(r"[a-z][.!?]$|,$", whole.split(" ", 2)[-1]):
        return 1 if re.match(r"(?:book|part|volume|teil|buch|act)\b", whole, re.IGNORECASE) else 2
    if numerals > 1 and _is_numeral(lines):
        return 2
    letters = [character for character in whole if character.isalpha()]
    if len(letters) > 3 and all(character.isupper() for character in letters) and whole[-1] not in ",;!?":
        return 3
    return 0


def _is_verse(lines: list[str], width: int) -> bool:
    """Return whether lines are verse: several, none of them full, most with a capital at the beginning."""
    if len(lines) < 2 or not width:
        return False
    short = [line for line in lines if len(line) < 0.75 * width]
    capitals = sum(line.lstrip("\"“‘' _")[:1].isupper() for line in lines)
    return len(short) == len(lines) and 2 * capitals > len(lines)
