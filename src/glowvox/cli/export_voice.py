"""`glowvox export voice`: an acoustic model and a vocoder, packed as a voice; or a voice for other runtimes."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glowvox.export.voice_export import VoiceExport

EXAMPLE = """\
examples:
  glowvox export voice --acoustic runs/acoustic --vocoder runs/vocoder --licence CC0-1.0 -o anna.voice
  glowvox say "Hello." --voice anna.voice -o hello.wav
  glowvox export voice nora --to sherpa-onnx -o nora-sherpa
  glowvox export voice nora --to browser --onnxruntime-web node_modules/onnxruntime-web -o nora-web
  glowvox export voice --acoustic runs/acoustic --vocoder default --licence CC0-1.0 -o anna.voice \\
      --quality report/report.json --default temperature=0.5 --weakness "names of places"

A voice holds graphs, which speak without PyTorch, its models, for further training (they share their weights, so that
costs nothing), and a card. Models with different mel contracts are refused. For sherpa-onnx a voice becomes a folder
with one graph from tokens to samples, its tokens, a lexicon and a README.md that says how to run them. For the browser
it becomes a web page that speaks without a server, and at the same time a package for npm.
"""
_TEXTS = ("acoustic", "vocoder", "licence", "name", "language", "only_speaker")
"""Options whose text must say something where it is given."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "voice", metavar="NAME", nargs="?", help="for another runtime: a voice's name, folder or .voice file"
    )
    parser.add_argument(
        "--to",
        choices=("voice", "sherpa-onnx", "browser"),
        default="voice",
        help="what is written: a voice, from two models; or, of the voice NAME, a folder for sherpa-onnx or for the "
        "browser (default: %(default)s)",
    )
    parser.add_argument(
        "--onnxruntime-web",
        metavar="FOLDER",
        type=Path,
        help="for the browser: the package of that name, installed by npm, which the page shall load; without it the "
        "page says what is missing, and the module takes it from beside itself",
    )
    parser.add_argument("--acoustic", metavar="RUN", help="the acoustic model: a run, a model folder, or 'default'")
    parser.add_argument("--vocoder", metavar="RUN", help="the vocoder: a run, a model folder, or 'default'")
    parser.add_argument(
        "-o", "--output", metavar="NAME.voice", type=Path, required=True, help="a .voice file, or a folder"
    )
    parser.add_argument("--name", help="the voice's name (default: that of the output)")
    parser.add_argument("--licence", help="of the voice: an SPDX expression such as CC0-1.0")
    parser.add_argument("--language", metavar="TAG", help="of the first speaker (default: the model's only one)")
    parser.add_argument(
        "--speaker-language",
        action="append",
        default=[],
        metavar="NAME=TAG",
        help="of a speaker who does not speak that language; several times",
    )
    parser.add_argument(
        "--only-speaker",
        metavar="NAME",
        help="of a model of several: the voice has this one and, with --language, no other language",
    )
    parser.add_argument(
        "--limit-levels",
        metavar="DATA",
        type=Path,
        help="prepared recordings: no band of a frame shall be louder than in them; for a vocoder with a mel scale",
    )
    parser.add_argument("--description", default="", help="a sentence about the voice")
    parser.add_argument("--data", default="", help="whose recordings it learned from, and under which terms")
    parser.add_argument("--weakness", action="append", default=[], help="a known weakness; several times")
    parser.add_argument(
        "--quality",
        action="append",
        default=[],
        metavar="REPORT",
        type=Path,
        help="report.json of 'glowvox evaluate', whose figures the card shall state; several times",
    )
    parser.add_argument(
        "--default",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="how the voice speaks where nobody says otherwise, for example sigma=0.5; several times",
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "float16", "int8"),
        help="how weights are stored; int8 also computes in 8 bits, which is faster; the loss is measured and printed "
        "(default: float16; with --to: as the voice has them, float16 for the browser where they are int8)",
    )
    parser.add_argument(
        "--calibration",
        metavar="FILE",
        type=Path,
        help="for int8: sentences, one a line, on which its scales are measured (default: English or German ones)",
    )
    parser.add_argument("--no-models", action="store_true", help="leave out the models: nobody can train it further")
    parser.add_argument("--force", action="store_true", help="replace a voice that is there already")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Pack the voice and print its size, and how well its graphs agree with PyTorch; or write it for a runtime."""
    if args.to != "voice":
        return _for_runtime(args)
    _check_models(args)
    from glowvox.export.voice_export import VoiceDescription, export_voice, keep_speaker, limit_levels, measured_quality
    from glowvox.synthesis.installed_voices import model_path

    about = VoiceDescription(
        name=args.name or args.output.name.removesuffix(".voice"),
        licence=args.licence,
        language=args.language,
        speaker_languages=dict(_pair(text) for text in args.speaker_language),
        description=args.description,
        data=args.data,
        weaknesses=tuple(args.weakness),
        quality=measured_quality(args.quality),
        defaults={name: _number(name, text) for name, text in map(_pair, args.default)},
    )
    if sys.stderr.isatty():  # a program gets one line where something is wrong
        print("writing the graphs and comparing them with PyTorch ...", file=sys.stderr, flush=True)
    acoustic, vocoder = model_path(args.acoustic, "acoustic"), model_path(args.vocoder, "vocoder")
    with tempfile.TemporaryDirectory() as place:
        if args.only_speaker is not None:
            acoustic = keep_speaker(acoustic, args.only_speaker, Path(place) / "acoustic", language=args.language)
        if args.limit_levels is not None:
            vocoder = limit_levels(vocoder, args.limit_levels, Path(place) / "vocoder")
        done = export_voice(
            acoustic,
            vocoder,
            args.output,
            about,
            precision=args.precision or "float16",
            trainable=not args.no_models,
            replace=args.force,
            sentences=_sentences(args.calibration),
        )
    told = _told(done)
    print(json.dumps(told, indent=2) if args.json else _as_text(told, done))
    return 0


def _check_models(args: argparse.Namespace) -> None:
    """Refuse to pack a voice without its parts.

    Raises:
        ConfigError: one is missing, or a voice is named.
    """
    from glowvox.errors import ConfigError

    if args.voice is not None:
        raise ConfigError(f"'{args.voice}' is a voice already; say what for: --to sherpa-onnx or browser")
    if args.onnxruntime_web is not None:
        raise ConfigError("--onnxruntime-web is for the browser: add --to browser")
    missing = [f"--{name}" for name in ("acoustic", "vocoder", "licence") if getattr(args, name) is None]
    if missing:
        raise ConfigError(f"the following arguments are required to pack a voice: {', '.join(missing)}")
    texts = [*((name, getattr(args, name)) for name in _TEXTS), *(("weakness", text) for text in args.weakness)]
    blank = [f"--{name.replace('_', '-')}" for name, text in texts if text is not None and not text.strip()]
    if blank:
        raise ConfigError(f"{' and '.join(dict.fromkeys(blank))} must not be blank: say what is meant")


def _for_runtime(args: argparse.Namespace) -> int:
    """Write a voice for another runtime."""
    from glowvox.errors import ConfigError
    from glowvox.export.sherpa_export import export_sherpa

    given = [f"--{name}" for name in ("acoustic", "vocoder", "licence") if getattr(args, name) is not None]
    if given:
        raise ConfigError(f"--to {args.to} takes a voice by its name; leave {', '.join(given)} out")
    if args.to == "browser":
        return _for_browser(args)
    if args.onnxruntime_web is not None:
        raise ConfigError("--onnxruntime-web is for the browser: say --to browser")
    done = export_sherpa(args.voice, args.output, precision=args.precision, replace=args.force)
    if args.json:
        told = {"path": str(done.folder), "name": done.card.name, "language": done.card.language}
        print(
            json.dumps({**told, "words": done.words, "bytes": sum(done.sizes.values()), "files": done.sizes}, indent=2)
        )
        return 0
    print(f"wrote     {done.folder}, {sum(done.sizes.values()) / 1e6:.1f} MB: {done.card.name}, {done.words:,} words")
    for name, size in done.sizes.items():
        print(f"          {size / 1e6:6.2f} MB  {name}")
    print(f"next: {done.folder}/README.md says how to run it; pip install sherpa-onnx sherpa-onnx-bin")
    return 0


def _for_browser(args: argparse.Namespace) -> int:
    """Write a voice as a web page and a package for npm."""
    from glowvox.export.browser_export import RUNTIME_FOLDER, export_browser

    if sys.stderr.isatty():
        print("writing the graph, the page and the tables of its text front end ...", file=sys.stderr, flush=True)
    done = export_browser(
        args.voice, args.output, precision=args.precision, runtime=args.onnxruntime_web, replace=args.force
    )
    page = {name: size for name, size in done.sizes.items() if not name.startswith(f"{RUNTIME_FOLDER}/")}
    if args.json:
        told = {
            "path": str(done.folder),
            "name": done.card.name,
            "language": done.card.language,
            "precision": done.precision,
            "onnxruntime_web": done.runtime,
            "bytes": sum(done.sizes.values()),
            "files": done.sizes,
        }
        print(json.dumps(told, indent=2))
        return 0
    print(f"wrote     {done.folder}, {sum(done.sizes.values()) / 1e6:.1f} MB: {done.card.name}, {done.precision}")
    parts = {
        "data/model.bin": "the graph, packed",
        "data/": "dictionary, tagger and other tables, packed",
        "": "page and module",
    }
    rest = dict(page)
    for start, what in parts.items():
        own = [rest.pop(name) for name in list(rest) if name.startswith(start)]
        print(f"          {sum(own) / 1e6:6.2f} MB  {what}")
    if done.runtime is None:
        print(f"missing   onnxruntime-web, which the page loads from {done.folder / RUNTIME_FOLDER}:")
        print("          npm install onnxruntime-web, then again with --onnxruntime-web node_modules/onnxruntime-web")
    else:
        size = sum(done.sizes.values()) - sum(page.values())
        print(f"          {size / 1e6:6.2f} MB  onnxruntime-web {done.runtime}")
        print(f"next: python -m http.server --directory {done.folder}   # then open http://localhost:8000")
    return 0


def _sentences(path: Path | None) -> list[str]:
    from glowvox.cli.streams import warn_as
    from glowvox.errors import ConfigError
    from glowvox.storage.text_files import told_text

    if path is None:
        return []
    lines = told_text(path, 16 << 20, warn_as("export")).splitlines()
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise ConfigError(f"{path}: there is no sentence in it")
    return found


def _pair(text: str) -> tuple[str, str]:
    from glowvox.errors import ConfigError

    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise ConfigError(f"'{text}' is not of the form NAME=VALUE")
    return name, value


def _number(name: str, text: str) -> int | float:
    from glowvox.errors import ConfigError

    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        raise ConfigError(f"{name} must be a number, got '{text}'") from None


def _told(done: "VoiceExport") -> dict[str, Any]:
    return {
        "path": str(done.path),
        "name": done.card.name,
        "language": done.card.language,
        "speakers": list(done.card.speakers),
        "bytes": sum(done.sizes.values()),
        "files": done.sizes,
        "parity": {part: parity.as_dict() for part, parity in done.parity.items()},
        "loss": {part: parity.as_dict() for part, parity in done.loss.items()},
    }


def _as_text(told: dict[str, Any], done: "VoiceExport") -> str:
    lines = [f"wrote     {told['path']}, {told['bytes'] / 1e6:.1f} MB: {told['name']}, {told['language']}"]
    lines += [f"          {size / 1e6:6.2f} MB  {name}" for name, size in told["files"].items()]
    lines += [f"parity    {part}: {parity}" for part, parity in done.parity.items()]
    lines += [f"stored    {part}: {loss}" for part, loss in done.loss.items()]
    lines += [f'next: glowvox say "Hello." --voice {told["path"]} -o hello.wav']
    lines += [f"      glowvox voices --install {told['path']}   # then: --voice {told['name']}"]
    return "\n".join(lines)
