"""Draw a sentence as the default voice speaks it: waveform, words, mel spectrogram. The README shows the picture.

python recipes/default-voice/picture.py -o docs/images/sentence.png
"""

import argparse
from pathlib import Path

import numpy as np

import glowvox
from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig
from glowvox.evaluate.plots import Drawing, save_drawing

TEXT = "The same network that speaks can tell how likely a recording is."


def main() -> None:
    """Speak and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/images/sentence.png"))
    parser.add_argument("--text", default=TEXT)
    parser.add_argument("--voice", help="a name, a folder or a .voice file (default: the default voice)")
    parser.add_argument("--seed", type=int, default=2)
    args = parser.parse_args()
    spoken = glowvox.load_voice(args.voice).say(args.text, seed=args.seed)
    config = AudioConfig()
    frames = spoken.samples.size // config.hop_length
    samples = np.ascontiguousarray(spoken.samples[: frames * config.hop_length])
    mel = np.ascontiguousarray(MelTransform(config)(samples)[:, :frames])
    args.output.parent.mkdir(parents=True, exist_ok=True)
    save_drawing(Drawing(args.text, config, mel, samples, words=spoken.words), args.output, dpi=110)
    print(f"{args.output}: {args.output.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
