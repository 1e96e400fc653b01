"""Text files as they lie about: their encoding found out, their lines, tables and JSON lines read letter for letter.

Lists of recordings, manifests and subtitles are written by many programs. UTF-8 is read, UTF-16 and UTF-32 with a mark
at their beginning, and Windows' cp1252 where nothing else fits; the reader tells which, so that nobody trains on
letters that were guessed without knowing it. A table loses no row to a quotation mark: with `|` there is no quoting,
and elsewhere a field that is opened and not closed is taken as it stands.
"""

import codecs
import csv
import itertools
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

from glowvox.errors import DataError

LONGEST_LINE = 1 << 20
"""Bytes; a longer line is named, and no more than that is held in memory."""
_LOOKED_AT = 64 << 20
"""Bytes of a file that decide its encoding."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


@dataclass(frozen=True)
class TextEncoding:
    """How a file's bytes are letters."""

    codec: str
    """As Python calls it."""
    name: str
    """As people call it: UTF-8, UTF-16, UTF-32, cp1252."""

    @property
    def is_guessed(self) -> bool:
        """Whether nothing in the file says so: any bytes are letters in it, so somebody has to look at them."""
        return self.codec == "cp1252"


UTF_8 = TextEncoding("utf-8", "UTF-8")
CP1252 = TextEncoding("cp1252", "cp1252")


@dataclass(frozen=True)
class TextLine:
    """A line without its end."""

    number: int
    """From 1."""
    text: str
    """Empty where it cannot be read."""
    problem: str = ""
    """Why it cannot be read."""


def find_encoding(stream: BinaryIO, name: str, *, is_json: bool = False) -> TextEncoding:
    """Return the encoding of a text, which is read from its beginning.

    Lines that are no UTF-8 make a file cp1252, unless at least as many lines are UTF-8 beyond ASCII: then it is UTF-8
    with broken lines.

    Args:
        stream: the bytes.
        name: of the file, for messages.
        is_json: whether it holds JSON, which is Unicode by its standard: cp1252 is never taken for it.

    Raises:
        DataError: it is UTF-16 or UTF-32 without a mark, or no text.
    """
    whole = broken = looked = 0
    while looked < _LOOKED_AT and (line := stream.readline(LONGEST_LINE)):
        if not looked:
            marked = next((entry for entry in _MARKS if line.startswith(entry[0])), None)
            if marked is not None:
                return TextEncoding(*marked[1:])
            if line[:200].count(0) > len(line[:200]) // 5:
                raise DataError(
                    f"{name}: holds zero bytes: no text, or UTF-16 without a mark at its beginning; save it as UTF-8"
                )
        looked += len(line)
        if len(line) < LONGEST_LINE and not line.isascii():
            good = _is_utf8(line)
            whole, broken = whole + good, broken + (not good)
    return CP1252 if broken > whole and not is_json else UTF_8


def text_lines(stream: BinaryIO, encoding: TextEncoding) -> Iterator[TextLine]:
    """Yield the lines of a stream at its beginning; lines end in LF or CR LF, or in CR where the file has no LF."""
    if encoding.codec in ("utf-16", "utf-32"):
        yield from _wide_lines(stream, encoding)
        return
    number = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(LONGEST_LINE)
            yield TextLine(number, "", f"the line is longer than {LONGEST_LINE >> 20} MiB")
            continue
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
            if not raw.endswith(b"\n") and b"\r" in raw:
                yield from (_decoded(part, at, encoding) for at, part in enumerate(raw.split(b"\r"), 1))
                return
        yield _decoded(raw.removesuffix(b"\n").removesuffix(b"\r"), number, encoding)


def encoding_note(name: str, encoding: TextEncoding) -> str:
    """Return the line that tells how a file is read that is not UTF-8; an empty one for UTF-8."""
    if encoding == UTF_8:
        return ""
    look = ", since it is not UTF-8; look at its letters, or save it as UTF-8" if encoding.is_guessed else ""
    return f"{name} is read as {encoding.name}{look}"


def told_text(
    path: Path, most_bytes: int, on_note: Callable[[str], None] | None = None, *, is_json: bool = False
) -> str:
    """Return the content of a text file, whose encoding is told where it is not UTF-8.

    Args:
        path: the file.
        most_bytes: how large it may be.
        on_note: told of another encoding, in a line; None: nobody is.
        is_json: see `find_encoding`.

    Raises:
        DataError: see `read_text`.
    """
    content, encoding = read_text(path, most_bytes, is_json=is_json)
    if on_note is not None and (line := encoding_note(str(path), encoding)):
        on_note(line)
    return content


def read_text(path: Path, most_bytes: int, *, is_json: bool = False) -> tuple[str, TextEncoding]:
    """Return the content of a text file, line ends as they are, and its encoding.

    Raises:
        DataError: it cannot be read, is too large, or has bytes that are no letters in its encoding.
    """
    try:
        if path.stat().st_size > most_bytes:
            raise DataError(f"{path}: more than {_size(most_bytes)}; cut it into several")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    encoding = find_encoding(BytesIO(content), str(path), is_json=is_json)
    try:
        return content.decode("utf-8-sig" if encoding == UTF_8 else encoding.codec), encoding
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not {encoding.name} text (near byte {error.start}) nor of another encoding that is known; "
            "save it as UTF-8"
        ) from error


def _size(most_bytes: int) -> str:
    return f"{most_bytes >> 20} MiB" if most_bytes >= 1 << 20 else f"{most_bytes >> 10} KiB"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decoded(raw: bytes, number: int, encoding: TextEncoding) -> TextLine:
    try:
        return TextLine(number, raw.decode(encoding.codec))
    except UnicodeDecodeError as error:
        return TextLine(number, "", f"not {encoding.name} ({error.reason} at {error.start})")


def _wide_lines(stream: BinaryIO, encoding: TextEncoding) -> Iterator[TextLine]:
    number = 0
    text = TextIOWrapper(stream, encoding.codec, errors="replace", newline="")
    try:
        while line := text.readline(LONGEST_LINE):
            number += 1
            broken = "\ufffd" in line
            whole = "" if broken else line.removesuffix("\n").removesuffix("\r")
            yield TextLine(number, whole, f"not {encoding.name}" if broken else "")
    finally:
        text.detach()


@dataclass(frozen=True)
class TableRow:
    """A row of a table."""

    line: int
    """Number of its first line."""
    fields: tuple[str, ...] = ()
    """Empty where it cannot be read."""
    problem: str = ""
    """Why it cannot be read."""
    remark: str = ""
    """What was found in a row that is read."""


DELIMITERS = (",", ";", "\t", "|")
_MOST_LINES_OF_A_ROW = 50
_CLOSING = re.compile(r'(?:[^"]|"")*')


def table_rows(lines: Iterable[TextLine], delimiter: str, columns: int | None = None) -> Iterator[TableRow]:
    """Yield the rows of a table; blank lines are none.

    With `|` every line is a row and a quotation mark a letter. With other delimiters fields may be quoted, as RFC 4180
    has it, and then hold delimiters, doubled quotation marks and ends of lines. A quotation mark that opens a field and
    is not closed, or is closed within a word, is a letter too; so it is where the lines that it would take in look like
    rows of their own.

    Args:
        lines: of the file.
        delimiter: one of `DELIMITERS`.
        columns: fields that a row should have; None: unknown.
    """
    waiting = deque[TextLine]()
    source = iter(lines)
    while True:
        line = waiting.popleft() if waiting else next(source, None)
        if line is None:
            return
        if line.problem:
            yield TableRow(line.number, problem=line.problem)
        elif line.text.strip():
            if delimiter == "|" or '"' not in line.text:
                yield TableRow(line.number, tuple(line.text.split(delimiter)))
            else:
                yield _quoted_row(line, source, waiting, delimiter, columns)


def _quoted_row(
    first: TextLine, source: Iterator[TextLine], waiting: deque[TextLine], delimiter: str, columns: int | None
) -> TableRow:
    """Return the row that begins with a line; further lines that it looks at and does not take are put in `waiting`."""
    texts, taken = [first.text], 0
    while True:
        try:
            fields = _csv_fields(texts, delimiter)
        except csv.Error as error:
            reason = str(error)
            if "unexpected end" not in reason or len(texts) >= _MOST_LINES_OF_A_ROW:
                break
        else:
            for _ in range(taken):
                waiting.popleft()
            return TableRow(first.number, tuple(fields), remark="a field with a line end" if taken else "")
        if taken == len(waiting):
            further = next(source, None)
            if further is None:
                break
            waiting.append(further)
        following = waiting[taken]
        if following.problem or _is_row(following.text, first.text, delimiter, columns):
            break
        texts.append(following.text)
        taken += 1
    fields = first.text.split(delimiter)
    if len(fields) >= 2 and (columns is None or len(fields) <= columns):
        return TableRow(first.number, tuple(fields), remark="a quotation mark without its pair, taken as a letter")
    return TableRow(first.number, problem=f"a quotation mark without its pair, and {len(fields)} fields ({reason})")


def _csv_fields(texts: list[str], delimiter: str) -> list[str]:
    reader = csv.reader([f"{text}\n" for text in texts], delimiter=delimiter, strict=True, skipinitialspace=True)
    return next(reader)


def _is_row(text: str, row: str, delimiter: str, columns: int | None) -> bool:
    """Whether what a quoted field would take in of a line looks like a row of its own, and not like prose.

    It has as many delimiters; not followed by a blank or the end of the line, as commas in prose are, unless they are
    so in the row where the field was opened; and the first field has no blank, unless that row's has.
    """
    inside = _CLOSING.match(text)
    fields, known = ("" if inside is None else inside[0]).split(delimiter), row.split(delimiter)
    if len(fields) == 2 and not fields[1].strip():
        return False
    spaced = any(field.startswith(" ") for field in known[1:])
    tight = sum(spaced or not field.startswith(" ") for field in fields[1:])
    least = max(1, (columns or 2) - 1)
    if not fields[-1] and len(fields) > least + 1:
        tight -= 1
    return tight >= least and (" " not in fields[0].strip() or " " in known[0].strip())


def split_header(line: str, delimiter: str) -> list[str]:
    """Return the fields of a line that may hold the names of columns, without blanks around them."""
    try:
        fields = line.split("|") if delimiter == "|" else _csv_fields([line.strip(" ")], delimiter)
    except (csv.Error, StopIteration):
        fields = line.split(delimiter)
    return [field.strip() for field in fields]


def json_rows(lines: Iterable[TextLine]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield the number and the object of each line that is not blank, or why it has none."""
    for line in lines:
        if line.problem:
            hint = "; JSON is UTF-8" if line.problem.startswith("not UTF-8") else ""
            yield line.number, line.problem + hint
        elif line.text.strip():
            yield line.number, _json_object(line.text)


def _json_object(text: str) -> dict[str, Any] | str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"the line is no JSON object ({str(error)[:80]})"
    return found if isinstance(found, dict) else f"the line is no JSON object but a {type(found).__name__}"


def first_lines(lines: Iterable[TextLine], count: int) -> list[TextLine]:
    """Return the first lines that are not blank and can be read."""
    return list(itertools.islice((line for line in lines if line.text.strip()), count))
