"""Grapheme to phoneme: the interface of a back end, which knows the pronunciation of one language's words."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from glowvox.text.utterance import Source


@dataclass(frozen=True)
class Token:
    """One word or punctuation mark of a sentence, as a back end sees it."""

    text: str
    letter: bool = False
    """Whether the name of the letter is meant."""
    is_mark: bool = False
    """Punctuation: context for a tagger, not spoken."""


@dataclass(frozen=True)
class Pronunciation:
    """The phonemes of one word."""

    phonemes: tuple[str, ...]
    source: Source
    warning: str = ""
    """One line that names the word where it was guessed or could not be said, else empty."""
    reading: str = ""
    """What the word means here, where it has several readings, else empty."""
    why: str = ""
    """What decided for that reading, in words."""


class BackEnd(ABC):
    """Knows the pronunciation of one language's words."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The back end, stored with every voice."""

    @property
    @abstractmethod
    def version(self) -> str:
        """Changes when the same word may get other phonemes; stored with every voice."""

    @property
    @abstractmethod
    def language(self) -> str:
        """Language tag in lower case, such as `en-us`."""

    @abstractmethod
    def is_word(self, word: str) -> bool:
        """Say whether a word (in lower case) is known for certain."""

    def words(self) -> list[str]:
        """Return the words of the dictionary, in lower case, in order; none where it cannot tell them."""
        return []

    @abstractmethod
    def pronounce(self, tokens: Sequence[Token]) -> list[Pronunciation]:
        """Return one pronunciation for every token that is not a mark, in order.

        Args:
            tokens: The words and marks of one sentence; the neighbours decide between homographs.
        """

    def readings(self, word: str) -> list[Pronunciation]:
        """Return the pronunciations that a word may have, the usual one first, each once; none where it has no sound.

        Args:
            word: One word, without its sentence.
        """
        return different(self.pronounce([Token(word)]) + self.pronounce([Token(word, letter=True)]))


def different(readings: Iterable[Pronunciation]) -> list[Pronunciation]:
    """Return pronunciations without those that sound as an earlier one, and without silent ones."""
    found: dict[tuple[str, ...], Pronunciation] = {}
    for reading in readings:
        if reading.phonemes:
            found.setdefault(reading.phonemes, reading)
    return list(found.values())


def shortened(text: str) -> str:
    """Return a word quoted for a message, cut where it is long."""
    return repr(text if len(text) <= 40 else text[:37] + "...")
