"""`glowvox export`: a trained model for the engines that people deploy."""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli import export_voice

if TYPE_CHECKING:
    from glowvox.export.export_model import ExportReport

SUMMARY = "write a model for deployment, without PyTorch"
EXAMPLE = """\
examples:
  glowvox export model runs/vocoder --to onnx -o exported
  glowvox export model runs/acoustic -o exported --precision float16
  glowvox export model runs/vocoder --to openvino -o exported --json
  glowvox export voice --acoustic runs/acoustic --vocoder runs/vocoder --licence CC0-1.0 -o anna.voice

A vocoder becomes vocoder.onnx, an acoustic model acoustic_encoder.onnx and acoustic_decoder.onnx. Every export is
compared with PyTorch and refused where it differs.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="WHAT")
    voice = kinds.add_parser(
        "voice",
        help="an acoustic model and a vocoder, packed as a voice",
        description="Pack an acoustic model and a vocoder as a voice.",
        epilog=export_voice.EXAMPLE,
    )
    export_voice.add_arguments(voice)
    model = kinds.add_parser(
        "model",
        help="a model folder or training run, as graphs",
        description="Write a trained model as graphs for an engine.",
        epilog=EXAMPLE,
    )
    model.add_argument(
        "model",
        metavar="MODEL",
        help="a model folder, a training run, or a voice that holds its models: both are written",
    )
    model.add_argument(
        "--to",
        choices=("onnx", "openvino", "tensorrt"),
        default="onnx",
        help="the engine; tensorrt needs an NVIDIA GPU and is untested (default: %(default)s)",
    )
    model.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="the folder to write into")
    model.add_argument(
        "--precision",
        choices=("float32", "float16", "int8"),
        default="float32",
        help="how weights are stored: float16 halves the file, int8 quarters it and is faster, but what a window "
        "gives then depends a little on its neighbours; the loss is measured and printed (default: %(default)s)",
    )
    model.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Export the model or voice and print how well it agrees with PyTorch."""
    try:
        import onnx  # noqa: F401
    except ModuleNotFoundError as error:
        from glowvox.errors import MissingExtraError

        raise MissingExtraError("onnx", "export", "writing graphs") from error
    if args.kind == "voice":
        return export_voice.run(args)
    from glowvox.export.export_model import export_model

    began = time.monotonic()
    if sys.stderr.isatty():  # a program gets one line where something is wrong
        print("writing the graphs and comparing them with PyTorch ...", file=sys.stderr, flush=True)
    with _models(args.model) as places:
        reports = [export_model(place, args.output, target=args.to, precision=args.precision) for place in places]
    settings = {"target": args.to, "precision": args.precision, "took_seconds": time.monotonic() - began}
    told = [_told(report) | settings for report in reports]
    if args.json:
        print(json.dumps(told[0] if len(told) == 1 else {"models": told}, indent=2))
        return 0
    print("\n".join(_as_text(one, report) for one, report in zip(told, reports, strict=True)))
    if any(Path(file["path"]).name == "vocoder.onnx" for one in told for file in one["files"]):
        print(f"next: glowvox vocode recording.wav --model {args.output} -o again.wav")
    return 0


@contextlib.contextmanager
def _models(name: str) -> "Iterator[list[Path]]":
    """Give the folders of the models that a name means: a path, or a voice's, unpacked for as long as it is open."""
    from glowvox.errors import VoiceError
    from glowvox.synthesis.installed_voices import DEFAULT, find_voice, installed_voices
    from glowvox.synthesis.voice_card import CARD_NAME
    from glowvox.synthesis.voice_folder import open_voice_folder

    place = Path(name)
    named = name == DEFAULT or any(voice.name == name for voice in installed_voices())
    if not ((named and not place.exists()) or place.suffix.lower() == ".voice" or (place / CARD_NAME).is_file()):
        yield [place]
        return
    with open_voice_folder(find_voice(name)) as folder:
        found = [folder / part for part in ("acoustic", "vocoder") if (folder / part / "config.json").is_file()]
        if not found:
            raise VoiceError(f"{name}: the voice does not hold its models, only what speaks")
        yield found


def _told(report: "ExportReport") -> dict[str, Any]:
    files = [{"path": str(place), "bytes": place.stat().st_size} for place in report.files]
    return {
        "files": files,
        "parity": report.parity.as_dict(),
        "loss": None if report.loss is None else report.loss.as_dict(),
    }


def _as_text(told: dict[str, Any], report: "ExportReport") -> str:
    lines = [f"wrote        {file['path']}, {file['bytes'] / 1e6:.2f} MB" for file in told["files"]]
    lines.append(f"parity       {report.parity} (float32 graph against PyTorch)")
    if report.loss is not None:
        lines.append(f"loss         {report.loss} ({told['precision']} for {told['target']})")
    return "\n".join(lines)
