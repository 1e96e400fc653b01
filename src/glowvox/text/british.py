"""British English: a lexicon of its own, rules for words that only the American dictionary has, and linking r.

The lexicon is misaki's (Apache-2.0), in the phones of this front end; `recipes/british-lexicon` makes it. The rules are
those by which textbooks relate the two accents (Wells, Accents of English, 1982): r is said before vowels alone, LOT is
rounded, GOAT begins in the middle, vowels before a lost r are long or glide to schwa.
"""

import lzma
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import permutations
from pathlib import Path
from typing import TypeVar

from glowvox.errors import TextError
from glowvox.text.tokenizer import VOWELS, split_stress

Roles = Mapping[str, tuple[str, ...]]
Key = TypeVar("Key")

_FILE = Path(__file__).with_name("british_lexicon.tsv.xz")
_VOWELS = frozenset(VOWELS)
_PLAIN = {"oʊ": "əʊ", "u": "uː", "ɔ": "ɔː"}
_BEFORE_LOST_R = {
    "ɑ": "ɑː", "ɑː": "ɑː", "ɒ": "ɑː", "ɔː": "ɔː", "əʊ": "ɔː", "ɛ": "eə", "eɪ": "eə", "ɪ": "ɪə", "i": "ɪə", "iː": "ɪə",
    "ʊ": "ʊə", "uː": "ʊə",
}  # fmt: skip
_LONG = re.compile("[ao]u|aw|oa|ough")
"""Spellings of THOUGHT; another o is that of CLOTH, which is rounded and short."""
_LINKS = frozenset(("ə", "ɑː", "ɔː", "ɜː", "eə", "ɪə", "ʊə"))
"""Vowels after which a written r is said where a vowel follows."""


def british_phonemes(written: str, american: Sequence[str]) -> tuple[str, ...]:
    """Return the British reading of a word by rules, for words that no British lexicon has.

    Args:
        written: the word in lower case; it tells LOT (o, wa) from PALM.
        american: its American phonemes.
    """
    said: list[str] = []
    rounded = "o" in written or "wa" in written or "qua" in written
    for place, phoneme in enumerate(american):
        stress, phone = split_stress(phoneme)
        following = split_stress(american[place + 1])[1] if place + 1 < len(american) else ""
        if phone == "ɹ" and following not in _VOWELS:
            _lose_r(said)
            continue
        if phone == "ɚ":
            said.append(f"{stress}ɜː" if stress else "ə")
            said += ["ɹ"] if following in _VOWELS else []
            continue
        if phone == "ɑ":
            phone = "ɒ" if rounded else "ɑː"
        elif phone == "ɔ" and following != "ɹ" and "o" in written and not _LONG.search(written):
            phone = "ɒ"
        elif phone == "i":
            phone = "iː" if stress else "i"
        said.append(stress + _PLAIN.get(phone, phone))
    return tuple(said)


def _lose_r(said: list[str]) -> None:
    """Let the vowel at the end say the r that is not said, in place."""
    if not said:
        return
    stress, vowel = split_stress(said[-1])
    if vowel in ("aɪ", "aʊ", "ɔɪ"):
        said.append("ə")
    else:
        said[-1] = stress + _BEFORE_LOST_R.get(vowel, vowel)


def british_readings(
    written: str, american: Mapping[Key, tuple[str, ...]], british: Roles
) -> dict[Key, tuple[str, ...]]:
    """Return the British phonemes of a homograph's readings.

    Args:
        written: the word in lower case.
        american: its readings with their American phonemes.
        british: what the lexicon has of the word; each entry is that of the reading which it is most like.
    """
    by_rule = {key: british_phonemes(written, phonemes) for key, phonemes in american.items()}
    entries = list(dict.fromkeys(british.values()))
    pairings = (
        [dict(zip(keys, entries, strict=True)) for keys in permutations(by_rule, len(entries))]
        if len(entries) <= len(by_rule)
        else [dict(zip(by_rule, some, strict=True)) for some in permutations(entries, len(by_rule))]
    )
    best = max(pairings, key=lambda pairing: sum(_likeness(by_rule[key], entry) for key, entry in pairing.items()))
    found = {**by_rule, **best}
    return found if len(set(found.values())) == len(found) else by_rule


def _likeness(one: Sequence[str], other: Sequence[str]) -> float:
    ours, theirs = ("".join(phones).replace("ˌ", "") for phones in (one, other))
    return SequenceMatcher(None, ours, theirs).ratio()


class BritishLexicon:
    """Pronunciations of words (in lower case) by their role; safe to use from several threads."""

    def __init__(self, american: Callable[[str], Roles]) -> None:
        """Read the file.

        Args:
            american: gives a word's American readings, empty where there are none: weak forms (unstressed) and words
                that are missing here are said by rules from these.

        Raises:
            TextError: the file is missing or damaged.
        """
        try:
            text = lzma.decompress(_FILE.read_bytes()).decode()
        except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
            raise TextError(f"cannot read the British lexicon {_FILE.name}: {error}; reinstall glowvox") from error
        self._lines = dict(line.split("\t", 1) for line in text.splitlines())
        self._american = american
        self._found: dict[str, Roles] = {}
        self._lock = threading.Lock()

    def words(self) -> list[str]:
        """Return all words, in order."""
        return sorted(self._lines)

    def roles(self, word: str) -> Roles:
        """Return the readings of a word by role, the usual one first; empty where the word is unknown."""
        found = self._found.get(word)
        if found is None:
            found = self._read(word)
            with self._lock:
                if len(self._found) < 50_000 and len(word) <= 40:
                    self._found[word] = found
        return found

    def _read(self, word: str) -> Roles:
        american = self._american(word)
        weak = bool(american) and not any("ˈ" in phoneme for phones in american.values() for phoneme in phones)
        line = "" if weak else self._lines.get(word, "")
        if not line:
            return {role: british_phonemes(word, phones) for role, phones in american.items()}
        readings = (reading.split("=", 1) for reading in line.split("|"))
        return {role: tuple(phones.split()) for role, phones in readings}


def with_linking_r(written: Sequence[str], said: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the phonemes of words that follow each other without a pause, with an r between `far` and `away`.

    Args:
        written: the words in lower case.
        said: their phonemes.
    """
    linked = list(said)
    for place in range(len(linked) - 1):
        own, following = linked[place], linked[place + 1]
        if not own or not following or not written[place].endswith(("r", "re")):
            continue
        if split_stress(own[-1])[1] in _LINKS and split_stress(following[0])[1] in _VOWELS:
            linked[place] = (*own, "ɹ")
    return linked
