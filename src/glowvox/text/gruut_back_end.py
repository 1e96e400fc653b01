"""The default back end: gruut's dictionary, part-of-speech tagger and letter-to-sound model, used directly.

The text processor gruut itself, which takes a second to import and 70 MB, is not used and not needed; its
language packages are data, and are found without importing it.
"""

import functools
import importlib.util
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path

from glowvox.errors import TextError
from glowvox.storage.cache import from_cache, into_cache, known_digest
from glowvox.text.back_end import BackEnd, Pronunciation, Token, different, shortened
from glowvox.text.british import BritishLexicon, british_phonemes, british_readings, with_linking_r
from glowvox.text.homograph_rules import ruled
from glowvox.text.homographs import Reading, SentenceContext, load_homograph_model
from glowvox.text.interjections import drawn_out, interjection
from glowvox.text.letter_to_sound import load_letter_to_sound
from glowvox.text.other_scripts import LETTER_SOUNDS, read_other_scripts, script_of
from glowvox.text.sequence_model import decode, letter_features, load_sequence_model, sentence_features
from glowvox.text.tokenizer import VOWELS, canonical_phonemes, split_stress
from glowvox.text.word_table import load_word_table

# Pronunciation dictionaries of a language, the names of its letters, and romanisation of other scripts.


def english_supplement() -> dict[str, tuple[str, ...]]:
    """Return pronunciations by English word that go before the dictionary's."""
    return _supplement("en")


def german_supplement() -> dict[str, tuple[str, ...]]:
    """Return pronunciations by German word that go before the dictionary's."""
    return _supplement("de")


def _supplement(language: str) -> dict[str, tuple[str, ...]]:
    """Return words younger than the dictionary, missing from it, or with a reading in it that is hardly ever meant."""
    lines = Path(__file__).with_name("lexicon_supplement.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return {word: tuple(phonemes.split()) for of, word, phonemes in rows if of == language}


@cache
def english_homographs() -> dict[str, dict[Reading, tuple[str, ...]]]:
    """Return the readings of English homographs with their phonemes by word, the usual one first."""
    table: dict[str, dict[Reading, tuple[str, ...]]] = {}
    for line in Path(__file__).with_name("homographs.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        word, name, kind, meaning, phonemes = line.split("\t")
        reading = Reading(name, "" if kind == "-" else kind, meaning)
        table.setdefault(word, {})[reading] = tuple(phonemes.split())
    return table


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
    homographs: Callable[[], dict[str, dict[Reading, tuple[str, ...]]]] = dict
    """Words whose reading the classifier chooses."""

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
_ENGLISH = LanguageData("gruut_lang_en", _LETTERS | {"'"}, supplement=english_supplement, homographs=english_homographs)
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


_COPY_VERSION = 1
"""Raised when the table of the copies changes."""


def _copied(path: Path) -> sqlite3.Connection:
    """Return a dictionary's entries in memory, by their words."""
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    copy.execute("ATTACH ? AS source", (str(path),))
    copy.execute(
        "CREATE TABLE entry (word TEXT, place INTEGER, role TEXT, phonemes TEXT, PRIMARY KEY (word, place)) "
        "WITHOUT ROWID"
    )
    copy.execute("INSERT INTO entry SELECT word, id, role, phonemes FROM source.word_phonemes ORDER BY id")
    copy.commit()
    copy.execute("DETACH source")
    return copy


def _write_copy(copy: sqlite3.Connection, place: Path) -> None:
    try:
        copy.execute("VACUUM INTO ?", (str(place),))
    except sqlite3.Error as error:  # a full disk, or an SQLite before 3.27: it is not kept, and nothing fails
        raise OSError(str(error)) from error


def _opened_copy(place: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{place.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


class PronunciationLexicon:
    """Pronunciations of words (in lower case) by their role in the sentence; safe to use from several threads."""

    def __init__(
        self,
        path: Path,
        phonemes: Callable[[Sequence[str]], tuple[str, ...]],
        supplement: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Read the dictionary.

        The file has no index, so that each look-up in it reads all of it (8 ms in English): a copy with an index costs
        40 ms once and 2 microseconds a word. It is kept in the cache, from where it takes 6 ms.

        Args:
            path: `lexicon.db` of a gruut language package.
            phonemes: Brings the file's phones into the table's spelling.
            supplement: Further words, which go before those of the file.

        Raises:
            TextError: The file cannot be read.
        """
        self._lock = threading.Lock()
        try:
            key = f"lexicon{_COPY_VERSION}{known_digest(path).hex()[:32]}"
            kept = from_cache(key, ".db", _opened_copy)
            if kept is None:
                kept = _copied(path)
                into_cache(key, ".db", functools.partial(_write_copy, kept))
        except (sqlite3.Error, OSError) as error:
            raise TextError(
                f"cannot read the pronunciation lexicon {path}: {error}; reinstall {path.parent.name}"
            ) from error
        self._connection = kept
        self._phonemes = phonemes
        self._cache = {word: {"": phones} for word, phones in (supplement or {}).items()}
        self._supplement = frozenset(self._cache)

    def words(self) -> list[str]:
        """Return all words of the dictionary, in lower case, in order."""
        with self._lock:
            rows = self._connection.execute("SELECT DISTINCT word FROM entry").fetchall()
        return sorted({word for (word,) in rows} | self._supplement)

    def roles(self, word: str) -> dict[str, tuple[str, ...]]:
        """Return the pronunciations of a word by role, the usual one first; empty where the word is unknown."""
        known = self._cache.get(word)
        if known is not None:
            return known
        with self._lock:
            rows = self._connection.execute(
                "SELECT role, phonemes FROM entry WHERE word = ? ORDER BY place", (word,)
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
_BRITISH_LETTERS = {
    letter: " ".join(british_phonemes(letter, name.split())) for letter, name in _ENGLISH_LETTERS.items()
} | {"z": "z ˈɛ d"}
_NAMES = {"en": _ENGLISH_LETTERS, "en-gb": _BRITISH_LETTERS, "de": _GERMAN_LETTERS}

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
    names = _NAMES.get(language) or _NAMES.get(language.split("-")[0], {})
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
            elif part in LETTER_SOUNDS:
                written += LETTER_SOUNDS[part]
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


Roles = Mapping[str, tuple[str, ...]]
Lookup = Callable[[str], Roles]

# Where the dictionary has no entry for a part of speech, the nearest one that it uses.
_NEAREST_ROLE = {
    "NNS": "NN",
    "NNP": "NN",
    "NNPS": "NN",
    "VBP": "VB",
    "VBZ": "VB",
    "VBG": "VB",
    "VBN": "VBD",
    "MD": "VB",
    "JJR": "JJ",
    "JJS": "JJ",
    "RBR": "RB",
    "RBS": "RB",
    "PRP$": "PRP",
    "WDT": "DT",
    "PDT": "DT",
}
_ENDINGS = {
    "fully": ("f", "ə", "l", "i"),
    "lessly": ("l", "ə", "s", "l", "i"),
    "lessness": ("l", "ə", "s", "n", "ə", "s"),
    "fulness": ("f", "ə", "l", "n", "ə", "s"),
    "ness": ("n", "ə", "s"),
    "less": ("l", "ə", "s"),
    "ful": ("f", "ə", "l"),
    "ly": ("l", "i"),
    "man": ("m", "ə", "n"),
    "men": ("m", "ə", "n"),
}
_PREFIXES = {
    "over": ("ˌoʊ", "v", "ɚ"), "under": ("ˌʌ", "n", "d", "ɚ"), "super": ("s", "ˌu", "p", "ɚ"), "out": ("ˌaʊ", "t"),
    "multi": ("m", "ˌʌ", "l", "t", "i"), "inter": ("ˌɪ", "n", "t", "ɚ"),
    "non": ("n", "ˌɑ", "n"), "un": ("ˌʌ", "n"),
}  # fmt: skip
# Before units, and what is called like them: kilovolt, megapixel, nanosecond.
_METRIC = {
    "kilo": ("k", "ˈɪ", "l", "ə"), "mega": ("m", "ˈɛ", "ɡ", "ə"), "giga": ("ɡ", "ˈɪ", "ɡ", "ə"),
    "tera": ("t", "ˈɛ", "ɹ", "ə"), "peta": ("p", "ˈɛ", "t", "ə"), "milli": ("m", "ˈɪ", "l", "ə"),
    "micro": ("m", "ˈaɪ", "k", "ɹ", "oʊ"), "nano": ("n", "ˈæ", "n", "oʊ"), "pico": ("p", "ˈi", "k", "oʊ"),
    "centi": ("s", "ˈɛ", "n", "t", "ə"), "deci": ("d", "ˈɛ", "s", "ə"), "hecto": ("h", "ˈɛ", "k", "t", "oʊ"),
    "kibi": ("k", "ˈɪ", "b", "i"), "mebi": ("m", "ˈɛ", "b", "i"), "gibi": ("ɡ", "ˈɪ", "b", "i"),
}  # fmt: skip
_VOICELESS = frozenset(("p", "t", "k", "f", "θ"))
_SIBILANT = frozenset(("s", "z", "ʃ", "ʒ", "t͡ʃ", "d͡ʒ"))
# Words that ends of other words look like.
_NO_PARTS = frozenset(("able", "less", "ally", "ring", "king", "sing", "ions", "ants", "aged", "ated", "ling", "sons"))
_SHORTEST_PART = 4
_LONGEST_COMPOUND = 60


def choose(roles: Roles, tag: str) -> tuple[str, ...]:
    """Return the pronunciation for a part of speech, else the usual one."""
    for role in (tag, _NEAREST_ROLE.get(tag, ""), ""):
        if role in roles:
            return roles[role]
    return next(iter(roles.values()))


_VERB = Reading("VB", "verb", "the verb")
_NOT_VERB = {"NN": Reading("NN", "noun", "the noun"), "JJ": Reading("JJ", "noun", "the adjective")}


def _readings_by_role(roles: Roles) -> dict[Reading, tuple[str, ...]]:
    """Return the readings of a word that is a noun or an adjective, and a verb; none of other words."""
    other = next((role for role in roles if role in _NOT_VERB), None)
    if len(roles) != 2 or "VB" not in roles or other is None:
        return {}
    return {_NOT_VERB[other]: roles[other], _VERB: roles["VB"]}


def plural_ending(stem: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sound of an English plural or genitive s after a stem."""
    last = split_stress(stem[-1])[1] if stem else ""
    if last in _SIBILANT:
        return ("ɪ", "z")
    return ("s",) if last in _VOICELESS else ("z",)


def english_derivation(word: str, lookup: Lookup, tag: str) -> tuple[str, ...]:
    """Say dogs', nakedness, numberless and unsearched by the word inside.

    Args:
        word: A word in lower case that the dictionary lacks.
        lookup: Returns the dictionary's entry of a word, empty where there is none.
        tag: Part of speech, or empty.

    Returns:
        Phonemes, empty where no known word is inside.
    """
    match = re.fullmatch(r"(?P<base>\w{2,}?)(?P<end>'s|s'|s)", word)
    if match is not None and not (match["end"] == "s" and (match["base"][-1] in "suiy" or len(match["base"]) < 3)):
        roles = lookup(match["base"])
        if roles:
            stem = choose(roles, tag)
            return stem + plural_ending(stem)
    if inflected := _inflected(word, lookup):
        return inflected
    for ending, sound in _ENDINGS.items():
        base = word.removesuffix(ending)
        if base == word or len(base) < 3:
            continue
        roles = lookup(base) or (lookup(base[:-1] + "y") if base[-1] == "i" else {})
        if roles:
            stem = choose(roles, "JJ")
            # One l is said where two are written: punctual, punctually.
            return (stem[:-1] if stem[-1] == sound[0] == "l" else stem) + sound
    for prefix, sound in _PREFIXES.items():
        rest = word.removeprefix(prefix)
        inner = lookup(rest) if rest != word and len(rest) > 3 else {}
        if inner:
            return sound + choose(inner, "JJ")
    for prefix, sound in _METRIC.items():
        rest = word.removeprefix(prefix)
        inner = lookup(rest) if rest != word and len(rest) > 2 else {}
        if inner:
            return sound + tuple(phoneme.replace("ˈ", "ˌ") for phoneme in choose(inner, "NN"))
    return ()


def _inflected(word: str, lookup: Lookup) -> tuple[str, ...]:
    """Say vlogging, googled and rebooter by the verb inside."""
    match = re.fullmatch(r"(?P<base>\w{3,})(?P<end>ing|ed|er)", word)
    if match is None:
        return ()
    base, end = match["base"], match["end"]
    single = base[:-1] if base[-1] == base[-2] else ""
    with_y = base[:-1] + "y" if base[-1] == "i" and end != "ing" else ""
    roles = next((roles for stem in (base, base + "e", single, with_y) if stem and (roles := lookup(stem))), None)
    if not roles:
        return ()
    stem = choose(roles, "VB")
    if end != "ed":
        return stem + (("ɪ", "ŋ") if end == "ing" else ("ɚ",))
    last = split_stress(stem[-1])[1]
    if last in ("t", "d"):
        return (*stem, "ɪ", "d")
    return (*stem, "t" if last in _VOICELESS or last in ("s", "ʃ", "t͡ʃ") else "d")


_BRITISH_AFFIXES = {"ɚ": "ə", "oʊ": "əʊ", "ɑ": "ɒ", "u": "uː"}


def _in_british(phonemes: tuple[str, ...]) -> tuple[str, ...]:
    """Return a derivation of a British word with the phones that an American affix has brought in its own."""
    split = (split_stress(phoneme) for phoneme in phonemes)
    return tuple(stress + _BRITISH_AFFIXES.get(phone, phone) for stress, phone in split)


def compound(word: str, lookup: Lookup, *, linked: bool = True) -> tuple[str, ...]:
    """Say a compound by its two parts, the shorter one as long as possible; empty where there are none.

    Args:
        word: A word in lower case that the dictionary lacks.
        lookup: Returns the dictionary's entry of a word, empty where there is none.
        linked: Whether an s may join the parts, as in German.
    """
    places = range(_SHORTEST_PART, min(len(word), _LONGEST_COMPOUND) - _SHORTEST_PART + 1)
    for place in sorted(places, key=lambda place: abs(2 * place - len(word))):
        first, last = word[:place], lookup(word[place:])
        if not last:
            continue
        link: tuple[str, ...] = ()
        head = lookup(first)
        if linked and not head and first.endswith("s"):
            # The s that joins two parts: Arbeits-zeit.
            head, link = lookup(first[:-1]), ("s",)
        if head:
            tail = tuple(phoneme.replace("ˈ", "ˌ") for phoneme in choose(last, ""))
            return choose(head, "") + link + tail
    return ()


_LONGEST_WORD = 60
_LONGEST_SPELLED = 8
"""Letters of a word whose spelling is offered as a reading."""
_VOWELS = frozenset(VOWELS)
_VOWEL_LETTER = re.compile(r"[aeiouyäöü]")


class GruutBackEnd(BackEnd):
    """Dictionary first, then known parts, then the letter-to-sound model, then spelling. Safe to use from threads."""

    def __init__(self, language: str) -> None:
        """Find the data of a language; it is read when first needed.

        Raises:
            TextError: The language is not to be had, or its package is not installed.
        """
        self._language = language
        self._data = language_data(language)
        self._package = self._data.folder()
        self._folder = self._package / self._data.variant
        self._english = language.startswith("en")
        self._homographs = self._data.homographs()
        self._lock = threading.Lock()
        self._british = language == "en-gb"
        self._lexicon: PronunciationLexicon | BritishLexicon | None = None
        self._guess = lru_cache(maxsize=20_000)(self._guess_new)

    @property
    def name(self) -> str:
        """`gruut`."""
        return "gruut"

    @property
    def version(self) -> str:
        """Version of the language data, major and minor."""
        return ".".join((self._package / "VERSION").read_text(encoding="utf-8").strip().split(".")[:2])

    @property
    def language(self) -> str:
        """Language tag."""
        return self._language

    def is_word(self, word: str) -> bool:
        """Say whether the dictionary has a word (in lower case)."""
        return bool(self._roles(word))

    def words(self) -> list[str]:
        """Return all words of the dictionary, in lower case, in order."""
        self._roles("")
        assert self._lexicon is not None
        return self._lexicon.words()

    def pronounce(self, tokens: Sequence[Token]) -> list[Pronunciation]:
        """Return one pronunciation for every word."""
        context = self._context(tokens)
        words = [token for token in tokens if not token.is_mark]
        # A word that stands alone is read by the rules, if they can: nothing tells which language it is of.
        mixed = not all(word.text.isascii() for word in words) and (
            len(words) > 1 or any(script_of(word.text) in ("CJK", "HIRAGANA") for word in words)
        )
        foreign = read_other_scripts((word.text for word in words), self._language) if mixed else {}
        said = [
            foreign.get(token.text)
            or self._say(token, context[0][place] if context else "", context and (context[1], place))
            for place, token in enumerate(tokens)
            if not token.is_mark
        ]
        if self._british:
            said = _link_r(tokens, said)
        return _link(words, said) if self._english else said

    def _context(self, tokens: Sequence[Token]) -> tuple[list[str], SentenceContext] | None:
        """Return the part of speech of every token and what homographs are told by; None where nothing hangs on it."""
        words = [token for token in tokens if not token.is_mark and not token.letter]
        if not any(self._is_ambiguous(word.text.lower()) for word in words):
            return None
        tagger = load_sequence_model(self._package / "pos" / "model.crf")
        if tagger is None:
            return None
        texts = [token.text for token in tokens]
        tags = tagger.labels(sentence_features(texts))
        return tags, SentenceContext(texts, [token.is_mark for token in tokens], tags)

    def _is_ambiguous(self, word: str) -> bool:
        roles = self._roles(word)
        return word in self._homographs or (len(roles) > 1 and "letter" not in roles)

    def _homograph(self, word: str) -> Mapping[Reading, tuple[str, ...]]:
        """Return the readings that the classifier chooses between, none for other words."""
        found = self._homographs.get(word)
        if found is None:
            return _readings_by_role(self._roles(word))
        return british_readings(word, found, self._roles(word)) if self._british else found

    def readings(self, word: str) -> list[Pronunciation]:
        """Return a word's entries in the dictionary, or what stands for them; the rules' guess; its letters' names."""
        entries = self._homograph(word.lower()) or self._roles(word.lower())
        found = [Pronunciation(phonemes, "lexicon") for phonemes in entries.values()]
        found = found or [self._say(Token(word))]
        written = romanise(word.lower(), self._data.alphabet)[0].strip("'")
        if written and len(written) <= _LONGEST_WORD:
            found.append(Pronunciation(self._by_rules(written), "rules"))
        if len(word) <= _LONGEST_SPELLED:
            found.append(self._spell(word, ""))
        return different(found)

    def _roles(self, word: str) -> Roles:
        if self._lexicon is None:
            with self._lock:
                if self._lexicon is None:
                    found = PronunciationLexicon(
                        self._folder / "lexicon.db", self._data.phonemes, self._data.supplement()
                    )
                    self._lexicon = BritishLexicon(found.roles) if self._british else found
        return self._lexicon.roles(word)

    def _say(self, token: Token, tag: str = "", context: tuple[SentenceContext, int] | None = None) -> Pronunciation:
        word = token.text.lower()
        if token.letter or (len(word) == 1 and token.text.isupper() and word not in ("a", "i")):
            return self._spell(token.text, "")
        roles = self._roles(word)
        readings = self._homograph(word)
        if readings and context:
            sentence, place = context
            choice = ruled(word, readings, sentence, place) or load_homograph_model().choose(
                tuple(readings), sentence.features(place), sentence.nearby(place)
            )
            return Pronunciation(readings[choice.reading], "lexicon", reading=choice.reading.meaning, why=choice.why)
        if roles:
            return Pronunciation(choose(roles, tag), "lexicon")
        if self._english:
            if phonemes := interjection(word):
                return Pronunciation(british_phonemes(word, phonemes) if self._british else phonemes, "lexicon")
            if plain := drawn_out(word, self.is_word, lambda plain: load_word_table().knows(plain)):
                return self._say(replace(token, text=plain), tag, context)
            if phonemes := english_derivation(word, self._roles, tag):
                return Pronunciation(_in_british(phonemes) if self._british else phonemes, "suffix")
            if phonemes := compound(word, self._common, linked=False):
                return Pronunciation(phonemes, "compound")
            if genitive := self._genitive(token.text):
                return genitive
        elif phonemes := compound(word, self._roles):
            return Pronunciation(phonemes, "compound")
        return self._guess(token.text)

    def _common(self, word: str) -> Roles:
        """Return the entry of a word that may be part of an English compound: of rare words, too much is made."""
        return self._roles(word) if word not in _NO_PARTS and load_word_table().knows(word) else {}

    def _genitive(self, text: str) -> Pronunciation | None:
        """Say the genitive of an unknown word by the guess for the word itself."""
        if not text.endswith("'s"):
            return None
        guess = self._guess(text[:-2])
        return Pronunciation(guess.phonemes + plural_ending(guess.phonemes), guess.source, guess.warning)

    def _guess_new(self, text: str) -> Pronunciation:
        """Say an unknown word by the letter-to-sound model, or spell it."""
        written, unread = romanise(text.lower(), self._data.alphabet)
        written = written.strip("'")
        if not written:
            if not text.isalpha():
                return Pronunciation(
                    (), "spelling", f"left out {shortened(text)}: no reading for it in {self._language}"
                )
            warning = f"left out {shortened(text)}: no reading for this script in {self._language}"
            return Pronunciation((), "spelling", warning)
        how = "" if written == text.lower() else f", read as {shortened(written)}"
        how += f", without {shortened(unread)}" if unread else ""
        roles = self._roles(written)
        if roles:
            warning = f"{shortened(text)} is not in the lexicon{how}" if unread else ""
            return Pronunciation(choose(roles, ""), "lexicon", warning)
        if _VOWEL_LETTER.search(written) or len(written) > 12:
            phonemes = self._by_rules(written)
            if phonemes:
                return Pronunciation(phonemes, "rules", f"{shortened(text)} is not in the lexicon{how}: said by rules")
        return self._spell(written, f"{shortened(text)} is not in the lexicon{how}: spelled")

    def _by_rules(self, word: str) -> tuple[str, ...]:
        if self._english:
            said = load_letter_to_sound().pronounce(word)
            return british_phonemes(word, said) if self._british else said
        model = load_sequence_model(self._folder / "g2p" / "model.crf")
        if model is None:
            return ()
        phonemes: list[str] = []
        for start in range(0, len(word), _LONGEST_WORD):
            labels = model.labels(letter_features(word[start : start + _LONGEST_WORD]))
            phonemes.extend(phone for label in labels for phone in decode(label).split("|") if phone != "_")
        return self._data.phonemes(phonemes)

    def _spell(self, text: str, warning: str) -> Pronunciation:
        # FBI's and CDs: an ending after a letter.
        match = re.fullmatch(r"(?P<base>.*?)(?P<ending>'s|(?<=[A-ZÄÖÜ])s)?", text, re.DOTALL)
        base, ending = (match["base"], match["ending"]) if match else (text, None)
        phonemes: list[str] = []
        missing = ""
        for letter in base:
            name = letter_phonemes(letter, self._language)
            if name is None and letter.isalnum():
                # A letter of another script: the rules say its name.
                written, _ = romanise(letter.lower(), self._data.alphabet)
                name = self._by_rules(written) if written else None
                missing += "" if name else letter
            phonemes.extend(name or ())
        if ending and phonemes:
            # No German word ends in a voiced sound.
            phonemes.extend(plural_ending(tuple(phonemes)) if self._english else ("s",))
        if missing and not warning:
            warning = f"left out {shortened(missing)}: no reading for this letter in {self._language}"
        return Pronunciation(tuple(phonemes), "spelling", warning)


def _link_r(tokens: Sequence[Token], said: list[Pronunciation]) -> list[Pronunciation]:
    """Say an r between two words where British speakers do; not over a mark."""
    linked: list[Pronunciation] = []
    run: list[str] = []
    for token in (*tokens, None):
        if token is not None and not token.is_mark:
            run.append("" if token.letter else token.text.lower())
            continue
        own = said[len(linked) : len(linked) + len(run)]
        phonemes = with_linking_r(run, [one.phonemes for one in own])
        linked += [replace(one, phonemes=two) for one, two in zip(own, phonemes, strict=True)]
        run = []
    return linked


def _link(words: Sequence[Token], said: list[Pronunciation]) -> list[Pronunciation]:
    """Say `the` as before a vowel where one follows."""
    for place in range(len(said) - 1):
        following = said[place + 1].phonemes
        if words[place].text.lower() == "the" and following and split_stress(following[0])[1] in _VOWELS:
            said[place] = Pronunciation(("ð", "i"), "lexicon")
    return said
