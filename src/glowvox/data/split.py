"""Splitting a corpus into training and validation by sentence.

Whoever trains on one take of a sentence and validates on another measures memory, not speech: all takes of a text, and
all recordings of one prompt (`arctic_a0001_1592748574`, `arctic_a0001_1592748585`), fall on one side.
"""

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from glowvox.errors import ConfigError, DataError

_TAKE = re.compile(r"[_-]\d{9,}$")
"""A time stamp in seconds, or finer, at the end of an id."""


@dataclass(frozen=True)
class Sentence:
    """What decides the side of a recording."""

    id: str
    text: str


def check_fraction(fraction: float) -> float:
    """Return the share of sentences for validation.

    Raises:
        ConfigError: below 0 or above 0.5.
    """
    if not 0 <= fraction <= 0.5 or math.isnan(fraction):
        raise ConfigError(f"the share of sentences for validation must lie between 0 and 0.5, got {fraction}")
    return fraction


def split_by_sentence(items: Sequence[Sentence], fraction: float) -> set[str]:
    """Return the ids for validation.

    A sentence's side depends on a hash of its words alone: it stays where it is when the corpus grows. Where the hash
    would choose none of at least two sentences, the one with the smallest hash is chosen.

    Args:
        items: the recordings.
        fraction: expected share of the sentences, 0 to 0.5.

    Raises:
        ConfigError: the fraction is out of range.
    """
    if check_fraction(fraction) == 0:
        return set()
    groups = _groups(items)
    places = {root: min(_place(_sentence_key(item)) for item in group) for root, group in groups.items()}
    chosen = {root for root, place in places.items() if place < fraction}
    if not chosen and len(groups) > 1:
        chosen = {min(places, key=lambda root: (places[root], root))}
    if len(chosen) == len(groups):
        chosen.discard(max(places, key=lambda root: (places[root], root)))
    return {item.id for root in chosen for item in groups[root]}


def split_by_ids(items: Sequence[Sentence], wanted: Collection[str]) -> set[str]:
    """Return the ids for validation when the user fixes them: those named, and all other takes of their sentences.

    Raises:
        DataError: nothing would be left to train on.
    """
    names = set(wanted)
    chosen = {
        item.id for group in _groups(items).values() if any(member.id in names for member in group) for item in group
    }
    if items and len(chosen) == len(items):
        raise DataError("the ids for validation cover every sentence; nothing is left to train on")
    return chosen


def normalised_sentence(text: str) -> str:
    """Return a text's words without case and punctuation."""
    return " ".join("".join(character if character.isalnum() else " " for character in text.casefold()).split())


def _sentence_key(item: Sentence) -> str:
    return normalised_sentence(item.text) or f"id:{_TAKE.sub('', item.id)}"


def _groups(items: Sequence[Sentence]) -> dict[str, list[Sentence]]:
    """Join recordings with one text or one prompt, transitively (a union-find over both keys)."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    keys = []
    for item in items:
        text, prompt = root(f"text:{_sentence_key(item)}"), root(f"prompt:{_TAKE.sub('', item.id)}")
        parent[max(text, prompt)] = min(text, prompt)
        keys.append(text)
    groups: dict[str, list[Sentence]] = defaultdict(list)
    for item, key in zip(items, keys, strict=True):
        groups[root(key)].append(item)
    return groups


def _place(key: str) -> float:
    """Return a number of 0..1 that depends on the key alone."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big") / 2**64
