"""A lock on an open file or folder, which a process that dies does not keep."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

_PAUSE = 0.05


def try_lock(stream: IO[Any] | int) -> bool:
    """Keep other processes from a file until it is closed; False: another one has it.

    Where the system or its file system has no locks, nobody is kept out, and True is returned.
    """
    try:
        import fcntl
    except ModuleNotFoundError:
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems have no locks
        return True
    return True


@contextlib.contextmanager
def only_one_in(folder: Path, *, patience: float) -> Iterator[bool]:
    """Let one process at a time into the block for a folder; give whether this one has it for itself.

    Args:
        folder: is there; nothing is written into it.
        patience: seconds to wait for another process.
    """
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        yield True
        return
    try:
        end = time.monotonic() + patience
        while not (mine := try_lock(opened)) and time.monotonic() < end:
            time.sleep(_PAUSE)
        yield mine
    finally:
        os.close(opened)
