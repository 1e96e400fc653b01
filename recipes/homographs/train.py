"""Train the classifier of homographs: the weights that come with the package, and what it gets right.

    python recipes/homographs/train.py ../shared/text/homographs

The folder holds Google's WikipediaHomographData (Apache-2.0): `train/*.tsv` with word, reading, sentence and the bytes
of the word. `sentences.txt` beside this script adds readings that the corpus lacks. Needs SciPy for the optimiser.
Ten folds tell how well readings of sentences that were not learnt are chosen; then all sentences are learnt.
"""

import argparse
import csv
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import scipy.sparse
from safetensors.numpy import save_file
from scipy.optimize import minimize

from glowvox.text import FrontEnd
from glowvox.text.back_end import Pronunciation, Token
from glowvox.text.gruut_back_end import GruutBackEnd, english_homographs
from glowvox.text.homographs import HomographModel, Reading, SentenceContext, feature_key
from glowvox.text.word_table import load_word_table

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "src" / "glowvox" / "text"
FOLDS = 10
MEANING = "meaning "
STEP = 1 / 32
"""Weights are stored as whole numbers of this size."""
LEAST = 0.5
"""Weights below this many steps are not stored."""
OWN_WEIGHT = 3
"""How often a sentence of our own counts: they are few, and say what the corpus does not."""
PRIOR = {"s": 9.0, "b": 9.0, "t0": 4.0, "ss": 2.25}
"""Variance of the normal prior of weights, by kind of feature; 1 for others."""
MEANING_PRIOR = 16.0
"""The same for the meanings of the words around."""
ALIKE = 0.3
"""Sentences that share this part of their runs of four words are tested in the same fold."""


@dataclass(frozen=True)
class Example:
    """One place in a sentence with its reading."""

    word: str
    reading: str
    features: list[str]
    nearby: list[tuple[str, float]]
    fold: int
    """Which fold it is tested in, -1: it is always learnt."""


class RecordingBackEnd(GruutBackEnd):
    """Keeps the tokens and what the classifier sees of them."""

    def __init__(self) -> None:
        super().__init__("en-us")
        self.seen: list[tuple[list[Token], SentenceContext]] = []

    def pronounce(self, tokens: list[Token]) -> list[Pronunciation]:
        """Return a sound for every word, and keep what a choice is made by."""
        context = self._context(tokens)
        if context:
            self.seen.append((tokens, context[1]))
        return [Pronunciation(("ə",), "rules") for token in tokens if not token.is_mark]


def read_corpus(folder: Path) -> list[tuple[str, str, str, str, str]]:
    """Return word, reading, and the text before, at and after the place."""
    rows = []
    for path in sorted((folder / "train").glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                text, start, end = row["sentence"].encode(), int(row["start"]), int(row["end"])
                before, here, after = (part.decode() for part in (text[:start], text[start:end], text[end:]))
                rows.append((row["homograph"], row["wordid"], before, here, after))
    return rows


def read_own_sentences() -> list[tuple[str, str, str, str, str]]:
    """Return the sentences beside this script, in the same form."""
    word_of = {reading.name: word for word, readings in english_homographs().items() for reading in readings}
    rows = []
    for line in (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            reading, text = line.split(": ", 1)
            before, here, after = text.split("*")
            rows.append((word_of[reading], reading, before, here, after))
    return rows


def examples(rows: list[tuple[str, str, str, str, str]], folds: int, seed: int) -> list[Example]:
    """Read sentences with the front end, as in speaking."""
    back_end = RecordingBackEnd()
    front_end = FrontEnd(back_end)
    order = np.random.default_rng(seed)
    count: Counter[str] = Counter()
    start = defaultdict(lambda: int(order.integers(FOLDS)))
    made: list[Example] = []
    texts: list[str] = []
    for number in order.permutation(len(rows)):
        word, reading, before, here, after = rows[number]
        back_end.seen.clear()
        front_end.process(before + here + after)
        places = [
            (context, place)
            for tokens, context in back_end.seen
            for place, token in enumerate(tokens)
            if not token.is_mark and token.text.lower() == word
        ]
        pattern = re.compile(rf"(?<![^\W\d_]){word}(?![^\W\d_]|'s)", re.IGNORECASE)
        nth = len(pattern.findall(before))
        if nth >= len(places):
            print(f"left out, not found once read: {before}*{here}*{after}")
            continue
        context, place = places[nth]
        fold = (start[word] + count[word]) % folds if folds else -1
        count[word] += 1
        made.append(Example(word, reading, context.features(place), context.nearby(place), fold))
        texts.append(before + here + after)
    return together(made, texts) if folds else made


def together(given: list[Example], texts: list[str]) -> list[Example]:
    """Return the examples with those of a word whose sentences are nearly the same in one fold."""
    runs = []
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, (example, text) in enumerate(zip(given, texts, strict=True)):
        words = re.findall(r"\w+", text.lower())
        runs.append({(example.word, *words[start : start + 4]) for start in range(len(words) - 3)})
        for run in runs[-1]:
            holders[run].append(place)
    shared: Counter[tuple[int, int]] = Counter()
    for places in holders.values():
        shared.update((first, last) for last in places for first in places if first < last)
    leader = list(range(len(given)))
    for (first, last), number in sorted(shared.items()):
        if number >= ALIKE * min(len(runs[first]), len(runs[last])):
            leader[last] = min(leader[last], leader[first])
    moved = sum(first != place for place, first in enumerate(leader))
    print(f"{moved} sentences are nearly the same as another one: tested with it")
    return [replace(example, fold=given[leader[place]].fold) for place, example in enumerate(given)]


class Design:
    """The examples as a matrix: a row for each reading but the usual one of each example; a sparse part for features,
    and a dense one for meanings."""

    def __init__(self, given: list[Example], table: dict[str, list[Reading]]) -> None:
        words = load_word_table()
        own: Counter[tuple[str, str]] = Counter()
        shared: Counter[str] = Counter()
        for example in given:
            own.update((example.word, feature) for feature in example.features)
            shared.update(example.features)
        columns: dict[tuple[str, str], int] = {}
        places, values, ends, labels, folds = [], [], [0], [], []
        for example in given:
            meaning = words.shares(example.nearby)[1].sum(axis=0) * MEANING_PRIOR**0.5
            for reading in table[example.word][1:]:
                sign = {"verb": 1.0, "noun": -1.0, "": 0.0}[reading.kind]
                for feature in example.features:
                    spread = PRIOR.get(feature.partition("=")[0], 1.0) ** 0.5
                    if own[example.word, feature] > 1:
                        places.append(columns.setdefault((reading.name, feature), len(columns)))
                        values.append(spread)
                    if sign and shared[feature] > 3 and feature != "b":
                        places.append(columns.setdefault(("", feature), len(columns)))
                        values.append(sign * spread)
                for number, value in enumerate(meaning.tolist()):
                    places.append(columns.setdefault((reading.name, f"{MEANING}{number}"), len(columns)))
                    values.append(value)
                    if sign:
                        places.append(columns.setdefault(("", f"{MEANING}{number}"), len(columns)))
                        values.append(sign * value)
                ends.append(len(places))
                labels.append(1.0 if example.reading == reading.name else -1.0)
                folds.append(example.fold)
        self.columns = columns
        self.dimensions = words.dimensions
        self.matrix = scipy.sparse.csr_matrix((values, places, ends), shape=(len(labels), len(columns)))
        self.labels, self.folds = np.array(labels), np.array(folds)

    def fit(self, fold: int | None) -> "Weights":
        """Return the stored weights, learnt from all rows but those of a fold."""
        kept = self.folds != fold if fold is not None else np.ones(len(self.labels), bool)
        rows, labels = self.matrix[kept], self.labels[kept]
        columns = rows.T.tocsr()

        def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
            margin = labels * (rows @ weights)
            value = np.logaddexp(0.0, -margin).sum() + 0.5 * (weights @ weights)
            return value, columns @ (-labels / (1.0 + np.exp(np.minimum(margin, 500.0)))) + weights

        found = minimize(loss, np.zeros(len(self.columns)), jac=True, method="L-BFGS-B", options={"maxiter": 80}).x
        stored: dict[int, int] = {}
        directions: dict[int, np.ndarray] = defaultdict(lambda: np.zeros(self.dimensions, np.float32))
        for (reading, feature), place in self.columns.items():
            if feature.startswith(MEANING):
                key = crc32(reading.encode()) if reading else 0
                directions[key][int(feature[len(MEANING) :])] = found[place] * MEANING_PRIOR**0.5 / STEP
                continue
            spread = PRIOR.get(feature.partition("=")[0], 1.0) ** 0.5
            steps = found[place] * spread / STEP
            if abs(steps) >= LEAST:
                stored[feature_key(reading, feature)] = int(np.clip(round(steps), -127, 127))
        return Weights(stored, {key: row.astype(np.float16) for key, row in directions.items()})


@dataclass(frozen=True)
class Weights:
    """What is stored: see `HomographModel`."""

    features: dict[int, int]
    directions: dict[int, np.ndarray]

    def model(self) -> HomographModel:
        """Return the classifier that these make."""
        return HomographModel(self.features, {key: row.astype(np.float32) for key, row in self.directions.items()})

    def save(self, path: Path) -> None:
        """Write them."""
        keys, readings = sorted(self.features), sorted(self.directions)
        facts = {
            "trained on": "WikipediaHomographData (Google, Apache-2.0), train part; sentences of this project (CC0)",
            "features": str(len(keys)),
        }
        arrays = {
            "keys": np.array(keys, np.uint32),
            "weights": np.array([self.features[key] for key in keys], np.int8),
            "readings": np.array(readings, np.uint32),
            "directions": np.stack([self.directions[key] for key in readings]),
        }
        save_file(arrays, path, metadata=facts)


def main() -> None:
    """Learn, test, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, default=PACKAGE / "homographs.safetensors")
    parser.add_argument("--folds", type=int, default=FOLDS, help="how many of ten folds are tried (default: all)")
    parser.add_argument("--errors", type=Path, help="write what was chosen wrong to this file")
    args = parser.parse_args()
    table = {word: list(readings) for word, readings in english_homographs().items()}
    given = examples(read_corpus(args.corpus), FOLDS, seed=1) + OWN_WEIGHT * examples(read_own_sentences(), 0, seed=1)
    design = Design(given, table)
    right: dict[str, list[bool]] = defaultdict(list)
    wrong = []
    seconds = 0.0
    for fold in range(args.folds):
        model = design.fit(fold).model()
        for example in given:
            if example.fold == fold:
                begun = time.process_time()
                choice = model.choose(table[example.word], example.features, example.nearby)
                seconds += time.process_time() - begun
                right[example.word].append(choice.reading.name == example.reading)
                if not right[example.word][-1]:
                    wrong.append(f"{example.word}\t{example.reading}\t{choice.reading.name}\t{choice.why}")
    if right:
        shares = {word: float(np.mean(hits)) for word, hits in right.items()}
        total = [hit for hits in right.values() for hit in hits]
        print(f"{len(total)} sentences of {len(shares)} words, each chosen without having been learnt")
        print(f"right: {np.mean(total):.2%} of the sentences, {np.mean(list(shares.values())):.2%} on average by word")
        print(f"a choice takes {1000 * seconds / len(total):.3f} ms, once the features are known")
        print("worst:", ", ".join(f"{word} {shares[word]:.0%}" for word in sorted(shares, key=shares.get)[:12]))
    if args.errors:
        args.errors.write_text("\n".join(sorted(wrong)), encoding="utf-8")
    stored = design.fit(None)
    stored.save(args.out)
    print(f"{len(stored.features)} weights, {args.out.stat().st_size / 1000:.0f} kB: {args.out}")


if __name__ == "__main__":
    main()
