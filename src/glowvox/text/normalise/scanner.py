"""The scanner: reads a text from left to right, and at each place lets the first rule speak that knows what it sees."""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from glowvox.text.utterance import PAUSE_MARKS, Source


@dataclass(frozen=True)
class SpokenWord:
    """A word of normalised text, as it is to be spoken."""

    text: str
    letter: bool = False
    """Whether the word is the name of a letter (the letter A, not the article)."""
    phonemes: tuple[str, ...] | None = None
    """Phonemes that are already known, or None."""
    source: Source = "inline"
    """Who gave `phonemes`."""


@dataclass(frozen=True)
class Piece:
    """What one stretch of the text is spoken as: words, or a pause."""

    words: tuple[SpokenWord, ...]
    pause: str
    start: int
    end: int


@dataclass(frozen=True)
class Fixed:
    """A stretch of the text whose words are given from outside (inline phonemes, SSML), whatever is written there."""

    end: int
    words: tuple[SpokenWord, ...]


def _no_word(_word: str) -> bool:
    return False


@dataclass
class Context:
    """What a rule may know besides its own match."""

    text: str
    is_word: Callable[[str], bool] = _no_word
    """Whether the pronunciation lexicon has a word (in lower case)."""
    warnings: list[str] = field(default_factory=list)
    previous: str = ""
    """The word spoken last, as it was written."""
    shouting: bool = False
    """Whether the whole text is written in capitals."""
    language: str = "en"
    """Language without region."""


Reading = Sequence["str | SpokenWord"]


@dataclass(frozen=True)
class Rule:
    """A pattern that is tried where a token begins, and what it is spoken as.

    `speak` returns the words (a string may hold several, a lone pause mark is a pause), or None where the pattern
    matched something else.
    """

    pattern: str
    """Verbose; it starts at a token's start."""
    speak: Callable[[re.Match[str], Context], Reading | None]
    first: str = "ldo"
    """Kinds of first character for which the rule is tried: l letter (u capital, w small), d digit, o other."""
    common: bool = False
    """Whether it reads most of what begins so: what no rule before it could read is handed to it at once."""
    alone: str = ""
    """Characters that it reads at once where a space or the end follows, since no other rule matches there."""

    @functools.cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern, made when it is first tried: to make all of them takes half as long as loading a voice."""
        return re.compile(self.pattern, re.VERBOSE)


def rule(
    pattern: str, first: str = "ldo", *, common: bool = False, alone: str = ""
) -> Callable[[Callable[[re.Match[str], Context], Reading | None]], Rule]:
    """Return a decorator that makes a rule of a function; the pattern is verbose and starts at a token's start."""

    def make(speak: Callable[[re.Match[str], Context], Reading | None]) -> Rule:
        return Rule(pattern, speak, first, common, alone)

    return make


def _kind(character: str) -> str:
    if character.isalpha():
        return "u" if character.isupper() else "w"
    return "d" if character.isdecimal() else "o"


PATIENCE = 1000
"""Tokens of a kind that are read before all rules for them are asked at once."""
_REFERENCE = re.compile(r"\(\?P=|\\[1-9]")


def _any_of(rules: Sequence[Rule]) -> re.Pattern[str] | None:
    """Return a pattern that matches wherever one of the rules may; None where it cannot be made."""
    if any(_REFERENCE.search(each.pattern) for each in rules):
        return None
    patterns = [re.sub(r"\(\?P<\w+>", "(?:", each.pattern) for each in rules]
    return re.compile("|".join(f"(?:{pattern}\n)" for pattern in patterns), re.VERBOSE)


class Scanner:
    """A list of rules, in the order in which they are asked."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[str, list[Rule]] = {kind: [] for kind in "uwdo"}
        for each in rules:
            for kind in each.first.replace("l", "uw"):
                self._rules[kind].append(each)
        self._alone = {character: [each] for kind in self._rules.values() for each in kind for character in each.alone}
        self._short_cuts: dict[str, tuple[re.Pattern[str], list[Rule]] | None] = {}
        self._tokens = dict.fromkeys("uwdo", 0)

    def _short_cut(self, kind: str) -> tuple[re.Pattern[str], list[Rule]] | None:
        """Return a pattern that asks at once whether any rule before the common one may speak, and the rules from it.

        Most words are read by that one rule, which fifty are asked before. To make the pattern takes a moment, so it is
        made once many words have come.
        """
        if self._tokens[kind] < PATIENCE:
            self._tokens[kind] += 1
            return None
        if kind not in self._short_cuts:
            row = self._rules[kind]
            place = next((place for place, each in enumerate(row) if each.common), 0)
            screen = _any_of(row[:place]) if place else None
            self._short_cuts[kind] = (screen, row[place:]) if screen is not None else None
        return self._short_cuts[kind]

    def scan(self, context: Context, fixed: Mapping[int, Fixed]) -> list[Piece]:
        """Read a text.

        Args:
            context: The text and what is known about it; warnings are added to it.
            fixed: Stretches whose words are given, by their first character.

        Raises:
            RuntimeError: No rule speaks (the last rule of a language must accept everything).
        """
        text, pieces, position = context.text, [], 0
        limits = sorted(fixed)
        while position < len(text):
            if text[position].isspace():
                position += 1
                continue
            if position in fixed:
                given = fixed[position]
                pieces.append(Piece(given.words, "", position, given.end))
                position = given.end
                continue
            while limits and limits[0] < position:
                limits.pop(0)
            stop = limits[0] if limits else len(text)
            end, reading = self._read(context, position, stop)
            pieces.extend(_pieces(reading, position, end))
            context.previous = text[position:end]
            position = end
        return pieces

    def _read(self, context: Context, position: int, stop: int) -> tuple[int, Reading]:
        for each in self._rules_for(context.text, position, stop):
            match = each.compiled.match(context.text, position, stop)
            if match is None or match.end() == position:
                continue
            reading = each.speak(match, context)
            if reading is not None:
                return match.end(), reading
        raise RuntimeError(f"no rule reads {context.text[position]!r}")

    def _rules_for(self, text: str, position: int, stop: int) -> list[Rule]:
        """Return the rules to ask in turn, without those that are known not to speak."""
        alone = self._alone.get(text[position])
        if alone is not None and (position + 1 == stop or text[position + 1].isspace()):
            return alone
        kind = _kind(text[position])
        short_cut = self._short_cut(kind)
        if short_cut is not None and short_cut[0].match(text, position, stop) is None:
            return short_cut[1]
        return self._rules[kind]


def _pieces(reading: Reading, start: int, end: int) -> list[Piece]:
    pieces: list[Piece] = []
    words: list[SpokenWord] = []

    def close() -> None:
        if words:
            pieces.append(Piece(tuple(words), "", start, end))
            words.clear()

    for item in reading:
        if isinstance(item, SpokenWord):
            words.append(item)
        elif item in PAUSE_MARKS:
            close()
            pieces.append(Piece((), item, start, end))
        else:
            words.extend(SpokenWord(word) for word in item.split())
    close()
    return pieces


def word_set(text: str) -> frozenset[str]:
    """Return the words of a string."""
    return frozenset(text.split())
