"""Numbers on the command line: what `argparse` would let through, and no command can use, is refused with its option.

`float` reads `nan` and `inf`, which pass comparisons such as `value < 0` and end in an error far from the option. A
number near the largest one becomes `inf` where it is turned into samples or frames.
"""

import argparse
import math
from collections.abc import Callable

_LARGEST = 1e9
"""More than any option means: as seconds, 31 years."""


def finite_number(text: str) -> float:
    """Return the number that an option was given.

    Raises:
        argparse.ArgumentTypeError: it is none, not a finite one, or absurdly large.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= _LARGEST:
        raise argparse.ArgumentTypeError(f"must be a number from -1e9 to 1e9, got '{text[:40]}'")
    return value


def whole_number(least: int) -> Callable[[str], int]:
    """Return what reads whole numbers from a least one on, as the type of an option."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:  # also of more digits than Python reads
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, got '{text[:40]}'")
        return value

    return read
