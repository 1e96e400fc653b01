"""Run all benchmarks and write their figures into docs/benchmarks.md.

    python benchmarks/run_all.py [--quick] [--only voice streaming ...]

Every benchmark is a process of its own, one after the other; what it prints is put into the page as it is. One that
fails, or lacks what it needs, is named in the page with its last line. `--quick` takes small sizes, to try the scripts.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Benchmark:
    """A script, what it shows, and its arguments; `{vocoder}` is an exported folder of the default voice's vocoder."""

    name: str
    title: str
    command: tuple[str, ...]
    quick: tuple[str, ...] = ()


BENCHMARKS = (
    Benchmark("engines", "Engines", ("-m", "glowvox", "bench"), ("--seconds", "2", "--repeats", "1", "--threads", "1")),
    Benchmark(
        "vocoder",
        "The default vocoder's graph",
        ("-m", "glowvox", "bench", "--vocoder", "{vocoder}"),
        ("--seconds", "2", "--repeats", "1", "--threads", "1"),
    ),
    Benchmark(
        "streaming",
        "Streaming: time to first audio and cost over one call",
        ("benchmarks/streaming.py", "{vocoder}"),
        ("--seconds", "4", "--rounds", "1", "--threads", "1"),
    ),
    Benchmark(
        "voice",
        "The default voice: start, many texts, a long text",
        ("benchmarks/voice.py",),
        ("--minutes", "1", "--texts", "6", "--rounds", "1"),
    ),
    Benchmark(
        "waveglow-256",
        "The published model on two threads",
        ("benchmarks/waveglow_256.py",),
        ("--frames", "40", "--rounds", "1", "--chunks", "16"),
    ),
    Benchmark(
        "waveglow-256-memory",
        "The memory of the published model",
        ("benchmarks/waveglow_256_memory.py",),
        ("--minutes", "0.05"),
    ),
    Benchmark("peers", "Beside other systems", ("benchmarks/peers.py",), ("--rounds", "1")),
    Benchmark("training", "Training a vocoder", ("benchmarks/train_vocoder.py",), ("--segments", "1")),
    Benchmark(
        "acoustic-training",
        "Training an acoustic model",
        ("benchmarks/train_acoustic.py",),
        ("--presets", "glow-tts-small", "--steps", "1"),
    ),
    Benchmark("gpu", "The published model on a GPU", ("benchmarks/gpu.py",), ("--device", "cpu", "--quick")),
    Benchmark(
        "wavenet", "The couplings' network by its definition and on rows", ("benchmarks/wavenet.py",), ("--rounds", "2")
    ),
    Benchmark(
        "pitch-predictor",
        "The pitch predictor in NumPy and as a graph",
        ("benchmarks/pitch_predictor.py",),
        ("--rounds", "2"),
    ),
    Benchmark("constant-memory", "Recomputing activations", ("benchmarks/constant_memory.py",)),
    Benchmark("alignment", "Monotonic alignment search", ("benchmarks/alignment.py",)),
)


def run(benchmark: Benchmark, vocoder: Path, *, quick: bool) -> str:
    """Run a benchmark and return its section of the page."""
    words = [word.format(vocoder=vocoder) for word in (*benchmark.command, *(benchmark.quick if quick else ()))]
    shown = " ".join(["python", *words]).replace(str(vocoder), "VOCODER")
    begun = time.monotonic()
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    took = time.monotonic() - begun
    printed = done.stdout.strip().replace(str(vocoder), "VOCODER")
    body = f"```text\n{printed}\n```" if printed else ""
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        body = f"{body}\n\nEnded with status {done.returncode}: {last}".strip()
    return f"## {benchmark.title}\n\n`{shown}` ({took:.0f} s)\n\n{body}\n"


def export_vocoder(folder: Path) -> None:
    """Export the default voice's vocoder; without it the benchmarks that need it say so."""
    program = (
        "from glowvox.export.export_model import export_model\n"
        "from glowvox.synthesis.installed_voices import default_vocoder\n"
        f"export_model(default_vocoder(), {str(folder)!r})"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)


def head(*, quick: bool) -> str:
    """Return the top of the page: where and with what the figures were measured."""
    program = (
        "from glowvox.engines.machine import processor\nfrom glowvox.engines.choose import installed_engines\n"
        "from glowvox import __version__\nmachine = processor()\n"
        "print(f'{machine.name}, {machine.cores} cores ({\" \".join(machine.features)}); Glowvox {__version__}; '\n"
        "      + ', '.join(f'{name} {version}' for name, version in installed_engines().items()))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return (
        "# Benchmarks\n\nWritten by `make bench` (`python benchmarks/run_all.py`); do not edit by hand. "
        "`docs/performance.md` says what the figures mean and what was tried.\n\n"
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {done.stdout.strip()}; {system}.\n"
        + (
            "\n**A quick run, to try the scripts: sizes are small, and the machine may have been busy.**\n"
            if quick
            else ""
        )
    )


def main() -> None:
    """Run the benchmarks and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the scripts")
    parser.add_argument("--only", nargs="+", choices=[benchmark.name for benchmark in BENCHMARKS], metavar="NAME")
    parser.add_argument("--output", type=Path, default=PAGE, help="the page to write (default: docs/benchmarks.md)")
    args = parser.parse_args()
    sections = []
    with tempfile.TemporaryDirectory() as place:
        vocoder = Path(place) / "vocoder"
        export_vocoder(vocoder)
        for benchmark in BENCHMARKS:
            if args.only and benchmark.name not in args.only:
                continue
            print(f"== {benchmark.name}", file=sys.stderr, flush=True)
            sections.append(run(benchmark, vocoder, quick=args.quick))
    aside = args.output.with_suffix(".part")
    aside.write_text("\n".join([head(quick=args.quick), *sections]), encoding="utf-8")
    aside.replace(args.output)


if __name__ == "__main__":
    main()
