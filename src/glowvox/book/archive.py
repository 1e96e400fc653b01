"""ZIP archives of strangers: their files within limits of number and size, and none outside the archive."""

import contextlib
import posixpath
import stat
import unicodedata
import urllib.parse
import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

from glowvox.errors import DataError, one_line

_MOST_FILES = 20_000
_LARGEST_FILE = 256 << 20
_LARGEST_TEXT = 32 << 20
_LARGEST_TOTAL = 2 << 30
_RATIO = 200
"""Times that a file may be larger than what it was packed to; prose packs to a third."""
_SMALL = 1 << 20
"""Bytes below which any ratio is harmless."""
_BLOCK = 1 << 20


class BookArchive:
    """The files of a book that is a ZIP archive, each read at most once as large as it says it is."""

    def __init__(self, path: Path) -> None:
        """Open it and check what it says about its files, unpacking nothing.

        Raises:
            DataError: it cannot be read, is no ZIP archive or a broken one, or holds what no book does: more than
                20,000 files or 2 GiB, files packed to less than a two-hundredth, names that lead outside.
        """
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or error}") from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise DataError(f"{path}: a broken ZIP archive ({one_line(error)}); copy or download it again") from error
        try:
            self._files = self._checked()
        except DataError:
            self._zip.close()
            raise
        self._alike = {_folded(name): name for name in reversed(self._files)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """The names of its files, in their order."""
        return list(self._files)

    def __contains__(self, name: str) -> bool:
        return self.stored(name) is not None

    def stored(self, name: str) -> str | None:
        """Return the name of the file that a name in the book means; None: there is none.

        Books that were made where names do not tell capitals apart name their files so; letters with accents are
        written in two ways.
        """
        return name if name in self._files else self._alike.get(_folded(name))

    def read(self, name: str, *, text: bool = False) -> bytes:
        """Return the content of a file.

        Args:
            name: see `names`.
            text: whether it holds text, which is never very long.

        Raises:
            DataError: there is no such file, it is broken or encrypted, or it is too large.
        """
        entry = self._files.get(self.stored(name) or "")
        if entry is None:
            raise DataError(f"{self.path}: the book names the file {name[:100]!r}, but does not hold it")
        limit = _LARGEST_TEXT if text else _LARGEST_FILE
        if entry.file_size > limit:
            raise DataError(f"{self.path}: {name[:100]!r} is larger than {limit >> 20} MiB, hardly a part of a book")
        if entry.flag_bits & 1:
            raise DataError(f"{self.path}: {name[:100]!r} is encrypted with a password; unpack it with that first")
        content = bytearray()
        try:
            with self._zip.open(entry) as stream:
                while block := stream.read(_BLOCK):
                    content += block
                    if len(content) > entry.file_size:
                        break
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise DataError(
                f"{self.path}: {name[:100]!r} is broken ({one_line(error)}); copy or download the book again"
            ) from error
        if len(content) != entry.file_size:
            raise DataError(f"{self.path}: {name[:100]!r} is not as long as the archive says; the book is damaged")
        return bytes(content)

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        entries = self._zip.infolist()
        if len(entries) > _MOST_FILES:
            raise DataError(
                f"{self.path}: holds {len(entries)} files, more than the {_MOST_FILES} that a book may have"
            )
        found: dict[str, zipfile.ZipInfo] = {}
        total = 0
        for entry in entries:
            if entry.is_dir():
                continue
            name = _name_of(entry)
            parts = name.split("/")
            if ".." in parts or name.startswith("/") or ":" in parts[0] or stat.S_ISLNK(entry.external_attr >> 16):
                raise DataError(f"{self.path}: holds the file {name[:100]!r}, which leads outside of the book; refused")
            total += entry.file_size
            if entry.file_size > _SMALL and entry.file_size > _RATIO * max(1, entry.compress_size):
                raise DataError(
                    f"{self.path}: {name[:100]!r} would unpack to {entry.file_size >> 20} MiB from "
                    f"{max(1, entry.compress_size >> 10)} KiB: a ZIP bomb, not a book"
                )
            if total > _LARGEST_TOTAL:
                raise DataError(f"{self.path}: would unpack to more than {_LARGEST_TOTAL >> 30} GiB: not a book")
            found[name] = entry
        return found


def _name_of(entry: zipfile.ZipInfo) -> str:
    """Return the name of a file as books name it: UTF-8 that is not marked as such, and backslashes, are common."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def resolved(base: str, reference: str) -> tuple[str, str]:
    """Return the file and the fragment that a reference in a file of an archive means.

    Args:
        base: the name of the file that holds it.
        reference: as it is written there, relative, with escapes.

    Returns:
        The name in the archive (empty where it leads outside: another host, another folder) and the fragment.
    """
    try:
        parts = urllib.parse.urlsplit(reference.strip())
    except ValueError:
        return "", ""
    fragment = urllib.parse.unquote(parts.fragment)
    if parts.scheme or parts.netloc:
        return "", ""
    path = urllib.parse.unquote(parts.path)
    if not path:
        return base, fragment
    name = posixpath.normpath(posixpath.join(posixpath.dirname(base), path))
    return ("", "") if name.startswith(("..", "/")) else (name, fragment)
