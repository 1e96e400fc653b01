"""The normalisers: for each language the order in which its rules are asked."""

import re
from collections.abc import Callable, Iterable, Mapping

from glowvox.text.normalise.abbreviations import ABBREVIATION_RULES
from glowvox.text.normalise.addresses import ADDRESS_RULES
from glowvox.text.normalise.clock_times import TIME_RULES
from glowvox.text.normalise.dates import DATE_RULES, LATE_DATE_RULES
from glowvox.text.normalise.identifiers import (
    ACRONYM_RULES,
    CHEMICAL_RULES,
    EARLY_IDENTIFIER_RULES,
    FORMULA_RULES,
    IDENTIFIER_RULES,
    NAME_RULES,
    WEB_RULES,
)
from glowvox.text.normalise.measures import UNIT_RULES
from glowvox.text.normalise.money import MONEY_RULES
from glowvox.text.normalise.numbers import PHONE_NUMBER_RULES, ROMAN_RULES
from glowvox.text.normalise.quantities import LAST_QUANTITY_RULES, QUANTITY_RULES
from glowvox.text.normalise.scanner import Context, Fixed, Piece, Rule, Scanner
from glowvox.text.normalise.small_acronyms import SMALL_ACRONYM_RULES
from glowvox.text.normalise.symbols import (
    ANY_NUMBER_RULES,
    DRAWN_RULES,
    FOOTNOTE_RULES,
    GREEK_RULES,
    WORD_RULES,
    symbol_rules,
)
from glowvox.text.normalise.units_alone import ENGLISH_UNIT_ALONE_RULES, UNIT_ALONE_RULES

_LETTERS = re.compile(r"[^\W\d_]+")


def _english_rules() -> Iterable[Rule]:
    # Who comes first matters: the most specific pattern wins (a date before a fraction, a price before a number).
    yield from FOOTNOTE_RULES
    yield from DRAWN_RULES
    yield from WEB_RULES
    yield from ADDRESS_RULES
    yield from MONEY_RULES
    yield from PHONE_NUMBER_RULES
    yield from DATE_RULES
    yield from TIME_RULES
    yield from UNIT_RULES
    yield from ENGLISH_UNIT_ALONE_RULES
    yield from CHEMICAL_RULES
    yield from EARLY_IDENTIFIER_RULES
    yield from LATE_DATE_RULES
    yield from QUANTITY_RULES
    yield from ABBREVIATION_RULES
    yield from ROMAN_RULES
    yield from FORMULA_RULES
    yield from SMALL_ACRONYM_RULES
    yield from ACRONYM_RULES
    yield from IDENTIFIER_RULES
    yield from GREEK_RULES
    yield from WORD_RULES
    yield from LAST_QUANTITY_RULES
    yield from symbol_rules("en")


def _german_rules() -> Iterable[Rule]:
    # Nobody else waits for them: with their tables they take a fifth of the time in which a voice is loaded.
    from glowvox.text.normalise.german import GERMAN_ADDRESS_RULES, GERMAN_RULES

    yield from FOOTNOTE_RULES
    yield from WEB_RULES
    yield from GERMAN_ADDRESS_RULES
    yield from FORMULA_RULES
    yield from NAME_RULES
    yield from GREEK_RULES
    yield from UNIT_ALONE_RULES
    yield from GERMAN_RULES
    yield from IDENTIFIER_RULES
    yield from WORD_RULES
    yield from symbol_rules("de")


def _any_rules() -> Iterable[Rule]:
    yield from FOOTNOTE_RULES
    yield from ANY_NUMBER_RULES
    yield from WORD_RULES
    yield from symbol_rules("")


class Normaliser:
    """Turns cleaned text of one language into pieces."""

    def __init__(self, language: str, is_word: Callable[[str], bool]) -> None:
        """Choose the rules.

        Args:
            language: A tag; English and German have rules of their own, the others those that hold everywhere.
            is_word: Whether the pronunciation lexicon has a word (in lower case).
        """
        self._language = language.split("-")[0]
        self._scanner = Scanner(_RULES.get(self._language, _any_rules)())
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
        context = Context(text, self._is_word, warnings, shouting=shouting, language=self._language)
        return self._scanner.scan(context, fixed)


_RULES: dict[str, Callable[[], Iterable[Rule]]] = {"en": _english_rules, "de": _german_rules}
