"""Homograph disambiguation: which reading a word that is written alike has, by a maximum-entropy classifier.

A log-linear model over the words, endings, parts of speech and clusters around the word, and over the direction in
which the meanings of the words around it point: weights of each word's own, and weights that all words share whose
readings are a noun (or adjective) and a verb (Gorman, Mazovetskiy and Nikolaev 2018, "Improving homograph
disambiguation with supervised machine learning", whose corpus it is trained on). The recipe in `recipes/homographs`
makes the weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import TextError
from glowvox.text.normalise.scanner import word_set
from glowvox.text.word_table import WordTable, load_word_table

_WEIGHTS = "homographs.safetensors"
_REACH = 10  # words to each side that count as the subject of the sentence
_NEAR = 4
_MEANING_REACH = 12  # words and marks to each side whose meanings are added
_FAR_WEIGHT = 0.6
_SHORT_PATHS = (("kk", 63), ("kx", 1023))  # bits of a cluster's path that stand for wider clusters
_BORDER = 3  # places beyond each end of a sentence that features name
_ENDINGS = ("ingly", "edly", "ing", "ies", "ed", "es", "ly", "'s", "s")
_FUNCTION_WORDS = word_set(
    "the a an of to in and for on at by with from as is was were be been are it that this which who his her their its"
    " he she they i you we not or but had has have"
)
_AUXILIARIES = {
    word: kind
    for kind, words in {
        "have": "have has had having haven't hasn't hadn't i've we've you've they've he'd she'd 've",
        "be": "am is are was were be been being isn't aren't wasn't weren't i'm you're we're they're",
        "do": "do does did don't doesn't didn't",
        "modal": "can could will would shall should may might must cannot can't couldn't won't wouldn't shouldn't let"
        " i'll we'll you'll they'll he'll she'll it'll",
        "to": "to",
    }.items()
    for word in words.split()
}
_PRONOUNS = {
    **dict.fromkeys(("i", "you", "we", "they"), "I"),
    **dict.fromkeys(("he", "she", "it"), "he"),
    **dict.fromkeys(("who", "which", "that"), "who"),
    **dict.fromkeys(("this", "these", "those"), "this"),
}
_FINITE = ("MD", "VBD", "VBP", "VBZ")
_MOST_REASONS = 3


@dataclass(frozen=True)
class Reading:
    """One way to say a homograph."""

    name: str
    """What the corpus calls it."""
    kind: str
    """`noun` (adjectives too) or `verb` where that tells the readings apart, else empty."""
    meaning: str
    """What it means, in words."""


@dataclass(frozen=True)
class Choice:
    """The reading that was chosen, and why."""

    reading: Reading
    why: str
    """The strongest features, in words."""


class SentenceContext:
    """The words, marks and parts of speech of one sentence, as the classifier reads them."""

    def __init__(self, words: Sequence[str], marks: Sequence[bool], tags: Sequence[str]) -> None:
        """Take the tokens of a sentence in order.

        Args:
            words: Words and marks, as they are spelled.
            marks: Which of them are marks.
            tags: Their parts of speech (Penn Treebank), in the same order.
        """
        edge = [""] * _BORDER
        self._words = [*("<",) * _BORDER, *(word.lower() for word in words), *(">",) * _BORDER]
        self._shapes = [*edge, *map(_shape, words), *edge]
        self._marks = [*(True,) * _BORDER, *marks, *(True,) * _BORDER]
        self._tags = [*("<",) * _BORDER, *tags, *(">",) * _BORDER]
        self._finite = [place for place, tag in enumerate(self._tags) if tag in _FINITE]

    def nearby(self, place: int) -> list[tuple[str, float]]:
        """Return the words around a place by whose meanings the classifier goes, with their weights."""
        here = place + _BORDER
        last = min(len(self._words) - _BORDER, here + _MEANING_REACH + 1)
        return [
            (word, 1.0 if abs(other - here) <= _NEAR else _FAR_WEIGHT)
            for other in range(max(_BORDER, here - _MEANING_REACH), last)
            if other != here and not self._marks[other] and (word := self._words[other]) not in _FUNCTION_WORDS
        ]

    def sides(self, place: int) -> tuple[str, str]:
        """Return the words and marks before a place and after it, in lower case; each of those after has a blank."""
        here = place + _BORDER
        after = self._words[here + 1 : -_BORDER]
        return " ".join(self._words[_BORDER:here]), "".join(f"{word} " for word in after)

    def has_capital(self, place: int) -> bool:
        """Return whether the word at a place begins with a capital."""
        return self._shapes[place + _BORDER] != "x"

    def tokens_before(self, place: int) -> list[tuple[str, str]]:
        """Return the words and marks before a place with their parts of speech."""
        here = place + _BORDER
        return list(zip(self._words[_BORDER:here], self._tags[_BORDER:here], strict=True))

    def features(self, place: int) -> list[str]:
        """Return what the classifier may know of the word at a place, as `name=value`."""
        here = place + _BORDER
        words, tags, shapes = self._words, self._tags, self._shapes
        w3, w2, w1, _, v1, v2, v3 = words[here - 3 : here + 4]
        t3, t2, t1, tag, u1, u2, u3 = tags[here - 3 : here + 4]
        shape = shapes[here] if place else shapes[here] + "^"
        before, after = shapes[here - 1], shapes[here + 1]
        auxiliary, pronoun = self._governors(here)
        finite = "_".join(sorted({tags[other] for other in self._finite if other != here}))
        found = [
            "b", f"s={shape}", f"t0={tag}",
            f"w-3={w3}", f"w-2={w2}", f"w-1={w1}", f"w1={v1}", f"w2={v2}", f"w3={v3}",
            f"t-3={t3}", f"t-2={t2}", f"t-1={t1}", f"t1={u1}", f"t2={u2}", f"t3={u3}",
            f"x-2={w2[-3:]}", f"x-1={w1[-3:]}", f"x1={v1[-3:]}", f"x2={v2[-3:]}",
            f"y-2={w2[-2:]}", f"y-1={w1[-2:]}", f"y1={v1[-2:]}", f"y2={v2[-2:]}",
            f"w-2-1={w2}_{w1}", f"w-1+1={w1}_{v1}", f"w+1+2={v1}_{v2}",
            f"t-2-1={t2}_{t1}", f"t-1+1={t1}_{u1}", f"t+1+2={u1}_{u2}", f"t-1,0={t1}_{tag}", f"t0+1={tag}_{u1}",
            f"t-1,0,1={t1}_{tag}_{u1}", f"t-2-1+1={t2}_{t1}_{u1}", f"t-3-2-1={t3}_{t2}_{t1}",
            f"wt-1+1={w1}_{u1}", f"wt+1-1={t1}_{v1}", f"wt-2-1={w2}_{t1}", f"wt-1,0={w1}_{tag}", f"wt+1,0={v1}_{tag}",
            f"c-1={before}", f"c1={after}", f"ss={shape}{before}{after}", f"sw={shape}_{w1}", f"sv={shape}_{v1}",
            f"a={auxiliary}", f"p={pronoun}", f"ap={auxiliary}{pronoun}", f"te={finite}",
        ]  # fmt: skip
        marks = self._marks
        around = [
            *(other for other in range(max(_BORDER, here - _REACH), here) if not marks[other]),
            *(other for other in range(here + 1, min(len(words) - _BORDER, here + _REACH + 1)) if not marks[other]),
        ]
        more = {f"g={stem(words[other])}" for other in around if words[other] not in _FUNCTION_WORDS}
        more.update(f"{'l' if other < here else 'r'}={words[other]}" for other in around if abs(other - here) <= _NEAR)
        more.update(f"lt={other}" for other in tags[max(_BORDER, here - _NEAR - 1) : here])
        more.update(f"rt={other}" for other in tags[here + 1 : here + _NEAR + 2] if other != ">")
        return [*found, *self._clusters(here), *sorted(more)]

    def _clusters(self, here: int) -> list[str]:
        """Return to which clusters the two words on each side belong, by whole paths and their beginnings."""
        table, found = load_word_table(), []
        for distance in (-2, -1, 1, 2):
            cluster = table.cluster(self._words[here + distance])
            if cluster:
                found.append(f"k{distance}={cluster}")
                found += [f"{name}{distance}={cluster & bits}" for name, bits in _SHORT_PATHS]
        return found

    def _governors(self, here: int) -> tuple[str, str]:
        """Return the auxiliary and the pronoun before a word, within its clause."""
        auxiliary = pronoun = "-"
        for other in range(here - 1, max(_BORDER - 1, here - 8), -1):
            word = self._words[other]
            if self._marks[other] and word != ",":
                break
            if auxiliary == "-":
                auxiliary = _AUXILIARIES.get(word, "-")
            if pronoun == "-":
                pronoun = _PRONOUNS.get(word, "-")
        return auxiliary, pronoun


def _shape(word: str) -> str:
    if word.isupper() and len(word) > 1:
        return "A"
    return "C" if word[:1].isupper() else "x"


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a word (in lower case) without its inflection."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


class HomographModel:
    """The classifier; safe to use from threads."""

    def __init__(
        self,
        weights: Mapping[int, int],
        directions: Mapping[int, NDArray[np.float32]] | None = None,
        table: WordTable | None = None,
    ) -> None:
        """Take weights by the hash of what they belong to; see `feature_key`.

        Args:
            weights: For each reading and feature, in steps.
            directions: For each reading the meanings that speak for it, `[D]`, in the same steps.
            table: The meanings of words; that of the package if none is given.
        """
        self._weights = weights
        self._directions = directions or {}
        self._table = table

    def choose(
        self, readings: Sequence[Reading], features: Sequence[str], nearby: Sequence[tuple[str, float]] = ()
    ) -> Choice:
        """Return the most likely reading.

        Args:
            readings: The readings of the word, the usual one first.
            features: `SentenceContext.features` of its place.
            nearby: `SentenceContext.nearby` of its place.
        """
        encoded = [feature.encode("utf-8", "replace") for feature in features]
        words: list[str] = []
        shares = None
        if nearby and self._directions:
            words, shares = (self._table or load_word_table()).shares(nearby)
        names = [*features, *(f"g={word}" for word in words)]
        scored = [(self._evidence(reading, encoded, shares), reading) for reading in readings[1:]]
        parts, best = max(scored, key=lambda each: sum(each[0]))
        if sum(parts) > 0:
            return Choice(best, _reasons(names, parts))
        return Choice(readings[0], _reasons(names, [-part for part in parts]))

    def _evidence(self, reading: Reading, features: Sequence[bytes], shares: NDArray[np.float32] | None) -> list[float]:
        """Return what each feature and each word around says for a reading and against the usual one, in steps."""
        look, own = self._weights.get, crc32(reading.name.encode())
        sign = {"verb": 1, "noun": -1}.get(reading.kind, 0)
        parts: list[float] = [look(crc32(feature, own), 0) for feature in features]
        if sign:
            parts = [part + sign * look(crc32(feature), 0) for part, feature in zip(parts, features, strict=True)]
        if shares is None:
            return parts
        direction = self._directions.get(own)
        common = self._directions.get(0) if sign else None
        if common is not None:
            direction = sign * common if direction is None else direction + sign * common
        return parts if direction is None else parts + (shares @ direction).tolist()


def feature_key(reading: str, feature: str) -> int:
    """Return the number under which a weight stands: of one reading, or of all verbs where `reading` is empty."""
    return crc32(feature.encode(), crc32(reading.encode()) if reading else 0)


@cache
def load_homograph_model() -> HomographModel:
    """Return the classifier that comes with the package.

    Raises:
        TextError: Its weights are missing or damaged.
    """
    path = Path(__file__).with_name(_WEIGHTS)
    try:
        from safetensors.numpy import load_file

        arrays = load_file(path)
        weights = dict(zip(arrays["keys"].tolist(), arrays["weights"].tolist(), strict=True))
        directions = arrays["directions"].astype(np.float32)
        return HomographModel(weights, dict(zip(arrays["readings"].tolist(), directions, strict=True)))
    except (OSError, ValueError, KeyError) as error:
        raise TextError(f"cannot read {path}: reinstall glowvox") from error


_WHERE = {
    "w-3": "third word before: {}", "w-2": "second word before: {}", "w-1": "after {}", "w1": "before {}",
    "w2": "second word after: {}", "w3": "third word after: {}", "w-2-1": "after {}", "w-1+1": "between {}",
    "w+1+2": "before {}", "g": "{} nearby", "l": "{} close before", "r": "{} close after",
    "wt-1,0": "after {}", "wt-1+1": "after {}", "wt-2-1": "second word before: {}", "wt+1,0": "before {}",
    "wt+1-1": "before {}", "sw": "after {}", "sv": "before {}",
}  # fmt: skip
_TAGGED = {
    "t0": "tagged {}", "t-1": "after {}", "t1": "before {}", "t-1,0": "{}", "t0+1": "{}", "t-1+1": "between {}",
    "t-2-1": "after {}", "t+1+2": "before {}", "t-1,0,1": "tags {}", "t-2-1+1": "tags {}", "t-3-2-1": "after {}",
    "t-2": "second tag before: {}", "t2": "second tag after: {}", "lt": "{} close before", "rt": "{} close after",
}  # fmt: skip
_SHAPES = {"A": "in capitals", "C": "with a capital", "x": "in small letters"}


def describe(feature: str) -> str:
    """Return a feature in words, empty where it says nothing to a reader."""
    name, _, value = feature.partition("=")
    if name == "b":
        return "mostly so"
    if name in _WHERE:
        words = value.split("_")
        if name in ("wt-1,0", "wt-1+1", "wt-2-1", "wt+1,0"):
            words = words[:1]
        elif name in ("wt+1-1", "sw", "sv"):
            words = words[1:]
        if any(word in ("<", ">") for word in words):
            return ""
        return _WHERE[name].format(repr(" ".join(words)) if name != "w-1+1" else " and ".join(map(repr, words)))
    if name in _TAGGED:
        tags = value.split("_")
        if any(tag in ("<", ">") for tag in tags):
            return ""
        return _TAGGED[name].format((" and " if name == "t-1+1" else " ").join(tags))
    if name == "s":
        return _SHAPES.get(value[:1], "") + (" at the start" if value.endswith("^") else "")
    if name == "a" and value != "-":
        return f"after a form of {value!r}" if value not in ("modal", "to") else f"after {value!r}"
    if name == "p" and value != "-":
        return f"after a pronoun like {value!r}"
    return ""


def _reasons(features: Sequence[str], parts: Sequence[float]) -> str:
    order = sorted(range(len(parts)), key=lambda place: -parts[place])
    told: list[str] = []
    for place in order:
        if parts[place] <= 0 or len(told) == _MOST_REASONS:
            break
        words = describe(features[place])
        if words and words not in told:
            told.append(words)
    return ", ".join(told)
