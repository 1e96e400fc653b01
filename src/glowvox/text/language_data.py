"""Pronunciation dictionaries of a language, the names of its letters, and romanisation of other scripts."""

import importlib.util
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glowvox.errors import TextError
from glowvox.text.phones import canonical_phonemes, split_stress

# Words younger than the dictionaries, or missing from them.
_ENGLISH_SUPPLEMENT = """
app ˈæ p
blog b l ˈɔ ɡ
covid k ˈoʊ v ɪ d
emoji ɪ m ˈoʊ d͡ʒ i
gif ɡ ˈɪ f
gigahertz ɡ ˈɪ ɡ ə h ˌɚ t s
glowvox ɡ l ˈoʊ v ˌɑ k s
google ɡ ˈu ɡ ə l
hashtag h ˈæ ʃ t ˌæ ɡ
hectopascals h ˈɛ k t oʊ p ˌæ s k ə l z
kilocalories k ˈɪ l ə k ˌæ l ɚ i z
kilohertz k ˈɪ l ə h ˌɚ t s
linux l ˈɪ n ə k s
megapixels m ˈɛ ɡ ə p ˌɪ k s ə l z
milliamps m ˈɪ l i ˌæ m p s
milliamp m ˈɪ l i ˌæ m p
miz m ˈɪ z
podcast p ˈɑ d k ˌæ s t
podcasts p ˈɑ d k ˌæ s t s
selfie s ˈɛ l f i
smartphone s m ˈɑ ɹ t f ˌoʊ n
smartphones s m ˈɑ ɹ t f ˌoʊ n z
terahertz t ˈɛ ɹ ə h ˌɚ t s
tweet t w ˈi t
vlog v l ˈɔ ɡ
webcam w ˈɛ b k ˌæ m
website w ˈɛ b s ˌaɪ t
websites w ˈɛ b s ˌaɪ t s
wifi w ˈaɪ f ˌaɪ
wi w ˈaɪ
wiki w ˈɪ k i
zloty z l ˈɑ t i
zlotys z l ˈɑ t i z
"""

_GERMAN_SUPPLEMENT = """
app ˈɛ p
celsius t͡s ˈɛ l z ɪ ʊ s
gigabyte ɡ ˈiː ɡ a b aɪ̯ t
gigahertz ɡ ˈiː ɡ a h ɛ ʁ t͡s
kilobyte k ˈiː l oː b aɪ̯ t
kilohertz k ˈiː l oː h ɛ ʁ t͡s
megabyte m ˈeː ɡ a b aɪ̯ t
megahertz m ˈeː ɡ a h ɛ ʁ t͡s
terabyte t ˈeː ʁ a b aɪ̯ t
"""


def english_supplement() -> dict[str, tuple[str, ...]]:
    """Return pronunciations by English word."""
    return _rows(_ENGLISH_SUPPLEMENT)


def german_supplement() -> dict[str, tuple[str, ...]]:
    """Return pronunciations by German word."""
    return _rows(_GERMAN_SUPPLEMENT)


def _rows(text: str) -> dict[str, tuple[str, ...]]:
    rows = (line.split() for line in text.strip().splitlines())
    return {word: tuple(phonemes) for word, *phonemes in rows}


@dataclass(frozen=True)
class LanguageData:
    """One of gruut's language packages; importing gruut itself is not needed to use it."""

    package: str
    alphabet: frozenset[str]
    """Letters that the letter-to-sound model knows."""
    variant: str = ""
    """Folder inside the package, where it has several dictionaries."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Phones of the dictionary that stand for another one of the table."""
    joined: dict[tuple[str, str], str] = field(default_factory=dict)
    """Two phones of the dictionary that are one of the table: diphthongs and affricates."""

    supplement: Callable[[], dict[str, tuple[str, ...]]] = dict
    """Words that the dictionary lacks."""

    def folder(self) -> Path:
        """Return the package's folder.

        Raises:
            TextError: The package is not installed.
        """
        spec = importlib.util.find_spec(self.package)
        if spec is None or spec.origin is None:
            raise TextError(f"this language needs the package '{self.package}': pip install {self.package}")
        return Path(spec.origin).parent

    def phonemes(self, raw: Sequence[str]) -> tuple[str, ...]:
        """Return phones of the dictionary as phones of the table."""
        renamed: list[str] = []
        for phoneme in raw:
            stress, phone = split_stress(phoneme)
            phone = self.renamed.get(phone, phone)
            if renamed:
                before_stress, before = split_stress(renamed[-1])
                whole = self.joined.get((before, phone))
                if whole is not None and not stress:
                    renamed[-1] = before_stress + whole
                    continue
            renamed.append(stress + phone)
        return canonical_phonemes(renamed)[0]


_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_ENGLISH = LanguageData("gruut_lang_en", _LETTERS | {"'"}, supplement=english_supplement)
# Of the two German dictionaries the one with stress marks and sharp s: the other splits most diphthongs.
_GERMAN = LanguageData(
    "gruut_lang_de",
    _LETTERS | frozenset("äöüß"),
    supplement=german_supplement,
    variant="espeak",
    renamed={"ɾ": "ʁ", "r": "ʁ", "ɹ": "ʁ", "ɜ": "ɐ", "ɜː": "œ", "ɑː": "aː", "ɑ": "a", "i": "iː", "e": "eː"},
    joined={
        ("a", "ɪ"): "aɪ̯",
        ("a", "ʊ"): "aʊ̯",
        ("ɔ", "ø"): "ɔʏ̯",
        ("t", "s"): "t͡s",
        ("t", "ʃ"): "t͡ʃ",
        ("p", "f"): "p͡f",
    },
)
LANGUAGES = {"en-us": _ENGLISH, "en-gb": _ENGLISH, "de-de": _GERMAN}


def language_data(language: str) -> LanguageData:
    """Return the data of a language.

    Raises:
        TextError: There is none.
    """
    if language not in LANGUAGES:
        raise TextError(f"the gruut back end speaks {', '.join(LANGUAGES)}, not {language!r}: use espeak-ng for others")
    return LANGUAGES[language]


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


_ENGLISH_LETTERS = {
    "a": "ˈeɪ", "b": "b ˈi", "c": "s ˈi", "d": "d ˈi", "e": "ˈi", "f": "ˈɛ f", "g": "d͡ʒ ˈi", "h": "ˈeɪ t͡ʃ",
    "i": "ˈaɪ",
    "j": "d͡ʒ ˈeɪ", "k": "k ˈeɪ", "l": "ˈɛ l", "m": "ˈɛ m", "n": "ˈɛ n", "o": "ˈoʊ", "p": "p ˈi", "q": "k j ˈu",
    "r": "ˈɑ ɹ",
    "s": "ˈɛ s", "t": "t ˈi", "u": "j ˈu", "v": "v ˈi", "w": "d ˈʌ b ə l j ˌu", "x": "ˈɛ k s", "y": "w ˈaɪ",
    "z": "z ˈi",
}  # fmt: skip
_GERMAN_LETTERS = {
    "a": "ˈaː", "b": "b ˈeː", "c": "t͡s ˈeː", "d": "d ˈeː", "e": "ˈeː", "f": "ˈɛ f", "g": "ɡ ˈeː", "h": "h ˈaː",
    "i": "ˈiː", "j": "j ˈɔ t", "k": "k ˈaː", "l": "ˈɛ l", "m": "ˈɛ m", "n": "ˈɛ n", "o": "ˈoː", "p": "p ˈeː",
    "q": "k ˈuː", "r": "ˈɛ ʁ", "s": "ˈɛ s", "t": "t ˈeː", "u": "ˈuː", "v": "f ˈaʊ̯", "w": "v ˈeː",
    "x": "ˈɪ k s", "y": "ˈʏ p s ɪ l ɔ n", "z": "t͡s ˈɛ t", "ä": "ˈɛː", "ö": "ˈøː", "ü": "ˈyː",
    "ß": "ɛ s t͡s ˈɛ t",
}  # fmt: skip
_NAMES = {"en": _ENGLISH_LETTERS, "de": _GERMAN_LETTERS}

# Each sound in the place of its letter; a low line stands for none.
_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўђјљњћџ"
_CYRILLIC_SOUNDS = (
    "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya i yi ye g w dj y ly ny ch dzh"
)
_GREEK = "αβγδεζηθικλμνξοπρσςτυφχψω"
_GREEK_SOUNDS = "a v g d e z i th i k l m n x o p r s s t i f h ps o"
_LATIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "th", "þ": "th", "ł": "l", "ı": "i", "ŋ": "ng",
    "ħ": "h", "ə": "e", "ŧ": "t",
}  # fmt: skip
_SOUNDS = {
    **dict(zip(_CYRILLIC, _CYRILLIC_SOUNDS.split(), strict=True)),
    **dict(zip(_GREEK, _GREEK_SOUNDS.split(), strict=True)),
    **_LATIN,
}


def letter_phonemes(letter: str, language: str) -> tuple[str, ...] | None:
    """Return the name of a letter as phonemes, or None where the language has no name for it."""
    names = _NAMES.get(language.split("-")[0], {})
    lower = letter.lower()
    found = names.get(lower) or names.get(unicodedata.normalize("NFD", lower)[:1])
    return tuple(found.split()) if found else None


def romanise(word: str, alphabet: frozenset[str]) -> tuple[str, str]:
    """Write a word in the letters that the rules of a language know.

    Accents are taken off; Cyrillic, Greek and special Latin letters are written by their sound; kana, Hangul and the
    letters of other alphabets by the name that Unicode gives them.

    Args:
        word: A word in lower case.
        alphabet: The letters that the language knows.

    Returns:
        The word, and the characters for which there is no reading (ideographs).
    """
    written, unread = "", ""
    for character in unicodedata.normalize("NFC", word):
        if character in alphabet:
            written += character
            continue
        for part in unicodedata.normalize("NFKD", character) if not "가" <= character <= "힣" else character:
            if part in alphabet:
                written += part
            elif unicodedata.combining(part):
                continue
            elif part in _SOUNDS:
                written += _SOUNDS[part].replace("_", "")
            else:
                sound = _name_of(part)
                written += sound
                unread += "" if sound else part
    return written, unread


def _name_of(character: str) -> str:
    name = unicodedata.name(character, "")
    if unicodedata.category(character) in ("Lm", "Sk"):
        return ""
    if "IDEOGRAPH" in name or unicodedata.category(character)[0] not in "LM":
        return ""
    match = re.search(r"(?:LETTER|SYLLABLE|SIGN|CHARACTER)(?: SMALL| FINAL| CAPITAL)* ([A-Z]+)", name)
    return match.group(1).lower()[:12] if match else ""
