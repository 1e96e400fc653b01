"""Notes in a header: as much of what is told of a request as a header's line may hold."""

from collections.abc import Sequence

_LONGEST = 600
"""Characters of all: clients give up at headers of 8 to 64 KiB."""
_LONGEST_NOTE = 450
"""Of one; that of instructions is whole."""


def notes_header(notes: Sequence[str]) -> str:
    """Return notes as the value of a header: one line of printable ASCII, in which the last ones may only be counted.

    They quote what clients send: a control sign among it would end the connection instead of the header.
    """
    shown: list[str] = []
    length = 0
    for note in map(_line, notes):
        length += len(note) + 2
        if shown and length > _LONGEST:
            break
        shown.append(note)
    left = len(notes) - len(shown)
    return "; ".join([*shown, f"and {left} more"] if left else shown)


def _line(note: str) -> str:
    line = " ".join(note.split()).encode("ascii", "replace").decode("ascii")
    line = "".join(filter(str.isprintable, line))
    return line if len(line) <= _LONGEST_NOTE else f"{line[: _LONGEST_NOTE - 3]}..."
