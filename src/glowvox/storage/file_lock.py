"""A lock on an open file, which a process that dies does not keep."""

from typing import IO, Any


def try_lock(stream: IO[Any]) -> bool:
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
