"""The rows of one or several manifests, streamed, and what tells whether a manifest is still the same."""

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from glowvox.bulk.row import BadRow, Row, read_row
from glowvox.errors import DataError, MissingExtraError, one_line
from glowvox.storage.object_storage import open_file

Record = dict[str, Any] | str
"""Values by column; or, where they cannot be read, the reason."""

_LONGEST_LINE = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_SMALL_BATCH = 1024


def jsonl_records(stream: BinaryIO) -> Iterator[Record]:
    """Yield the records of a file with one JSON object a line; blank lines are none."""
    for line in _lines(stream):
        if line is None:
            yield f"the line is longer than {_LONGEST_LINE >> 20} MiB"
            continue
        if not line.strip():
            continue
        try:
            found = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            yield "the line is not UTF-8"
        except (ValueError, RecursionError) as error:
            yield f"the line is no JSON object ({str(error)[:80]})"
        else:
            yield found if isinstance(found, dict) else f"the line is no JSON object but a {type(found).__name__}"


def csv_records(stream: BinaryIO, name: str, id_column: str, text_column: str) -> Iterator[Record]:
    """Yield the records of a CSV file: with a line of column names, or lines ID|TEXT without one.

    Lines `ID|TEXT|TEXT` have the text twice, the second time with its numbers spelled out; the first is taken.

    Args:
        stream: the file, UTF-8.
        name: of the file, for messages.
        id_column: name of the column of ids.
        text_column: name of the column of texts; a first line that holds it is one of column names.

    Raises:
        DataError: neither kind.
    """
    with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        yield from _csv_records(text, name, id_column, text_column)


def _csv_records(text: io.TextIOWrapper, name: str, id_column: str, text_column: str) -> Iterator[Record]:
    first = text.readline(_LONGEST_LINE)
    if not first.strip():
        raise DataError(f"{name}: the first line is empty; expected column names, or ID|TEXT")
    columns, delimiter = _header(first, text_column)
    if columns:
        yield from _with_header(text, columns, delimiter)
        return
    if "|" not in first:
        raise DataError(
            f"{name}: the first line has neither a column '{text_column}' nor the form ID|TEXT: '{first.strip()[:60]}'"
        )
    # Such files know no quotes: a quotation mark is a part of the text.
    for line in _chain(first, text):
        if line.strip():
            fields = line.rstrip("\r\n").split("|")
            if 2 <= len(fields) <= 3:
                yield {id_column: fields[0].strip(), text_column: fields[1]}
            else:
                yield f"expected ID|TEXT, got '{line.strip()[:60]}'"


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


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yield the lines of a stream; None for one that is too long, of which no more than that is ever in memory."""
    first = True
    while line := stream.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(_LONGEST_LINE)
            yield None
        else:
            yield line.removeprefix(b"\xef\xbb\xbf") if first else line
        first = False


def _header(line: str, text_column: str) -> tuple[list[str], str]:
    for delimiter in _DELIMITERS:
        [names] = csv.reader([line.strip("\r\n")], delimiter=delimiter)
        names = [name.strip() for name in names]
        if text_column in names:
            return names, delimiter
    return [], ""


def _with_header(text: io.TextIOWrapper, columns: list[str], delimiter: str) -> Iterator[Record]:
    reader = csv.reader(_bounded(text), delimiter=delimiter)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield f"the line is not valid CSV ({error})"
            continue
        if len(fields) == len(columns):
            yield dict(zip(columns, fields, strict=True))
        elif fields:
            yield f"the line has {len(fields)} fields, the column names are {len(columns)}"


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE):
        yield line


def _chain(first: str, text: io.TextIOWrapper) -> Iterator[str]:
    yield first
    yield from _bounded(text)


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


def manifest_rows(sources: Sequence[str], columns: ManifestColumns) -> Iterator[Row | BadRow]:
    """Yield the rows of manifests, numbered through.

    Args:
        sources: paths or fsspec addresses.
        columns: the columns' names.

    Raises:
        DataError: a manifest is missing, damaged, or of no known format.
    """
    number = 0
    for source in sources:
        with open_file(source) as stream:
            for record in _records(source, stream, columns):
                if isinstance(record, str):
                    yield BadRow(number, "", record)
                else:
                    yield read_row(record, number, columns.id, columns.text)
                number += 1


def identify(source: str) -> ManifestFile:
    """Return name, size and hash of a manifest.

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
    return ManifestFile(source.rstrip("/").rsplit("/", 1)[-1], size, hashed.hexdigest())


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


def _records(source: str, stream: BinaryIO, columns: ManifestColumns) -> Iterator[Record]:
    kind = _format(source)
    opened: BinaryIO = stream
    if source.lower().endswith(".gz"):
        opened = io.BufferedReader(gzip.GzipFile(fileobj=stream))
    try:
        if kind == "jsonl":
            yield from jsonl_records(opened)
        elif kind == "csv":
            yield from csv_records(opened, source, columns.id, columns.text)
        else:
            yield from parquet_records(opened, source, columns.text)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{source}: damaged or cut off ({error})") from error
