"""Where a run's files lie, whatever the place: a file is there whole or not at all."""

import secrets
from abc import ABC, abstractmethod
from pathlib import Path

from glowvox.errors import DataError

ASIDE = ".part"
"""Ends the names of files that are still being written."""


class RunStorage(ABC):
    """Files by names such as `ledger/00000007.json`.

    Args:
        url: the folder, or the address of a place in object storage.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return a file's content.

        Raises:
            FileNotFoundError: there is none.
            DataError: it cannot be read.
        """

    @abstractmethod
    def put(self, name: str, source: Path) -> None:
        """Give a finished local file its place under a name, at once; the local file may be gone then.

        Raises:
            DataError: it cannot be written.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            DataError: it cannot be removed.
        """

    @abstractmethod
    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes in bytes of a folder's files by their names in it; nothing where there is no folder.

        Raises:
            DataError: it cannot be listed.
        """

    @abstractmethod
    def workplace(self) -> Path:
        """Return a local folder for files that are being made."""

    @abstractmethod
    def sweep(self) -> None:
        """Remove what processes that were killed left behind; nobody may be writing."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file.

        Raises:
            DataError: it cannot be written.
        """
        aside = self.aside()
        try:
            aside.write_bytes(content)
            self.put(name, aside)
        except OSError as error:
            raise DataError(f"{self.url}: cannot write {name} ({error.strerror or error})") from error
        finally:
            aside.unlink(missing_ok=True)

    def aside(self) -> Path:
        """Return a new local name to write a file under before it is put in place."""
        return self.workplace() / f".{secrets.token_hex(8)}{ASIDE}"
