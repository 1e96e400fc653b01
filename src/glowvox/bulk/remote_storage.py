"""A run's files in object storage, through fsspec."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from glowvox.bulk.run_storage import RunStorage
from glowvox.errors import DataError, MissingExtraError

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


def one_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


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
