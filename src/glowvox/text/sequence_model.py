"""Conditional random fields of gruut's language data: parts of speech of a sentence, and letters to phones.

The names and values of features are those with which the models were trained; another spelling would silently be
ignored.
"""

import base64
import string
import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

Features = dict[str, str | bool | int | float]
Weights = dict[bytes, float]
"""Features by their whole names, `name:value`, in the bytes that the library would make of them each time."""


def encode(text: str) -> str:
    """Return text in the ASCII form that the models store."""
    return base64.b64encode(text.encode()).decode("ascii")


def decode(text: str) -> str:
    """Return the text of a stored form."""
    return base64.b64decode(text).decode()


def letter_features(word: str) -> list[Features]:
    """Return for every letter of a word: itself, three neighbours on each side,
    and whether it begins or ends the word."""
    letters = [encode(letter) for letter in word]
    rows: list[Features] = []
    for place, letter in enumerate(letters):
        row: Features = {"bias": 1.0, "grapheme": letter}
        if place == 0:
            row["begin"] = True
        for distance in range(1, 4):
            if place >= distance:
                row[f"grapheme-{distance}"] = letters[place - distance]
            if place + distance < len(letters):
                row[f"grapheme+{distance}"] = letters[place + distance]
        if place == len(letters) - 1:
            row["end"] = True
        rows.append(row)
    return rows


@lru_cache(maxsize=4096)
def _word_features(word: str, distance: int) -> Weights:
    """Return the shape of a word, as the features of its neighbour at a distance name it."""
    prefix = f"{distance:+d}:" if distance else ""
    values = {"word": encode(word), **{f"word[{cut}]": word[place] for cut, place in _CUTS.items()}}
    shape: Weights = {f"{prefix}{name}:{value}".encode(): 1.0 for name, value in values.items()}
    shape[f"{prefix}bias".encode()] = 1.0
    shape[f"{prefix}len(word)".encode()] = len(word)
    shape[f"{prefix}word.ispunctuation".encode()] = word in string.punctuation
    shape[f"{prefix}word.isdigit()".encode()] = word.isdigit()
    return shape


_CUTS = {":2": slice(2), ":3": slice(3), "-2:": slice(-2, None), "-3:": slice(-3, None)}


def sentence_features(words: Sequence[str]) -> list[Weights]:
    """Return for every word of a sentence: its shape, and that of two neighbours on each side."""
    last = len(words) - 1
    rows: list[Weights] = []
    for place, word in enumerate(words):
        row = dict(_word_features(word, 0))
        if place == 0:
            row[b"BOS"] = True
        if place == last:
            row[b"EOS"] = True
        for distance in (-2, -1, 1, 2):
            if 0 <= place + distance <= last:
                row.update(_word_features(words[place + distance], distance))
        rows.append(row)
    return rows


class SequenceModel:
    """A conditional random field that labels a row (parts of speech, letters to phones); safe to use from threads."""

    def __init__(self, path: Path) -> None:
        """Open a model file."""
        import pycrfsuite

        self._tagger = pycrfsuite.Tagger()
        self._tagger.open(str(path))
        # The library keeps the row that is being labelled inside the tagger.
        self._lock = threading.Lock()

    def labels(self, features: Sequence[Features | Weights]) -> list[str]:
        """Return one label for every row of features."""
        with self._lock:
            return list(self._tagger.tag(features))


@cache
def load_sequence_model(path: Path) -> SequenceModel | None:
    """Return the model in a file, or None where there is no such file."""
    return SequenceModel(path) if path.is_file() else None
