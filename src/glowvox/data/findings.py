"""What the checks of a corpus say about a file: left out, doubtful, or worth knowing."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["left out", "warning", "note"]


@dataclass(frozen=True, order=True)
class Finding:
    """One remark about one file or row."""

    kind: str
    """What was found, in a few fixed words, such as `clipped`."""
    severity: Severity
    """`left out`: not in the data set; `warning`: kept, look at it; `note`: kept, and dealt with."""
    subject: str
    """The file relative to the corpus, or the row of a list."""
    reason: str
    """What exactly, with figures."""


def left_out(kind: str, subject: str, reason: str) -> Finding:
    """Return a finding about something that is not in the data set."""
    return Finding(kind, "left out", subject, reason)


def warning(kind: str, subject: str, reason: str) -> Finding:
    """Return a finding about something that is kept and deserves a look."""
    return Finding(kind, "warning", subject, reason)


def note(kind: str, subject: str, reason: str) -> Finding:
    """Return a finding about something that was dealt with."""
    return Finding(kind, "note", subject, reason)
