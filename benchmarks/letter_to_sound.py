"""How well words in no lexicon are said: a tenth of the English dictionary, kept apart, by letters alone.

    python recipes/letter-to-sound/train.py --held-out --out held-out.xz
    python benchmarks/letter_to_sound.py held-out.xz

Prints the error rates of phonemes (with and without stress) and of words for the joint n-gram model, for gruut's
conditional random field (which may have learnt the words that are kept apart) and, where it is installed, for
espeak-ng, whose phonemes are brought into those of the dictionary. Any reading of the dictionary counts as right, the
nearest one is compared.
"""

import argparse
import importlib.util
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from glowvox.text.gruut_back_end import language_data
from glowvox.text.letter_to_sound import load_letter_to_sound
from glowvox.text.sequence_model import decode, letter_features, load_sequence_model
from glowvox.text.tokenizer import split_ipa, split_stress

RECIPE = Path(__file__).parents[1] / "recipes" / "letter-to-sound" / "train.py"
_ESPEAK = {
    "ɑː": "ɑ", "iː": "i", "uː": "u", "ɔː": "ɔ", "ɜː": "ɚ", "ᵻ": "ɪ", "ɐ": "ə", "ɾ": "t", "əl": "əl", "oː": "ɔ",
    "ɛː": "ɛ", "n̩": "ən", "l̩": "əl", "ʔ": "t", "ɒ": "ɑ", "a": "æ",
}  # fmt: skip


def distance(said: Sequence[str], right: Sequence[str]) -> int:
    """Return how many phonemes must be changed, added or taken away."""
    row = list(range(len(right) + 1))
    for number, one in enumerate(said, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(right, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (one != other))
    return row[-1]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a model that has not learnt the words that are kept apart")
    parser.add_argument("--words", type=int, default=3000, help="how many of them (default: 3000)")
    args = parser.parse_args()
    specification = importlib.util.spec_from_file_location("letter_to_sound_recipe", RECIPE)
    assert specification is not None and specification.loader is not None
    recipe = importlib.util.module_from_spec(specification)
    sys.modules["letter_to_sound_recipe"] = recipe
    specification.loader.exec_module(recipe)
    right: dict[str, list[tuple[str, ...]]] = {}
    data = language_data("en-us")
    rows = sqlite3.connect(data.folder() / "lexicon.db").execute("SELECT word, phonemes FROM word_phonemes")
    for word, phonemes in rows:
        if recipe.WORD.fullmatch(word) and recipe.is_held_out(word):
            right.setdefault(word, []).append(data.phonemes(phonemes.split()))
    words = sorted(right)
    random.Random(0).shuffle(words)
    words = words[: args.words]
    model, field = load_letter_to_sound(args.model), load_sequence_model(data.folder() / "g2p" / "model.crf")
    assert field is not None

    def by_field(word: str) -> tuple[str, ...]:
        labels = [decode(label) for label in field.labels(letter_features(word))]
        return data.phonemes([phone for label in labels for phone in label.split("|") if phone != "_"])

    measure("joint n-grams", words, right, lambda asked: [model.pronounce(word) for word in asked])
    measure("gruut's random field", words, right, lambda asked: [by_field(word) for word in asked])
    if shutil.which("espeak-ng"):
        measure("espeak-ng", words, right, espeak)


def measure(
    name: str,
    words: Sequence[str],
    right: dict[str, list[tuple[str, ...]]],
    say: Callable[[Sequence[str]], list[tuple[str, ...]]],
) -> None:
    """Print one line of the table."""
    start = time.process_time()
    said = say(words)
    seconds = time.process_time() - start
    errors = {True: [0, 0], False: [0, 0]}
    total = 0
    for word, phonemes in zip(words, said, strict=True):
        for stress in (True, False):
            keyed = [_plain(phonemes, stress=stress)]
            found = [(distance(keyed[0], _plain(other, stress=stress)), len(other)) for other in right[word]]
            least, length = min(found)
            errors[stress][0] += least
            errors[stress][1] += least > 0
            total += length if stress else 0
    shares = [
        f"{label} {errors[stress][0] / total:6.2%} of phonemes, {errors[stress][1] / len(words):6.2%} of words"
        for stress, label in ((True, "with stress"), (False, "without"))
    ]
    print(f"{name:30} {'; '.join(shares)}; {1000 * seconds / len(words):.2f} ms a word", flush=True)


def _plain(phonemes: Sequence[str], *, stress: bool) -> list[str]:
    return [phoneme if stress else split_stress(phoneme)[1] for phoneme in phonemes]


def espeak(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what espeak-ng says, in the phonemes of the dictionary; a word is a clause of its own."""
    command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", "--stdin"]
    output = subprocess.run(command, input="\n\n".join(words), capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    assert len(lines) == len(words)
    said = []
    for line in lines:
        row: list[str] = []
        for phoneme in split_ipa(re.sub(r"\(.*?\)", "", line))[0]:
            mark, phone = split_stress(phoneme)
            plain = _ESPEAK.get(phone, phone)
            parts = ["ə", plain[1]] if plain in ("ən", "əl") else [plain]
            if parts == ["ɹ"] and row and split_stress(row[-1])[1] in ("ə", "ɚ"):
                row[-1] = split_stress(row[-1])[0] + "ɚ"  # ə and r are one phone of the dictionary
                continue
            row.extend([mark + parts[0], *parts[1:]])
        said.append(tuple(row))
    return said


if __name__ == "__main__":
    main()
