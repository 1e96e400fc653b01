"""The command line: one table of commands; a command's module is imported only when it is the one that runs."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from glowvox import __version__
from glowvox.errors import GlowvoxError

COMMANDS = {
    "say": "speak a text",
    "voices": "list the installed voices",
    "explain": "show what the front end makes of a text",
    "vocode": "speak a recording or a mel spectrogram again",
    "mel": "analyse a recording into a mel spectrogram",
    "denoise": "remove a stationary noise or a vocoder's bias from a recording",
    "prepare": "check a folder of recordings and make training data of it",
    "train": "train a vocoder or an acoustic model",
    "evaluate": "measure a model on recordings",
    "plot": "draw a recording, and what a model makes of it",
    "convert": "open a published checkpoint",
    "export": "write a model or a voice for deployment",
    "inspect": "show what a model or checkpoint is",
    "align": "find the times of words and phonemes in a recording",
    "score": "judge recordings and transcripts by their likelihood",
    "convert-voice": "speak a recording in another speaker's voice",
    "dub": "speak subtitles into their time slots",
    "serve": "serve voices over HTTP and Wyoming",
    "bulk": "synthesise a whole corpus",
    "bench": "measure the engines on this machine",
    "doctor": "show what is installed and what will be used",
}
"""Every command with its summary; the module is `glowvox.cli.NAME`, dashes as underscores."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0, or 2 after a mistake in the input (one line says which)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(words[0] if words and words[0] in COMMANDS else None)
    args = parser.parse_args(words)
    try:
        return int(importlib.import_module(_module(args.command)).run(args))
    except GlowvoxError as error:
        print(f"glowvox {args.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        print(f"glowvox {args.command}: interrupted", file=sys.stderr)
        return 130


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="glowvox", description="Text-to-speech with normalizing flows: Glow-TTS and WaveGlow."
    )
    parser.add_argument("--version", action="version", version=f"glowvox {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        if name != chosen:
            commands.add_parser(name, help=summary)
            continue
        module = importlib.import_module(_module(name))
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{module.SUMMARY[0].upper()}{module.SUMMARY[1:]}.",
            epilog=module.EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
    return parser


def _module(name: str) -> str:
    return f"glowvox.cli.{name.replace('-', '_')}"
