"""PDF with a text layer as a book: lines by their places, without running heads and page numbers (pypdf)."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from glowvox.book.source import BookSource, Page, TocEntry
from glowvox.book.text_reader import joined_lines
from glowvox.book.trees import XHTML, lxml_etree, new_page
from glowvox.errors import DataError, MissingExtraError, one_line

_MOST_BYTES = 512 << 20
_MOST_PAGES = 20_000
_MOST_CHARACTERS = 20_000_000
_ENDS = re.compile(r"[.!?:;…][\"”’»)\]]*$")
_BULLET = re.compile(r"(?:[•▪◦‣·–—]|\d{1,3}[.)]|\([a-z\d]{1,3}\))\s")


@dataclass
class _Line:
    text: str
    left: float
    y: float
    """From the bottom of the page."""
    size: float
    """Of its letters."""


def read_pdf(path: Path) -> BookSource:
    """Read a PDF.

    Raises:
        DataError: it is encrypted, damaged, or holds no text.
        MissingExtraError: pypdf is not installed.
    """
    try:
        import pypdf
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise MissingExtraError("pypdf", "book", "reading PDF") from error
    import logging

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path}: larger than {_MOST_BYTES >> 20} MiB, hardly a book")
        with path.open("rb") as stream:
            reader = pypdf.PdfReader(stream)
            if reader.is_encrypted and not reader.decrypt(""):
                raise DataError(f"{path}: the PDF is encrypted with a password; save it without one first")
            count = len(reader.pages)
            if count > _MOST_PAGES:
                raise DataError(f"{path}: has {count} pages, more than the {_MOST_PAGES} that a book may have")
            sheets, pictures = [], 0
            characters = 0
            for page in reader.pages:
                lines = _lines(page)
                characters += sum(len(line.text) for line in lines)
                if characters > _MOST_CHARACTERS:
                    raise DataError(f"{path}: holds more than {_MOST_CHARACTERS} characters: not a book")
                pictures += "/XObject" in (page.get("/Resources") or {})
                sheets.append(lines)
            outline = _outline(reader)
            metadata = reader.metadata
            title = str((metadata and metadata.title) or "").strip()
            author = str((metadata and metadata.author) or "").strip()
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        RecursionError,
        NotImplementedError,
        AssertionError,
        OverflowError,
        ArithmeticError,
    ) as error:
        raise DataError(f"{path}: the PDF is damaged ({one_line(error, limit=120)})") from error
    left_out = _drop_running(sheets) if any(sheets) else {}
    if not any(sheets):
        what = "pictures of pages" if pictures else "page numbers" if left_out else "no text"
        raise DataError(f"{path}: holds {what} only: it needs a text layer; run text recognition (OCR) over it first")
    root, toc = _page(sheets, outline, title or path.stem)
    source = BookSource(
        path, title or path.stem.replace("_", " "), [Page("text.xhtml", root)], toc=toc, left_out=left_out
    )
    source.authors = (author,) if author else ()
    source.pictures = pictures
    return source


def _lines(page: Any) -> list[_Line]:
    """Return the lines of a sheet from top to bottom."""
    runs: list[tuple[float, float, float, str]] = []

    def visit(text: str, matrix: Any, place: Any, _font: Any, size: Any) -> None:
        if text and text.strip("\n"):
            x = place[4] * matrix[0] + place[5] * matrix[2] + matrix[4]
            y = place[4] * matrix[1] + place[5] * matrix[3] + matrix[5]
            scale = abs(place[3] * matrix[3]) or abs(place[0]) or 1.0
            runs.append((float(y), float(x), float(size or 0) * scale, text))

    page.extract_text(visitor_text=visit)
    lines: list[_Line] = []
    for y, x, size, text in runs:
        text = text.replace("\n", " ")
        near = lines[-1] if lines else None
        if near is not None and abs(near.y - y) <= max(2.0, 0.35 * max(size, near.size)):
            # Letters that are raised or smaller belong to their line.
            near.text += text
            near.size = max(near.size, size)
        elif text.strip():
            lines.append(_Line(text, x, y, size))
    for line in lines:
        line.text = " ".join(line.text.split())
    return [line for line in lines if line.text]


def _outline(reader: Any) -> list[tuple[str, int]]:
    """Return title and page number of the entries of the outline, flat."""
    found: list[tuple[str, int]] = []

    def walk(entries: Any, depth: int) -> None:
        for entry in entries:
            if isinstance(entry, list):
                if depth < 16:
                    walk(entry, depth + 1)
                continue
            number = reader.get_destination_page_number(entry)
            title = " ".join(str(entry.title or "").split())
            if title and number is not None and number >= 0:
                found.append((title, number))

    try:
        walk(reader.outline, 0)
    except Exception:  # an outline that is damaged is none; the headings tell the chapters then
        return []
    return found


def _drop_running(sheets: list[list[_Line]]) -> dict[str, int]:
    """Leave out page numbers, and the heads and feet that come back on other pages, whatever number is in them.

    Returns:
        How many of each.
    """
    letters: Counter[float] = Counter()
    for line in (line for lines in sheets for line in lines):
        letters[round(line.size, 1)] += len(line.text)
    usual = letters.most_common(1)[0][0]
    left_out: Counter[str] = Counter()

    def plain(line: _Line) -> str:
        return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.lower()).strip()

    seen: Counter[tuple[bool, str]] = Counter()
    for lines in sheets:
        seen.update({(True, plain(line)) for line in lines[:2]} | {(False, plain(line)) for line in lines[-2:]})
    least = max(3, len(sheets) // 40)
    for lines in sheets:
        for top in (True, False):
            for _ in range(2):
                if not lines:
                    break
                line = lines[0] if top else lines[-1]
                shown = plain(line)
                number = re.fullmatch(r"[-–—\s|]*(?:page\s*)?#[-–—\s|]*(?:of\s*#)?", shown) is not None
                if number and line.size > 1.3 * usual:
                    break  # set large, it is the heading of a chapter
                if number or (seen[(top, shown)] >= least and len(line.text) < 90):
                    lines.pop(0 if top else -1)
                    left_out["page numbers" if number else "running heads and feet"] += 1
                else:
                    break
    return dict(left_out)


def _page(sheets: list[list[_Line]], outline: list[tuple[str, int]], title: str) -> tuple[Any, list[TocEntry]]:
    """Put lines together to paragraphs and headings."""
    etree = lxml_etree()
    root = new_page(title)
    body = root.find("{*}body")
    every = [line for lines in sheets for line in lines]
    words = Counter(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", "\n".join(line.text for line in every).lower()))
    sizes: Counter[float] = Counter()
    for line in every:
        sizes[round(line.size, 1)] += len(line.text)
    usual = sizes.most_common(1)[0][0]
    larger = sorted({round(line.size, 1) for line in every if line.size > 1.15 * usual}, reverse=True)[:4]
    gaps = sorted(
        round(first.y - second.y, 1) for lines in sheets for first, second in pairwise(lines) if first.y > second.y
    )
    leading = gaps[len(gaps) // 2] if gaps else 12.0
    starts: dict[int, list[str]] = {}
    for number, (_, sheet) in enumerate(outline):
        starts.setdefault(sheet, []).append(f"outline-{number}")
    toc = [TocEntry(name, "text.xhtml", f"outline-{number}") for number, (name, _) in enumerate(outline)]
    titles = {f"outline-{number}": name for number, (name, _) in enumerate(outline)}
    pending: list[str] = []

    def end() -> None:
        if pending:
            etree.SubElement(body, f"{{{XHTML}}}p").text = _xml(joined_lines(pending, words, cut_words=True))
            pending.clear()

    for number, lines in enumerate(sheets):
        waiting = starts.get(number, [])
        lefts = Counter(round(line.left) for line in lines)
        margin = lefts.most_common(1)[0][0] if lefts else 0
        for place, line in enumerate(lines):
            reached = [one for one in waiting if _same(titles[one], line.text)] or (
                waiting
                if place == 0 and not any(_same(titles[one], other.text) for one in waiting for other in lines)
                else []
            )
            heading = round(line.size, 1) in larger and len(line.text) < 150
            previous = lines[place - 1] if place else None
            if reached:
                end()
                waiting = [one for one in waiting if one not in reached]
                for one in reached:
                    etree.SubElement(body, f"{{{XHTML}}}a", {"id": one})
            if heading or (reached and _same(titles[reached[0]], line.text)):
                last = body[-1] if len(body) else None
                level = larger.index(round(line.size, 1)) + 1 if heading else 2
                if (
                    not pending
                    and last is not None
                    and last.tag.endswith(f"h{level}")
                    and previous is not None
                    and not reached
                    and previous.y - line.y < 2.2 * line.size
                ):
                    last.text = _xml(f"{last.text} {line.text}")
                    continue
                end()
                etree.SubElement(body, f"{{{XHTML}}}h{level}").text = _xml(line.text)
                continue
            indented = margin + 4 < line.left < margin + 60
            spread = previous is not None and previous.y - line.y > 1.35 * leading
            ended = bool(pending) and _ENDS.search(pending[-1]) is not None
            if pending and ((indented and ended) or (spread and (ended or place)) or _BULLET.match(line.text)):
                end()
            pending.append(line.text)
        if pending and _ENDS.search(pending[-1]) and len(pending[-1]) < 40:
            end()
    end()
    return root, toc


def _same(title: str, line: str) -> bool:
    first, second = (re.sub(r"\W+", "", one).lower() for one in (title, line))
    return bool(second) and (
        first == second or (len(second) > 3 and (first.startswith(second) or second.startswith(first)))
    )


def _xml(text: str) -> str:
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", "", text)
