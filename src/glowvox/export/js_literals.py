"""Data of Python as JavaScript writes them: numbers, strings, sets, dictionaries, patterns."""

import json
import re
from typing import Any

from glowvox.export.regex_to_js import translated
from glowvox.text.normalise.scanner import word_set

_PLAIN = (str, int, float, bool, type(None))
_RESERVED = word_set(
    "arguments await break case catch const continue debugger default delete do else enum eval export extends finally"
    " for function if implements import in instanceof interface let new package private protected public return static"
    " super switch this throw try typeof var void while with yield"
)


def name_in_js(name: str) -> str:
    """Return a name of Python as one that JavaScript allows."""
    return f"{name}$" if name in _RESERVED else name


def literal(value: Any) -> str | None:
    """Return plain data, sets, dictionaries and patterns as JavaScript; None where it is something else."""
    if isinstance(value, re.Pattern):
        return regex_literal(value)
    if isinstance(value, _PLAIN):
        return _scalar(value)
    if isinstance(value, tuple | list | frozenset | set):
        parts = [literal(each) for each in (sorted(value) if isinstance(value, frozenset | set) else value)]
        if any(part is None for part in parts):
            return None
        text = f"[{', '.join(part for part in parts if part is not None)}]"
        return f"new Set({text})" if isinstance(value, frozenset | set) else text
    if isinstance(value, dict):
        pairs = [(literal(key), literal(each)) for key, each in value.items()]
        if any(key is None or each is None for key, each in pairs):
            return None
        return f"new Map([{', '.join(f'[{key}, {each}]' for key, each in pairs)}])"
    return None


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    return json.dumps(value, ensure_ascii=False)


def regex_literal(pattern: re.Pattern[str]) -> str:
    """Return a pattern as a call of the runtime's `regex`."""
    found = translated(pattern)
    return f"$py.regex({json.dumps(found.source, ensure_ascii=False)}, {json.dumps(list(found.groups))})"
