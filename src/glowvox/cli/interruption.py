"""Requests to end a command that are not Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator

_REQUESTS = [one for one in signal.Signals if one.name in ("SIGTERM", "SIGHUP")]
"""Windows has no SIGHUP."""


@contextlib.contextmanager
def ended_as_interrupted() -> Iterator[None]:
    """Take a request to end (SIGTERM, or SIGHUP of a terminal that is closed) as an interrupt.

    So what was begun is put in order and told of. What is ignored, as under `nohup`, stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {one: signal.getsignal(one) for one in _REQUESTS}
    try:
        for one, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(one, interrupt)
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
