"""The command line: one table of commands; a command's module is imported only when it is the one that runs."""

import argparse
import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence

from glowvox import __version__
from glowvox.errors import GlowvoxError, MissingExtraError

COMMANDS = {
    "say": "speak a text",
    "voices": "list the installed voices",
    "explain": "show what the front end makes of a text",
    "vocode": "speak a recording or a mel spectrogram again",
    "mel": "analyse a recording into a mel spectrogram",
    "denoise": "remove a stationary noise or a vocoder's bias from a recording",
    "distill": "have another system speak texts, as a corpus to learn from",
    "prepare": "check a folder of recordings and make training data of it",
    "pack": "pack prepared data into shards for training on many machines",
    "train": "train a model from prepared data",
    "evaluate": "measure a model on recordings",
    "plot": "draw a recording, and what a model makes of it",
    "import-checkpoint": "open a published checkpoint",
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
"""The commands in the order of the help, with a line on each; the module is `glowvox.cli.NAME`, dashes as underscores.

A command whose module is not in this installation is not shown and cannot be called.
"""

_FORMER_NAMES = {"convert": "import-checkpoint"}
"""Names that commands had before; they keep working."""
_EXTRAS = {"torch": "train", "tomli_w": "train", "fastapi": "serve", "uvicorn": "serve", "ray": "cluster"}
"""The optional packages without which a command cannot start, and the extra that brings them."""


def commands() -> dict[str, str]:
    """Return the commands of this installation, each with a line on what it does."""
    return {name: line for name, line in COMMANDS.items() if importlib.util.find_spec(module_name(name)) is not None}


def module_name(command: str) -> str:
    """Return the module of a command."""
    return f"glowvox.cli.{command.replace('-', '_')}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0, or 2 after a mistake in the input (one line says which)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words:
        words[0] = _FORMER_NAMES.get(words[0], words[0])
    args = _parser(words[0] if words else "").parse_args(words)
    try:
        status = _run(args)
        sys.stdout.flush()
        return status
    except GlowvoxError as error:
        print(f"glowvox {args.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        _stop_printing()
        return 0
    except KeyboardInterrupt:
        print(f"glowvox {args.command}: interrupted", file=sys.stderr)
        return 130


def _run(args: argparse.Namespace) -> int:
    try:
        return int(importlib.import_module(module_name(args.command)).run(args))
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(error.name or "")
        if extra is None:
            raise
        raise MissingExtraError(str(error.name), extra, "this command") from error


def _stop_printing() -> None:
    """Let nothing be flushed at exit into a pipe that nobody reads any more (`glowvox ... | head`)."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(chosen: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="glowvox",
        description="Text-to-speech with normalizing flows: Glow-TTS and WaveGlow.",
        epilog="glowvox COMMAND --help shows a command's options, with examples.",
    )
    parser.add_argument("--version", action="version", version=f"glowvox {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in commands().items():
        if name != chosen:
            subparsers.add_parser(name, help=summary)
            continue
        module = importlib.import_module(module_name(name))
        command = subparsers.add_parser(
            name,
            help=summary,
            description=f"{module.SUMMARY[0].upper()}{module.SUMMARY[1:]}.",
            epilog=module.EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
    return parser
