"""What the front end hands on: an utterance of sentences, each a row of words with phonemes and of pauses."""

from dataclasses import dataclass
from typing import Literal

from glowvox.errors import TextError

PAUSE_MARKS = (",", ".", "?", "!", ";", ":", "—")
"""The punctuation that is spoken as a pause; every other mark is mapped to one of these or has no sound."""

Source = Literal["user lexicon", "lexicon", "suffix", "compound", "rules", "spelling", "inline", "back end"]


@dataclass(frozen=True)
class Word:
    """A spoken word: one row of phonemes, and where it came from."""

    text: str
    """The word as it is spoken (after normalisation)."""
    phonemes: tuple[str, ...]
    """IPA phones; a stressed vowel begins with its stress mark."""
    source: Source
    """Who gave the phonemes."""
    span: tuple[int, int]
    """Characters of the text as given, `[start, end)`. The words of one number share its span."""
    rate: float = 1.0
    """Speaking rate wished for this word (1.0: as the voice speaks)."""
    reading: str = ""
    """What the word means here, where it is a homograph, else empty."""
    why: str = ""
    """What decided for that reading, in words."""
    pitch: float = 0.0
    """Semitones by which the word shall be higher than the voice speaks it."""
    volume: float = 1.0
    """Factor on its samples."""


@dataclass(frozen=True)
class Pause:
    """A pause inside or at the end of a sentence, written as one of `PAUSE_MARKS`."""

    mark: str
    span: tuple[int, int]


@dataclass(frozen=True)
class Mark:
    """A named place in a sentence that the listener is told about when it is reached."""

    name: str
    word_index: int
    """The mark stands before this word of the sentence (the number of words: at its end)."""


@dataclass(frozen=True)
class Sentence:
    """What is synthesised in one go."""

    text: str
    """The characters as given."""
    items: tuple[Word | Pause, ...]
    """Words and pauses in the order of speaking."""
    span: tuple[int, int]
    """Characters of the text as given, `[start, end)`."""
    pause_after: float = 0.0
    """Silence after the sentence in seconds."""
    voice: str | None = None
    """Name of the voice or speaker wished for, or None."""
    marks: tuple[Mark, ...] = ()

    @property
    def words(self) -> tuple[Word, ...]:
        """The words in order."""
        return tuple(item for item in self.items if isinstance(item, Word))

    @property
    def normalized(self) -> str:
        """The sentence as it is spoken, in ordinary spelling."""
        text = ""
        for item in self.items:
            if isinstance(item, Word):
                text += f" {item.text}" if text else item.text
            else:
                text += f" {item.mark}" if item.mark == "—" and text else item.mark
        return text


@dataclass(frozen=True)
class Utterance:
    """A whole text, ready for the tokenizer."""

    sentences: tuple[Sentence, ...]
    warnings: tuple[str, ...] = ()
    """One line for everything that was guessed, replaced or left out."""

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all sentences."""
        return tuple(word for sentence in self.sentences for word in sentence.words)

    @property
    def normalized(self) -> str:
        """The text as it is spoken, in ordinary spelling."""
        return " ".join(text for text in (sentence.normalized for sentence in self.sentences) if text)


@dataclass(frozen=True)
class PauseLengths:
    """Silences between sentences, in seconds."""

    sentence: float = 0.2
    """After a sentence inside a paragraph."""
    paragraph: float = 0.6
    """After a paragraph (a blank line, or `p` in SSML)."""

    def __post_init__(self) -> None:
        for name in ("sentence", "paragraph"):
            if not 0.0 <= getattr(self, name) <= 60.0:
                raise TextError(f"the {name} pause must lie between 0 and 60 seconds, got {getattr(self, name)}")
