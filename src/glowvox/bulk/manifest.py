"""The rows of one or several manifests, streamed, and what tells whether a manifest is still the same."""

import contextlib
import gzip
import hashlib
import io
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from glowvox.bulk.row import BadRow, Row, read_row
from glowvox.errors import DataError, MissingExtraError, one_line
from glowvox.storage.object_storage import open_file
from glowvox.storage.text_files import (
    DELIMITERS,
    TextEncoding,
    TextLine,
    encoding_note,
    find_encoding,
    json_rows,
    split_header,
    table_rows,
    text_lines,
)

Record = dict[str, Any] | str
"""Values by column; or, where they cannot be read, the reason."""

_SMALL_BATCH = 1024
_READ = ("seed", "speaker", "language", "speed")
"""Columns that are read beside the id and the text."""


def jsonl_records(lines: Iterable[TextLine]) -> Iterator[Record]:
    """Yield the records of a file with one JSON object a line; blank lines are none."""
    return (found for _, found in json_rows(lines))


def csv_records(
    lines: Iterator[TextLine],
    name: str,
    columns: "ManifestColumns",
    on_remark: Callable[[int, str], None] | None = None,
) -> Iterator[Record]:
    """Yield the records of a CSV file: with a line of column names, or lines ID|TEXT without one.

    Lines `ID|TEXT|TEXT` have the text twice, the second time with its numbers spelled out; the first is taken. How
    quotation marks are read is told in `table_rows`.

    Args:
        lines: of the file.
        name: of the file, for messages.
        columns: names of the columns; a first line that holds that of the texts is one of column names.
        on_remark: told the number of a line and what was found in it, though it was read.

    Raises:
        DataError: neither kind.
    """
    first = next(lines, TextLine(1, ""))
    if first.problem:
        raise DataError(f"{name}: its first line cannot be read: {first.problem}")
    if not first.text.strip():
        raise DataError(f"{name}: the first line is empty; expected column names, or ID|TEXT")
    names, delimiter = _header(first.text, columns.text)
    if not names and "|" not in first.text:
        raise DataError(
            f"{name}: the first line has neither a column '{columns.text}' nor the form ID|TEXT: "
            f"'{first.text.strip()[:60]}'"
        )
    twice = [one for one in dict.fromkeys(names) if names.count(one) > 1 and one in (columns.id, columns.text, *_READ)]
    if twice:
        raise DataError(f"{name}: two columns are called '{twice[0]}'; rename the one that is not meant")
    rows = table_rows(lines, delimiter, len(names)) if names else table_rows(itertools.chain([first], lines), "|")
    for row in rows:
        if row.problem:
            yield row.problem
        elif names and len(row.fields) == len(names):
            yield dict(zip(names, row.fields, strict=True))
        elif names:
            yield f"the line has {len(row.fields)} fields, the column names are {len(names)}"
        elif 2 <= len(row.fields) <= 3:
            yield {columns.id: row.fields[0].strip(), columns.text: row.fields[1]}
        else:
            yield f"expected ID|TEXT, got '{'|'.join(row.fields).strip()[:60]}'"
        if row.remark and on_remark is not None:
            on_remark(row.line, row.remark)


def parquet_records(stream: BinaryIO, name: str, text_column: str) -> Iterator[Record]:
    """Yield the records of a Parquet file, read in batches.

    Raises:
        MissingExtraError: pyarrow is not installed.
        DataError: the file is damaged, or has no column of texts.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyarrow", "cluster", "a Parquet manifest") from error
    try:
        opened = pyarrow.parquet.ParquetFile(stream)
        if text_column not in opened.schema_arrow.names:
            listed = ", ".join(opened.schema_arrow.names[:20])
            raise DataError(f"{name}: has no column '{text_column}'; it has {listed}; name it with --text-column")
        for batch in opened.iter_batches(batch_size=_SMALL_BATCH):
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{name}: cannot be read as Parquet ({one_line(error, limit=200)})") from error


def _header(line: str, text_column: str) -> tuple[list[str], str]:
    for delimiter in DELIMITERS:
        names = split_header(line, delimiter)
        if text_column in names:
            return names, delimiter
    return [], ""


_BLOCK = 1 << 20
FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet"}
"""What a file's name says about its format; `.gz` may follow, except after Parquet, which is compressed inside."""


@dataclass(frozen=True)
class ManifestColumns:
    """Names of the columns that are read; `seed`, `speaker`, `language` and `speed` are read too, where there are."""

    id: str = "id"
    text: str = "text"


@dataclass(frozen=True)
class ManifestFile:
    """What a manifest was when the run was planned."""

    name: str
    bytes: int
    sha256: str
    encoding: str = ""
    """Of its letters; empty: it is no text, or was not asked."""


def manifest_rows(
    sources: Sequence[str], columns: ManifestColumns, on_note: Callable[[str], None] | None = None
) -> Iterator[Row | BadRow]:
    """Yield the rows of manifests, numbered through.

    Args:
        sources: paths or fsspec addresses.
        columns: the columns' names.
        on_note: told in a line where an encoding was guessed, or rows were read that need a look.

    Raises:
        DataError: a manifest is missing, damaged, or of no known format.
    """
    number = 0
    for source in sources:
        for record in _records(source, columns, on_note or _unheard):
            if isinstance(record, str):
                yield BadRow(number, "", record)
            else:
                yield read_row(record, number, columns.id, columns.text)
            number += 1


def _unheard(line: str) -> None:
    """Tell nobody."""


def identify(source: str) -> ManifestFile:
    """Return name, size, hash and encoding of a manifest.

    Raises:
        DataError: it cannot be read.
    """
    hashed, size = hashlib.sha256(), 0
    try:
        with open_file(source) as stream:
            while block := stream.read(_BLOCK):
                hashed.update(block)
                size += len(block)
    except OSError as error:
        raise DataError(f"cannot read {source}: {error.strerror or error}") from error
    encoding = manifest_encoding(source)
    name = source.rstrip("/").rsplit("/", 1)[-1]
    return ManifestFile(name, size, hashed.hexdigest(), "" if encoding is None else encoding.name)


def check_formats(sources: Sequence[str]) -> None:
    """Refuse manifests of no known format before anything is done.

    Raises:
        DataError: a name that does not say the format.
    """
    for source in sources:
        _format(source)


def _format(source: str) -> str:
    name = source.lower().removesuffix(".gz")
    for suffix, kind in FORMATS.items():
        if name.endswith(suffix) and not (kind == "parquet" and source.lower().endswith(".gz")):
            return kind
    raise DataError(f"{source}: the name does not say the format; a manifest ends in {', '.join(FORMATS)} (or .gz)")


@contextlib.contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    """Open a manifest from its beginning, decompressed."""
    with open_file(source) as stream:
        yield io.BufferedReader(gzip.GzipFile(fileobj=stream)) if source.lower().endswith(".gz") else stream


def manifest_encoding(source: str) -> TextEncoding | None:
    """Return the encoding of a manifest; None for one that is no text.

    Raises:
        DataError: it cannot be read, or is no text.
    """
    kind = _format(source)
    if kind == "parquet":
        return None
    try:
        with _opened(source) as stream:
            return find_encoding(stream, source, is_json=kind == "jsonl")
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(source, error) from error


def _records(source: str, columns: ManifestColumns, on_note: Callable[[str], None]) -> Iterator[Record]:
    kind, encoding = _format(source), manifest_encoding(source)
    if encoding is not None and (line := encoding_note(source, encoding)):
        on_note(line)
    remarks = _Remarks()
    try:
        with _opened(source) as stream:
            if encoding is None:
                yield from parquet_records(stream, source, columns.text)
            elif kind == "jsonl":
                yield from jsonl_records(text_lines(stream, encoding))
            else:
                yield from csv_records(text_lines(stream, encoding), source, columns, remarks.add)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(source, error) from error
    for note in remarks.notes():
        on_note(f"{source}, {note}")


class _Remarks:
    """Counts what was found in rows that are read: a line for each kind, however many rows there are."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, int]] = {}

    def add(self, line: int, remark: str) -> None:
        """Count a remark on a line."""
        first, count = self._found.get(remark, (line, 0))
        self._found[remark] = (first, count + 1)

    def notes(self) -> list[str]:
        """Return a line for each kind."""
        return [
            f"line {first}{f' and {count - 1} more' if count > 1 else ''}: {remark}"
            for remark, (first, count) in self._found.items()
        ]


def _damaged(source: str, error: Exception) -> DataError:
    return DataError(f"{source}: damaged or cut off ({error})")
