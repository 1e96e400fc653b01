"""Train the joint n-gram model that says words in no lexicon, on gruut's English dictionary (MIT licence).

    python recipes/letter-to-sound/train.py

With `--held-out` a tenth of the dictionary is kept apart, as `benchmarks/letter_to_sound.py` wants it.
"""

import argparse
import json
import lzma
import math
import re
import sqlite3
from collections import Counter, defaultdict
from pathlib import Path
from zlib import crc32

import numpy as np
from safetensors.numpy import save

from glowvox.text.gruut_back_end import language_data
from glowvox.text.letter_to_sound import BORDER, ngram_key

PACKAGE = Path(__file__).parents[2] / "src" / "glowvox" / "text"
WORD = re.compile(r"[a-z']{2,}")
STEP = 8
ROUNDS = 3
RAREST_GRAPHONE = 8

Entry = tuple[str, tuple[str, ...]]


def read_dictionary() -> list[Entry]:
    """Return the words with their first pronunciation."""
    data = language_data("en-us")
    rows = sqlite3.connect(data.folder() / "lexicon.db").execute("SELECT word, phonemes FROM word_phonemes ORDER BY id")
    first: dict[str, tuple[str, ...]] = {}
    for word, phonemes in rows:
        if WORD.fullmatch(word) and word not in first:
            first[word] = data.phonemes(phonemes.split())
    return list(first.items())


def is_held_out(word: str) -> bool:
    """Say whether a word is of the tenth that is kept apart: inflections stand with their stem's first letters."""
    return crc32(word.encode()) % 10 == 0


def align(entry: Entry, costs: dict[tuple[str, tuple[str, ...]], float]) -> list[tuple[str, tuple[str, ...]]] | None:
    """Return the cheapest row of graphones of a word, None where there is none."""
    word, phonemes = entry
    best = {0: (0.0, ())}
    for place, letter in enumerate(word):
        left = len(word) - place - 1
        grown: dict[int, tuple[float, tuple]] = {}
        for at, (cost, row) in best.items():
            for size in (0, 1, 2):
                end = at + size
                if end > len(phonemes) or len(phonemes) - end > 2 * left:
                    continue
                chunk = phonemes[at:end]
                total = cost + costs.get((letter, chunk), 14.0 + 4.0 * size)
                if end not in grown or total < grown[end][0]:
                    grown[end] = (total, (row, chunk))
        best = grown
    if len(phonemes) not in best:
        return None
    chunks, row = [], best[len(phonemes)][1]
    while row:
        row, chunk = row
        chunks.append(chunk)
    return list(zip(word, reversed(chunks), strict=True))


def first_costs(entries: list[Entry]) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return costs of graphones from how often a letter and a phoneme stand at about the same place."""
    together: Counter = Counter()
    letters: Counter = Counter()
    for word, phonemes in entries:
        for place, letter in enumerate(word):
            middle = place * len(phonemes) / len(word)
            letters[letter] += 1
            for at in range(max(0, round(middle) - 1), min(len(phonemes), round(middle) + 2)):
                together[letter, phonemes[at]] += 1
    said = Counter(phoneme for _, phonemes in entries for phoneme in phonemes)
    total = sum(said.values())
    costs = {(letter, ()): 4.0 for letter in letters}
    for (letter, phoneme), count in together.items():
        gain = math.log(count * total / (letters[letter] * said[phoneme] * 3))
        costs[letter, (phoneme,)] = 3.0 - 1.5 * gain
    return costs


def graphones_of(entries: list[Entry]) -> list[list[tuple[str, tuple[str, ...]]]]:
    """Return the aligned words: costs and alignments are found in turns."""
    costs = first_costs(entries)
    part = entries[::12]
    for _ in range(ROUNDS):
        counts = Counter(graphone for entry in part for graphone in align(entry, costs) or ())
        letters: Counter = Counter()
        for (letter, _), count in counts.items():
            letters[letter] += count
        costs = {graphone: -math.log(count / letters[graphone[0]]) for graphone, count in counts.items()}
    rows = [row for row in (align(entry, costs) for entry in entries) if row]
    counts = Counter(graphone for row in rows for graphone in row)
    return [row for row in rows if all(counts[graphone] >= RAREST_GRAPHONE for graphone in row)]


def ngrams(rows: list[list[int]], order: int, least: int) -> tuple[dict, dict]:
    """Return the logarithms (base 2) of probabilities by n-gram, and of back-offs by history: Kneser-Ney."""
    counts: list[Counter] = [Counter() for _ in range(order + 1)]
    for row in rows:
        padded = [BORDER, *row, BORDER]
        for end in range(1, len(padded)):
            for size in range(1, min(order, end + 1) + 1):
                counts[size][tuple(padded[end - size + 1 : end + 1])] += 1
    # Below the highest order, and away from the beginning of a word, an n-gram counts by what stands before it.
    for size in range(1, order):
        before: Counter = Counter(ngram[1:] for ngram in counts[size + 1])
        counts[size] = Counter(
            {
                ngram: count if ngram[0] == BORDER and size > 1 else before[ngram]
                for ngram, count in counts[size].items()
            }
        )
    probabilities: dict[tuple[int, ...], float] = {}
    backoffs: dict[tuple[int, ...], float] = {}
    total = sum(counts[1].values())
    for ngram, count in counts[1].items():
        probabilities[ngram] = count / total
    for size in range(2, order + 1):
        once, twice = (sum(count == number for count in counts[size].values()) for number in (1, 2))
        discount = once / (once + 2 * twice)
        sums: Counter = Counter()
        kept_mass: dict = defaultdict(float)
        lower_mass: dict = defaultdict(float)
        for ngram, count in counts[size].items():
            sums[ngram[:-1]] += count
        kinds = Counter(ngram[:-1] for ngram in counts[size])
        for ngram, count in counts[size].items():
            history = ngram[:-1]
            lower = probabilities_of(ngram[1:], probabilities, backoffs)
            share = (count - discount) / sums[history] + discount * kinds[history] / sums[history] * lower
            if size > 2 and count < least:
                continue
            probabilities[ngram] = share
            kept_mass[history] += share
            lower_mass[history] += lower
        for history, mass in kept_mass.items():
            backoffs[history] = max(1.0 - mass, 1e-4) / max(1.0 - lower_mass[history], 1e-4)
    return probabilities, backoffs


def probabilities_of(ngram: tuple[int, ...], probabilities: dict, backoffs: dict) -> float:
    """Return the probability of the last graphone after those before it, with what is kept so far."""
    weight = 1.0
    while ngram not in probabilities:
        weight *= backoffs.get(ngram[:-1], 1.0)
        ngram = ngram[1:]
        if not ngram:
            return weight * 1e-6
    return weight * probabilities[ngram]


def main() -> None:
    """Align, count, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held-out", action="store_true", help="keep a tenth of the words apart")
    parser.add_argument("--order", type=int, default=6)
    parser.add_argument("--least", type=int, default=2, help="n-grams of more than two that are rarer are left out")
    parser.add_argument("--out", type=Path, default=PACKAGE / "letter_to_sound.safetensors.xz")
    args = parser.parse_args()
    entries = [entry for entry in read_dictionary() if not (args.held_out and is_held_out(entry[0]))]
    rows = graphones_of(entries)
    graphones = sorted({graphone for row in rows for graphone in row})
    number_of = {graphone: number for number, graphone in enumerate(graphones, BORDER + 1)}
    numbered = [[number_of[graphone] for graphone in row] for row in rows]
    probabilities, backoffs = ngrams(numbered, args.order, args.least)
    backoffs = {history: share for history, share in backoffs.items() if history in probabilities or len(history) == 1}
    tensors = {}
    for keys, values, table in (("keys", "probabilities", probabilities), ("histories", "backoffs", backoffs)):
        stored = {ngram_key(ngram): round(STEP * math.log2(share)) for ngram, share in table.items()}
        order = sorted(stored)
        # Differences of sorted numbers are small, and pack well.
        tensors[keys] = np.diff(np.array(order, np.int64), prepend=0).astype(np.uint32)
        tensors[values] = np.clip([stored[key] for key in order], -128, 127).astype(np.int8)
    model = {
        "order": args.order,
        "graphones": [[letter, " ".join(phonemes)] for letter, phonemes in graphones],
        "trained on": "gruut_lang_en's dictionary (MIT licence)",
    }
    tensors["facts"] = np.frombuffer(json.dumps(model, ensure_ascii=False).encode(), np.uint8)
    args.out.write_bytes(lzma.compress(save(tensors), preset=9))
    print(
        f"{len(rows)} words, {len(graphones)} graphones, {len(probabilities)} n-grams, {args.out.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
