"""Regular expressions of Python as JavaScript writes them, with the same matches.

JavaScript's flag `v` knows sets of Unicode properties and looks behind at any length. What it lacks is written
otherwise: possessive repeats as a look-ahead with a back reference, `(?i:...)` as sets of both cases.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from glowvox.errors import ConfigError

_WORD = r"\p{L}\p{N}_"
_SPACE = r"\t-\r\x1c-\x20\x85\p{Z}"
_SETS = {"WORD": _WORD, "DIGIT": r"\p{Nd}", "SPACE": _SPACE}
_SPECIAL = frozenset("\\^$.*+?()[]{}|/")
_MOST = int(constants.MAXREPEAT)


@dataclass(frozen=True)
class JsRegex:
    """A pattern for `new RegExp(source, "v")`."""

    source: str
    groups: tuple[str, ...]
    """Names of the groups in the order of Python's numbers, the first of them being 1."""


def translated(pattern: re.Pattern[str]) -> JsRegex:
    """Return a pattern of Python in JavaScript.

    Raises:
        ConfigError: it holds what JavaScript has no words for.
    """
    parsed = parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    numbers = {number: name for name, number in parsed.state.groupdict.items()}
    names = [numbers.get(number, f"$g{number}") for number in range(1, parsed.state.groups)]
    flags = parsed.state.flags | pattern.flags
    writer = _Writer(pattern.pattern, names, dot_is_all=bool(flags & re.DOTALL))
    return JsRegex(writer.sequence(parsed, fold=bool(flags & re.IGNORECASE)), tuple(names))


class _Writer:
    def __init__(self, whole: str, names: list[str], *, dot_is_all: bool) -> None:
        self._whole, self._names, self._dot_is_all = whole, names, dot_is_all
        self._atoms = 0

    def sequence(self, parts: Iterable[tuple[Any, Any]], *, fold: bool) -> str:
        """Return what stands one behind the other."""
        return "".join(self._part(str(op), value, fold=fold) for op, value in parts)

    def _part(self, op: str, value: Any, *, fold: bool) -> str:
        match op:
            case "LITERAL":
                return _literal(value, fold=fold)
            case "NOT_LITERAL":
                return f"[[^{_in_set(value, fold=fold)}]]"
            case "ANY":
                return r"[\s\S]" if self._dot_is_all else r"[[^\n]]"
            case "IN":
                return _set(value, fold=fold)
            case "BRANCH":
                return f"(?:{'|'.join(self.sequence(each, fold=fold) for each in value[1])})"
            case "SUBPATTERN":
                number, added, removed, inner = value
                inside = self.sequence(inner, fold=(fold or bool(added & re.IGNORECASE)) and not removed)
                return f"(?:{inside})" if number is None else f"(?<{self._names[number - 1]}>{inside})"
            case "MAX_REPEAT" | "MIN_REPEAT":
                lazy = "?" if op == "MIN_REPEAT" else ""
                return self._repeated(value, fold=fold) + lazy
            case "POSSESSIVE_REPEAT":
                return self._atomic(self._repeated(value, fold=fold))
            case "ATOMIC_GROUP":
                return self._atomic(self.sequence(value, fold=fold))
            case "ASSERT" | "ASSERT_NOT":
                direction, inner = value
                sign = ("<" if direction < 0 else "") + ("=" if op == "ASSERT" else "!")
                return f"(?{sign}{self.sequence(inner, fold=fold)})"
            case "AT":
                return self._at(str(value))
            case "GROUPREF":
                return f"\\k<{self._names[value - 1]}>"
            case "FAILURE":
                return "(?!)"
        raise ConfigError(f"the pattern {self._whole!r} holds {op}, which JavaScript does not have")

    def _at(self, place: str) -> str:
        match place:
            case "AT_BEGINNING" | "AT_BEGINNING_STRING":
                return "^"
            case "AT_END":
                return r"(?=\n?$)"
            case "AT_END_STRING":
                return "$"
            case "AT_BOUNDARY":
                return f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
            case "AT_NON_BOUNDARY":
                return f"(?:(?<=[{_WORD}])(?=[{_WORD}])|(?<![{_WORD}])(?![{_WORD}]))"
        raise ConfigError(f"the pattern {self._whole!r} holds {place}, which JavaScript does not have")

    def _repeated(self, value: Any, *, fold: bool) -> str:
        least, most, inner = value
        inside = self.sequence(inner, fold=fold)
        single = len(inner) == 1 and str(inner[0][0]) in ("LITERAL", "NOT_LITERAL", "ANY", "IN")
        several = {(0, _MOST): "*", (1, _MOST): "+", (0, 1): "?"}.get((int(least), int(most)))
        if several is None:
            several = f"{{{least}}}" if least == most else f"{{{least},{'' if int(most) == _MOST else most}}}"
        return (inside if single else f"(?:{inside})") + several

    def _atomic(self, inside: str) -> str:
        self._atoms += 1
        return f"(?:(?=(?<$a{self._atoms}>{inside}))\\k<$a{self._atoms}>)"


def _character(code: int) -> str:
    sign = chr(code)
    if sign in _SPECIAL:
        return "\\" + sign
    return sign if sign.isprintable() and code < 0x10000 else f"\\u{{{code:x}}}"


def _literal(code: int, *, fold: bool) -> str:
    both = _cases(code) if fold else [code]
    return _character(code) if len(both) == 1 else f"[{''.join(map(_escaped, both))}]"


def _cases(code: int) -> list[int]:
    sign = chr(code)
    return sorted({code, *(ord(other) for other in (sign.lower(), sign.upper()) if len(other) == 1)})


def _escaped(code: int) -> str:
    """Return a character inside a set, where the flag `v` gives a meaning to many signs."""
    sign = chr(code)
    if sign.isalnum() and code < 0x10000:
        return sign
    return f"\\u{{{code:x}}}"


def _in_set(code: int, *, fold: bool) -> str:
    return "".join(map(_escaped, _cases(code) if fold else [code]))


# V8 (11.3 at least) misses matches of [^...] in a repeated group: with the flag v, /^(?:[^a]b)+/ does not find "xbc".
# Inside another set it does, so every such set is written [[^...]].
def _set(parts: list[tuple[Any, Any]], *, fold: bool) -> str:
    negated, inside, within = False, "", ""
    for op, value in parts:
        match str(op):
            case "NEGATE":
                negated = True
            case "LITERAL":
                inside += _in_set(value, fold=fold)
            case "RANGE":
                first, last = value
                inside += f"{_escaped(first)}-{_escaped(last)}"
                if fold:
                    inside += "".join(_in_set(code, fold=True) for code in range(first, last + 1))
            case "CATEGORY":
                name = str(value).removeprefix("CATEGORY_")
                if not name.startswith("NOT_"):
                    inside += _SETS[name]
                elif negated and not within:
                    # [^\W\d]: of the characters of words those that are no digits.
                    within = _SETS[name[4:]]
                else:
                    inside += f"[^{_SETS[name[4:]]}]"
    if within:
        return f"[[{within}]--[{inside}]]" if inside else f"[{within}]"
    if not negated and inside == r"\p{Nd}":
        return inside
    return f"[[^{inside}]]" if negated else f"[{inside}]"
