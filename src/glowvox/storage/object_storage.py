"""Object storage through fsspec, and local folders, behind one interface: a file is there whole or not at all."""

import contextlib
import io
import os
import re
import secrets
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, final

from glowvox.errors import DataError, MissingExtraError, one_line

ASIDE = ".part"
"""Ends the names of files that are still being written."""
_TRIES = 4
_WAIT_SECONDS = 0.5


class Storage(ABC):
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
        """Give a finished local file, written under `aside`, its place under a name, at once; it may be gone then.

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


@final
class LocalStorage(Storage):
    """A local folder; files are written in its hidden folder `.work` and renamed into place."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.folder = Path(url)

    def read(self, name: str) -> bytes:
        """See `Storage.read`."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise DataError(f"{self.folder / name}: cannot be read ({error.strerror})") from error

    def put(self, name: str, source: Path) -> None:
        """See `Storage.put`."""
        target = self.folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
        except OSError as error:
            raise DataError(f"{target}: cannot be written ({error.strerror})") from error

    def remove(self, name: str) -> None:
        """See `Storage.remove`."""
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"{self.folder / name}: cannot be removed ({error.strerror})") from error

    def sizes(self, folder: str) -> dict[str, int]:
        """See `Storage.sizes`."""
        try:
            with os.scandir(self.folder / folder) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise DataError(f"{self.folder / folder}: cannot be listed ({error.strerror})") from error

    def workplace(self) -> Path:
        """See `Storage.workplace`."""
        place = self.folder / ".work"
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{self.folder}: cannot be written to ({error.strerror})") from error
        return place

    def sweep(self) -> None:
        """See `Storage.sweep`."""
        place = self.folder / ".work"
        for leftover in place.glob(f".*{ASIDE}"):
            leftover.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            place.rmdir()


@final
class ObjectStorage(Storage):
    """Object storage through fsspec; an object appears when its upload is complete."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._system, root = _file_system(url)
        self._root = PurePosixPath(root)

    def read(self, name: str) -> bytes:
        """See `Storage.read`."""
        try:
            return bytes(_persistently(lambda: self._system.cat_file(str(self._root / name))))
        except FileNotFoundError:
            raise
        except Exception as error:
            raise DataError(f"{self.url}/{name}: cannot be read ({one_line(error)})") from error

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file to a local one, which appears when it is complete.

        Raises:
            FileNotFoundError: there is none.
            DataError: it cannot be read, or not written here.
        """
        aside = target.with_name(f".{target.name}.{secrets.token_hex(6)}{ASIDE}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{target}: cannot be written ({error.strerror or error})") from error
        try:
            _persistently(lambda: self._system.get_file(str(self._root / name), str(aside)))
            aside.replace(target)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise DataError(f"{self.url}/{name}: cannot be read ({one_line(error)})") from error
        finally:
            aside.unlink(missing_ok=True)

    def put(self, name: str, source: Path) -> None:
        """See `Storage.put`."""
        target = self._root / name
        try:
            self._system.makedirs(str(target.parent), exist_ok=True)
            _persistently(lambda: self._system.put_file(str(source), str(target)))
        except Exception as error:
            raise DataError(f"{self.url}/{name}: cannot be written ({one_line(error)})") from error

    def remove(self, name: str) -> None:
        """See `Storage.remove`."""
        try:
            self._system.rm_file(str(self._root / name))
        except FileNotFoundError:
            pass
        except Exception as error:
            raise DataError(f"{self.url}/{name}: cannot be removed ({one_line(error)})") from error

    def sizes(self, folder: str) -> dict[str, int]:
        """See `Storage.sizes`."""
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
        """See `Storage.workplace`."""
        return Path(tempfile.gettempdir())

    def sweep(self) -> None:
        """See `Storage.sweep`; uploads that were cut off are no objects."""


def open_storage(url: str) -> Storage:
    """Return the storage at a folder or an fsspec address (`s3://bucket/speech`, `gs://`, `az://`, `memory://`).

    Raises:
        MissingExtraError: an address needs fsspec, and it or the protocol's package is not installed.
        DataError: there is no such protocol, or a file lies where the folder should be.
    """
    local = local_path(url)
    if local is None:
        return ObjectStorage(url.rstrip("/"))
    there = next((place for place in (Path(local), *Path(local).parents) if place.exists()), None)
    if there is not None and not there.is_dir():
        raise DataError(f"{there}: is a file; choose a folder")
    return LocalStorage(local)


def open_file(url: str) -> BinaryIO:
    """Open one file for reading, here or in object storage.

    Raises:
        MissingExtraError: see `open_storage`.
        DataError: it is not there or cannot be read.
    """
    local = local_path(url)
    try:
        if local is not None:
            return Path(local).open("rb")
        system, path = _file_system(url)
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


def address_of(place: Path | str) -> str:
    """Return a place as an address: `s3://bucket/data`, of which a `Path` has made `s3:/bucket/data`, or a path."""
    found = re.fullmatch(r"([a-z][a-z0-9+.]+):/+(.*)", str(place))
    if found is None:
        return str(place)
    return f"{found[1]}://{'/' if found[1] == 'file' else ''}{found[2]}"


def _file_system(url: str) -> tuple[Any, str]:
    """Return fsspec's file system of an address, and the path in it."""
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
