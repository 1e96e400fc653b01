"""The longest row of tokens that a model is given: what is longer is cut at a pause, between words, or in a word."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from glowvox.errors import TextError
from glowvox.text.sentences import DEFAULT_MAX_CHARACTERS
from glowvox.text.tokenizer import count_tokens
from glowvox.text.utterance import Pause, Word

Item = Word | Pause
DEFAULT_MAX_TOKENS = 1000
"""Tokens of the longest sentence, blanks included (about thirty seconds of speech)."""
_SHORTEST_LIMIT = 16


@dataclass(frozen=True)
class SentenceLimits:
    """What no sentence exceeds, whatever comes."""

    max_characters: int = DEFAULT_MAX_CHARACTERS
    """Characters of text."""
    max_tokens: int = DEFAULT_MAX_TOKENS
    """Tokens for the model, blanks included."""


def split_items(items: Sequence[Item], max_tokens: int) -> list[list[Item]]:
    """Cut a row of words and pauses into rows of at most `max_tokens` tokens each, blanks included.

    Nothing is lost: the rows, put together, are the row (a word that is too long alone becomes several).

    Raises:
        TextError: `max_tokens` is under 16, too few for a symbol and its borders.
    """
    if max_tokens < _SHORTEST_LIMIT:
        raise TextError(f"the maximum number of tokens must be at least {_SHORTEST_LIMIT}, got {max_tokens}")
    rows: list[list[Item]] = []
    rest = [part for item in items for part in _fitting(item, max_tokens)]
    while rest:
        room = _fit(rest, max_tokens)
        if room < len(rest):
            room = _after_pause(rest, room)
        rows.append(rest[:room])
        rest = rest[room:]
    return rows


def _fit(items: Sequence[Item], max_tokens: int) -> int:
    """Return how many items from the beginning fit, at least one."""
    low, high = 1, len(items)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(items[:middle]) <= max_tokens:
            low = middle
        else:
            high = middle - 1
    return low


def _after_pause(items: Sequence[Item], room: int) -> int:
    """Return the place after the last pause in the second half of what fits, else the place given."""
    for place in range(room, room // 2, -1):
        if isinstance(items[place - 1], Pause):
            return place
    return room - 1 if room > 1 and isinstance(items[room], Pause) else room


def _fitting(item: Item, max_tokens: int) -> list[Item]:
    if isinstance(item, Pause) or count_tokens([item]) <= max_tokens:
        return [item]
    # A phoneme is at most two symbols: stress and phone.
    size = max(1, ((max_tokens - 1) // 2 - 2) // 2)
    return [replace(item, phonemes=item.phonemes[start : start + size]) for start in range(0, len(item.phonemes), size)]
