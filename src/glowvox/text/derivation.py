"""Words that the dictionary lacks, said by the words that they are made of."""

import re
from collections.abc import Callable, Mapping

from glowvox.text.phones import split_stress

Roles = Mapping[str, tuple[str, ...]]
Lookup = Callable[[str], Roles]

# Where the dictionary has no entry for a part of speech, the nearest one that it uses.
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
_ENDINGS = {
    "fully": ("f", "ə", "l", "i"),
    "lessly": ("l", "ə", "s", "l", "i"),
    "lessness": ("l", "ə", "s", "n", "ə", "s"),
    "fulness": ("f", "ə", "l", "n", "ə", "s"),
    "ness": ("n", "ə", "s"),
    "less": ("l", "ə", "s"),
    "ful": ("f", "ə", "l"),
    "ly": ("l", "i"),
    "man": ("m", "ə", "n"),
    "men": ("m", "ə", "n"),
}
_VOICELESS = frozenset(("p", "t", "k", "f", "θ"))
_SIBILANT = frozenset(("s", "z", "ʃ", "ʒ", "t͡ʃ", "d͡ʒ"))
_SHORTEST_PART = 4
_LONGEST_COMPOUND = 60


def choose(roles: Roles, tag: str) -> tuple[str, ...]:
    """Return the pronunciation for a part of speech, else the usual one."""
    for role in (tag, _NEAREST_ROLE.get(tag, ""), ""):
        if role in roles:
            return roles[role]
    return next(iter(roles.values()))


def plural_ending(stem: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sound of an English plural or genitive s after a stem."""
    last = split_stress(stem[-1])[1] if stem else ""
    if last in _SIBILANT:
        return ("ɪ", "z")
    return ("s",) if last in _VOICELESS else ("z",)


def english_derivation(word: str, lookup: Lookup, tag: str) -> tuple[str, ...]:
    """Say dogs', nakedness, numberless and unsearched by the word inside.

    Args:
        word: A word in lower case that the dictionary lacks.
        lookup: Returns the dictionary's entry of a word, empty where there is none.
        tag: Part of speech, or empty.

    Returns:
        Phonemes, empty where no known word is inside.
    """
    match = re.fullmatch(r"(?P<base>\w{2,}?)(?P<end>'s|s'|s)", word)
    if match is not None and not (match["end"] == "s" and (match["base"][-1] in "suiy" or len(match["base"]) < 3)):
        roles = lookup(match["base"])
        if roles:
            stem = choose(roles, tag)
            return stem + plural_ending(stem)
    for ending, sound in _ENDINGS.items():
        base = word.removesuffix(ending)
        if base == word or len(base) < 3:
            continue
        roles = lookup(base) or (lookup(base[:-1] + "y") if base[-1] == "i" else {})
        if roles:
            stem = choose(roles, "JJ")
            # One l is said where two are written: punctual, punctually.
            return (stem[:-1] if stem[-1] == sound[0] == "l" else stem) + sound
    inner = lookup(word[2:]) if word.startswith("un") and len(word) > 5 else {}
    return ("ˌʌ", "n", *choose(inner, "JJ")) if inner else ()


def compound(word: str, lookup: Lookup) -> tuple[str, ...]:
    """Say a compound by its two parts, the shorter one as long as possible; empty where there are none.

    Args:
        word: A word in lower case that the dictionary lacks.
        lookup: Returns the dictionary's entry of a word, empty where there is none.
    """
    places = range(_SHORTEST_PART, min(len(word), _LONGEST_COMPOUND) - _SHORTEST_PART + 1)
    for place in sorted(places, key=lambda place: abs(2 * place - len(word))):
        first, last = word[:place], lookup(word[place:])
        if not last:
            continue
        link: tuple[str, ...] = ()
        head = lookup(first)
        if not head and first.endswith("s"):
            # The s that joins two parts: Arbeits-zeit.
            head, link = lookup(first[:-1]), ("s",)
        if head:
            tail = tuple(phoneme.replace("ˈ", "ˌ") for phoneme in choose(last, ""))
            return choose(head, "") + link + tail
    return ()
