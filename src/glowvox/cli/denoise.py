"""`glowvox denoise`: a constant noise, or a vocoder's bias, is subtracted from a recording."""

import argparse
import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.file_arguments import check_files
from glowvox.cli.number_options import finite_number

if TYPE_CHECKING:
    from glowvox.audio.denoiser import BiasDenoiser

SUMMARY = "remove a stationary noise or a vocoder's bias from a recording"
EXAMPLE = """\
examples:
  glowvox denoise recording.wav -o clean.wav --noise-from 0-0.5
  glowvox denoise recording.wav -o clean.wav --noise-from empty_room.wav --strength 1.5
  glowvox denoise recording.wav -o clean.wav --noise-from 0-0.5 --save-bias room.safetensors
  glowvox denoise speech.wav -o clean.wav --bias room.safetensors
"""

_NOISE_STRENGTH = 1.0
_VOCODER_STRENGTH = 0.01
"""A vocoder's bias audio answers a mel of zeros, which is that of a loud sound; a hundredth is its hum in speech."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", metavar="IN", type=Path, help="a recording in any format that libsndfile opens")
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, required=True, help="the sound file to write")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--noise-from",
        metavar="START-END|FILE",
        help="a passage of IN that holds nothing but the noise, in seconds, or a recording of the noise alone",
    )
    source.add_argument(
        "--bias", metavar="FILE", type=Path, help="a stored bias (.safetensors), or a vocoder's bias audio"
    )
    parser.add_argument(
        "--strength",
        type=finite_number,
        help="how many times the bias is subtracted (default: as a stored bias says; noise 1, bias audio 0.01)",
    )
    parser.add_argument("--save-bias", metavar="FILE", type=Path, help="store the bias in a .safetensors file")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Denoise the recording and say how much was taken away."""
    import numpy as np

    from glowvox.audio.denoiser import write_bias
    from glowvox.audio.files import audio_writer, read_audio

    # The recording itself may be denoised in place.
    check_files({"--noise-from": args.noise_from, "--bias": args.bias}, {"-o": args.output})
    check_files(
        {"the input": args.input, "--noise-from": args.noise_from, "--bias": args.bias},
        {"--save-bias": args.save_bias},
    )
    samples, sample_rate = read_audio(args.input)
    denoiser, usual = _denoiser(args, samples, sample_rate)
    strength = usual if args.strength is None else args.strength
    stream = denoiser.stream(strength)
    if args.save_bias is not None:
        write_bias(args.save_bias, denoiser, sample_rate, strength=strength)
    before, after = float(np.mean(np.square(samples, dtype=np.float64))), 0.0
    began, shown = time.monotonic(), False
    with audio_writer(args.output, sample_rate) as writer:
        block = 60 * sample_rate
        for start in range(0, len(samples), block):
            pieces = [stream.push(samples[start : start + block])]
            if start + block >= len(samples):
                pieces.append(stream.finish())
            for piece in pieces:
                writer.write(piece)
                after += float(np.sum(np.square(piece, dtype=np.float64)))
            if time.monotonic() - began > 2.0:
                shown = True
                done = min(len(samples), start + block) / len(samples)
                print(f"\rdenoising {done:.0%}", end="", file=sys.stderr, flush=True)
    if shown:
        print(file=sys.stderr)
    removed = float(10.0 * np.log10(max(before, 1e-20) / max(after / len(samples), 1e-20)))
    seconds = len(samples) / sample_rate
    if args.json:
        found = {
            "output": str(args.output),
            "seconds": seconds,
            "sample_rate": sample_rate,
            "strength": strength,
            "level_change_db": -removed,
            "clipped": writer.report.clipped,
        }
        print(json.dumps(found, indent=2))
        return 0
    print(f"denoised     {seconds:.2f} s at {sample_rate} Hz, strength {strength:g}")
    print(f"level        {-removed:+.2f} dB")
    print(f"written to   {args.output}")
    return 0


def _denoiser(args: argparse.Namespace, samples: Any, sample_rate: int) -> "tuple[BiasDenoiser, float]":
    from glowvox.audio.denoiser import BiasDenoiser, read_bias
    from glowvox.audio.files import read_audio
    from glowvox.errors import AudioError

    if args.bias is not None:
        if args.bias.suffix.lower() != ".safetensors":
            return BiasDenoiser(read_audio(args.bias, sample_rate)[0]), _VOCODER_STRENGTH
        denoiser, rate, strength = read_bias(args.bias)
        if rate != sample_rate:
            raise AudioError(f"{args.bias} is for audio at {rate} Hz, {args.input} has {sample_rate} Hz; resample it")
        return denoiser, strength
    passage = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)-(\d+(?:\.\d*)?|\.\d+)", args.noise_from)
    if passage is None or Path(args.noise_from).exists():
        return BiasDenoiser.from_noise(read_audio(args.noise_from, sample_rate)[0]), _NOISE_STRENGTH
    seconds = len(samples) / sample_rate
    start, end = float(passage[1]), float(passage[2])
    if not start < end <= seconds:
        raise AudioError(f"the noise passage {args.noise_from} does not lie within the {seconds:.2f} s of {args.input}")
    try:
        noise = samples[round(start * sample_rate) : round(end * sample_rate)]
        return BiasDenoiser.from_noise(noise), _NOISE_STRENGTH
    except AudioError as error:
        raise AudioError(f"--noise-from {args.noise_from}: {error}") from error
