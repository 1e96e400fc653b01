"""`glowvox mel`: a recording becomes a mel spectrogram in a file."""

import argparse
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.file_arguments import check_files

if TYPE_CHECKING:
    from glowvox.config.audio import AudioConfig

SUMMARY = "analyse a recording into a mel spectrogram"
EXAMPLE = """\
examples:
  glowvox mel recording.wav -o recording.safetensors
  glowvox mel recording.ogg -o recording.npy --config contract.toml --json

The contract is a JSON or TOML file with settings of the mel (sample_rate, n_fft, hop_length, n_mels, f_max, log, ...),
at the top or in a table [audio]; what it leaves out has the value of the published WaveGlow and Glow-TTS models.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", metavar="IN", type=Path, help="a recording in any format that libsndfile opens")
    parser.add_argument(
        "-o", "--output", metavar="OUT", type=Path, required=True, help="the .npy, .npz or .safetensors file to write"
    )
    parser.add_argument("--config", metavar="FILE", type=Path, help="a mel contract as JSON or TOML")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(args: argparse.Namespace) -> int:
    """Analyse the recording and say what was written."""
    import dataclasses

    from glowvox.audio.files import read_audio
    from glowvox.audio.mel import MelTransform
    from glowvox.audio.mel_file import check_mel_name, write_mel
    from glowvox.config.audio import AudioConfig
    from glowvox.errors import AudioError

    check_mel_name(args.output)
    check_files({"the input": args.input, "--config": args.config}, {"-o": args.output})
    config = AudioConfig() if args.config is None else _contract(args.config)
    samples, _ = read_audio(args.input, config.sample_rate)
    try:
        mel = MelTransform(config)(samples)
    except AudioError as error:
        raise AudioError(f"{args.input}: {error}") from error
    write_mel(args.output, mel, config)
    if args.json:
        found = {
            "output": str(args.output),
            "bins": mel.shape[0],
            "frames": mel.shape[1],
            "seconds": len(samples) / config.sample_rate,
            "fingerprint": config.fingerprint(),
            "contract": dataclasses.asdict(config),
        }
        print(json.dumps(found, indent=2))
        return 0
    print(f"frames       {mel.shape[1]:,} of {mel.shape[0]} bins, {len(samples) / config.sample_rate:.2f} s")
    print(f"contract     {config.sample_rate} Hz, hop {config.hop_length} ({config.fingerprint()})")
    print(f"written to   {args.output}")
    return 0


def _contract(path: Path) -> "AudioConfig":
    from glowvox.config.audio import AudioConfig
    from glowvox.config.schema import from_dict
    from glowvox.errors import ConfigError, one_line

    try:
        text = path.read_text(encoding="utf-8")
        data: Any = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot read the contract {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
        raise ConfigError(f"{path} is not {kind}: {one_line(error)}") from error
    try:
        if isinstance(data, dict) and isinstance(data.get("audio"), dict):
            return from_dict(AudioConfig, data["audio"], "audio")
        return from_dict(AudioConfig, data, "contract")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
