"""Write a trained model as the package ships it: float16 weights, the origin of its data, its measured quality.

python recipes/default-voice/pack.py RUN src/glowvox/voices/kathleen/vocoder --quality report/report.json
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from glowvox.checkpoint.folder import ModelCard, read_card, save_tensors
from glowvox.checkpoint.model_folder import load_tensors

ORIGIN = {
    "licence": "CC0-1.0",
    "speaker": "kathleen (one woman, US English)",
    "recordings": "the public-domain (CC0 1.0) recordings of the voice 'kathleen'",
}


def measured(report: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of the report's last system, the model."""
    name, figures = list(report["systems"].items())[-1]
    rounded = {measure: round(figure["value"], 4) for measure, figure in figures.items()}
    return {"model": name, "clips": figures["pesq"]["clips"], **rounded}


def main() -> None:
    """Pack a run's best checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quality", type=Path, help="report.json of glowvox evaluate")
    args = parser.parse_args()
    card = read_card(args.run)
    provenance = {**card.provenance, **ORIGIN}
    if args.quality:
        provenance["quality"] = measured(json.loads(args.quality.read_text(encoding="utf-8")))
    tensors = {
        name: tensor.numpy().astype(np.float16) if tensor.is_floating_point() else tensor.numpy()
        for name, tensor in load_tensors(args.run).items()
    }
    args.folder.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(tensors, ModelCard(card.config, card.steps, provenance), args.folder, replace=True)
    size = (args.folder / "model.safetensors").stat().st_size / 1e6
    print(f"{args.folder}: step {card.steps}, {size:.1f} MB")


if __name__ == "__main__":
    main()
