"""Conditional random fields of gruut's language data: parts of speech of a sentence, and letters to phones.

The names and values of features are those with which the models were trained; another spelling would silently be
ignored.
"""

import base64
import string
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

Features = dict[str, str | bool | int | float]


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


def _word_features(word: str) -> Features:
    return {
        "bias": 1.0,
        "word": encode(word),
        "len(word)": len(word),
        "word.ispunctuation": word in string.punctuation,
        "word.isdigit()": word.isdigit(),
        "word[:2]": word[:2],
        "word[:3]": word[:3],
        "word[-2:]": word[-2:],
        "word[-3:]": word[-3:],
    }


def sentence_features(words: Sequence[str]) -> list[Features]:
    """Return for every word of a sentence: its shape, and that of two neighbours on each side."""
    shapes = [_word_features(word) for word in words]
    rows: list[Features] = []
    for place, shape in enumerate(shapes):
        row = dict(shape)
        if place == 0:
            row["BOS"] = True
        if place == len(shapes) - 1:
            row["EOS"] = True
        for distance in (-2, -1, 1, 2):
            if 0 <= place + distance < len(shapes):
                row.update({f"{distance:+d}:{name}": value for name, value in shapes[place + distance].items()})
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

    def labels(self, features: Sequence[Features]) -> list[str]:
        """Return one label for every row of features."""
        with self._lock:
            return list(self._tagger.tag(features))


@cache
def load_sequence_model(path: Path) -> SequenceModel | None:
    """Return the model in a file, or None where there is no such file."""
    return SequenceModel(path) if path.is_file() else None
