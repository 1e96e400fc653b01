"""Which English words are common, and what they mean in a few numbers: what a sentence is about tells bass from bass.

For each word a vector of its meaning and a cluster of words that are used alike (Brown, deSouza, Mercer, Della Pietra
and Lai 1992, "Class-based n-gram models of natural language"). `recipes/homographs/words.py` makes the table.
"""

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import TextError

_FILE = "homograph_words.safetensors"


class WordTable:
    """Vectors and clusters by word; safe to use from threads."""

    def __init__(self, keys: NDArray[np.uint32], vectors: NDArray[np.int8], clusters: NDArray[np.uint32]) -> None:
        """Take the table.

        Args:
            keys: CRC-32 of each word in lower case, `[V]`.
            vectors: Their meanings in 127ths, `[V, D]`.
            clusters: Their clusters `[V]`: paths in a tree of words, from the root in the lowest bit; 0 for none.
        """
        self._rows = dict(zip(keys.tolist(), range(len(keys)), strict=True))
        self._vectors = vectors.astype(np.float32)
        self._clusters = clusters.tolist()

    @property
    def dimensions(self) -> int:
        """How many numbers make a vector."""
        return int(self._vectors.shape[1])

    def knows(self, word: str) -> bool:
        """Return whether a word in lower case is a common one."""
        return crc32(word.encode("utf-8", "replace")) in self._rows

    def cluster(self, word: str) -> int:
        """Return the cluster of a word in lower case, 0 where none is known."""
        row = self._rows.get(crc32(word.encode("utf-8", "replace")))
        return 0 if row is None else int(self._clusters[row])

    def shares(self, words: Sequence[tuple[str, float]]) -> tuple[list[str], NDArray[np.float32]]:
        """Return what each word adds to the direction in which the meanings of some words point together.

        Args:
            words: Words in lower case with their weights.

        Returns:
            The words that the table has, and their shares `[N, D]`; the sum of these has length 1 (or 0).
        """
        found = [
            (word, row, weight)
            for word, weight in words
            if (row := self._rows.get(crc32(word.encode("utf-8", "replace")))) is not None
        ]
        rows = [row for _, row, _ in found]
        parts = self._vectors[rows]
        weights = np.array([weight for _, _, weight in found], np.float32)
        total = weights @ parts
        length = math.sqrt(total @ total)
        parts *= weights[:, None] / (length or 1.0)
        return [word for word, _, _ in found], parts


@cache
def load_word_table() -> WordTable:
    """Return the table that comes with the package.

    Raises:
        TextError: It is missing or damaged.
    """
    path = Path(__file__).with_name(_FILE)
    try:
        from safetensors.numpy import load_file

        arrays = load_file(path)
        return WordTable(arrays["keys"], arrays["vectors"], arrays["clusters"])
    except (OSError, ValueError, KeyError) as error:
        raise TextError(f"cannot read {path}: reinstall glowvox") from error
