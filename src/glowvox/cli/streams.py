"""The streams of the command line's process: closed, full, or without the letters that are to be written."""

import codecs
import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import TextIO, final

_FAILURES = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF))
"""What a standard stream answers that is full, broken or closed."""
_HANDLER = "glowvox-escape"


@final
class Streams:
    """What became of the standard streams while a command ran."""

    def __init__(self) -> None:
        self.escaped = False
        """Whether a letter had to be written as an escape."""

    def escape(self, error: UnicodeError) -> tuple[str, int]:
        r"""Write letters that an encoding lacks as `\uXXXX`, which JSON reads back and people can tell."""
        if not isinstance(error, UnicodeEncodeError):
            raise error
        self.escaped = True
        units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
        said = "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
        return said, error.end

    def failed(self, error: OSError) -> bool:
        """Whether an error is one of standard output, not of a file."""
        return error.filename is None and error.errno in _FAILURES

    def stop_printing(self) -> None:
        """Let nothing more be written where nobody reads it, or nobody can (`glowvox ... | head`)."""
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@final
class _Messages(io.TextIOWrapper):
    """Standard error that never stops the work: what it cannot take is lost."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


@contextlib.contextmanager
def robust_streams(*, program: bool) -> Iterator[Streams]:
    """Prepare the standard streams for a command.

    Args:
        program: whether this process is the command line's own; otherwise nothing of it is changed.
    """
    streams = Streams()
    if not program:
        yield streams
        return
    _reopen_closed()
    codecs.register_error(_HANDLER, streams.escape)
    if isinstance(sys.stderr, io.TextIOWrapper):
        encoding = sys.stderr.encoding
        sys.stderr = _Messages(sys.stderr.detach(), encoding, _HANDLER, line_buffering=True)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_HANDLER)
    try:
        yield streams
    except SystemExit:
        _flush_help(streams)
        raise
    finally:
        encoding = codecs.lookup(sys.stdout.encoding).name
        if streams.escaped and encoding != "utf-8":  # there it was a file name's bytes
            said = "stand as \\uXXXX; a terminal in UTF-8 shows them"
            print(f"glowvox: letters that the terminal's encoding ({encoding}) does not have {said}", file=sys.stderr)


def warn_as(command: str) -> Callable[[str], None]:
    """Return what prints a line of a command on standard error."""

    def warn(line: str) -> None:
        print(f"glowvox {command}: {line}", file=sys.stderr, flush=True)

    return warn


def utf8_argument(text: str) -> str:
    """Return a text from the command line, whatever the locale says its bytes are.

    Raises:
        TextError: its bytes are not UTF-8.
    """
    from glowvox.errors import TextError

    if not any("\udc80" <= sign <= "\udcff" for sign in text):
        return text
    try:
        return text.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        raise TextError(
            f"the text is not UTF-8 (byte 0x{wrong:02x} at place {error.start + 1}): write it in UTF-8"
        ) from error


def _flush_help(streams: Streams) -> None:
    """Write what is left of a help, and end in one line where that cannot be."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        streams.stop_printing()
        raise SystemExit(0) from None
    except OSError as error:
        print(f"glowvox: cannot write to standard output: {error.strerror}", file=sys.stderr)
        streams.stop_printing()
        raise SystemExit(2) from None


def _reopen_closed() -> None:
    """Put something into the places of closed streams, so that no file of ours is opened there."""
    for name, number, mode in (("stdin", 0, os.O_RDONLY), ("stdout", 1, os.O_RDONLY), ("stderr", 2, os.O_WRONLY)):
        if getattr(sys, name) is not None:
            continue
        place = os.open(os.devnull, mode)
        if place != number:
            os.dup2(place, number)
            os.close(place)
        # Writing to standard output then fails as on a closed one, and is answered in the same way.
        stream: TextIO = open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
