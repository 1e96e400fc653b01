"""From phonemes to the numbers that a model reads: one fixed, versioned table of symbols for all languages."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from glowvox.errors import TextError
from glowvox.text.utterance import PAUSE_MARKS, Pause, Sentence, Word

# The phones that a voice can know, and how a string of IPA is cut into them.
# One inventory serves all languages, so that a model of two languages has one symbol table. The order is part of
# the table's version: symbols are appended, never moved.


PRIMARY_STRESS = "ˈ"
SECONDARY_STRESS = "ˌ"
STRESS_MARKS = (PRIMARY_STRESS, SECONDARY_STRESS)

VOWELS = (
    *("a", "e", "i", "o", "u", "y", "æ", "ɑ", "ɒ", "ɐ", "ɔ", "ə", "ɚ", "ɛ", "ɜ", "ɪ", "ʊ", "ʌ", "ʏ", "ø", "œ"),
    *("ɘ", "ɞ", "ɤ", "ɨ", "ɯ", "ɵ", "ɶ", "ʉ", "ᵻ", "ɪ̈"),
    *("aɪ", "aʊ", "eɪ", "oʊ", "ɔɪ", "əʊ", "ɪə", "eə", "ʊə"),
    *("aɪ̯", "aʊ̯", "ɔʏ̯"),
    *("aː", "eː", "iː", "oː", "uː", "yː", "øː", "œː", "ɛː", "ɑː", "ɔː", "ɜː", "ɒː", "æː"),
    *("ã", "õ", "ɛ̃", "œ̃", "ɔ̃", "ɑ̃", "ãː", "õː", "ɛ̃ː", "œ̃ː", "ɔ̃ː", "ɑ̃ː"),
)
"""Vowels, diphthongs, long and nasal vowels."""

CONSONANTS = (
    *("b", "c", "d", "f", "h", "j", "k", "l", "m", "n", "p", "q", "r", "s", "t", "v", "w", "x", "z"),
    *("ð", "θ", "ŋ", "ɡ", "ɹ", "ʃ", "ʒ", "ʁ", "ʔ", "ç", "χ", "ɾ", "ɫ", "ɲ", "ɱ", "ɳ", "ɴ", "ɸ", "β", "ɣ", "ʀ", "ɽ"),
    *("ɺ", "ɻ", "ɭ", "ʎ", "ʟ", "ʂ", "ʐ", "ɕ", "ʑ", "ʈ", "ɖ", "ɟ", "ɢ", "ʡ", "ħ", "ʕ", "ɦ", "ɥ", "ʋ", "ɰ", "ʍ", "ʝ"),
    *("ɓ", "ɗ", "ʄ", "ɠ", "ʛ", "ɬ", "ɮ", "ɧ", "ʙ", "ʜ", "ʢ", "ǀ", "ǁ", "ǂ", "ǃ", "ʘ", "ⱱ"),
    *("d͡ʒ", "t͡ʃ", "t͡s", "d͡z", "p͡f", "t͡ɕ", "d͡ʑ", "n̩", "l̩", "m̩", "ɹ̩"),
)
"""Consonants, affricates and syllabic consonants."""

MODIFIERS = (
    "ː",
    "ˑ",
    "ʰ",
    "ʲ",
    "ʷ",
    "ˠ",
    "ˤ",
    "ʼ",
    "ⁿ",
    "̩",
    "̯",
    "̃",
    "̥",
    "̬",
    "̪",
    "̊",
    "̈",
    "̆",
    "͡",
    "˞",
    "̚",
    "̝",
    "̞",
    "̠",
    "̟",
)
"""Signs that change the phone before them, as symbols of their own where no whole phone is in the table."""

PHONES = VOWELS + CONSONANTS + MODIFIERS

# Look-alikes that dictionaries and users write, and the sign that IPA means.
_SAME = str.maketrans({"g": "ɡ", "'": "ˈ", "ʦ": "t͡s", "ʣ": "d͡z", "ʧ": "t͡ʃ", "ʤ": "d͡ʒ", "ε": "ɛ", "ɝ": "ɚ", "͜": "͡"})
_IGNORED = re.compile(r"[\s.\u200b-\u200d‿|()]+")
_VOWEL_SET = frozenset(VOWELS)
_BY_LENGTH = sorted(PHONES, key=len, reverse=True)
_PHONE = re.compile("|".join(re.escape(unicodedata.normalize("NFC", phone)) for phone in _BY_LENGTH))
_CANONICAL = {unicodedata.normalize("NFC", phone): phone for phone in PHONES}


def split_stress(phoneme: str) -> tuple[str, str]:
    """Return the stress mark of a phoneme (or an empty string) and the phone without it."""
    if phoneme[:1] in STRESS_MARKS:
        return phoneme[0], phoneme[1:]
    return "", phoneme


@lru_cache(maxsize=1024)
def canonical_phone(phone: str) -> str | None:
    """Return the table's spelling of one phone without stress, or None where the table has none."""
    return _CANONICAL.get(unicodedata.normalize("NFC", phone.translate(_SAME)))


def canonical_phonemes(phonemes: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Bring phonemes that come as a list (from a dictionary) into the table's spelling.

    Returns:
        The phonemes, and the signs that no phone of the table stands for.
    """
    known: list[str] = []
    unknown: list[str] = []
    for phoneme in phonemes:
        stress, phone = split_stress(phoneme)
        whole = canonical_phone(phone)
        if whole is not None:
            known.append(stress + whole)
        else:
            parts, rest = split_ipa(phoneme)
            known.extend(parts)
            unknown.extend(rest)
    return tuple(known), tuple(unknown)


def split_ipa(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cut a string of IPA into phones, the longest first; a stress mark moves to the next vowel.

    IPA writes the mark before the syllable, the dictionaries before the vowel: the table follows the dictionaries.

    Returns:
        The phonemes, and the signs that no phone of the table stands for.
    """
    text = unicodedata.normalize("NFC", text.translate(_SAME))
    phonemes: list[str] = []
    unknown: list[str] = []
    stress, position, pending = "", 0, -1
    while position < len(text):
        if skipped := _IGNORED.match(text, position):
            position = skipped.end()
            continue
        if text[position] in STRESS_MARKS:
            stress, pending = text[position], len(phonemes)
            position += 1
            continue
        match = _PHONE.match(text, position)
        if match is None:
            unknown.append(text[position])
            position += 1
            continue
        phone = _CANONICAL[match.group()]
        if stress and phone in _VOWEL_SET:
            phone, stress = stress + phone, ""
        phonemes.append(phone)
        position = match.end()
    if stress and pending < len(phonemes):
        # No vowel follows (a syllabic consonant): the mark stays where it was written.
        phonemes[pending] = stress + phonemes[pending]
    return tuple(phonemes), tuple(unknown)


TABLE_VERSION = 1
PAD = "<pad>"
BLANK = "<blank>"
BEGIN = "<begin>"
END = "<end>"
BOUNDARY = " "


def symbol_table() -> tuple[str, ...]:
    """Return all symbols, in the order of their numbers; symbols are only ever appended."""
    return (PAD, BLANK, BEGIN, END, BOUNDARY, *PAUSE_MARKS, PRIMARY_STRESS, SECONDARY_STRESS, *PHONES)


@dataclass(frozen=True)
class TokenSequence:
    """A sentence as a model reads it. All three lists have one entry per token (L)."""

    ids: list[int]
    """Numbers of the symbols."""
    words: list[int]
    """Index of the word of the sentence that the token belongs to, -1 for none (pauses, borders)."""
    phonemes: list[int]
    """Index of the phoneme within that word, -1 for none. A stress mark belongs to the phoneme that it stresses,
    a blank to the token before it."""

    def __len__(self) -> int:
        return len(self.ids)


@cache
def _symbols_of(phoneme: str) -> tuple[str, ...]:
    stress, phone = split_stress(phoneme)
    return (stress, phone) if stress else (phone,)


@lru_cache(maxsize=20_000)
def _count_symbols(phonemes: tuple[str, ...]) -> int:
    return sum(len(_symbols_of(phoneme)) for phoneme in phonemes)


def count_tokens(items: Iterable[Word | Pause], *, add_blank: bool = True) -> int:
    """Return how many tokens a row of words and pauses becomes."""
    count, previous_is_word = 2, False
    for item in items:
        if isinstance(item, Word):
            count += _count_symbols(item.phonemes) + previous_is_word
            previous_is_word = True
        else:
            count += 1
            previous_is_word = False
    return 2 * count + 1 if add_blank else count


class Tokenizer:
    """Encodes sentences. The table travels with every voice, so that a voice keeps its numbers for ever."""

    def __init__(self, symbols: Sequence[str] | None = None, *, add_blank: bool = True) -> None:
        """Take a table.

        Args:
            symbols: All symbols in the order of their numbers; None takes the current table.
            add_blank: Whether a blank stands between all symbols and at both ends, as in the improved Glow-TTS.

        Raises:
            TextError: A symbol stands twice, or one of the five special symbols is missing.
        """
        self._symbols = tuple(symbol_table() if symbols is None else symbols)
        self._ids = {symbol: number for number, symbol in enumerate(self._symbols)}
        self.add_blank = add_blank
        if len(self._ids) != len(self._symbols):
            raise TextError("the symbol table holds a symbol twice: the voice is damaged")
        missing = [symbol for symbol in (PAD, BLANK, BEGIN, END, BOUNDARY) if symbol not in self._ids]
        if missing:
            raise TextError(f"the symbol table lacks {', '.join(missing)}: the voice is damaged")

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols in the order of their numbers."""
        return self._symbols

    @property
    def pad_id(self) -> int:
        """Number of the padding symbol."""
        return self._ids[PAD]

    def __len__(self) -> int:
        return len(self._symbols)

    def encode(self, sentence: Sentence) -> TokenSequence:
        """Encode one sentence.

        Raises:
            TextError: A phoneme is not in the table (nothing is dropped silently).
        """
        rows = list(self._rows(sentence))
        if self.add_blank:
            blank = self._ids[BLANK]
            spread = [(blank, -1, -1)]
            for number, word, phoneme in rows:
                spread.extend([(number, word, phoneme), (blank, word, phoneme)])
            rows = spread
        ids, words, phonemes = (list(column) for column in zip(*rows, strict=True))
        return TokenSequence(ids, words, phonemes)

    def _rows(self, sentence: Sentence) -> Iterable[tuple[int, int, int]]:
        yield self._ids[BEGIN], -1, -1
        word_index, previous_is_word = 0, False
        for item in sentence.items:
            if isinstance(item, Pause):
                yield self._id(item.mark, f"the pause {item.mark!r}"), -1, -1
                previous_is_word = False
                continue
            if previous_is_word:
                yield self._ids[BOUNDARY], -1, -1
            for place, phoneme in enumerate(item.phonemes):
                for symbol in _symbols_of(phoneme):
                    yield self._id(symbol, f"the word {item.text!r}"), word_index, place
            word_index += 1
            previous_is_word = True
        yield self._ids[END], -1, -1

    def _id(self, symbol: str, where: str) -> int:
        number = self._ids.get(symbol)
        if number is None:
            raise TextError(
                f"{where} holds the phoneme {symbol!r}, which this voice does not know: give it other phonemes"
            )
        return number

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the symbols of numbers.

        Raises:
            TextError: A number is not in the table.
        """
        decoded = []
        for number in ids:
            if not 0 <= number < len(self._symbols):
                raise TextError(f"token {number} is not in the symbol table of {len(self._symbols)} symbols")
            decoded.append(self._symbols[number])
        return decoded

    def to_dict(self) -> dict[str, Any]:
        """Return what is saved with a voice."""
        return {"table_version": TABLE_VERSION, "symbols": list(self._symbols), "add_blank": self.add_blank}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Tokenizer":
        """Return the tokenizer that was saved with a voice.

        Raises:
            TextError: The table is damaged or of a newer version.
        """
        version, symbols, add_blank = (stored.get(key) for key in ("table_version", "symbols", "add_blank"))
        if not isinstance(version, int) or version > TABLE_VERSION:
            raise TextError(
                f"the symbol table has version {version!r}, this program knows {TABLE_VERSION}: update glowvox"
            )
        if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
            raise TextError("the symbol table is no list of strings: the voice is damaged")
        if not isinstance(add_blank, bool):
            raise TextError("the symbol table does not say whether blanks are added: the voice is damaged")
        return cls(symbols, add_blank=add_blank)
