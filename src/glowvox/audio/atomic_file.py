"""Writing a file aside and renaming it, so that a failure never destroys what was there."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from glowvox.errors import AudioError, GlowvoxError


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], error: type[GlowvoxError] = AudioError) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends well, and vanishes when it does not.

    A symbolic link is followed. Devices and pipes, which cannot be replaced, are written to directly.

    Args:
        path: the file to write.
        error: the class of the error raised.

    Raises:
        GlowvoxError: the folder does not exist, `path` is a folder, or it cannot be written.
    """
    if "\0" in os.fsdecode(path):  # the system's calls take none
        raise error(f"{os.fsdecode(path)!r} is no name of a file: it holds a NUL character")
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise error(f"{path} is a folder; name a file in it")
        if not target.parent.is_dir():
            raise error(f"cannot write {path}: the folder {target.parent} does not exist; create it first")
        if target.exists() and not target.is_file():
            with target.open("wb") as stream:
                yield stream
            return
        # Names are as long as their bytes; whoever could name the file can name this one too.
        begun = os.fsencode(target.name)[:100].decode("utf-8", "ignore")
        aside = target.with_name(f".{begun}.{secrets.token_hex(6)}.part")
        try:
            with aside.open("xb+") as stream:
                yield stream
            if target.exists():
                aside.chmod(target.stat().st_mode & 0o777)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as problem:
        raise error(f"cannot write {path}: {problem.strerror or problem}") from problem
