"""Texts from files and streams, in pieces, and batches of them."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from glowvox.errors import DataError, TextError

_BLOCK = 1 << 16
_MAX_BATCH_BYTES = 256 << 20
_LONGEST_ID = 200


def text_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 stream as they come.

    Raises:
        TextError: it is not UTF-8.
    """
    return _decoded(stream, name, lines=True)


def text_pieces(path: Path) -> Iterator[str]:
    """Yield the text of a UTF-8 file.

    Raises:
        TextError: it cannot be read, or is not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            yield from _decoded(stream, str(path), lines=False)
    except OSError as error:
        raise TextError(f"cannot read {path}: {error.strerror}") from error


def _decoded(stream: BinaryIO, name: str, *, lines: bool) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    read = 0
    while True:
        block = stream.readline(_BLOCK) if lines else stream.read(_BLOCK)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise TextError(f"{name} is not UTF-8 text (near byte {read + error.start}); save it as UTF-8") from error
        if not block:
            return
        read += len(block)
        yield text


def batch_rows(path: Path) -> list[tuple[str, str]]:
    """Return the rows `ID|TEXT` of a batch file; empty lines are left out.

    Raises:
        DataError: it cannot be read, or a line is none; the message names it.
    """
    try:
        if path.stat().st_size > _MAX_BATCH_BYTES:
            raise DataError(f"{path}: more than {_MAX_BATCH_BYTES >> 20} MiB; cut it into several")
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (near byte {error.start}); save it as UTF-8") from error
    rows: dict[str, str] = {}
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
        if name in rows:
            raise DataError(f"{where}: the id '{name}' stands twice")
        rows[name] = text
    if not rows:
        raise DataError(f"{path}: holds no line ID|TEXT")
    return list(rows.items())
