"""Opens what an address names: a folder of this machine, or a place in object storage."""

import contextlib
import io
import os
import secrets
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from glowvox.errors import DataError, MissingExtraError, one_line

# Where a run's files lie, whatever the place: a file is there whole or not at all.


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


# A run's files in object storage, through fsspec.


_TRIES = 4
_WAIT_SECONDS = 0.5


class RemoteStorage(RunStorage):
    """Object storage through fsspec; an object appears when its upload is complete."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._system, root = remote_system(url)
        self._root = PurePosixPath(root)

    def read(self, name: str) -> bytes:
        """See `RunStorage.read`."""
        try:
            return bytes(_persistently(lambda: self._system.cat_file(str(self._root / name))))
        except FileNotFoundError:
            raise
        except Exception as error:
            raise DataError(f"{self.url}/{name}: cannot be read ({one_line(error)})") from error

    def put(self, name: str, source: Path) -> None:
        """See `RunStorage.put`."""
        target = self._root / name
        try:
            self._system.makedirs(str(target.parent), exist_ok=True)
            _persistently(lambda: self._system.put_file(str(source), str(target)))
        except Exception as error:
            raise DataError(f"{self.url}/{name}: cannot be written ({one_line(error)})") from error

    def remove(self, name: str) -> None:
        """See `RunStorage.remove`."""
        try:
            self._system.rm_file(str(self._root / name))
        except FileNotFoundError:
            pass
        except Exception as error:
            raise DataError(f"{self.url}/{name}: cannot be removed ({one_line(error)})") from error

    def sizes(self, folder: str) -> dict[str, int]:
        """See `RunStorage.sizes`."""
        try:
            # A listing that was kept would not show what other machines wrote.
            self._system.invalidate_cache()
            entries = self._system.ls(str(self._root / folder), detail=True)
        except FileNotFoundError:
            return {}
        except Exception as error:
            raise DataError(f"{self.url}/{folder}: cannot be listed ({one_line(error)})") from error
        return {PurePosixPath(entry["name"]).name: entry["size"] for entry in entries if entry["type"] == "file"}

    def workplace(self) -> Path:
        """See `RunStorage.workplace`."""
        return Path(tempfile.gettempdir())

    def sweep(self) -> None:
        """See `RunStorage.sweep`; uploads that were cut off are no objects."""


def remote_system(url: str) -> tuple[Any, str]:
    """Return fsspec's file system of an address, and the path in it.

    Raises:
        MissingExtraError: fsspec or the protocol's package is not installed.
        DataError: there is no such protocol.
    """
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as error:
        raise MissingExtraError("fsspec", "cluster", f"the address {url}") from error
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        raise DataError(f"{url}: {one_line(error)}") from error
    except Exception as error:
        raise DataError(f"{url} is no address that can be opened: {one_line(error)}") from error
    return system, str(path)


def _persistently(action: Callable[[], Any]) -> Any:
    """Do something with object storage, again after a while if it fails: among millions of requests some do."""
    for attempt in range(1, _TRIES):
        try:
            return action()
        except FileNotFoundError:
            raise
        except Exception:
            time.sleep(_WAIT_SECONDS * 2**attempt)
    return action()


class LocalStorage(RunStorage):
    """A folder; files are written in its hidden folder `.work` and renamed into place."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._folder = Path(url)

    def read(self, name: str) -> bytes:
        """See `RunStorage.read`."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise DataError(f"{self._folder / name}: cannot be read ({error.strerror})") from error

    def put(self, name: str, source: Path) -> None:
        """See `RunStorage.put`."""
        target = self._folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
        except OSError as error:
            raise DataError(f"{target}: cannot be written ({error.strerror})") from error

    def remove(self, name: str) -> None:
        """See `RunStorage.remove`."""
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"{self._folder / name}: cannot be removed ({error.strerror})") from error

    def sizes(self, folder: str) -> dict[str, int]:
        """See `RunStorage.sizes`."""
        try:
            with os.scandir(self._folder / folder) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise DataError(f"{self._folder / folder}: cannot be listed ({error.strerror})") from error

    def workplace(self) -> Path:
        """See `RunStorage.workplace`."""
        place = self._folder / ".work"
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{self._folder}: cannot be written to ({error.strerror})") from error
        return place

    def sweep(self) -> None:
        """See `RunStorage.sweep`."""
        place = self._folder / ".work"
        for leftover in place.glob(f".*{ASIDE}"):
            leftover.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            place.rmdir()


def open_storage(url: str) -> RunStorage:
    """Return the storage at a folder or an fsspec address (`s3://bucket/speech`, `gs://`, `az://`, `memory://`).

    Raises:
        MissingExtraError: an address needs fsspec, and it or the protocol's package is not installed.
        DataError: there is no such protocol.
    """
    local = local_path(url)
    return RemoteStorage(url.rstrip("/")) if local is None else LocalStorage(local)


def open_source(url: str) -> BinaryIO:
    """Open a manifest for reading, here or in object storage.

    Raises:
        DataError: it is not there or cannot be read.
    """
    local = local_path(url)
    try:
        if local is not None:
            return Path(local).open("rb")
        system, path = remote_system(url)
        return io.BufferedReader(system.open(path, "rb"))
    except (DataError, MissingExtraError):
        raise
    except Exception as error:
        raise DataError(f"cannot read {url}: {one_line(error)}") from error


def local_path(url: str) -> str | None:
    """Return the path that an address means on this machine; None: it lies elsewhere."""
    if url.startswith("file://"):
        return url[len("file://") :]
    return None if "://" in url else url
