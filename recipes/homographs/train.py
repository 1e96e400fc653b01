"""Train the classifier of homographs: the weights that come with the package, and what it gets right.

    python recipes/homographs/train.py ../shared/text/homographs

The folder holds Google's WikipediaHomographData (Apache-2.0): `train/*.tsv` with word, reading, sentence and the bytes
of the word. `sentences.txt` beside this script adds readings that the corpus lacks. Needs SciPy for the optimiser.
Ten folds tell how well readings of sentences that were not learnt are chosen; then all sentences are learnt.
"""

import argparse
import csv
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse
from safetensors.numpy import save_file
from scipy.optimize import minimize

from glowvox.text import FrontEnd
from glowvox.text.back_end import Pronunciation, Token
from glowvox.text.gruut_back_end import GruutBackEnd, english_homographs
from glowvox.text.homographs import HomographModel, Reading, SentenceContext, feature_key

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "src" / "glowvox" / "text"
FOLDS = 10
STEP = 1 / 32
"""Weights are stored as whole numbers of this size."""
LEAST = 0.5
"""Weights below this many steps are not stored."""
OWN_WEIGHT = 3
"""How often a sentence of our own counts: they are few, and say what the corpus does not."""
PRIOR = {"s": 9.0, "b": 9.0, "t0": 4.0, "ss": 2.25}
"""Variance of the normal prior of weights, by kind of feature; 1 for others."""


@dataclass(frozen=True)
class Example:
    """One place in a sentence with its reading."""

    word: str
    reading: str
    features: list[str]
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
    made = []
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
        made.append(Example(word, reading, context.features(place), fold))
    return made


class Design:
    """The examples as a sparse matrix: a row for each reading but the usual one of each example."""

    def __init__(self, given: list[Example], table: dict[str, list[Reading]]) -> None:
        own: Counter[tuple[str, str]] = Counter()
        shared: Counter[str] = Counter()
        for example in given:
            own.update((example.word, feature) for feature in example.features)
            shared.update(example.features)
        columns: dict[tuple[str, str], int] = {}
        places, values, ends, labels, folds = [], [], [0], [], []
        for example in given:
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
                ends.append(len(places))
                labels.append(1.0 if example.reading == reading.name else -1.0)
                folds.append(example.fold)
        self.columns = columns
        self.matrix = scipy.sparse.csr_matrix((values, places, ends), shape=(len(labels), len(columns)))
        self.labels, self.folds = np.array(labels), np.array(folds)

    def fit(self, fold: int | None) -> dict[int, int]:
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
        for (reading, feature), place in self.columns.items():
            spread = PRIOR.get(feature.partition("=")[0], 1.0) ** 0.5
            steps = found[place] * spread / STEP
            if abs(steps) >= LEAST:
                stored[feature_key(reading, feature)] = int(np.clip(round(steps), -127, 127))
        return stored


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
    for fold in range(args.folds):
        model = HomographModel(design.fit(fold))
        for example in given:
            if example.fold == fold:
                choice = model.choose(table[example.word], example.features)
                right[example.word].append(choice.reading.name == example.reading)
                if not right[example.word][-1]:
                    wrong.append(f"{example.word}\t{example.reading}\t{choice.reading.name}\t{choice.why}")
    if right:
        shares = {word: float(np.mean(hits)) for word, hits in right.items()}
        total = [hit for hits in right.values() for hit in hits]
        print(f"{len(total)} sentences of {len(shares)} words, each chosen without having been learnt")
        print(f"right: {np.mean(total):.2%} of the sentences, {np.mean(list(shares.values())):.2%} on average by word")
        print("worst:", ", ".join(f"{word} {shares[word]:.0%}" for word in sorted(shares, key=shares.get)[:12]))
    if args.errors:
        args.errors.write_text("\n".join(sorted(wrong)), encoding="utf-8")
    stored = design.fit(None)
    keys = np.array(sorted(stored), np.uint32)
    weights = np.array([stored[key] for key in keys.tolist()], np.int8)
    facts = {
        "trained on": "WikipediaHomographData (Google, Apache-2.0), train part; sentences of this project (CC0)",
        "features": str(len(keys)),
    }
    save_file({"keys": keys, "weights": weights}, args.out, metadata=facts)
    print(f"{len(keys)} weights, {args.out.stat().st_size / 1000:.0f} kB: {args.out}")


if __name__ == "__main__":
    main()
