"""The default back end: gruut's dictionary, part-of-speech tagger and letter-to-sound model, used directly.

Importing gruut itself takes a second (date parsers, graphs, locales) for a text processor that is not used here; its
language packages are data, and are found without importing it.
"""

import importlib.util
import re
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from glowvox.errors import TextError
from glowvox.text.letter_names import letter_phonemes, romanise
from glowvox.text.phonemise import BackEnd, Pronunciation, Token
from glowvox.text.phones import VOWELS, canonical_phonemes, split_stress
from glowvox.text.pronunciation_lexicon import PronunciationLexicon
from glowvox.text.tagging import decode, letter_features, sentence_features

LANGUAGES = ("en-us", "en-gb", "de-de")
_PACKAGES = {"en": "gruut_lang_en", "de": "gruut_lang_de"}
_ALPHABETS = {"en": frozenset("abcdefghijklmnopqrstuvwxyz'"), "de": frozenset("abcdefghijklmnopqrstuvwxyzäöü")}
# Where the dictionary has no entry for a tag, the nearest one that it uses.
_NEAREST_ROLE = {
    "NNS": "NN", "NNP": "NN", "NNPS": "NN", "VBP": "VB", "VBZ": "VB", "VBG": "VB", "VBN": "VBD", "MD": "VB", "JJR": "JJ", "JJS": "JJ",
    "RBR": "RB", "RBS": "RB", "PRP$": "PRP", "WDT": "DT", "PDT": "DT",
}  # fmt: skip
_LONGEST_WORD = 60
_VOWELS = frozenset(VOWELS)
_VOICELESS = frozenset(("p", "t", "k", "f", "θ"))
_SIBILANT = frozenset(("s", "z", "ʃ", "ʒ", "t͡ʃ", "d͡ʒ"))


def _data_folder(language: str) -> Path:
    package = _PACKAGES.get(language.split("-")[0])
    if language not in LANGUAGES or package is None:
        raise TextError(f"the gruut back end speaks {', '.join(LANGUAGES)}, not {language!r}: use espeak-ng for others")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise TextError(f"language {language!r} needs the package '{package}': pip install {package}")
    return Path(spec.origin).parent


class GruutBackEnd(BackEnd):
    """Dictionary first, then an ending taken off, then the letter-to-sound model, then spelling."""

    def __init__(self, language: str) -> None:
        """Find the data of a language; it is read when first needed.

        Raises:
            TextError: The language is not one of `LANGUAGES`, or its package is not installed.
        """
        self._language = language
        self._folder = _data_folder(language)
        self._alphabet = _ALPHABETS[language[:2]]
        self._lock = threading.Lock()
        self._lexicon: PronunciationLexicon | None = None
        self._guess_cached = lru_cache(maxsize=20_000)(self._guess)

    @property
    def name(self) -> str:
        """`gruut`."""
        return "gruut"

    @property
    def version(self) -> str:
        """Version of the language data, major and minor."""
        return ".".join((self._folder / "VERSION").read_text(encoding="utf-8").strip().split(".")[:2])

    @property
    def language(self) -> str:
        """Language tag."""
        return self._language

    def _roles(self, word: str) -> dict[str, list[str]]:
        if self._lexicon is None:
            with self._lock:
                if self._lexicon is None:
                    self._lexicon = PronunciationLexicon(self._folder / "lexicon.db")
        return self._lexicon.roles(word)

    def is_word(self, word: str) -> bool:
        """Say whether the dictionary has a word (in lower case)."""
        return bool(self._roles(self._key(word)))

    def _key(self, word: str) -> str:
        return word.replace("ß", "ss") if self._language.startswith("de") else word

    def pronounce(self, tokens: Sequence[Token]) -> list[Pronunciation]:
        """Return one pronunciation for every word."""
        words = [token for token in tokens if not token.is_mark]
        tags: list[str] = []
        if any(len(self._roles(self._key(word.text.lower()))) > 1 for word in words if not word.letter):
            tags = self._tags(tokens)
        said = [self._pronounce(word, tags[place] if tags else "") for place, word in enumerate(words)]
        return self._link(words, said) if self._language.startswith("en") else said

    def _tags(self, tokens: Sequence[Token]) -> list[str]:
        """Return the part of speech of every word (none where the language has no tagger)."""
        tagger = _tagger(self._folder / "pos" / "model.crf")
        if tagger is None:
            return []
        with self._lock:
            tags = tagger.tag(sentence_features([token.text for token in tokens]))
        return [tag for token, tag in zip(tokens, tags, strict=True) if not token.is_mark]

    def _pronounce(self, token: Token, tag: str) -> Pronunciation:
        word = self._key(token.text.lower())
        if token.letter or (len(word) == 1 and token.text.isupper() and word not in ("a", "i")):
            return self._spell(token.text, "")
        roles = self._roles(word)
        if roles:
            chosen = next((roles[role] for role in (tag, _NEAREST_ROLE.get(tag, ""), "") if role in roles), None)
            return Pronunciation(canonical_phonemes(chosen or next(iter(roles.values())))[0], "lexicon")
        if self._language.startswith("en") and (base := self._with_ending(token, word, tag)):
            return base
        if re.fullmatch(r"\w(?:'s)?", word):
            return self._spell(token.text, "")
        return self._guess_cached(token.text)

    def _with_ending(self, token: Token, word: str, tag: str) -> Pronunciation | None:
        """Say a genitive or a plural by the word that it is made of."""
        match = re.fullmatch(r"(?P<base>\w{2,}?)(?P<end>'s|s'|s)", word)
        if match is None or (match["end"] == "s" and (match["base"][-1] in "suiy" or len(match["base"]) < 3)):
            return None
        roles = self._roles(match["base"])
        if roles:
            stem = canonical_phonemes(roles.get(tag) or roles.get("") or next(iter(roles.values())))[0]
            return Pronunciation((*stem, *_plural_ending(stem)), "suffix")
        if match["end"] == "'s":
            stem_guess = self._guess_cached(token.text[:-2])
            return Pronunciation(
                (*stem_guess.phonemes, *_plural_ending(stem_guess.phonemes)), stem_guess.source, stem_guess.warning
            )
        return None

    def _guess(self, text: str) -> Pronunciation:
        """Say an unknown word by the letter-to-sound model, or spell it."""
        written, unread = romanise(self._key(text.lower()), self._alphabet)
        written = written.strip("'")
        if not written:
            return Pronunciation(
                (), "spelling", f"left out {_short(text)}: no reading for this script in {self._language}"
            )
        how = "" if written == text.lower() else f", read as {_short(written)}"
        how += f", without {_short(unread)}" if unread else ""
        roles = self._roles(written)
        if roles:
            phonemes = canonical_phonemes(roles.get("") or next(iter(roles.values())))[0]
            warning = f"{_short(text)} is not in the lexicon{how}" if unread else ""
            return Pronunciation(phonemes, "lexicon", warning)
        letters = re.sub(r"[^\w]", "", written)
        if letters and re.search(r"[aeiouyäöü]", letters) or len(letters) > 12:
            phonemes = self._by_rules(written)
            if phonemes:
                return Pronunciation(phonemes, "rules", f"{_short(text)} is not in the lexicon{how}: said by rules")
        return self._spell(written, f"{_short(text)} is not in the lexicon{how}: spelled")

    def _by_rules(self, word: str) -> tuple[str, ...]:
        model = _tagger(self._folder / "g2p" / "model.crf")
        if model is None:
            return ()
        phonemes: list[str] = []
        for start in range(0, len(word), _LONGEST_WORD):
            with self._lock:
                labels = model.tag(letter_features(word[start : start + _LONGEST_WORD]))
            phonemes.extend(phone for label in labels for phone in decode(label).split("|") if phone != "_")
        return canonical_phonemes(phonemes)[0]

    def _spell(self, text: str, warning: str) -> Pronunciation:
        base, genitive, _ = text.partition("'s")
        phonemes: list[str] = []
        missing = ""
        for letter in base:
            name = letter_phonemes(letter, self._language)
            if name is None and letter.isalnum():
                # Letters of other scripts: the rules read the letter's name.
                written, _ = romanise(letter.lower(), self._alphabet)
                name = self._by_rules(written) if written else None
            if name is None:
                missing += letter if letter.isalnum() else ""
            phonemes.extend(name or ())
        if genitive and phonemes:
            phonemes.extend(_plural_ending(tuple(phonemes)))
        if missing and not warning:
            warning = f"left out {_short(missing)}: no reading for this letter in {self._language}"
        return Pronunciation(canonical_phonemes(phonemes)[0], "spelling", warning)

    def _link(self, words: Sequence[Token], said: list[Pronunciation]) -> list[Pronunciation]:
        """Say `the` as before a vowel where one follows."""
        for place in range(len(said) - 1):
            following = said[place + 1].phonemes
            if words[place].text.lower() == "the" and following and split_stress(following[0])[1] in _VOWELS:
                said[place] = Pronunciation(("ð", "i"), "lexicon")
        return said


def _plural_ending(stem: tuple[str, ...]) -> tuple[str, ...]:
    last = split_stress(stem[-1])[1] if stem else ""
    if last in _SIBILANT:
        return ("ɪ", "z")
    return ("s",) if last in _VOICELESS else ("z",)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


@lru_cache(maxsize=8)
def _tagger(path: Path) -> Any:
    if not path.is_file():
        return None
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open(str(path))
    return tagger
