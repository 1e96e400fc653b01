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
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "path", metavar="PATH", type=Path, help="a model folder, a training run, or a checkpoint of another program"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print what is known of the model."""
    from glowvox.checkpoint.convert import describe

    found = describe(args.path)
    print(json.dumps(found, indent=2) if args.json else _as_text(found))
    return 0


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
