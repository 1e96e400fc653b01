"""The rows of one or several manifests, streamed, and what tells whether a manifest is still the same."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from glowvox.bulk.records import Record, csv_records, jsonl_records, parquet_records
from glowvox.bulk.row import BadRow, Row, read_row
from glowvox.bulk.storage import open_source
from glowvox.errors import DataError

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
        with open_source(source) as stream:
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
        with open_source(source) as stream:
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
