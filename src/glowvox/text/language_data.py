"""Where the dictionaries and models of a language lie, and how their phones become those of the table."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glowvox.errors import TextError
from glowvox.text.phones import canonical_phonemes, split_stress
from glowvox.text.supplement import english_supplement, german_supplement


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
