"""The metadata of an ONNX file, read without an engine and without reading its weights.

An ONNX file is a protocol-buffer message: fields, each a tag and, for all that matters here, a length and as many
bytes. Stepping over them costs nothing and tells a truncated file before an engine spends seconds on it.
"""

import os
from pathlib import Path
from typing import BinaryIO

from glowvox.errors import EngineError

_GRAPH_FIELD, _METADATA_FIELD = 7, 14
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MAX_ENTRY = 8 << 20


class _DamagedError(Exception):
    """The file is no protocol-buffer message, or ends within a field."""


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the metadata of an ONNX file.

    Raises:
        EngineError: there is no such file, it is truncated, or it is no ONNX file.
    """
    place = Path(path)
    try:
        with place.open("rb") as stream:
            return _metadata(stream, place.stat().st_size)
    except (FileNotFoundError, NotADirectoryError):
        raise EngineError(f"{path}: there is no such file") from None
    except OSError as error:
        raise EngineError(f"{path}: cannot be read ({error.strerror or error})") from None
    except _DamagedError as error:
        raise EngineError(f"{path}: {error}; export the model again") from None


def _metadata(stream: BinaryIO, size: int) -> dict[str, str]:
    found: dict[str, str] = {}
    has_graph = False
    while stream.tell() < size:
        number, kind = _tag(stream)
        if kind != _BYTES:
            _skip(stream, kind)
            continue
        length = _varint(stream)
        if length > size - stream.tell():
            raise _DamagedError(f"truncated ({size:,} bytes), or not an ONNX file")
        has_graph |= number == _GRAPH_FIELD
        if number != _METADATA_FIELD or length > _MAX_ENTRY:
            stream.seek(length, os.SEEK_CUR)
            continue
        key, value = _entry(stream, length)
        found[key] = value
    if not has_graph:
        raise _DamagedError("not an ONNX file, or an empty one")
    return found


def _entry(stream: BinaryIO, length: int) -> tuple[str, str]:
    """Return a StringStringEntryProto: field 1 is the key, field 2 the value."""
    end = stream.tell() + length
    parts = {1: "", 2: ""}
    while stream.tell() < end:
        number, kind = _tag(stream)
        size = _varint(stream) if kind == _BYTES else 0
        if kind != _BYTES or number not in parts or size > end - stream.tell():
            raise _DamagedError("its metadata is damaged")
        try:
            parts[number] = stream.read(size).decode("utf-8")
        except UnicodeDecodeError:
            raise _DamagedError("its metadata is damaged") from None
    return parts[1], parts[2]


def _tag(stream: BinaryIO) -> tuple[int, int]:
    value = _varint(stream)
    return value >> 3, value & 7


def _skip(stream: BinaryIO, kind: int) -> None:
    if kind == _VARINT:
        _varint(stream)
    elif kind in (_FIXED_64, _FIXED_32):
        stream.seek(8 if kind == _FIXED_64 else 4, os.SEEK_CUR)
    else:
        raise _DamagedError("not an ONNX file")


def _varint(stream: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise _DamagedError("truncated, or not an ONNX file")
