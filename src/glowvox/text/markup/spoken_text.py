"""The text that markup leaves, as a person would read it out, with the places where a sentence ends in any case."""

from collections.abc import Callable
from dataclasses import dataclass, field

Warn = Callable[[str], None]


@dataclass(frozen=True)
class SentenceEnd:
    """A place where a sentence ends, whatever is written there: after a heading, an item, a row of a table."""


@dataclass(frozen=True)
class MarkupOptions:
    """What a reader of markup needs to know."""

    language: str = "en"
    """Language without region, for the few words of its own (of formulas, footnotes)."""
    read_code: bool = False
    """Whether fenced code is read; otherwise it is left out with a warning."""
    careful: bool = False
    """Whether only what is surely markup is taken for it (`auto`)."""


@dataclass
class SpokenText:
    """Collects the text of some blocks; what stands inside an element that is not spoken is left out."""

    text: str = ""
    ends: list[int] = field(default_factory=list)
    """Places in the text where a sentence ends."""
    warnings: list[str] = field(default_factory=list)
    _gap: str = ""
    """White space that comes before the next word."""
    _ending: bool = False

    def add(self, words: str) -> None:
        """Add text as it stands; white space at its end waits for more."""
        body = words.rstrip()
        lead = words[: len(words) - len(words.lstrip())] if body else words
        self._widen(lead)
        if not body:
            return
        if self._ending:
            self.ends.append(len(self.text))
            self._ending = False
        self.text += (self._gap if self.text else "") + body.lstrip()
        self._gap = words[len(body) :]

    def blank(self) -> None:
        """Part two words."""
        self._widen(" ")

    def line(self) -> None:
        """Begin a line; the sentence may go on."""
        self._widen("\n")

    def end(self, *, paragraph: bool = False) -> None:
        """End the sentence, and the paragraph if that is wished."""
        self._ending = True
        self._widen("\n\n" if paragraph else "\n")

    def join(self, mark: str) -> None:
        """Put a pause mark between what was said and what follows, if none is there."""
        if self.text and not self._ending:
            last = self.text[-1]
            self._gap = " " if last in ".,;:!?" else f"{mark} "

    @property
    def open_end(self) -> bool:
        """Whether the sentence is said to end after the last word."""
        return self._ending

    @property
    def gap(self) -> str:
        """White space that comes before the next word, if that is known."""
        return self._gap

    def _widen(self, gap: str) -> None:
        """Keep the strongest white space of all that was asked for in a row."""
        if gap.count("\n") > self._gap.count("\n") or not self._gap:
            self._gap = gap
