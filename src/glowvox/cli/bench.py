"""`glowvox bench`: what speaking costs with every engine on this machine."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from glowvox.cli.number_options import finite_number

SUMMARY = "measure the engines on this machine"
EXAMPLE = """\
examples:
  glowvox bench
  glowvox bench --engine onnx --threads 1 2 --seconds 20
  glowvox bench --vocoder exported/ --json

Every engine runs in a process of its own. RTF is the real-time factor, computing time over playing time; first audio is
the time from the first mel frame (vocoder) or from the text (voice) to the first samples.
"""
_MOST_SECONDS, _MOST_REPEATS = 3600.0, 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--voice", metavar="VOICE", help="a voice's name or folder (default: the default voice)")
    what.add_argument("--vocoder", metavar="PATH", help="a vocoder alone: its graph, model folder or training run")
    parser.add_argument(
        "--engine", nargs="+", metavar="ENGINE", help="onnx, openvino, torch (default: all that are installed)"
    )
    parser.add_argument("--threads", nargs="+", type=int, metavar="N", help="CPU threads (default: 1, and all cores)")
    parser.add_argument(
        "--seconds", type=finite_number, default=10.0, help="of audio in each measurement (default: %(default)s)"
    )
    parser.add_argument("--repeats", type=int, default=5, help="of each measurement (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Measure, and print a table."""
    from glowvox.engines.choose import choose_engine
    from glowvox.engines.machine import checked_threads, processor
    from glowvox.errors import ConfigError, GlowvoxError, counted

    if not 0.1 <= args.seconds <= _MOST_SECONDS:
        raise ConfigError(f"--seconds must lie from 0.1 to {_MOST_SECONDS:g}, got {args.seconds:g}")
    if not 1 <= args.repeats <= _MOST_REPEATS:
        raise ConfigError(f"--repeats must lie from 1 to {_MOST_REPEATS}, got {args.repeats}")
    threads = [checked_threads(count) for count in args.threads or sorted({1, processor().cores})]
    engines, left_out = _engines(args)
    if args.alone:
        print(json.dumps(_measured(args, engines[0], threads[0])))
        return 0
    rows = []
    for engine in engines:
        for count in threads:
            print(f"measuring {engine} with {counted(count, 'thread')} ...", file=sys.stderr, flush=True)
            rows.append({"engine": engine, "threads": count, **_apart(args, engine, count)})
    try:
        chosen: dict[str, str | None] = {"name": choose_engine().name, "reason": choose_engine().reason}
    except GlowvoxError as error:
        chosen = {"name": None, "reason": str(error)}
    machine = {"name": processor().name, "cores": processor().cores, "features": list(processor().features)}
    told = {"processor": machine, "chosen": chosen, "seconds": args.seconds, "left_out": left_out, "engines": rows}
    print(json.dumps(told, indent=2) if args.json else _as_text(told))
    return 0 if any("error" not in row for row in rows) else 2


def _engines(args: argparse.Namespace) -> tuple[list[str], dict[str, str]]:
    """Return the engines to measure, and why others are not: all that were named, or all that are installed."""
    from glowvox.engines.choose import ENGINES, installed_engines
    from glowvox.errors import EngineError

    unknown = [name for name in args.engine or () if name not in ENGINES]
    if unknown:
        raise EngineError(f"there is no engine '{unknown[0]}'; choose {', '.join(ENGINES)}")
    if args.engine:
        return list(args.engine), {}
    installed = installed_engines()
    missing = {name: f"{package} is not installed" for name, package in ENGINES.items() if name not in installed}
    return list(installed), missing


def _target(args: argparse.Namespace) -> tuple[str, Path | str | None]:
    """Return ('vocoder', path) or ('voice', name); without a complete default voice its vocoder alone."""
    from glowvox.errors import VoiceError
    from glowvox.synthesis.installed_voices import default_vocoder, find_voice

    if args.vocoder is not None:
        return "vocoder", Path(args.vocoder)
    if args.voice is None:
        try:
            find_voice(None)
        except VoiceError:
            return "vocoder", default_vocoder()
    return "voice", args.voice


def _measured(args: argparse.Namespace, engine: str, threads: int) -> dict[str, Any]:
    """Measure in this process."""
    import dataclasses

    from glowvox.evaluate.engine_speed import vocoder_speed, voice_speed

    kind, what = _target(args)
    overrides: dict[str, Any] = {
        "engine": engine,
        "threads": threads,
        "seconds": args.seconds,
        "repeats": args.repeats,
    }
    if kind == "voice":
        return dataclasses.asdict(voice_speed(None if what is None else str(what), **overrides))
    return dataclasses.asdict(vocoder_speed(Path(str(what)), **overrides))


def _apart(args: argparse.Namespace, engine: str, threads: int) -> dict[str, Any]:
    """Measure in a process of its own, whose memory is nobody else's."""
    words = ["--engine", engine, "--threads", str(threads), "--seconds", str(args.seconds)]
    words += ["--repeats", str(args.repeats), "--alone"]
    for name in ("voice", "vocoder"):
        if getattr(args, name) is not None:
            words += [f"--{name}", getattr(args, name)]
    command = [sys.executable, "-m", "glowvox", "bench", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"error": lines[-1].removeprefix("glowvox bench: ") if lines else f"ended with {done.returncode}"}
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _as_text(told: dict[str, Any]) -> str:
    from glowvox.errors import counted

    machine, chosen = told["processor"], told["chosen"]
    lines = [
        f"processor    {machine['name']}, {counted(machine['cores'], 'core')} ({' '.join(machine['features'])})",
        f"chosen       {chosen['name'] or 'none'}: {chosen['reason']}",
        "",
        f"{'engine':<10}{'threads':>8}{'load s':>9}{'memory MB':>11}{'acoustic RTF':>14}{'vocoder RTF':>13}{'p90':>8}"
        f"{'network':>9}{'voice RTF':>11}{'first audio ms':>16}{'p90':>8}",
    ]
    good = [row for row in told["engines"] if "error" not in row]
    for row in good:
        first = row["voice_first_audio"] or (_half_second(row) or {}).get("first_audio")
        cells = [
            (row["load_seconds"], 9, 2, 1),
            (row["peak_bytes"] / 1e6, 11, 0, 1),
            (row["acoustic"] and row["acoustic"]["median"], 14, 4, 1),
            (row["vocoder"]["median"], 13, 4, 1),
            (row["vocoder"]["percentile_90"], 8, 4, 1),
            (row["network"]["median"], 9, 4, 1),
            (row["voice"] and row["voice"]["median"], 11, 4, 1),
            (first and first["median"], 16, 0, 1000),
            (first and first["percentile_90"], 8, 0, 1000),
        ]
        shown = "".join(
            f"{'-':>{width}}" if value is None else f"{value * unit:>{width}.{digits}f}"
            for value, width, digits, unit in cells
        )
        lines.append(f"{row['engine']:<10}{row['threads']:>8}{shown}")
    if good and good[0]["chunks"]:
        lines += ["", "streams of equal chunks: first audio in ms, and the whole over one call"]
        head = "".join(f"{chunk['chunk_seconds']:>15g} s" for chunk in good[0]["chunks"])
        lines.append(f"{'engine':<10}{'threads':>8}{head}")
        for row in good:
            cells_text = (
                f"{chunk['first_audio']['median'] * 1000:.0f}, x {chunk['over_one_shot']:.2f}"
                for chunk in row["chunks"]
            )
            lines.append(f"{row['engine']:<10}{row['threads']:>8}" + "".join(f"{text:>17}" for text in cells_text))
    lines += [f"not measured {row['engine']}: {row['error']}" for row in told["engines"] if "error" in row]
    lines += [f"not measured {name}: {why}" for name, why in told["left_out"].items()]
    return "\n".join(lines)


def _half_second(row: dict[str, Any]) -> dict[str, Any] | None:
    return next((chunk for chunk in row["chunks"] if chunk["chunk_seconds"] == 0.5), None)
