"""Pack the voices of the package: nora with her models, and kathleen, if she is given, to speak only.

python recipes/taught-voices/pack.py --acoustic RUN --vocoder RUN --limit-levels DATA --quality nora=report.json ... \
    [--kathleen ACOUSTIC --kathleen-vocoder RUN --kathleen-levels DATA]
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch

from glowvox.checkpoint.model_folder import load_model, read_card, save_model
from glowvox.export.voice_export import VoiceDescription, VoiceExport, export_voice, limit_levels, measured_quality

LARGEST_FILE = 20_000_000
"""Bytes of a file in the repository."""
HIBARI = {"teacher": "hibari-tts", "version": "0.2.1", "licence": "Apache-2.0", "voices": ["heart"]}
KOKORO = {"teacher": "Kokoro-82M", "version": "1.0", "licence": "Apache-2.0", "voices": ["am_michael", "bf_emma"]}
_TAUGHT = "synthetic speech of hibari-tts 0.2.1 (voice 'heart', Apache-2.0, itself taught by Kokoro-82M, Apache-2.0)"

_OTHERS = "synthetic speech of Kokoro-82M 1.0 (voices 'am_michael' and 'bf_emma', Apache-2.0)"


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _with_teacher(source: Path, folder: Path, speaker: str | None = None) -> Path:
    """Write a model's folder whose provenance names the teachers and, of an acoustic model, our name of the speaker."""
    card = read_card(source)
    teachers = [HIBARI, KOKORO] if speaker is None else [HIBARI]
    corpora = sorted({data.split("-")[0] for data in card.provenance["data"]})
    provenance: dict[str, Any] = {**card.provenance, "teachers": teachers, "data": corpora}
    if speaker is not None:
        provenance["text"] = {**provenance["text"], "speakers": [speaker]}
    model = load_model(source)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.copy_(_rounded(tensor, zeros=1 if speaker is None else 2))
    save_model(model, folder, provenance=provenance, steps=card.steps)
    return folder


def _rounded(tensor: torch.Tensor, *, zeros: int) -> torch.Tensor:
    """Round to float16 whose last bits are zero: each takes a sixteenth off a wheel, and 8-bit products lose more."""
    bits, step = tensor.half().view(torch.int16).int(), 1 << zeros
    even = (bits >> zeros) & 1  # halves go to the even neighbour
    return ((bits + (step // 2 - 1) + even) & -step).to(torch.int16).view(torch.float16).float()


def main() -> None:
    """Pack both voices into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--acoustic", type=Path, required=True, help="nora's")
    parser.add_argument("--vocoder", type=Path, required=True, help="nora's")
    parser.add_argument("--limit-levels", type=Path, metavar="DATA", required=True, help="nora's speech")
    parser.add_argument("--kathleen", type=Path, metavar="ACOUSTIC", help="kathleen's acoustic model")
    parser.add_argument("--kathleen-vocoder", type=Path, metavar="RUN", help="kathleen's")
    parser.add_argument("--kathleen-levels", type=Path, metavar="DATA", help="kathleen's recordings")
    parser.add_argument("--quality", type=_pair, action="append", default=[], metavar="NAME=FILE", help="report.json")
    parser.add_argument("-o", "--output", type=Path, default=Path("src/glowvox/voices"))
    args = parser.parse_args()

    def quality(name: str) -> dict[str, Any]:
        return measured_quality([Path(file) for one, file in args.quality if one == name])

    common = {"sigma": 0.9, "postfilter": 0.2}
    nora = VoiceDescription(
        name="nora",
        licence="Apache-2.0",
        description="A woman who speaks US English. A taught voice: she was made from synthetic speech.",
        data=f"33 hours of {_TAUGHT}, speaking the texts of LJ Speech and sentences of many kinds; the weights "
        f"started from those of the voice 'kathleen' (CC0 1.0); the vocoder also heard {_OTHERS}, and the recordings "
        "of the voices 'kathleen' and 'kerstin' (CC0 1.0); both models are small ones, taught by larger ones that "
        "had learned from these",
        weaknesses=("intonation is narrower than her teacher's, and the pace a fifth slower",),
        quality=quality("nora"),
        defaults={**common, "refine": 1, "temperature": 0.2},
    )
    kathleen = VoiceDescription(
        name="kathleen",
        licence="CC0-1.0",
        description="A woman who speaks US English, from an hour and a quarter of recordings.",
        data="the public-domain (CC0 1.0) recordings of the voice 'kathleen', their background noise taken off, and at "
        "first those of the German voice 'kerstin' for company, with thanks to both speakers; the vocoder also learned "
        f"from {_TAUGHT} and {_OTHERS}",
        weaknesses=("intonation is narrower than a person's",),
        quality=quality("kathleen"),
        defaults={**common, "refine": 2, "sigma": 0.8, "temperature": 0.4},
    )
    args.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.output) as place:
        aside = Path(place)

        def vocoder(run: Path, data: Path, name: str) -> Path:
            return limit_levels(_with_teacher(run, aside / f"taught-{name}"), data, aside / f"vocoder-{name}")

        acoustic = _with_teacher(args.acoustic, aside / "acoustic", "nora")
        hers = vocoder(args.vocoder, args.limit_levels, "nora")
        made: list[VoiceExport] = [export_voice(acoustic, hers, aside / "nora", nora, precision="int8")]
        if args.kathleen is not None:
            hers = vocoder(args.kathleen_vocoder, args.kathleen_levels, "kathleen")
            models = args.kathleen, hers, aside / "kathleen", kathleen
            made.append(export_voice(*models, precision="int8", trainable=False))
        for voice in made:
            if max(voice.sizes.values()) > LARGEST_FILE:
                raise SystemExit(f"too large: a file of {max(voice.sizes.values()) / 1e6:.1f} MB")
            shutil.rmtree(args.output / voice.path.name, ignore_errors=True)
            voice.path.replace(args.output / voice.path.name)
            print(f"{voice.path.name}: {sum(voice.sizes.values()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
