"""The module's log: on its standard error, which the server writes into a file, and where DEBUG says."""

import logging
import sys

_LEVELS = (logging.ERROR, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG, logging.DEBUG)


def log() -> logging.Logger:
    """Return the logger of the module."""
    return logging.getLogger("glowvox.screen_reader")


def begin_log() -> None:
    """Write warnings to the standard error."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    log().setLevel(logging.WARNING)


def set_log_level(level: int) -> None:
    """Take a level of the server's: 0 says least, 5 most."""
    log().setLevel(_LEVELS[min(max(level, 0), len(_LEVELS) - 1)])
