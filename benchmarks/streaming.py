"""Streaming with a vocoder: time to first audio against the size of the chunks, and the cost over one call.

Three ways in the same rounds: the engine's own state (nothing is computed twice), windows with recomputed context, and
chunks that grow fourfold from the first one, as `voice.stream` has them. Without a path the default voice's vocoder is
exported first.

    python benchmarks/streaming.py [PATH] [--engine onnx] [--threads 1 2] [--seconds 10] [--rounds 7] [--json]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def exported(folder: Path) -> Path:
    """Export the default voice's vocoder into a folder, and return that."""
    from glowvox.export.export_model import export_model
    from glowvox.synthesis.default_voice import default_vocoder

    export_model(default_vocoder(), folder)
    return folder


def ways(engine: Any, mel: Any, latent: Any, chunk: int) -> dict[str, Callable[[], tuple[float, float]]]:
    """Return what is measured; each call gives the seconds to the first samples and in all."""
    from glowvox.synthesis.vocoder_pieces import SteppedPieces, WindowedPieces

    frames = mel.shape[1]

    def through(make: Callable[[], Any], growth: int) -> Callable[[], tuple[float, float]]:
        def call() -> tuple[float, float]:
            begun, first, size = time.perf_counter(), 0.0, chunk
            pieces = make()
            pieces.take(latent, mel)
            while frames - pieces.spoken > size + pieces.look_ahead:
                pieces.speak(size)
                first = first or time.perf_counter() - begun
                size *= growth
            pieces.finish()
            total = time.perf_counter() - begun
            return first or total, total

        return call

    found = {}
    if 4 * chunk >= engine.receptive_field:  # smaller ones cost many times the whole
        found["windows"] = through(lambda: WindowedPieces(engine), 1)
    if engine.delay is not None:
        found["state"] = through(lambda: SteppedPieces(engine, engine.delay), 1)
        found["state, growing"] = through(lambda: SteppedPieces(engine, engine.delay), 4)
    return found


def measure(path: Path, engine_name: str, threads: int, seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Return the figures of all chunk sizes."""
    from glowvox.engines.choose import load_vocoder
    from glowvox.evaluate.engine_speed import CHUNK_SECONDS, random_mel

    engine = load_vocoder(path, engine=engine_name, threads=threads)
    rate = engine.audio.frame_rate
    frames = round(seconds * rate)
    mel = random_mel(engine.audio, frames)
    latent = 0.6 * np.random.default_rng(0).standard_normal((engine.n_group, frames * engine.groups_per_frame))
    latent = latent.astype(np.float32)
    sizes = [round(chunk * rate) for chunk in CHUNK_SECONDS]
    calls = {(size, name): call for size in sizes for name, call in ways(engine, mel, latent, size).items()}
    whole: list[float] = []
    taken: dict[tuple[int, str], list[tuple[float, float]]] = {key: [] for key in calls}
    for number in range(rounds + 1):
        for key, call in calls.items():
            begun = time.perf_counter()
            engine.run(latent[None], mel[None])
            once = time.perf_counter() - begun
            figures = call()
            if number:
                whole.append(once)
                taken[key].append(figures)
    base = float(np.median(whole))
    return [
        {
            "engine": engine_name,
            "threads": threads,
            "way": name,
            "chunk_seconds": size / rate,
            "first_audio_ms": 1000 * float(np.median([first for first, _ in times])),
            "over_one_call": float(np.median([total for _, total in times])) / base,
            "one_call_rtf": base / seconds,
        }
        for (size, name), times in taken.items()
    ]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", type=Path, help="a vocoder's graph, or the folder that holds it")
    parser.add_argument("--engine", default="onnx")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        path = args.path or exported(Path(place))
        rows = [row for count in args.threads for row in measure(path, args.engine, count, args.seconds, args.rounds)]
    if args.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'engine':<10}{'threads':>8}  {'way':<16}{'chunk s':>9}{'first audio ms':>16}{'x one call':>12}")
    for row in rows:
        print(
            f"{row['engine']:<10}{row['threads']:>8}  {row['way']:<16}{row['chunk_seconds']:>9.2f}"
            f"{row['first_audio_ms']:>16.1f}{row['over_one_call']:>12.2f}"
        )


if __name__ == "__main__":
    main()
