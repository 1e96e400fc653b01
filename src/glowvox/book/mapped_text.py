"""A text whose every character knows where it was written, whatever is changed around it."""

import re
from array import array
from collections.abc import Callable

NOWHERE = -1
"""Origin of a character that stands nowhere in the book."""


class MappedText:
    """Text of a passage with the place in the page of each character."""

    def __init__(self, text: str = "", origins: "array[int] | None" = None) -> None:
        self.text = text
        self.origins: array[int] = array("q", [NOWHERE] * len(text)) if origins is None else origins

    def __len__(self) -> int:
        return len(self.text)

    def slice(self, start: int, end: int) -> "MappedText":
        """Return a part of it."""
        return MappedText(self.text[start:end], self.origins[start:end])

    def replace(self, start: int, end: int, written: str) -> None:
        """Say something else in the place of a part: its characters share out the places of those they replace."""
        old = self.origins[start:end]
        if old:
            own = [old[min(number, len(old) - 1)] for number in range(len(written))]
            if own:
                own[-1] = old[-1]
        else:
            own = [NOWHERE] * len(written)
        self.text = self.text[:start] + written + self.text[end:]
        self.origins = self.origins[:start] + array("q", own) + self.origins[end:]

    def sub(self, pattern: re.Pattern[str], written: Callable[[re.Match[str]], str]) -> None:
        """Replace every match of a pattern."""
        for match in reversed(list(pattern.finditer(self.text))):
            said = written(match)
            if said != match[0]:
                self.replace(match.start(), match.end(), said)

    def stripped(self) -> "MappedText":
        """Return it without white space at its ends."""
        lead = len(self.text) - len(self.text.lstrip())
        return self.slice(lead, max(lead, len(self.text.rstrip())))

    def place(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the characters `[first, last)` of the page that a part stands for; None: it stands nowhere."""
        known = [origin for origin in self.origins[start:end] if origin != NOWHERE]
        return (min(known), max(known) + 1) if known else None
