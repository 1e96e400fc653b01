"""`glowvox import-checkpoint`: a published checkpoint becomes a model folder, and no code in it runs."""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

SUMMARY = "turn a published WaveGlow or Glow-TTS checkpoint into a model folder, without running code from it"
EXAMPLE = """\
examples:
  glowvox import-checkpoint waveglow_256channels.pt -o models/waveglow
  glowvox import-checkpoint G_1000.pth --config config.json -o models/glow-tts
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the checkpoint (.pt, .pth, .safetensors)")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="the model folder to write")
    parser.add_argument(
        "--config",
        metavar="CONFIG.json",
        type=Path,
        help="the original program's configuration; Glow-TTS needs it, WaveGlow takes its mel contract from it",
    )
    parser.add_argument("--force", action="store_true", help="replace DIR if it is a model folder")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(args: argparse.Namespace) -> int:
    """Convert the file and say what it was."""
    from glowvox.checkpoint.model_folder import refuse_existing, save_tensors
    from glowvox.config.schema import to_dict
    from glowvox.errors import MissingExtraError

    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError("torch", "train", "glowvox import-checkpoint")
    from glowvox.checkpoint.convert import convert_checkpoint

    refuse_existing(args.output, replace=args.force)
    print(f"reading {args.file}", file=sys.stderr)
    converted = convert_checkpoint(args.file, args.config)
    card = converted.card
    save_tensors(converted.tensors, card, args.output, replace=args.force)
    parameters = sum(tensor.size for tensor in converted.tensors.values())
    if args.json:
        found = {
            "type": card.type,
            "layout": converted.layout,
            "weight_norm": converted.weight_norm,
            "steps": card.steps,
            "parameters": parameters,
            "config": to_dict(card.config),
            "output": str(args.output),
        }
        print(json.dumps(found, indent=2))
        return 0
    sizes = {name: value for name, value in to_dict(card.config).items() if name.startswith(("n_", "hidden_"))}
    print(f"model        {card.type}, {parameters:,} parameters")
    print(f"found as     {converted.layout}")
    print(f"weight norm  {'folded away' if converted.weight_norm else 'not present'}")
    print(f"steps        {'unknown' if card.steps is None else format(card.steps, ',')}")
    print(f"sizes        {', '.join(f'{name} {value}' for name, value in sizes.items())}")
    audio = card.config.audio
    print(f"mel          {audio.sample_rate} Hz, hop {audio.hop_length}, {audio.n_mels} bins ({audio.fingerprint()})")
    print(f"written to   {args.output}")
    if card.type == "waveglow":
        print(f"next: glowvox vocode recording.wav --model {args.output} -o again.wav")
    else:
        print(f"next: glowvox inspect {args.output}")
    return 0
