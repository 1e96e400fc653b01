"""The default back end: gruut's dictionary, part-of-speech tagger and letter-to-sound model, used directly.

Importing gruut itself takes a second (date parsers, graphs, locales) for a text processor that is not used here; its
language packages are data, and are found without importing it.
"""

import re
import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from glowvox.text.language_data import language_data
from glowvox.text.letter_names import letter_phonemes, romanise
from glowvox.text.phonemise import BackEnd, Pronunciation, Token, shortened
from glowvox.text.phones import VOWELS, split_stress
from glowvox.text.pronunciation_lexicon import PronunciationLexicon
from glowvox.text.tagging import decode, letter_features, sentence_features

# Where the dictionary has no entry for a tag, the nearest one that it uses.
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
_LONGEST_WORD = 60
_SHORTEST_PART = 4
_VOWELS = frozenset(VOWELS)
_VOWEL_LETTER = re.compile(r"[aeiouyäöü]")
_VOICELESS = frozenset(("p", "t", "k", "f", "θ"))
_SIBILANT = frozenset(("s", "z", "ʃ", "ʒ", "t͡ʃ", "d͡ʒ"))


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
                    self._lexicon = PronunciationLexicon(self._folder / "lexicon.db", self._data.phonemes)
        return self._lexicon.roles(word)

    def _tags(self, tokens: Sequence[Token]) -> list[str]:
        """Return the part of speech of every word (none where the language has no tagger)."""
        tagger = _model(self._package / "pos" / "model.crf")
        if tagger is None:
            return []
        with self._lock:
            tags = tagger.tag(sentence_features([token.text for token in tokens]))
        return [tag for token, tag in zip(tokens, tags, strict=True) if not token.is_mark]

    def _say(self, token: Token, tag: str) -> Pronunciation:
        word = token.text.lower()
        if token.letter or (len(word) == 1 and token.text.isupper() and word not in ("a", "i")):
            return self._spell(token.text, "")
        roles = self._roles(word)
        if roles:
            return Pronunciation(_choose(roles, tag), "lexicon")
        if self._language.startswith("en") and (known := self._with_ending(token.text, tag)):
            return known
        if self._data.compounds and (parts := self._compound(word)):
            return Pronunciation(parts, "compound")
        return self._guess(token.text)

    def _with_ending(self, text: str, tag: str) -> Pronunciation | None:
        """Say a genitive or a plural by the word that it is made of."""
        match = re.fullmatch(r"(?P<base>\w{2,}?)(?P<end>'s|s'|s)", text)
        if match is None or (match["end"] == "s" and (match["base"][-1] in "suiy" or len(match["base"]) < 3)):
            return None
        roles = self._roles(match["base"].lower())
        if roles:
            stem = _choose(roles, tag)
            return Pronunciation(stem + _plural_ending(stem), "suffix")
        if match["end"] == "'s":
            guess = self._guess(match["base"])
            return Pronunciation(guess.phonemes + _plural_ending(guess.phonemes), guess.source, guess.warning)
        return None

    def _compound(self, word: str) -> tuple[str, ...]:
        """Say a compound by its two parts, the shorter one as long as possible; empty where there are none."""
        places = range(_SHORTEST_PART, min(len(word), _LONGEST_WORD) - _SHORTEST_PART + 1)
        for place in sorted(places, key=lambda place: abs(2 * place - len(word))):
            first, last = word[:place], word[place:]
            # The s that joins two parts: Arbeits-zeit.
            if self._roles(last) and (self._roles(first) or (first.endswith("s") and self._roles(first[:-1]))):
                link = () if self._roles(first) else ("s",)
                head = _choose(self._roles(first if not link else first[:-1]), "")
                tail = tuple(phoneme.replace("ˈ", "ˌ") for phoneme in _choose(self._roles(last), ""))
                return head + link + tail
        return ()

    def _guess_new(self, text: str) -> Pronunciation:
        """Say an unknown word by the letter-to-sound model, or spell it."""
        written, unread = romanise(text.lower(), self._data.alphabet)
        written = written.strip("'")
        if not written:
            if not text.isalpha():
                return Pronunciation((), "spelling", f"left out {shortened(text)}: no reading for it in {self._language}")
            warning = f"left out {shortened(text)}: no reading for this script in {self._language}"
            return Pronunciation((), "spelling", warning)
        how = "" if written == text.lower() else f", read as {shortened(written)}"
        how += f", without {shortened(unread)}" if unread else ""
        roles = self._roles(written)
        if roles:
            warning = f"{shortened(text)} is not in the lexicon{how}" if unread else ""
            return Pronunciation(_choose(roles, ""), "lexicon", warning)
        if _VOWEL_LETTER.search(written) or len(written) > 12:
            phonemes = self._by_rules(written)
            if phonemes:
                return Pronunciation(phonemes, "rules", f"{shortened(text)} is not in the lexicon{how}: said by rules")
        return self._spell(written, f"{shortened(text)} is not in the lexicon{how}: spelled")

    def _by_rules(self, word: str) -> tuple[str, ...]:
        model = _model(self._folder / "g2p" / "model.crf")
        if model is None:
            return ()
        phonemes: list[str] = []
        for start in range(0, len(word), _LONGEST_WORD):
            with self._lock:
                labels = model.tag(letter_features(word[start : start + _LONGEST_WORD]))
            phonemes.extend(phone for label in labels for phone in decode(label).split("|") if phone != "_")
        return self._data.phonemes(phonemes)

    def _spell(self, text: str, warning: str) -> Pronunciation:
        base, genitive, _ = text.partition("'s")
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
        if genitive and phonemes:
            phonemes.extend(_plural_ending(tuple(phonemes)))
        if missing and not warning:
            warning = f"left out {shortened(missing)}: no reading for this letter in {self._language}"
        return Pronunciation(tuple(phonemes), "spelling", warning)


def _choose(roles: dict[str, tuple[str, ...]], tag: str) -> tuple[str, ...]:
    """Return the pronunciation for a part of speech, else the usual one."""
    for role in (tag, _NEAREST_ROLE.get(tag, ""), ""):
        if role in roles:
            return roles[role]
    return next(iter(roles.values()))


def _link(words: Sequence[Token], said: list[Pronunciation]) -> list[Pronunciation]:
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


@cache
def _model(path: Path) -> Any:
    """Return a conditional random field, or None where the language has none."""
    if not path.is_file():
        return None
    import pycrfsuite

    model = pycrfsuite.Tagger()
    model.open(str(path))
    return model
