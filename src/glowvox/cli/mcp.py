"""`glowvox mcp`: voices as tools of an assistant, over the Model Context Protocol."""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from glowvox.cli.say_options import add_engine_options

if TYPE_CHECKING:
    from glowvox.synthesis.voice import Voice

SUMMARY = "let assistants speak, over the Model Context Protocol"
EXAMPLE = """\
An assistant's program starts this command itself, and talks to it over standard input and output. Its settings name
the command, as in

  {"mcpServers": {"glowvox": {"command": "glowvox", "args": ["mcp", "-o", "/home/me/Speech"]}}}

The tools: say (aloud), say_to_file, list_voices, explain_reading.

examples:
  glowvox mcp
  glowvox mcp --voice kathleen -o ~/Speech
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--voice", metavar="VOICE", help="a name ('glowvox voices'), a folder or a .voice file")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        type=Path,
        default=Path(),
        help="folder that files are written into, and no other (default: the current one)",
    )
    add_engine_options(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until the client closes the connection."""
    from glowvox.errors import ConfigError
    from glowvox.serve.assistant_tools import AssistantTools
    from glowvox.serve.mcp_server import mcp_server, run_mcp_server
    from glowvox.synthesis.installed_voices import find_voice, load_voice

    if not args.output.is_dir():
        raise ConfigError(f"{args.output}: is no folder that files can be written into")
    find_voice(args.voice)

    def load(name: str | None) -> "Voice":
        return load_voice(args.voice if name is None else name, engine=args.engine, threads=args.threads)

    tools = AssistantTools(load, args.output)
    mcp_server(tools)  # so that what is missing is said before
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="glowvox mcp: %(message)s")
    if sys.stdin.isatty():
        print("glowvox mcp: waiting for an assistant; Ctrl-C ends", file=sys.stderr)
    run_mcp_server(tools)
    return 0
