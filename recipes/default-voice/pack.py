"""Pack two trained models as the voice that the package ships: float16 weights, stored once, with the voice's card.

python recipes/default-voice/pack.py --acoustic RUN --vocoder RUN --quality report/report.json
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from glowvox.export.voice_export import VoiceDescription, export_voice, keep_speaker, limit_levels, measured_quality

NAME = "kathleen"
LARGEST_FILE, LARGEST_VOICE = 20e6, 43e6
"""Bytes: of a file in the repository, and of the voice before the wheel compresses it to under 40 MB."""


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def main() -> None:
    """Pack the best checkpoints of two runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--acoustic", type=Path, required=True)
    parser.add_argument("--vocoder", type=Path, required=True)
    parser.add_argument("--speaker", default=NAME, help="the one to keep of an acoustic model of several")
    parser.add_argument("--limit-levels", type=Path, metavar="DATA", help="recordings whose levels are the limit")
    parser.add_argument("--quality", type=Path, action="append", default=[], help="report.json of glowvox evaluate")
    parser.add_argument("--weakness", action="append", default=[], help="a known weakness")
    parser.add_argument("--default", action="append", default=[], metavar="NAME=VALUE", help="e.g. temperature=0.5")
    parser.add_argument("-o", "--output", type=Path, default=Path("src/glowvox/voices") / NAME)
    args = parser.parse_args()
    defaults = {name: float(value) if "." in value else int(value) for name, value in map(_pair, args.default)}
    about = VoiceDescription(
        name=NAME,
        licence="CC0-1.0",
        description="A woman who speaks US English, trained from an hour and a quarter of recordings.",
        data="the public-domain (CC0 1.0) recordings of the voice 'kathleen', and of the German voice 'kerstin' for "
        "company, with thanks to both speakers",
        weaknesses=tuple(args.weakness),
        quality=measured_quality(args.quality),
        defaults=defaults,
    )
    aside = args.output.with_name(f".{args.output.name}.new")
    with tempfile.TemporaryDirectory() as place:
        acoustic = keep_speaker(args.acoustic, args.speaker, Path(place) / "acoustic", language="en-us")
        vocoder = args.vocoder
        if args.limit_levels is not None:
            vocoder = limit_levels(vocoder, args.limit_levels, Path(place) / "vocoder")
        done = export_voice(acoustic, vocoder, aside, about, replace=True)
    largest, total = max(done.sizes.values()), sum(done.sizes.values())
    if largest > LARGEST_FILE or total > LARGEST_VOICE:
        shutil.rmtree(aside)
        raise SystemExit(f"too large: the largest file has {largest / 1e6:.1f} MB, the voice {total / 1e6:.1f} MB")
    if args.output.exists():
        shutil.rmtree(args.output)
    aside.replace(args.output)
    for part, loss in done.loss.items():
        print(f"{part}: largest difference from PyTorch {loss.relative_error:.1e} of the largest value")
    print(f"{args.output}: {total / 1e6:.1f} MB, the largest file {largest / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
