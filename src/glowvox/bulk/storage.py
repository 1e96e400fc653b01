"""Opens what an address names: a folder of this machine, or a place in object storage."""

import contextlib
import io
import os
from pathlib import Path
from typing import BinaryIO

from glowvox.bulk.remote_storage import RemoteStorage, one_line, remote_system
from glowvox.bulk.run_storage import ASIDE, RunStorage
from glowvox.errors import DataError, MissingExtraError


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
