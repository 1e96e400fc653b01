"""The memory of minutes of speech through the published model in one call, by the default engine, in bounded windows.

python benchmarks/waveglow_256_memory.py [--minutes 10] [--threads 2] [--json]
"""

import argparse
import json
import tempfile
from pathlib import Path

from waveglow_256 import random_model

_ALOUD = 22050 / 256
"""Mel frames in a second."""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        _write(Path(place))
        print(json.dumps(_measured(Path(place), args.minutes, args.threads), indent=None if not args.json else 2))


def _write(folder: Path) -> None:
    """Write the graph in a process of its own: PyTorch's memory shall not be counted."""
    import multiprocessing

    process = multiprocessing.get_context("spawn").Process(target=_export, args=(str(folder),))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit("the graph could not be written")


def _export(folder: str) -> None:
    from glowvox.checkpoint.model_folder import ModelCard
    from glowvox.config.preset import load_preset
    from glowvox.export.export_model import graph_cards, write_graphs

    model = random_model(load_preset("waveglow-256").waveglow)
    write_graphs(model, graph_cards(model, ModelCard(model.config)), Path(folder), "float32")


def _measured(folder: Path, minutes: float, threads: int) -> dict[str, float | None]:
    from glowvox.engines.choose import load_vocoder
    from glowvox.evaluate.engine_speed import measure, random_mel
    from glowvox.synthesis.vocoder import Vocoder

    def speak() -> int:
        vocoder = Vocoder(load_vocoder(folder, engine="onnx", threads=threads))
        mel = random_mel(vocoder.engine.audio, round(60 * minutes * _ALOUD))
        return len(vocoder(mel))

    cost = measure(speak)
    peak = None if cost.peak_bytes is None else cost.peak_bytes / 1e6
    return {"minutes": minutes, "rtf": cost.seconds / (60 * minutes), "memory_mb": peak}


if __name__ == "__main__":
    main()
