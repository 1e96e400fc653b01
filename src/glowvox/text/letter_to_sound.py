"""Grapheme to phoneme for words in no lexicon: a joint n-gram model of letters and the phonemes that they stand for.

A word is a row of graphones, a letter with no phoneme, one or two (Bisani and Ney 2008, "Joint-sequence models for
grapheme-to-phoneme conversion"); the model gives each its probability after those before it, with interpolated
Kneser-Ney smoothing, and a beam search finds the likeliest row. `recipes/letter-to-sound` makes the weights.
"""

import json
import lzma
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path

from glowvox.errors import TextError
from glowvox.text.tokenizer import PRIMARY_STRESS, SECONDARY_STRESS, VOWELS, split_stress

_WEIGHTS = Path(__file__).with_name("letter_to_sound.safetensors.xz")
_BEAM = 8
_CHOICES = 12
"""Graphones of a letter that are tried: those that come after the last one most often."""
_BITS = 9
_UNSEEN = -100
BORDER = 1
"""The number of the graphone at both ends of a word; the others follow."""

Graphone = tuple[str, tuple[str, ...]]


_total = itemgetter(0)


class JointNgramModel:
    """Pronounces words by their letters; safe to use from threads."""

    def __init__(
        self,
        graphones: Sequence[Graphone],
        probabilities: Mapping[int, int],
        backoffs: Mapping[int, int],
        order: int,
    ) -> None:
        """Take a model.

        Args:
            graphones: letter and phonemes of the graphones, in the order of their numbers from `BORDER` + 1.
            probabilities: logarithms by `ngram_key`, in steps.
            backoffs: what a history costs that does not lead to a graphone, by `ngram_key`.
            order: the longest n-gram.
        """
        self._graphones: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        for number, (letter, phonemes) in enumerate(graphones, BORDER + 1):
            self._graphones.setdefault(letter, []).append((number, phonemes))
        self._probabilities, self._backoffs = probabilities, backoffs
        self._window = (1 << _BITS * (order - 1)) - 1
        self._choices: dict[tuple[int, str], list[tuple[int, tuple[str, ...]]]] = {}

    def pronounce(self, word: str) -> tuple[str, ...]:
        """Return the phonemes of a word in lower case; letters that the model does not know are passed over."""
        paths: list[tuple[int, int, tuple[str, ...]]] = [(0, BORDER, ())]
        for letter in word:
            if letter not in self._graphones:
                continue
            grown: list[tuple[int, int, tuple[str, ...], tuple[str, ...]]] = []
            for score, history, said in paths:
                base = history << _BITS
                levels = self._levels(history)
                for number, phonemes in self._likely(history & ((1 << _BITS) - 1), letter):
                    total = score + self._score(levels, number)
                    grown.append((total, (base | number) & self._window, said, phonemes))
            grown.sort(key=_total, reverse=True)
            # Only what stays is put together: most of what has grown does not.
            paths = []
            seen: set[tuple[int, tuple[str, ...]]] = set()
            for total, history, said, phonemes in grown:
                end = (history, said + phonemes)
                if end not in seen:
                    seen.add(end)
                    paths.append((total, *end))
                    if len(paths) == _BEAM:
                        break
        return _with_one_stress(max(paths, key=lambda path: path[0] + self._score(self._levels(path[1]), BORDER))[2])

    def graphones(self) -> list[tuple[int, str, tuple[str, ...]]]:
        """Return number, letter and phonemes of all graphones."""
        return [(number, letter, said) for letter, known in self._graphones.items() for number, said in known]

    def probability(self, ngram: Iterable[int]) -> int | None:
        """Return the logarithm of the probability of an n-gram's last graphone after the others, in steps.

        None: the model does not know the n-gram.
        """
        return self._probabilities.get(ngram_key(ngram))

    def backoff(self, history: Iterable[int]) -> int:
        """Return what it costs, in steps, to forget the first graphone of a history."""
        return self._backoffs.get(ngram_key(history), 0)

    def _likely(self, last: int, letter: str) -> list[tuple[int, tuple[str, ...]]]:
        """Return the graphones of a letter that come most often after another."""
        found = self._choices.get((last, letter))
        if found is None:
            levels = self._levels(last)
            found = sorted(self._graphones[letter], key=lambda one: -self._score(levels, one[0]))[:_CHOICES]
            self._choices[last, letter] = found
        return found

    def _levels(self, history: int) -> list[tuple[int, int]]:
        """Return what it costs to know no more than a part of a history, and that part, the longest first."""
        cost, levels = 0, [(0, history << _BITS)]
        while history:
            cost += self._backoffs.get(history % _PRIME, 0)
            history &= (1 << (history.bit_length() - 1) // _BITS * _BITS) - 1
            levels.append((cost, history << _BITS))
        return levels

    def _score(self, levels: Sequence[tuple[int, int]], number: int) -> int:
        """Return the logarithm of the probability of a graphone after others."""
        for cost, history in levels:
            found = self._probabilities.get((history | number) % _PRIME)
            if found is not None:
                return cost + found
        return levels[-1][0] + _UNSEEN


def _with_one_stress(phonemes: tuple[str, ...]) -> tuple[str, ...]:
    """Return a word with one primary stress: of several the last, of none the first secondary one or full vowel."""
    stressed = [place for place, phoneme in enumerate(phonemes) if phoneme[0] == PRIMARY_STRESS]
    if len(stressed) == 1:
        return phonemes
    said = list(phonemes)
    for place in stressed[:-1]:
        said[place] = SECONDARY_STRESS + said[place][1:]
    if not stressed:
        vowels = [place for place, phoneme in enumerate(said) if split_stress(phoneme)[1] in VOWELS]
        weight = {place: (said[place][0] != SECONDARY_STRESS, said[place] in ("ə", "ɚ", "ɪ")) for place in vowels}
        if vowels:
            chosen = min(vowels, key=lambda place: (weight[place], place))
            said[chosen] = PRIMARY_STRESS + split_stress(said[chosen])[1]
    return tuple(said)


_PRIME = 4_000_000_007  # far from a power of two, which would let n-grams that differ in one place fall together


def ngram_key(ngram: Iterable[int]) -> int:
    """Return the number under which an n-gram of graphones stands."""
    packed = 0
    for number in ngram:
        packed = packed << _BITS | number
    return packed % _PRIME


@cache
def load_letter_to_sound(path: Path = _WEIGHTS) -> JointNgramModel:
    """Return the model of American English that comes with the package, or one of a file.

    Raises:
        TextError: it is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        content = lzma.decompress(path.read_bytes())
        tensors = load(content)
        facts = json.loads(tensors["facts"].tobytes())
        tables = [
            dict(zip(tensors[keys].cumsum(dtype="int64").tolist(), tensors[values].tolist(), strict=True))
            for keys, values in (("keys", "probabilities"), ("histories", "backoffs"))
        ]
    except (OSError, EOFError, lzma.LZMAError, SafetensorError, ValueError, KeyError) as error:
        raise TextError(f"cannot read {path}: reinstall glowvox") from error
    graphones = [(letter, tuple(phonemes.split())) for letter, phonemes in facts["graphones"]]
    return JointNgramModel(graphones, tables[0], tables[1], facts["order"])
