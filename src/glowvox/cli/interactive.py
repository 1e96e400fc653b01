"""Speaking line by line: a prompt with a history, and a key that stops the speech."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from glowvox.cli.streams import utf8_argument

if TYPE_CHECKING:
    from glowvox.synthesis.playback import Playback

_PROMPT = "> "
_LOOK_SECONDS = 0.05


def speak_lines(speak: "Callable[[str, Playback], None]", warn: Callable[[str], None]) -> int:
    """Read lines from the terminal, and speak each until it ends or a key is pressed; return how many were spoken.

    Ends with the input, or where the prompt is interrupted. A line that cannot be spoken is told and passed over.

    Args:
        speak: speaks a text; returns when it was heard or the playback stopped.
        warn: tells in one line what cannot be spoken.
    """
    from glowvox.errors import AudioError, GlowvoxError, MissingExtraError, TextError
    from glowvox.synthesis.playback import Playback

    terminal = sys.stdin.isatty()
    if terminal:
        with contextlib.suppress(ModuleNotFoundError):
            import readline  # noqa: F401  # with it, the prompt has a history and can be edited
        print("a line is spoken with Enter; a key stops the speech; Ctrl-D ends", file=sys.stderr)
    spoken = 0
    while True:
        try:
            line = utf8_argument(input(_PROMPT) if terminal else _line_of_a_pipe())
        except EOFError:
            if terminal:
                print(file=sys.stderr)
            return spoken
        except (TextError, UnicodeDecodeError) as error:
            warn(str(error) if isinstance(error, TextError) else "the line is not UTF-8 text")
            continue
        if not line.strip():
            continue
        playback = Playback()
        try:
            with _stopped_by_a_key(playback) if terminal else contextlib.nullcontext():
                speak(line, playback)
            spoken += 1
        except KeyboardInterrupt:
            playback.stop()
            if not terminal:
                raise
            print(file=sys.stderr)
        except (MissingExtraError, AudioError):
            raise  # without a sound card the next line could not be heard either
        except GlowvoxError as error:
            warn(str(error))


def _line_of_a_pipe() -> str:
    line: bytes = sys.stdin.buffer.readline()
    if not line:
        raise EOFError
    return line.decode("utf-8-sig")


@contextlib.contextmanager
def _stopped_by_a_key(playback: "Playback") -> Iterator[None]:
    """Let a key stop a playback as long as the block lasts; what the terminal was set to is set again."""
    try:
        import select
        import termios
        import tty
    except ModuleNotFoundError:
        yield  # here Ctrl-C stops it
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if select.select([keyboard], [], [], _LOOK_SECONDS)[0]:
                playback.stop()
                return

    watcher = threading.Thread(target=watch, name="keyboard", daemon=True)
    try:
        # Keys arrive one by one and are not shown; Ctrl-C still interrupts.
        tty.setcbreak(keyboard, termios.TCSANOW)
        watcher.start()
        yield
    finally:
        over.set()
        watcher.join()
        if playback.stopped:
            termios.tcflush(keyboard, termios.TCIFLUSH)  # the key has done its work
        termios.tcsetattr(keyboard, termios.TCSANOW, before)
