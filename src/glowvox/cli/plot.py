"""`glowvox plot`: draw a recording or a mel file, with a flow also its latent and its bits per second."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from glowvox.cli.file_arguments import check_files
from glowvox.cli.number_options import finite_number, whole_number

if TYPE_CHECKING:
    from glowvox.evaluate.plots import Drawing
    from glowvox.models.waveglow import WaveGlow

SUMMARY = "draw a recording: waveform, mel and, with a model, its latent and bits per second"
EXAMPLE = """\
examples:
  glowvox plot recording.wav -o recording.png
  glowvox plot recording.wav -o recording.png --model runs/vocoder/best
  glowvox plot mel.npy -o mel.svg"""
_MELS = (".npy", ".npz", ".pt", ".pth", ".safetensors")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("input", type=Path, help=f"a recording, or a mel file ({', '.join(_MELS)})")
    parser.add_argument("-o", "--output", required=True, type=Path, help="picture to write: .png, .svg or .pdf")
    parser.add_argument("--model", type=Path, help="a vocoder: draw latent and bits per second under it")
    parser.add_argument("--start", type=finite_number, default=0.0, help="second to start at (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=finite_number, default=30.0, help="longest stretch to draw (default: %(default)s)"
    )
    parser.add_argument("--threads", type=whole_number(0), default=0, help="CPU threads of the model; 0: all (default)")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from glowvox.errors import DataError
    from glowvox.evaluate.plots import save_drawing

    if args.start < 0 or not args.seconds > 0:
        raise DataError(f"--start must not be negative and --seconds positive, got {args.start:g} and {args.seconds:g}")
    check_files({"the input": args.input}, {"-o": args.output})
    model = _load(args.model, args.threads) if args.model else None
    mel_given = args.input.suffix.lower() in _MELS
    drawing = _from_mel(args, model) if mel_given else _from_recording(args, model)
    save_drawing(drawing, args.output)
    print(args.output)
    return 0


def _load(path: Path, threads: int) -> "WaveGlow":
    import torch

    from glowvox.checkpoint.model_folder import load_model
    from glowvox.errors import CheckpointError
    from glowvox.models.waveglow import WaveGlow

    if threads > 0:
        torch.set_num_threads(threads)
    model = load_model(path)
    if not isinstance(model, WaveGlow):
        raise CheckpointError(f"{path} is no vocoder (it holds a {type(model).__name__})")
    return model


def _from_recording(args: argparse.Namespace, model: "WaveGlow | None") -> "Drawing":
    import numpy as np

    from glowvox.audio.files import read_audio
    from glowvox.audio.mel import MelTransform
    from glowvox.config.audio import AudioConfig
    from glowvox.errors import AudioError
    from glowvox.evaluate.plots import Drawing, local_likelihood

    config = model.config.audio if model is not None else AudioConfig()
    samples, rate = read_audio(args.input, config.sample_rate)
    first, total = round(args.start * rate), samples.size
    samples = samples[first : first + round(args.seconds * rate)]
    frames = samples.size // config.hop_length
    if not frames:
        raise AudioError(f"{args.input} has {total / rate:.2f} s: nothing to draw from second {args.start:g} on")
    _say_what_is_drawn(samples.size / rate, total / rate)
    mel = np.ascontiguousarray(MelTransform(config)(samples)[:, :frames])
    samples = np.ascontiguousarray(samples[: frames * config.hop_length])
    likelihood = local_likelihood(model, samples, mel) if model is not None else None
    return Drawing(args.input.name, config, mel, samples, likelihood, args.start)


def _from_mel(args: argparse.Namespace, model: "WaveGlow | None") -> "Drawing":
    import dataclasses

    from glowvox.audio.mel_file import read_mel
    from glowvox.config.audio import AudioConfig
    from glowvox.errors import MelError
    from glowvox.evaluate.plots import Drawing

    if model is not None:
        raise MelError("a latent and bits per second need the recording: give it instead of its mel")
    mel, contract = read_mel(args.input)
    config = contract or dataclasses.replace(AudioConfig(), n_mels=mel.shape[0])
    first, total = round(args.start * config.frame_rate), mel.shape[1]
    mel = mel[:, first : first + max(1, round(args.seconds * config.frame_rate))]
    if not mel.shape[1]:
        raise MelError(
            f"{args.input} has {total / config.frame_rate:.2f} s: nothing to draw from second {args.start:g} on"
        )
    _say_what_is_drawn(mel.shape[1] / config.frame_rate, total / config.frame_rate)
    return Drawing(args.input.name, config, mel, start=args.start)


def _say_what_is_drawn(drawn: float, total: float) -> None:
    if total - drawn > 0.1:
        print(f"drawing {drawn:.1f} of {total:.1f} s (choose with --start and --seconds)", file=sys.stderr)
