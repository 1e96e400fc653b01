"""The forms in which a shard's speech is written: a file per row, or all in one file."""

import hashlib
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any

from glowvox.bulk.card import RunSettings
from glowvox.bulk.ledger import OutputFile
from glowvox.bulk.run_storage import RunStorage
from glowvox.bulk.speaker import Spoken

_BLOCK = 1 << 20
_LONGEST_NAME = 80
"""A name with its number and ending fits into the 100 bytes of a plain tar header."""


class ShardOutput(ABC):
    """Takes the speech of a shard's rows in order; nothing counts before `finish` has been called.

    Args:
        storage: of the run.
        name: the shard's number as files have it.
        settings: the run's.
    """

    def __init__(self, storage: RunStorage, name: str, settings: RunSettings) -> None:
        self.storage, self.name, self.settings = storage, name, settings

    def __enter__(self) -> "ShardOutput":
        return self

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not put in place."""

    @abstractmethod
    def add(self, spoken: Spoken) -> dict[str, Any]:
        """Take a row's speech; return its record, which says where it lies.

        Raises:
            DataError: it cannot be written.
        """

    @abstractmethod
    def finish(self) -> tuple[OutputFile, ...]:
        """Put everything in place and return the files: none where no row could be spoken.

        Raises:
            DataError: it cannot be written.
        """


class FileNames:
    """Names for the files of a shard: told apart where ids are, harmless whatever the ids hold.

    Letters, digits, `_` and `-` stay; every other byte of the UTF-8 form becomes `%XX`. Long names are cut and end in a
    hash. Names that a file system might take for the same (`A`, `a`) get the row's number.
    """

    def __init__(self) -> None:
        self.taken: set[str] = set()
        """The names given, in lower case."""

    def name(self, identifier: str, number: int) -> str:
        """Return the name for a row's id and number."""
        raw = identifier.encode("utf-8")
        name = "".join(
            chr(byte) if (chr(byte).isalnum() and byte < 128) or byte in b"_-" else f"%{byte:02X}" for byte in raw
        )
        if len(name) > _LONGEST_NAME:
            name = f"{name[: _LONGEST_NAME - 34]}%~{hashlib.sha256(raw).hexdigest()[:32]}"
        if name.lower() in self.taken:
            name = f"{name}%~{number}"
        self.taken.add(name.lower())
        return name


def hashed_file(path: Path, name: str) -> OutputFile:
    """Return a local file's size and checksum under the name that it will have."""
    hashed, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hashed.update(block)
            size += len(block)
    return OutputFile(name, size, hashed.hexdigest())
