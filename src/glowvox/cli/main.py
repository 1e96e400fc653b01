"""The command line: one table of commands; a command's module is imported only when it is the one that runs."""

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence

from glowvox import __version__
from glowvox.cli.parser import CommandParser
from glowvox.cli.progress import end_phase
from glowvox.cli.streams import robust_streams, utf8_argument
from glowvox.errors import GlowvoxError, MissingExtraError

COMMANDS = {
    "say": "speak a text",
    "voices": "list, install, download and publish voices",
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
    "book": "make an audiobook or a read-along EPUB of a book",
    "serve": "serve voices over HTTP and Wyoming",
    "screen-reader": "speak for Orca and other screen readers of Linux",
    "mcp": "let assistants speak, over the Model Context Protocol",
    "bulk": "synthesise a whole corpus",
    "bench": "measure the engines on this machine",
    "doctor": "show what is installed and what will be used",
    "completion": "print what a shell needs to complete commands and options",
}
"""The commands in the order of the help, with a line on each; the module is `glowvox.cli.NAME`, dashes as underscores.

A command whose module is not in this installation is not shown and cannot be called.
"""

_FORMER_NAMES = {"convert": "import-checkpoint"}
"""Names that commands had before; they keep working."""
_TO_BEGIN_WITH = """\
glowvox say "Hello, world." -o hello.wav   speaks a text into a file, or aloud with --play
glowvox voices                             lists the voices, and shows the card of one
glowvox serve                              answers over HTTP, on a page and to your clients
glowvox prepare recordings/ -o data/       begins a voice of your own; glowvox train goes on
glowvox --help                             lists the commands; glowvox COMMAND --help explains one"""
_EXTRAS = {
    "torch": "train",
    "tomli_w": "train",
    "fastapi": "serve",
    "uvicorn": "serve",
    "ray": "cluster",
    "lxml": "book",
    "av": "book",
    "pypdf": "book",
    "mcp": "mcp",
    "mcp_types": "mcp",
}
"""The optional packages without which a command cannot start, and the extra that brings them."""


def commands() -> dict[str, str]:
    """Return the commands of this installation, each with a line on what it does."""
    return {name: line for name, line in COMMANDS.items() if importlib.util.find_spec(module_name(name)) is not None}


def module_name(command: str) -> str:
    """Return the module of a command."""
    return f"glowvox.cli.{command.replace('-', '_')}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    0; 1 where a command did its work but not all of it (rows of `bulk` or `say --batch` that could not be spoken); 2
    after a mistake in the input (one line says which); 130 when interrupted.
    """
    with robust_streams(program=arguments is None) as streams:
        words = list(sys.argv[1:] if arguments is None else arguments)
        if words[:1] == ["help"]:
            words = [*words[1:], "--help"]
        if words:
            words[0] = _FORMER_NAMES.get(words[0], words[0])
        name = f"glowvox {words[0]}" if words and words[0] in COMMANDS else "glowvox"
        try:
            if not words:
                print(_TO_BEGIN_WITH, file=sys.stderr)
                raise SystemExit(2)
            args = command_parser(words[0]).parse_args(words)
            status = _run(args)
            sys.stdout.flush()
            return status
        except GlowvoxError as error:
            if isinstance(error.__cause__, BrokenPipeError):  # who read the sound has had enough of it
                streams.stop_printing()
                return 0
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        except BrokenPipeError:
            streams.stop_printing()
            return 0
        except UnicodeEncodeError as error:
            if not any("\ud800" <= sign <= "\udfff" for word in words for sign in word):
                raise
            print(f"{name}: an argument is not UTF-8 text: {error.object[:60]!r}", file=sys.stderr)
            return 2
        except OSError as error:
            if not streams.failed(error):
                raise
            print(f"{name}: cannot write to standard output: {error.strerror}", file=sys.stderr)
            streams.stop_printing()
            return 2
        except KeyboardInterrupt:
            print(f"{name}: interrupted", file=sys.stderr)
            return 130
        finally:
            end_phase()


def _run(args: argparse.Namespace) -> int:
    if isinstance(getattr(args, "text", None), str):
        args.text = utf8_argument(args.text)
    try:
        return int(importlib.import_module(module_name(args.command)).run(args))
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(error.name or "")
        if extra is None:
            raise
        raise MissingExtraError(str(error.name), extra, "this command") from error


def command_parser(chosen: str) -> CommandParser:
    """Return the parser of all commands, with the options of the one that runs (the others are not imported)."""
    parser = CommandParser(
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
        said = f"{module.SUMMARY[0].upper()}{module.SUMMARY[1:]}."
        command = subparsers.add_parser(name, help=summary, description=said, epilog=module.EXAMPLE)
        module.add_arguments(command)
    return parser
