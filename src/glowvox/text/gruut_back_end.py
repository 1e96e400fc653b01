"""The default back end: gruut's dictionary, part-of-speech tagger and letter-to-sound model, used directly.

Importing gruut itself takes a second (date parsers, graphs, locales) for a text processor that is not used here; its
language packages are data, and are found without importing it.
"""

import re
import threading
from collections.abc import Sequence
from functools import lru_cache

from glowvox.text.derivation import choose, compound, english_derivation, plural_ending
from glowvox.text.language_data import language_data
from glowvox.text.letter_names import letter_phonemes, romanise
from glowvox.text.phonemise import BackEnd, Pronunciation, Token, shortened
from glowvox.text.phones import VOWELS, split_stress
from glowvox.text.pronunciation_lexicon import PronunciationLexicon
from glowvox.text.tagging import decode, letter_features, load_sequence_model, sentence_features

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
