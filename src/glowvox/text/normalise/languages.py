"""The normalisers: for each language the order in which its rules are asked."""

import re
from collections.abc import Callable, Iterable, Mapping

from glowvox.text.normalise import (
    abbreviations,
    acronyms,
    dates,
    german,
    identifiers,
    money,
    phone_numbers,
    quantities,
    roman,
    times,
    units,
    web,
    words,
)
from glowvox.text.normalise.scanner import Context, Fixed, Piece, Rule, Scanner
from glowvox.text.normalise.symbols import symbol_rules

_LETTERS = re.compile(r"[^\W\d_]+")


def _english_rules() -> Iterable[Rule]:
    # Who comes first matters: the most specific pattern wins (a date before a fraction, a price before a number).
    yield from web.RULES
    yield from money.RULES
    yield from phone_numbers.RULES
    yield from dates.RULES
    yield from times.RULES
    yield from units.RULES
    yield from identifiers.EARLY_RULES
    yield from dates.LATE_RULES
    yield from quantities.RULES
    yield from abbreviations.RULES
    yield from roman.RULES
    yield from acronyms.RULES
    yield from identifiers.RULES
    yield from words.GREEK_RULES
    yield from words.RULES
    yield from quantities.LAST_RULES
    yield from symbol_rules("en")


def _german_rules() -> Iterable[Rule]:
    yield from german.RULES
    yield from words.RULES
    yield from symbol_rules("de")


def _any_rules() -> Iterable[Rule]:
    yield from words.ANY_NUMBER_RULES
    yield from words.RULES
    yield from symbol_rules("")


class Normaliser:
    """Turns cleaned text of one language into pieces."""

    def __init__(self, language: str, is_word: Callable[[str], bool]) -> None:
        """Choose the rules.

        Args:
            language: A tag; English and German have rules of their own, the others those that hold everywhere.
            is_word: Whether the pronunciation lexicon has a word (in lower case).
        """
        self._scanner = Scanner(_RULES.get(language.split("-")[0], _any_rules)())
        self._is_word = is_word

    def __call__(self, text: str, fixed: Mapping[int, Fixed], warnings: list[str]) -> list[Piece]:
        """Normalise one sentence.

        Args:
            text: Cleaned text.
            fixed: Stretches whose words are given, by their first character.
            warnings: One line is added for everything that is left out or guessed.
        """
        rows = _LETTERS.findall(text)
        capitals = sum(row.isupper() for row in rows if len(row) > 1)
        long_rows = sum(len(row) > 1 for row in rows)
        shouting = long_rows >= 3 and capitals == long_rows
        return self._scanner.scan(Context(text, self._is_word, warnings, shouting=shouting), fixed)


_RULES: dict[str, Callable[[], Iterable[Rule]]] = {"en": _english_rules, "de": _german_rules}
