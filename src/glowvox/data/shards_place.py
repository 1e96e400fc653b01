"""Files at a place: a local folder, or object storage through fsspec. A file is there whole or not at all."""

import secrets
import shutil
import time
from pathlib import Path, PurePosixPath
from typing import Any

from glowvox.errors import DataError, MissingExtraError

_TRIES = 4
_WAIT_SECONDS = 1.0


def read_place(address: str, name: str) -> bytes:
    """Return the content of a file.

    Raises:
        DataError: it is missing or cannot be read.
        MissingExtraError: the address needs fsspec.
    """
    try:
        if "://" not in address:
            return (Path(address) / name).read_bytes()
        system, root = _remote(address)
        return bytes(system.cat_file(str(root / name)))
    except (DataError, MissingExtraError):
        raise
    except FileNotFoundError as error:
        raise DataError(f"{address}: no prepared data here (no {name})") from error
    except Exception as error:
        raise DataError(f"{address}/{name}: cannot be read ({_line(error)})") from error


def fetch(address: str, name: str, target: Path) -> None:
    """Copy a file of object storage to a local one, which appears when it is complete; failures are tried again.

    Raises:
        DataError: it cannot be read, or not written here.
        MissingExtraError: the address needs fsspec.
    """
    system, root = _remote(address)
    aside = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, _TRIES + 1):
            try:
                system.get_file(str(root / name), str(aside))
                break
            except FileNotFoundError as error:
                raise DataError(f"{address}/{name}: is missing") from error
            except Exception as error:
                if attempt == _TRIES:
                    raise DataError(f"{address}/{name}: cannot be read ({_line(error)})") from error
                time.sleep(_WAIT_SECONDS * 2**attempt)
        aside.replace(target)
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        aside.unlink(missing_ok=True)


def store(address: str, name: str, source: Path) -> None:
    """Give a finished local file its place under a name; the local file may be gone then.

    Raises:
        DataError: it cannot be written.
        MissingExtraError: the address needs fsspec.
    """
    try:
        if "://" not in address:
            target = Path(address) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{name}.{secrets.token_hex(6)}.part")
            shutil.move(source, aside)
            aside.replace(target)
            return
        system, root = _remote(address)
        system.makedirs(str(root), exist_ok=True)
        system.put_file(str(source), str(root / name))
    except (DataError, MissingExtraError):
        raise
    except Exception as error:
        raise DataError(f"{address}/{name}: cannot be written ({_line(error)})") from error


def _remote(address: str) -> tuple[Any, PurePosixPath]:
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as error:
        raise MissingExtraError("fsspec", "cluster", f"the address {address}") from error
    try:
        system, root = url_to_fs(address)
    except Exception as error:
        raise DataError(f"{address} cannot be opened: {_line(error)}") from error
    return system, PurePosixPath(root)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
