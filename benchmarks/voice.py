"""A voice as its users meet it: the start of `glowvox say`, many texts at once, the memory of a long text.

python benchmarks/voice.py [VOICE] [--engine auto] [--threads 2] [--minutes 60] [--texts 48] [--rounds 3] [--json]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

TEXTS = (
    "It is raining.",
    "The train to the north leaves at ten past nine.",
    "Please close the window before you go, because the wind has risen.",
    "Good morning!",
    "Nobody knew how the old lighthouse had got its second, smaller lamp.",
    "Dinner is ready.",
)


def start_seconds(voice: list[str], rounds: int) -> dict[str, float]:
    """Return the wall-clock seconds of `glowvox say` for one word: without a cache, and with one that is filled."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "glowvox", "say", "Yes.", "-o", f"{place}/yes.wav", *voice]
        found = {"python alone": _fastest([sys.executable, "-c", "pass"], rounds, {})}
        found["without a cache"] = _fastest(command, rounds, {"GLOWVOX_CACHE": "off"})
        found["with a cache"] = _fastest(command, rounds + 1, {"GLOWVOX_CACHE": f"{place}/cache"})
    return found


def _fastest(command: list[str], rounds: int, settings: dict[str, str]) -> float:
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **settings})
        taken.append(time.perf_counter() - begun)
    return min(taken)


def many(voice: Any, count: int, rounds: int) -> dict[str, float]:
    """Return the seconds of texts one by one and together, whose samples must be the same."""
    texts = [TEXTS[number % len(TEXTS)] for number in range(count)]
    alone, together = [], []
    for number in range(rounds + 1):
        begun = time.perf_counter()
        singles = [voice.say(text) for text in texts]
        middle = time.perf_counter()
        group = list(voice.say_many(texts, batch_size=count))
        if number:
            alone.append(middle - begun)
            together.append(time.perf_counter() - middle)
    difference = max(
        float(np.abs(one.samples - other.samples).max()) for one, other in zip(singles, group, strict=True)
    )
    seconds = sum(one.duration for one in singles)
    return {
        "texts": count,
        "rtf_one_by_one": float(np.median(alone)) / seconds,
        "rtf_together": float(np.median(together)) / seconds,
        "gain": float(np.median(alone) / np.median(together)),
        "largest_difference": difference,
    }


def long_text(voice: Any, minutes: float) -> dict[str, float | None]:
    """Return what a text of so many minutes takes in one call."""
    from glowvox.evaluate.engine_speed import measure

    once = voice.say(" ".join(TEXTS)).duration
    text = "\n\n".join([" ".join(TEXTS)] * max(1, round(60 * minutes / once)))
    cost = measure(lambda: voice.say(text))
    peak = None if cost.peak_bytes is None else cost.peak_bytes / 1e6
    return {"minutes": cost.result.duration / 60, "seconds": cost.seconds, "memory_mb": peak}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("voice", nargs="?", help="a voice's name or folder (default: the default voice)")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--texts", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    words = ["--engine", args.engine, "--threads", str(args.threads)]
    words += ["--voice", args.voice] if args.voice else []
    from glowvox.synthesis.installed_voices import load_voice

    told: dict[str, Any] = {"start_seconds": start_seconds(words, args.rounds)}
    voice = load_voice(args.voice, engine=args.engine, threads=args.threads)
    told["many_texts"] = many(voice, args.texts, args.rounds)
    told["long_text"] = long_text(voice, args.minutes)
    if args.json:
        print(json.dumps(told, indent=2))
        return
    for part, figures in told.items():
        print(part.replace("_", " "))
        for name, value in figures.items():
            print(f"  {name.replace('_', ' '):<24}{'-' if value is None else f'{value:.4g}'}")


if __name__ == "__main__":
    main()
