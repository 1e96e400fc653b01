"""The default back end: gruut's dictionary, part-of-speech tagger and letter-to-sound model, used directly.

Importing gruut itself takes a second (date parsers, graphs, locales) for a text processor that is not used here; its
language packages are data, and are found without importing it.
"""

import base64
import re
import string
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path

from glowvox.text.back_end import BackEnd, Pronunciation, Token, shortened
from glowvox.text.language_data import PronunciationLexicon, language_data, letter_phonemes, romanise
from glowvox.text.phones import VOWELS, split_stress

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
_VOICELESS = frozenset(("p", "t", "k", "f", "θ"))
_SIBILANT = frozenset(("s", "z", "ʃ", "ʒ", "t͡ʃ", "d͡ʒ"))
_SHORTEST_PART = 4
_LONGEST_COMPOUND = 60


def choose(roles: Roles, tag: str) -> tuple[str, ...]:
    """Return the pronunciation for a part of speech, else the usual one."""
    for role in (tag, _NEAREST_ROLE.get(tag, ""), ""):
        if role in roles:
            return roles[role]
    return next(iter(roles.values()))


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
    for ending, sound in _ENDINGS.items():
        base = word.removesuffix(ending)
        if base == word or len(base) < 3:
            continue
        roles = lookup(base) or (lookup(base[:-1] + "y") if base[-1] == "i" else {})
        if roles:
            stem = choose(roles, "JJ")
            # One l is said where two are written: punctual, punctually.
            return (stem[:-1] if stem[-1] == sound[0] == "l" else stem) + sound
    inner = lookup(word[2:]) if word.startswith("un") and len(word) > 5 else {}
    return ("ˌʌ", "n", *choose(inner, "JJ")) if inner else ()


def compound(word: str, lookup: Lookup) -> tuple[str, ...]:
    """Say a compound by its two parts, the shorter one as long as possible; empty where there are none.

    Args:
        word: A word in lower case that the dictionary lacks.
        lookup: Returns the dictionary's entry of a word, empty where there is none.
    """
    places = range(_SHORTEST_PART, min(len(word), _LONGEST_COMPOUND) - _SHORTEST_PART + 1)
    for place in sorted(places, key=lambda place: abs(2 * place - len(word))):
        first, last = word[:place], lookup(word[place:])
        if not last:
            continue
        link: tuple[str, ...] = ()
        head = lookup(first)
        if not head and first.endswith("s"):
            # The s that joins two parts: Arbeits-zeit.
            head, link = lookup(first[:-1]), ("s",)
        if head:
            tail = tuple(phoneme.replace("ˈ", "ˌ") for phoneme in choose(last, ""))
            return choose(head, "") + link + tail
    return ()


# The names and values of features with which gruut's models were trained; another spelling would silently be ignored.


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


_LONGEST_WORD = 60
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
        self._lock = threading.Lock()
        self._lexicon: PronunciationLexicon | None = None
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

    def pronounce(self, tokens: Sequence[Token]) -> list[Pronunciation]:
        """Return one pronunciation for every word."""
        words = [token for token in tokens if not token.is_mark]
        tags: list[str] = []
        if any(len(self._roles(word.text.lower())) > 1 for word in words if not word.letter):
            tags = self._tags(tokens)
        said = [self._say(word, tags[place] if tags else "") for place, word in enumerate(words)]
        return _link(words, said) if self._language.startswith("en") else said

    def _roles(self, word: str) -> dict[str, tuple[str, ...]]:
        if self._lexicon is None:
            with self._lock:
                if self._lexicon is None:
                    self._lexicon = PronunciationLexicon(
                        self._folder / "lexicon.db", self._data.phonemes, self._data.supplement()
                    )
        return self._lexicon.roles(word)

    def _tags(self, tokens: Sequence[Token]) -> list[str]:
        """Return the part of speech of every word (none where the language has no tagger)."""
        tagger = load_sequence_model(self._package / "pos" / "model.crf")
        if tagger is None:
            return []
        tags = tagger.labels(sentence_features([token.text for token in tokens]))
        return [tag for token, tag in zip(tokens, tags, strict=True) if not token.is_mark]

    def _say(self, token: Token, tag: str) -> Pronunciation:
        word = token.text.lower()
        if token.letter or (len(word) == 1 and token.text.isupper() and word not in ("a", "i")):
            return self._spell(token.text, "")
        roles = self._roles(word)
        if roles:
            return Pronunciation(choose(roles, tag), "lexicon")
        if self._language.startswith("en"):
            if phonemes := english_derivation(word, self._roles, tag):
                return Pronunciation(phonemes, "suffix")
            if genitive := self._genitive(token.text):
                return genitive
        elif phonemes := compound(word, self._roles):
            return Pronunciation(phonemes, "compound")
        return self._guess(token.text)

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
            phonemes.extend(plural_ending(tuple(phonemes)))
        if missing and not warning:
            warning = f"left out {shortened(missing)}: no reading for this letter in {self._language}"
        return Pronunciation(tuple(phonemes), "spelling", warning)


def _link(words: Sequence[Token], said: list[Pronunciation]) -> list[Pronunciation]:
    """Say `the` as before a vowel where one follows."""
    for place in range(len(said) - 1):
        following = said[place + 1].phonemes
        if words[place].text.lower() == "the" and following and split_stress(following[0])[1] in _VOWELS:
            said[place] = Pronunciation(("ð", "i"), "lexicon")
    return said
