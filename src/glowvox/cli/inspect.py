"""`glowvox inspect`: what a model folder, training run or foreign checkpoint holds."""

import argparse
import json
from pathlib import Path
from typing import Any

SUMMARY = "print the architecture, size, training steps, mel contract and licence of a model"
EXAMPLE = """\
examples:
  glowvox inspect runs/vocoder
  glowvox inspect models/waveglow --json
  glowvox inspect waveglow_256channels.pt
  glowvox inspect anna.voice
  glowvox inspect default
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "path",
        metavar="PATH",
        help="a model folder, a training run, a voice (its name, folder or .voice file), or a checkpoint of another "
        "program",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print what is known of the model."""
    from glowvox.checkpoint.convert import describe
    from glowvox.synthesis.installed_voices import DEFAULT, installed_voices
    from glowvox.synthesis.voice_card import CARD_NAME

    place = Path(args.path)
    named = args.path == DEFAULT or any(voice.name == args.path for voice in installed_voices())
    if (named and not place.exists()) or place.suffix.lower() == ".voice" or (place / CARD_NAME).is_file():
        found = _voice(args.path)
        text = "\n\n".join([_voice_head(found), *(_as_text(model) for model in found["models"].values())])
    else:
        found = describe(place)
        text = _as_text(found)
    print(json.dumps(found, indent=2) if args.json else text)
    return 0


def _voice(name: str) -> dict[str, Any]:
    """Return what is known of a voice and of the models that it holds."""
    from glowvox.checkpoint.convert import describe
    from glowvox.synthesis.installed_voices import find_voice
    from glowvox.synthesis.voice_card import read_voice_card
    from glowvox.synthesis.voice_folder import open_voice_folder

    place = find_voice(name)
    with open_voice_folder(place) as folder:
        card = read_voice_card(folder)
        parts = [part for part in ("acoustic", "vocoder") if (folder / part / "config.json").is_file()]
        models = {part: {**describe(folder / part), "path": f"{place}: {part}"} for part in parts}
        files = {entry.name: entry.stat().st_size for entry in sorted(folder.iterdir()) if entry.is_file()}
    return {
        "path": str(place),
        "kind": "voice",
        "name": card.name,
        "language": card.language,
        "speakers": list(card.speakers),
        "licence": card.licence,
        "files": files,
        "models": models,
    }


def _voice_head(found: dict[str, Any]) -> str:
    graphs = [f"{name} ({size / 1e6:.2f} MB)" for name, size in found["files"].items() if name.endswith(".onnx")]
    held = ", ".join(found["models"]) or "none: it speaks, but cannot be trained further"
    return "\n".join(
        (
            f"voice        {found['name']}, {found['language']}, {', '.join(found['speakers'])}",
            f"found as     {found['path']}",
            f"licence      {found['licence']}",
            f"graphs       {', '.join(graphs) or 'none'}",
            f"models       {held}",
        )
    )


def _as_text(found: dict[str, Any]) -> str:
    steps = "unknown" if found["steps"] is None else f"{found['steps']:,}"
    lines = [
        f"model        {found['type']}, {found['parameters']:,} parameters",
        f"found as     {found['layout']}",
        f"steps        {steps}",
        f"licence      {found['licence'] or 'unknown'}",
    ]
    if found.get("checkpoints"):
        lines.append(f"checkpoints  {', '.join(found['checkpoints'])}")
    for title, key in (("architecture", "config"), ("mel contract", "mel"), ("provenance", "provenance")):
        if found[key]:
            lines += ["", title, *(f"  {name:<22} {value}" for name, value in found[key].items())]
    return "\n".join(lines)
