"""The container of torch.save since 1.6: an uncompressed zip with one pickle and one entry per storage."""

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from glowvox.checkpoint.inert import printable
from glowvox.checkpoint.lazy_tensor import StorageFile
from glowvox.checkpoint.pickle_machine import PickleMachine
from glowvox.checkpoint.storage_id import storage_from_id
from glowvox.errors import CheckpointError

MAX_PICKLE_BYTES = 64 << 20
"""The longest pickle that is read: the description of a checkpoint, without its numbers, takes a few megabytes."""
_MAX_DIRECTORY_BYTES = 8 << 20
_KEY = re.compile(r"[0-9A-Za-z_]{1,40}")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_END = struct.Struct("<4sHHHHIIH")
_END_64_LOCATOR = struct.Struct("<4sIQI")


@final
class ZipStorages(StorageFile):
    """The storages of a zip checkpoint; every entry's place and size is checked when the file is opened."""

    def __init__(self, path: Path) -> None:
        """Open the file and check its directory.

        Raises:
            CheckpointError: not a torch zip, damaged, or made to exhaust memory.
        """
        self._bytes = np.memmap(path, np.uint8, "r")
        super().__init__(len(self._bytes))
        _refuse_large_directory(self._bytes)
        self._verified: set[str] = set()
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, struct.error) as error:
            raise CheckpointError(f"its zip directory is damaged or truncated ({printable(error)})") from None
        self._entries = _checked_entries(entries, len(self._bytes))
        roots = {name.split("/", 1)[0] for name in self._entries}
        if len(roots) != 1:
            raise CheckpointError("it is a zip, but not one that torch.save wrote; give the checkpoint inside of it")
        self._root = roots.pop()
        if f"{self._root}/data.pkl" not in self._entries:
            raise CheckpointError("it is a zip, but not one that torch.save wrote (it has no data.pkl)")
        if any(name.startswith(f"{self._root}/code/") for name in self._entries):
            raise CheckpointError(
                "it is a TorchScript program, not a checkpoint; save the model's state_dict() instead"
            )
        self._order: Literal["<", ">"] = "<"
        if f"{self._root}/byteorder" in self._entries:
            written = self._entry("byteorder").tobytes()
            if written not in (b"little", b"big"):
                raise CheckpointError("its byte order is neither little nor big; the file is damaged")
            self._order = "<" if written == b"little" else ">"

    @property
    def byte_order(self) -> Literal["<", ">"]:
        """'<' or '>': how the file writes numbers."""
        return self._order

    def load(self) -> Any:
        """Return the inert value of the pickle inside.

        Raises:
            CheckpointError: the pickle is damaged, hostile or too large.
        """
        description = self._entry("data.pkl")
        if len(description) > MAX_PICKLE_BYTES:
            raise CheckpointError(f"its pickle has {len(description):,} bytes; at most {MAX_PICKLE_BYTES:,} are read")
        return PickleMachine(description.tobytes(), 0, lambda identity: storage_from_id(identity, self)).run()[0]

    def raw(self, key: str, n_bytes: int) -> np.ndarray:
        """Return the bytes of a storage as a read-only uint8 array.

        Raises:
            CheckpointError: the storage is missing, of another size or damaged.
        """
        if not _KEY.fullmatch(key) or f"{self._root}/data/{key}" not in self._entries:
            raise CheckpointError(f"it has no storage {printable(key)}; the file is truncated or damaged")
        values = self._entry(f"data/{key}")
        if len(values) != n_bytes:
            raise CheckpointError(
                f"its storage {printable(key)} has {len(values):,} bytes where {printable(n_bytes)} are claimed; "
                "the file is damaged or hostile"
            )
        return values

    def check(self, key: str, n_bytes: int) -> None:
        """Check, without reading it, that a storage is there in the size claimed.

        Raises:
            CheckpointError: it is not.
        """
        entry = self._entries.get(f"{self._root}/data/{key}") if _KEY.fullmatch(key) else None
        if entry is None or entry.file_size != n_bytes:
            there = "is not in the file" if entry is None else f"has {entry.file_size:,} bytes in the file"
            raise CheckpointError(
                f"a storage is said to have {printable(n_bytes)} bytes but {there}; the file is damaged or hostile"
            )

    def _entry(self, name: str) -> np.ndarray:
        entry = self._entries[f"{self._root}/{name}"]
        header = self._bytes[entry.header_offset : entry.header_offset + _LOCAL_HEADER.size].tobytes()
        if len(header) < _LOCAL_HEADER.size:
            raise CheckpointError("its zip directory points outside the file; the file is truncated or damaged")
        signature, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        start = entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        values = self._bytes[start : start + entry.file_size]
        if signature != b"PK\x03\x04" or len(values) != entry.file_size:
            raise CheckpointError("its zip directory points outside the file; the file is truncated or damaged")
        # torch can be told to leave the checksums out; they are zero then.
        if name not in self._verified and entry.CRC and zlib.crc32(values.data) != entry.CRC:
            raise CheckpointError(f"the checksum of its part {printable(name)} is wrong; the file is damaged")
        self._verified.add(name)
        return values


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip does."""
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


def _refuse_large_directory(content: np.ndarray) -> None:
    # zipfile makes an object of each directory entry before anybody can look at them.
    tail = content[-(_END.size + 65535) :].tobytes()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise CheckpointError("its zip directory is missing; the file is truncated")
    size = _END.unpack_from(tail, at)[5]
    locator = at - _END_64_LOCATOR.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        place = _END_64_LOCATOR.unpack_from(tail, locator)[2]
        record = content[place : place + 48].tobytes() if place < len(content) else b""
        if len(record) == 48:
            size = max(size if size != 0xFFFFFFFF else 0, struct.unpack_from("<Q", record, 40)[0])
    if size > _MAX_DIRECTORY_BYTES:
        raise CheckpointError(f"its zip directory has {size:,} bytes; at most {_MAX_DIRECTORY_BYTES:,} are read")


def _checked_entries(entries: list[zipfile.ZipInfo], file_size: int) -> dict[str, zipfile.ZipInfo]:
    result: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.filename
        if name in result:
            raise CheckpointError(f"its zip has two entries called {printable(name)}; the file may be hostile")
        if name.startswith("/") or "\\" in name or ".." in name.split("/") or ":" in name.split("/")[0]:
            raise CheckpointError(f"its zip has an entry called {printable(name)}; the file may be hostile")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise CheckpointError("its zip is compressed, which torch.save never does; save it again with torch")
        result[name] = entry
    if sum(entry.file_size for entry in entries) > file_size:
        raise CheckpointError("its zip entries overlap or claim more bytes than the file has; the file may be hostile")
    return result
