"""Pack the voices of the package: nora with the models of all five, and four who speak with her files.

python recipes/taught-voices/pack.py --acoustic RUN --vocoder RUN --levels DATA... --quality NAME=report.json ...
"""

import argparse
import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch

from glowvox.checkpoint.model_folder import load_model, read_card, save_model
from glowvox.data.prepared import PreparedData
from glowvox.export.voice_export import (
    MOST_CLIPS,
    VoiceDescription,
    export_voice,
    highest_levels,
    measured_quality,
    share_voice,
)
from glowvox.models.waveglow import WaveGlow

LARGEST_FILE = 20_500_000
"""Bytes of a file in the repository."""
_HEART = "synthetic speech of hibari-tts 0.2.1 (voice 'heart', Apache-2.0, itself taught by Kokoro-82M, Apache-2.0)"
_KOKORO = "synthetic speech of Kokoro-82M 1.0 (voice '{}', Apache-2.0)"
_COMPANY = "The model is one for five voices: two of people (CC0 1.0) and three taught by synthetic speech"
COMMON = {"sigma": 0.9, "refine": 2}
VOICES = (
    VoiceDescription(
        name="nora",
        licence="Apache-2.0",
        language="en-us",
        description="A woman who speaks US English. A taught voice: she was made from synthetic speech.",
        data=f"27 hours of {_HEART}, speaking sentences of many kinds. {_COMPANY}",
        weaknesses=("her pace is slower than her teacher's",),
        defaults={**COMMON, "temperature": 0.1},
    ),
    VoiceDescription(
        name="owen",
        licence="Apache-2.0",
        language="en-us",
        description="A man who speaks US English. A taught voice: he was made from synthetic speech.",
        data=f"an hour of {_KOKORO.format('am_michael')}. {_COMPANY}",
        weaknesses=("he learned from an hour of speech only",),
        defaults={**COMMON, "temperature": 0.1},
    ),
    VoiceDescription(
        name="edith",
        licence="Apache-2.0",
        language="en-gb",
        description="A woman who speaks British English. A taught voice: she was made from synthetic speech.",
        data=f"an hour of {_KOKORO.format('bf_emma')}. {_COMPANY}",
        weaknesses=("she learned from an hour of speech only",),
        defaults={**COMMON, "temperature": 0.1},
    ),
    VoiceDescription(
        name="kathleen",
        licence="CC0-1.0",
        language="en-us",
        description="A woman who speaks US English, from an hour and a quarter of recordings.",
        data=f"the public-domain (CC0 1.0) recordings of the voice 'kathleen', with thanks to the speaker. {_COMPANY}",
        weaknesses=("intonation is narrower than a person's", "a noise accompanies her consonants"),
        defaults={**COMMON, "temperature": 0.3},
    ),
    VoiceDescription(
        name="kerstin",
        licence="CC0-1.0",
        language="de-de",
        description="A woman who speaks German, from an hour and a half of recordings.",
        data=f"the public-domain (CC0 1.0) recordings of the voice 'kerstin', with thanks to the speaker. {_COMPANY}",
        weaknesses=("intonation is narrower than a person's",),
        defaults={**COMMON, "temperature": 0.3},
    ),
)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _rounded(source: Path, folder: Path, levels: list[Path]) -> Path:
    """Write a model's folder in ten bits; a vocoder with the levels that none of some recordings exceeds."""
    card, model = read_card(source), load_model(source)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.copy_(_ten_bits(tensor))
    if isinstance(model, WaveGlow):
        clips = [PreparedData(data).clips("train") for data in levels]
        each = [highest_levels(model.eval(), part[:: -(-len(part) // MOST_CLIPS)]) for part in clips]
        model.config = dataclasses.replace(model.config, highest_levels=tuple(map(max, zip(*each, strict=True))))
    provenance: dict[str, Any] = {**card.provenance, "data": sorted({_name(data) for data in card.provenance["data"]})}
    save_model(model, folder, provenance=provenance, steps=card.steps)
    return folder


def _name(data: str) -> str:
    """Return the corpus's name of one of its parts, such as `am_michael-3`."""
    return data.split("-")[0]


def _ten_bits(tensor: torch.Tensor) -> torch.Tensor:
    """Round to float16 with a last bit of zero, which a wheel compresses by a sixteenth; 8-bit products lose more."""
    bits = tensor.half().view(torch.int16)
    return (bits + (bits & 1) * ((bits & 2) - 1)).view(torch.float16).float()


def main() -> None:
    """Pack all voices into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--acoustic", type=Path, required=True, help="of all speakers")
    parser.add_argument("--vocoder", type=Path, required=True, help="of all speakers")
    parser.add_argument("--levels", type=Path, metavar="DATA", nargs="+", required=True, help="speech of each speaker")
    parser.add_argument("--quality", type=_pair, action="append", default=[], metavar="NAME=FILE", help="report.json")
    parser.add_argument("-o", "--output", type=Path, default=Path("src/glowvox/voices"))
    args = parser.parse_args()

    def described(about: VoiceDescription) -> VoiceDescription:
        reports = [Path(file) for one, file in args.quality if one == about.name]
        return dataclasses.replace(about, speakers=(about.name,), quality=measured_quality(reports))

    args.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.output) as place:
        aside = Path(place)
        models = [_rounded(source, aside / source.name, args.levels) for source in (args.acoustic, args.vocoder)]
        first, *others = map(described, VOICES)
        made = export_voice(models[0], models[1], aside / first.name, first, precision="int8")
        if max(made.sizes.values()) > LARGEST_FILE:
            raise SystemExit(f"too large: a file of {max(made.sizes.values()) / 1e6:.1f} MB")
        for about in others:
            share_voice(made.path, aside / about.name, about)
        for about in VOICES:
            shutil.rmtree(args.output / about.name, ignore_errors=True)
            (aside / about.name).replace(args.output / about.name)
    print(f"{len(VOICES)} voices: {sum(made.sizes.values()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
