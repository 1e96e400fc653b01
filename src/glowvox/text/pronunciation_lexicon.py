"""The pronunciation dictionary of a language: gruut's SQLite file, held in memory with an index."""

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from glowvox.errors import TextError


class PronunciationLexicon:
    """Pronunciations of words (in lower case) by their role in the sentence; safe to use from several threads."""

    def __init__(
        self,
        path: Path,
        phonemes: Callable[[Sequence[str]], tuple[str, ...]],
        supplement: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Read the dictionary.

        The file has no index, so that each look-up in it reads all of it (8 ms in English): a copy in memory with an
        index costs 0.1 s once and 2 microseconds a word.

        Args:
            path: `lexicon.db` of a gruut language package.
            phonemes: Brings the file's phones into the table's spelling.
            supplement: Further words, which go before those of the file.

        Raises:
            TextError: The file cannot be read.
        """
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            self._connection.execute("ATTACH ? AS source", (str(path),))
            self._connection.execute(
                "CREATE TABLE entry AS SELECT word, role, phonemes FROM source.word_phonemes ORDER BY id"
            )
            self._connection.execute("CREATE INDEX entry_word ON entry (word)")
            self._connection.commit()
            self._connection.execute("DETACH source")
        except sqlite3.Error as error:
            raise TextError(f"cannot read the pronunciation lexicon {path}: {error}; reinstall gruut") from error
        self._phonemes = phonemes
        self._cache = {word: {"": phones} for word, phones in (supplement or {}).items()}

    def roles(self, word: str) -> dict[str, tuple[str, ...]]:
        """Return the pronunciations of a word by role, the usual one first; empty where the word is unknown."""
        known = self._cache.get(word)
        if known is not None:
            return known
        with self._lock:
            rows = self._connection.execute(
                "SELECT role, phonemes FROM entry WHERE word = ? ORDER BY rowid", (word,)
            ).fetchall()
        found: dict[str, tuple[str, ...]] = {}
        for role, phonemes in rows:
            found.setdefault(role.removeprefix("gruut:"), self._phonemes(phonemes.split()))
        if len(self._cache) < 50_000 and len(word) <= 40:
            self._cache[word] = found
        return found
