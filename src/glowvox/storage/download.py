"""Downloads: resumed where they broke off, verified by size and SHA-256, and there whole or not at all.

An address is a path, an fsspec address, or one by `http` or `https`; with a login inside (`https://name:secret@host/`),
which goes to that host alone and stands in no message.
"""

import base64
import contextlib
import hashlib
import http.client
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast, final

from glowvox import __version__
from glowvox.errors import DataError, one_line
from glowvox.storage.file_lock import try_lock
from glowvox.storage.object_storage import ASIDE, open_file

_BLOCK = 1 << 18
_TRIES = 4
_WAIT_SECONDS = 0.5
_PATIENCE_SECONDS = 30.0
"""How long a server may be silent."""
_MOST_REDIRECTIONS = 5
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Answers after which the same request may succeed."""
_PARTIAL, _NOT_THERE = 206, 416
_SPACE_LEFT = 16 << 20
"""Bytes that stay free on the disk."""

Told = Callable[[int, int], None]
"""Takes the bytes that are there and those that there will be."""


def download(url: str, target: Path, *, size: int, sha256: str, told: Told | None = None) -> None:
    """Download a file, which appears when it is complete and verified.

    What a run that broke off has fetched stays in a hidden file beside the target, and the next one goes on from there.

    Args:
        url: its address.
        target: the file to write; where it is there already, and is the one meant, nothing is fetched.
        size: its bytes.
        sha256: its SHA-256, in hexadecimal.
        told: is called as it grows.

    Raises:
        DataError: it cannot be fetched, then what came is kept; it is not the one meant, then nothing is kept; or it
            cannot be written.
    """
    aside = target.with_name(f".{target.name}.{sha256[:16]}{ASIDE}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and target.stat().st_size == size and _sha256(target) == sha256:
            return
        with aside.open("ab") as stream:
            if not try_lock(stream):
                raise DataError(f"{target}: another process is fetching it")
            if stream.tell() > size:
                stream.truncate(0)
                stream.seek(0)
            free = shutil.disk_usage(target.parent).free - _SPACE_LEFT
            if size - stream.tell() > free:
                raise DataError(
                    f"{target.parent}: {shown(url)} needs {(size - stream.tell()) / 1e6:,.0f} MB, and the disk has "
                    f"{max(free, 0) / 1e6:,.0f} MB left"
                )
            try:
                _fill(stream, url, size, told)
                stream.flush()
                if _sha256(aside) != sha256:
                    raise _OtherFileError(f"{shown(url)} is not the file that was meant: its SHA-256 is another one")
            except _OtherFileError as error:
                aside.unlink(missing_ok=True)
                raise DataError(f"{error}; nothing of it was kept") from error
        aside.replace(target)
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror or error})") from error


def read_file(url: str, *, limit: int) -> bytes:
    """Return the content of a small file.

    Args:
        url: its address.
        limit: most bytes.

    Raises:
        DataError: it cannot be read, or has more bytes.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            with _opened(url, 0) as (stream, _, _):
                content = stream.read(limit + 1)
        except _BrokenOffError as error:
            if attempt == _TRIES:
                raise DataError(f"cannot read {shown(url)}: {error}") from error
            time.sleep(_WAIT_SECONDS * 2**attempt)
            continue
        except OSError as error:
            raise DataError(f"cannot read {shown(url)}: {error.strerror or one_line(error)}") from error
        if len(content) > limit:
            raise DataError(f"{shown(url)} has more than {limit:,} bytes")
        return content


def shown(url: str) -> str:
    """Return an address for a message: without a login, and without a query, which may be a secret too."""
    if not is_web(url):
        return url[:200]
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:  # a host in brackets that do not close
        return url.partition("?")[0].rpartition("@")[2][:200]
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))[:200]


def is_web(url: str) -> bool:
    """Whether an address is one by `http` or `https`."""
    return url.lower().startswith(("http://", "https://"))


class _BrokenOffError(Exception):
    """The connection failed, in a way that another one may not."""


class _OtherFileError(Exception):
    """What came is another file."""


def _fill(stream: IO[bytes], url: str, size: int, told: Told | None) -> None:
    """Append to a file what it lacks."""
    attempt = 0
    while stream.tell() < size:
        before = stream.tell()
        try:
            _fetch(stream, url, size, told)
            if stream.tell() == size:
                return
            said = "the connection was closed"
        except _BrokenOffError as error:
            said = str(error)
        attempt = 1 if stream.tell() > before else attempt + 1
        if attempt >= _TRIES:
            raise DataError(
                f"{shown(url)} broke off after {stream.tell():,} of {size:,} bytes ({said}); once more, and it goes on"
                if stream.tell()
                else f"cannot fetch {shown(url)}: {said}"
            )
        time.sleep(_WAIT_SECONDS * 2**attempt)


def _fetch(stream: IO[bytes], url: str, size: int, told: Told | None) -> None:
    with _opened(url, stream.tell()) as (source, start, announced):
        if start != stream.tell():
            stream.truncate(start)
            stream.seek(start)
        if announced is not None and start + announced != size:
            raise _OtherFileError(f"{shown(url)} has {start + announced:,} bytes, not {size:,}")
        while True:
            try:
                block = source.read(_BLOCK)
            except (http.client.HTTPException, OSError) as error:
                raise _BrokenOffError(one_line(error, limit=200)) from error
            if not block:
                return
            if stream.tell() + len(block) > size:
                raise _OtherFileError(f"{shown(url)} has more than {size:,} bytes")
            stream.write(block)
            if told is not None:
                told(stream.tell(), size)


@contextlib.contextmanager
def _opened(url: str, start: int) -> Iterator[tuple[BinaryIO, int, int | None]]:
    """Open an address from a byte on; give the stream, the byte at which it really begins, and how many it announces.

    Raises:
        DataError: it is not there, or may not be read.
        _BrokenOffError: it may be there another time.
    """
    if not is_web(url):
        with open_file(url) as local:
            local.seek(start)
            yield local, start, None
        return
    with _response(url, start) as response:
        begins = _first_byte(response)
        length = response.headers.get("Content-Length", "")
        announced = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None
        if begins not in (0, start):
            raise _BrokenOffError("the server sent another part of it")
        yield cast(BinaryIO, response), begins, announced


def _response(url: str, start: int) -> http.client.HTTPResponse:
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError as error:
        raise DataError(f"{shown(url)} is no address that can be asked") from error
    headers = {"User-Agent": f"glowvox/{__version__}", "Accept-Encoding": "identity"}
    login, _, host = parts.netloc.rpartition("@")
    if login:
        plain = urllib.parse.unquote(login).encode()
        headers["Authorization"] = f"Basic {base64.b64encode(plain).decode('ascii')}"
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        request = urllib.request.Request(
            urllib.parse.urlunsplit((parts.scheme, host, parts.path, parts.query, "")), headers=headers
        )
        return cast(http.client.HTTPResponse, _opener().open(request, timeout=_PATIENCE_SECONDS))
    except urllib.error.HTTPError as error:
        with error:
            if start and error.code == _NOT_THERE:
                return _response(url, 0)
            if error.code in _AGAIN:
                raise _BrokenOffError(f"the server answers {error.code}") from error
            raise DataError(f"cannot fetch {shown(url)}: the server answers {_answer(error)}") from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        if isinstance(error, http.client.InvalidURL):
            raise DataError(f"{shown(url)} is no address that can be asked") from error
        reason = getattr(error, "reason", error)
        raise _BrokenOffError(one_line(reason if isinstance(reason, BaseException) else error, limit=200)) from error
    except ValueError as error:  # a port that is no number, a letter that no host has
        raise DataError(f"{shown(url)} is no address that can be asked") from error


def _answer(error: urllib.error.HTTPError) -> str:
    if 300 <= error.code < 400:
        return f"{error.code}, a redirection that is not followed"
    return f"{error.code} {http.client.responses.get(error.code, '')}".strip()


def _first_byte(response: http.client.HTTPResponse) -> int:
    if response.status != _PARTIAL:
        return 0
    first = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isascii() and first.isdigit() and len(first) < 19 else -1


@final
class _Redirections(urllib.request.HTTPRedirectHandler):
    """Redirections stay within HTTP and do not leave encryption; a login stays with the host that it is for."""

    max_redirections = _MOST_REDIRECTIONS

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request of a redirection.

        Raises:
            urllib.error.HTTPError: it leads where it must not.
        """
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if (
            new.scheme not in ("http", "https")
            or (old.scheme == "https" and new.scheme != "https")
            or "@" in new.netloc
        ):
            raise urllib.error.HTTPError(req.full_url, code, "not followed", headers, fp)
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and (old.scheme, old.netloc) != (new.scheme, new.netloc):
            following.remove_header("Authorization")
        return following


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens addresses by HTTP, and no others: no files, no FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _Redirections(),
    ):
        opener.add_handler(handler)
    return opener


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
