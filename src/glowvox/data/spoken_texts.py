"""Files of texts to be spoken: a text per line, tables of `id|text`, and JSON lines."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glowvox.data.corpora import Finding, clean_text, left_out, warning
from glowvox.data.transcript_lists import ListedClip, is_normalised, list_with_names
from glowvox.errors import DataError
from glowvox.storage.text_files import (
    TableRow,
    TextEncoding,
    encoding_note,
    find_encoding,
    json_rows,
    table_rows,
    text_lines,
)

_SAFE = re.compile(r"[\w-][\w.-]{0,99}")
LONGEST_NAME = 240
"""Bytes of a file's name without suffix; file systems take 255 with it."""
_JSON, _TABLES = (".jsonl", ".ndjson"), (".csv", ".tsv", ".psv")
_LIKE_A_ROW = re.compile(r"\s*[^\s|]+\s*(\||\t)")


@dataclass(frozen=True)
class Text:
    """One text of a file."""

    id: str
    text: str


def is_file_name(name: str) -> bool:
    """Whether a name can be that of a clip or a speaker, and so of a file or a folder on every system."""
    return bool(_SAFE.fullmatch(name)) and len(name.encode()) <= LONGEST_NAME


def read_texts(path: Path, longest: int) -> tuple[list[Text], list[Finding]]:
    """Read a file of texts: `.jsonl` with `text` and perhaps `id`, a table with `id|text`, others a text per line.

    A table (`.csv`, `.tsv`, `.psv`) has column names, or rows `id|text` (in `.tsv` with a tab), or LJ Speech's
    `id|text|normalised text`, of which the last is spoken. A text without an id gets one from its own hash, so that
    lines can be added or moved.

    Args:
        path: the file, in UTF-8, UTF-16 with a mark, or cp1252 where nothing else fits (JSON is never that).
        longest: characters of a text.

    Returns:
        The texts in the order of the file, and what was found in it: another encoding; and empty, repeated, too long or
        malformed lines, which are left out.

    Raises:
        DataError: no such file, no text, or not one text in it.
    """
    texts: dict[str, Text] = {}
    spoken: dict[str, str] = {}
    findings: list[Finding] = []
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DataError(f"{path}: a pipe or a device cannot be read twice; write the texts into a file")
    try:
        with path.open("rb") as stream:
            encoding = find_encoding(stream, str(path), is_json=path.suffix.lower() in _JSON)
        if told := encoding_note("", encoding):
            findings.append(warning("encoding", path.name, told.removeprefix(" is ")))
        rows = list(_rows(path, encoding))
    except OSError as error:
        raise DataError(f"{path}: the texts cannot be read ({error.strerror})") from error
    for row in rows:
        where = f"{path.name}, line {row.line}"
        text, identifier = clean_text(row.text or ""), row.audio.strip()
        identifier = identifier or hashlib.sha256(text.encode()).hexdigest()[:12]
        if row.problem:
            findings.append(left_out("malformed line", where, row.problem))
        elif not any(character.isalnum() for character in text):
            findings.append(left_out("nothing to say", where, "no letter and no digit"))
        elif len(text) > longest:
            findings.append(left_out("too long", where, f"{len(text)} characters, at most {longest} are spoken"))
        elif text in spoken:
            findings.append(left_out("duplicate text", where, f"the same as '{spoken[text]}'"))
        elif identifier in texts:
            findings.append(left_out("duplicate id", where, f"the id '{identifier}' occurs before with another text"))
        elif not is_file_name(identifier):
            reason = (
                f"the id '{identifier[:60]}' cannot be a file's name: letters, digits, - _ . and at most 100 of them"
            )
            findings.append(left_out("malformed line", where, f"{reason} or {LONGEST_NAME} bytes"))
        else:
            texts[identifier], spoken[text] = Text(identifier, text), identifier
    if not texts:
        raise DataError(f"{path}: holds no text to speak" + (f"; {findings[-1].reason}" if findings else ""))
    return list(texts.values()), findings


def _rows(path: Path, encoding: TextEncoding) -> Iterator[ListedClip]:
    suffix = path.suffix.lower()
    if suffix in _JSON:
        yield from _json(path, encoding)
    elif suffix in _TABLES:
        named = list_with_names(path, encoding)
        yield from _table(path, encoding) if named is None else named.rows()
    else:
        yield from _lines(path, encoding)


def _json(path: Path, encoding: TextEncoding) -> Iterator[ListedClip]:
    with path.open("rb") as stream:
        for number, row in json_rows(text_lines(stream, encoding)):
            if isinstance(row, str):
                yield ListedClip(number, problem=row)
            elif not isinstance(row.get("text"), str):
                yield ListedClip(number, problem="no 'text' in it")
            elif not isinstance(row.get("id", ""), str):
                yield ListedClip(number, problem="its 'id' is not a text")
            else:
                yield ListedClip(number, row.get("id", ""), row["text"])


def _table(path: Path, encoding: TextEncoding) -> Iterator[ListedClip]:
    """Yield the rows of a table without column names."""
    sign = "\t" if path.suffix.lower() == ".tsv" else "|"
    with path.open("rb") as stream:
        rows = list(table_rows(text_lines(stream, encoding), sign, 2))
    has_normalised = is_normalised([row.fields for row in rows if not row.problem])
    for row in rows:
        yield _row(row, sign, has_normalised=has_normalised)


def _row(row: TableRow, sign: str, *, has_normalised: bool) -> ListedClip:
    fields, shown = row.fields, "a tab" if sign == "\t" else f"'{sign}'"
    if row.problem:
        return ListedClip(row.line, problem=row.problem)
    if len(fields) == 1:
        return ListedClip(row.line, problem=f"no {shown} between id and text")
    if len(fields) > 2 and not (has_normalised and len(fields) == 3):
        # Whether it belongs to the text or parts a further column, nobody can tell from the row.
        return ListedClip(
            row.line, problem=f"{len(fields)} fields where there are two, id and text: {shown} in the text"
        )
    if not fields[0].strip():
        return ListedClip(row.line, problem=f"no id before {shown}")
    return ListedClip(row.line, fields[0], fields[2] if len(fields) == 3 and fields[2].strip() else fields[1])


def _lines(path: Path, encoding: TextEncoding) -> Iterator[ListedClip]:
    with path.open("rb") as stream:
        lines = [line for line in text_lines(stream, encoding) if line.problem or line.text.strip()]
    rows = sum(bool(_LIKE_A_ROW.match(line.text)) for line in lines)
    if lines and 2 * rows > len(lines):
        raise DataError(
            f"{path}: its lines look like those of a table ('{lines[0].text.strip()[:40]}'), and each is spoken whole; "
            "call it .csv (id|text) or .tsv (id, tab, text)"
        )
    for line in lines:
        yield ListedClip(line.number, "", line.text, problem=line.problem)
