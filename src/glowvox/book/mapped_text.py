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
        own = _shared(self.origins[start:end], len(written))
        self.text = self.text[:start] + written + self.text[end:]
        self.origins = self.origins[:start] + own + self.origins[end:]

    def sub(self, pattern: re.Pattern[str], written: Callable[[re.Match[str]], str]) -> None:
        """Replace every match of a pattern, in one pass however many there are."""
        texts: list[str] = []
        origins = array("q")
        place = 0
        for match in pattern.finditer(self.text):
            said = written(match)
            if said != match[0]:
                texts += [self.text[place : match.start()], said]
                origins += self.origins[place : match.start()]
                origins += _shared(self.origins[match.start() : match.end()], len(said))
                place = match.end()
        if texts:
            self.text = "".join(texts) + self.text[place:]
            self.origins = origins + self.origins[place:]

    def stripped(self) -> "MappedText":
        """Return it without white space at its ends."""
        lead = len(self.text) - len(self.text.lstrip())
        return self.slice(lead, max(lead, len(self.text.rstrip())))

    def place(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the characters `[first, last)` of the page that a part stands for; None: it stands nowhere."""
        known = [origin for origin in self.origins[start:end] if origin != NOWHERE]
        return (min(known), max(known) + 1) if known else None


def _shared(old: "array[int]", length: int) -> "array[int]":
    """Return the origins of characters that stand for others, whose first and last places are theirs."""
    if not old:
        return array("q", [NOWHERE] * length)
    own = [old[min(number, len(old) - 1)] for number in range(length)]
    if own:
        own[-1] = old[-1]
    return array("q", own)
