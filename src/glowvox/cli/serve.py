"""`glowvox serve`: voices over HTTP, WebSocket and Wyoming."""

import argparse
from functools import partial
from pathlib import Path

from glowvox.cli.device_options import add_device_options

SUMMARY = "serve voices over HTTP and Wyoming"
EXAMPLE = """\
examples:
  glowvox serve
  glowvox serve --voice kathleen --voice ./my-voice --port 9000
  glowvox serve --host 0.0.0.0 --keys keys.txt --wyoming tcp://0.0.0.0:10200

  curl http://127.0.0.1:8080/v1/audio/speech -H 'Content-Type: application/json' \\
    -d '{"input": "Hello, world."}' -o hello.mp3

The first voice speaks where a request names none. It is loaded at the start, the others when they are asked for. API
keys are read from --keys and from GLOWVOX_API_KEYS. SIGTERM and Ctrl-C let what is being spoken be finished; a second
one does not wait.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    where = parser.add_argument_group("where")
    where.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="to listen at (default: %(default)s)")
    where.add_argument("--port", type=int, default=8080, metavar="N", help="0: any free one (default: %(default)s)")
    where.add_argument(
        "--proxy", default="", metavar="ADDRESSES", help="proxies whose X-Forwarded-For is believed, with commas"
    )
    where.add_argument(
        "--wyoming", default="", metavar="URI", help="to speak Wyoming at, too: tcp://HOST:PORT or unix:///PATH"
    )
    where.add_argument(
        "--zeroconf",
        nargs="?",
        const="",
        metavar="NAME",
        help="announce Wyoming in the local network, where Home Assistant finds it",
    )
    voices = parser.add_argument_group("voices")
    voices.add_argument(
        "--voice",
        action="append",
        default=[],
        metavar="VOICE",
        help="a name, folder or .voice file; may be repeated (default: every voice that is installed)",
    )
    voices.add_argument(
        "--alias",
        action="append",
        default=[],
        metavar="ALIAS=VOICE",
        help="another name of a voice, or of VOICE/SPEAKER: alloy=kathleen; may be repeated",
    )
    voices.add_argument(
        "--voice-seconds",
        type=float,
        metavar="X",
        help="after which a voice, loaded when it is first asked for, is let go if nobody asks again (default: 900)",
    )
    voices.add_argument("--engine", default="auto", metavar="NAME", help="what runs the models (default: auto)")
    voices.add_argument("--threads", type=int, metavar="N", help="CPU threads of one computation (default: all cores)")
    voices.add_argument(
        "--workers", type=int, default=0, metavar="N", help="computations at once (default: one a core)"
    )
    access = parser.add_argument_group("who may use it")
    access.add_argument("--keys", type=Path, metavar="FILE", help="API keys, one a line (default: everybody may)")
    access.add_argument(
        "--origin", action="append", default=[], metavar="URL", help="web page that may use it (CORS); may be repeated"
    )
    access.add_argument(
        "--get-speech",
        action="store_true",
        help="speak at GET /v1/audio/speech?text=..., too, an address that a player can open",
    )
    access.add_argument(
        "--server-name",
        action="append",
        default=[],
        metavar="HOST",
        help="host for which a proxy on this machine asks; may be repeated",
    )
    access.add_argument("--public-voices", action="store_true", help="list voices and models without a key, too")
    limits = parser.add_argument_group("limits")
    limits.add_argument("--characters", type=int, metavar="N", help="of one text (default: 10000)")
    limits.add_argument("--speech-seconds", type=float, metavar="X", help="of speech for one text (default: 1200)")
    limits.add_argument("--streams", type=int, metavar="N", help="texts spoken at the same time (default: 16)")
    limits.add_argument("--waiting", type=int, metavar="N", help="requests that wait before 503 (default: 64)")
    limits.add_argument(
        "--per-client", type=int, metavar="N", help="requests of one client at once (default: no limit)"
    )
    limits.add_argument("--connections", type=int, metavar="N", help="at the same time (default: 1000)")
    limits.add_argument("--seconds", type=float, metavar="X", help="that one request may take (default: 300)")
    limits.add_argument(
        "--drain", type=float, default=30.0, metavar="SECONDS", help="to finish after SIGTERM (default: 30)"
    )
    add_device_options(parser)
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    parser.add_argument(
        "--log-format",
        choices=("auto", "text", "json"),
        default="auto",
        help="lines for people or programs (default: for people on a terminal)",
    )
    parser.add_argument("--log-text", action="store_true", help="log the texts that are spoken, too")


def run(args: argparse.Namespace) -> int:
    """Load the voices and serve until a signal ends it."""
    from glowvox.serve.access import read_keys
    from glowvox.serve.access_log import log_to_stderr
    from glowvox.serve.application import create_app
    from glowvox.serve.server import run as serve
    from glowvox.serve.settings import Address, Limits, ServerSettings, parse_aliases
    from glowvox.serve.voice_registry import find_voices
    from glowvox.synthesis.aligner import load_aligner

    named = ("characters", "speech_seconds", "streams", "waiting", "per_client", "connections", "seconds")
    limits = Limits(**{name: getattr(args, name) for name in named if getattr(args, name) is not None})
    settings = ServerSettings(
        limits,
        args.workers,
        read_keys(args.keys),
        tuple(args.origin),
        server_names=tuple(args.server_name),
        aliases=parse_aliases(args.alias),
        get_speech=args.get_speech,
        public_voices=args.public_voices,
        log_text=args.log_text,
        **({} if args.voice_seconds is None else {"voice_seconds": args.voice_seconds}),
    )
    address = Address(args.host, args.port, args.proxy, args.drain, args.wyoming, args.zeroconf)
    with log_to_stderr(args.log_level, args.log_format):
        options = {"engine": args.engine, "threads": args.threads, "device": args.device, "precision": args.precision}
        found = find_voices(args.voice, **options)
        aligners = {one.voice.name: partial(load_aligner, one.source) for one in found}
        app = create_app([one.voice for one in found], settings, aligners)
        serve(app, address)
    return 0
