"""Texts from files and streams, in pieces, and batches of them."""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from glowvox.errors import DataError, TextError
from glowvox.storage.text_files import UTF_8, TextEncoding, encoding_note, find_encoding, told_text

_BLOCK = 1 << 16
_MAX_BATCH_BYTES = 256 << 20
_LONGEST_ID = 200


def text_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 stream as they come.

    Raises:
        TextError: it is not UTF-8.
    """
    return _decoded(stream, name, lines=True)


def text_pieces(path: Path, on_note: Callable[[str], None] | None = None) -> Iterator[str]:
    """Yield the text of a file, in UTF-8, UTF-16 with a mark, or cp1252 where nothing else fits.

    Args:
        path: the file; a pipe is read as it comes, in UTF-8.
        on_note: told of an encoding that is not UTF-8, in a line.

    Raises:
        TextError: it cannot be read, or is no text.
    """
    encoding = UTF_8
    try:
        with path.open("rb") as stream:
            if stream.seekable():
                try:
                    encoding = find_encoding(stream, str(path))
                except DataError as error:
                    raise TextError(str(error)) from error
                stream.seek(0)
            if on_note is not None and (line := encoding_note(str(path), encoding)):
                on_note(line)
            yield from _decoded(stream, str(path), encoding, lines=False)
    except OSError as error:
        raise TextError(f"cannot read {path}: {error.strerror}") from error


def _decoded(stream: BinaryIO, name: str, encoding: TextEncoding = UTF_8, *, lines: bool) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == UTF_8 else encoding.codec)()
    read = 0
    while True:
        block = stream.readline(_BLOCK) if lines else stream.read(_BLOCK)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise TextError(
                f"{name} is not {encoding.name} text (near byte {read + error.start}); save it as UTF-8"
            ) from error
        if not block:
            return
        read += len(block)
        yield text


@dataclass(frozen=True)
class BatchRow:
    """A line of a batch file."""

    id: str
    text: str
    line: int
    """Its number, from 1 on."""


def batch_rows(path: Path, on_note: Callable[[str], None] | None = None) -> list[BatchRow]:
    """Return the rows `ID|TEXT` of a batch file; empty lines and a first line of column names are left out.

    Args:
        path: the file, in UTF-8, UTF-16 with a mark, or cp1252 where nothing else fits.
        on_note: told of an encoding that is not UTF-8, and of column names, in a line each.

    Raises:
        DataError: it cannot be read, or a line is none; the message names it.
    """
    content = told_text(path, _MAX_BATCH_BYTES, on_note)
    rows: dict[str, BatchRow] = {}
    header = False
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        name, sign, text = line.rstrip("\r").partition("|")
        name = name.strip()
        where = f"{path}, line {number}"
        if not sign or not text.strip() or "|" in text:
            raise DataError(f"{where}: expected ID|TEXT, got '{line[:60]}'")
        if (
            not name
            or name[0] == "."
            or len(name) > _LONGEST_ID
            or not name.isprintable()
            or set(name) & set('/\\:*?"<>')
        ):
            raise DataError(f"{where}: '{name[:60]}' cannot be the name of a file")
        if not rows and not header and (name.lower(), text.strip().lower()) == ("id", "text"):
            header = True
            if on_note is not None:
                on_note(f"{where}: '{line.strip()}' names the columns and is not spoken")
            continue
        if name in rows:
            raise DataError(f"{where}: the id '{name}' stands twice")
        rows[name] = BatchRow(name, text, number)
    if not rows:
        raise DataError(f"{path}: holds no line ID|TEXT")
    return list(rows.values())
