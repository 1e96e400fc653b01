"""Whether `glowvox score` finds wrong transcripts: the area under its ROC curve on a corpus with errors put in.

    python benchmarks/score.py runs/acoustic --data data/ --jobs 2

Five per cent of the transcripts are made wrong, alternately by the text of another recording and by cutting out 30 to
50 per cent of the words in a row (at the beginning, at the end or inside). The recordings are then judged as a user
would, against each other, errors included. The area under the curve is the probability that a wrong transcript is given
a higher text mismatch score than a right one. It is given for all recordings, and for those of the validation split,
whose right transcripts the model was never trained with. As a harder case, one word is left out of texts of six words
or more.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from glowvox.data.prepared import PreparedData
from glowvox.evaluate.batch_alignment import ModelChoice, chosen_aligner
from glowvox.evaluate.clips import SpokenFile, spoken_files
from glowvox.evaluate.score import SUSPECT, chosen_texts, judged, measure_files, reference_of


def main() -> None:
    """Corrupt, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a voice, a Glow-TTS model folder or a training run")
    parser.add_argument("--data", required=True, type=Path, help="prepared data")
    parser.add_argument("--share", type=float, default=0.05, help="of the transcripts made wrong")
    parser.add_argument("--limit", type=int, help="at most so many recordings")
    parser.add_argument("--one-word", action="store_true", help="measure the harder case too")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    choice = ModelChoice(args.model, threads=1)
    files = spoken_files(args.data, chosen_aligner(choice).engine.audio, limit=args.limit).files
    held_out = {clip.id for clip in PreparedData(args.data).clips("validation")}
    report: dict[str, object] = {"recordings": len(files)}
    cases: dict[str, Callable[[str, Sequence[str], int, random.Random], str | None]] = {
        "swapped or cut": swapped_or_cut
    }
    if args.one_word:
        cases["one word left out"] = one_word_out
    for name, spoil in cases.items():
        rng = random.Random(args.seed)
        given, wrong = corrupted(files, args.share, spoil, rng)
        # All of the validation split once more, with and without an error: five per cent of it would be three.
        again, wrong_again = corrupted([one for one in files if one.id in held_out], 0.5, spoil, rng)
        texts = chosen_texts([one.text for one in given])
        began = time.perf_counter()
        measured = measure_files(choice, given, texts, jobs=args.jobs)
        seconds = time.perf_counter() - began
        reference = reference_of("the corpus", [one.values for one in measured if one.values is not None], texts)
        mismatches = {row.measured.id: row.text_mismatch_score for row in judged(measured, reference)}
        apart = judged(measure_files(choice, again, texts, jobs=args.jobs), reference)
        report[name] = {
            "wrong": len(wrong),
            "area_under_curve": round(area(mismatches, wrong), 4),
            "area_under_curve_validation": round(
                area({row.measured.id: row.text_mismatch_score for row in apart}, wrong_again), 4
            ),
            "found_above_threshold": sum(mismatches[name] > SUSPECT for name in wrong),
            "false_alarms": sum(mismatch > SUSPECT for name, mismatch in mismatches.items() if name not in wrong),
            "wrong_among_the_worst": len(wrong & set(sorted(mismatches, key=mismatches.__getitem__)[-len(wrong) :])),
            "seconds": round(seconds, 1),
            "audio_seconds": round(sum(one.seconds for one in measured), 1),
        }
    print(json.dumps(report, indent=None if args.json else 1))


def corrupted(
    files: Sequence[SpokenFile],
    share: float,
    spoil: Callable[[str, Sequence[str], int, random.Random], str | None],
    rng: random.Random,
) -> tuple[list[SpokenFile], set[str]]:
    """Return the recordings with a share of the transcripts made wrong, and the ids of those."""
    texts = sorted({one.text for one in files})
    order = rng.sample(range(len(files)), len(files))
    result, wrong = list(files), set[str]()
    for place in order:
        if len(wrong) >= round(share * len(files)):
            break
        text = spoil(files[place].text, texts, len(wrong), rng)
        if text is not None:
            result[place] = replace(files[place], text=text)
            wrong.add(files[place].id)
    return result, wrong


def swapped_or_cut(text: str, texts: Sequence[str], number: int, rng: random.Random) -> str | None:
    """Return a wrong transcript: in turn another one, and one with many words missing."""
    if number % 2 == 0:
        return rng.choice([other for other in texts if other != text])
    words = text.split()
    missing = max(1, round(len(words) * rng.uniform(0.3, 0.5)))
    start = rng.choice([0, len(words) - missing, rng.randrange(len(words) - missing + 1)])
    return " ".join(words[:start] + words[start + missing :]) or None


def one_word_out(text: str, texts: Sequence[str], number: int, rng: random.Random) -> str | None:
    """Return a transcript that lacks one word; None where there are few."""
    words = text.split()
    if len(words) < 6:
        return None
    place = rng.randrange(len(words))
    return " ".join(words[:place] + words[place + 1 :])


def area(mismatches: dict[str, float], wrong: set[str]) -> float:
    """Return the area under the ROC curve (ties count half)."""
    values = np.nan_to_num(list(mismatches.values()), posinf=1e9)  # A text that cannot be laid at all is the worst.
    bad = np.array([name in wrong for name in mismatches])
    above = values[bad][:, None] - values[~bad][None]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


if __name__ == "__main__":
    main()
