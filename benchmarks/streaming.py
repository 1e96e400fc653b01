"""Streaming: time to first audio against the size of the chunks, and the cost over one call, on the clock and in the
processor's time.

Of a vocoder's network alone, in the same rounds: the engine's own state (nothing is computed twice), windows with
recomputed context, and chunks that grow fourfold from the first one, as `voice.stream` has them. Without a path the
default voice's vocoder is exported first. Then of the default voice: its whole vocoder (noise, source, network and
refinement) for a known mel, in equal and in growing chunks, and `voice.stream` beside `voice.say`, from the text on.

    python benchmarks/streaming.py [PATH] [--engine onnx] [--threads 1 2] [--seconds 10] [--rounds 7] [--json]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Way = Callable[[], tuple[Any, Any]]


def exported(folder: Path) -> Path:
    """Export the default voice's vocoder into a folder, and return that."""
    from glowvox.export.export_model import export_model
    from glowvox.synthesis.installed_voices import default_vocoder

    export_model(default_vocoder(), folder)
    return folder


def clock() -> NDArray[np.float64]:
    """Return seconds on the clock and of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def ways(engine: Any, mel: Any, latent: Any, chunk: int) -> dict[str, Way]:
    """Return what is measured of a network; each call gives the seconds to the first samples and in all."""
    from glowvox.synthesis.vocoder import SteppedPieces, WindowedPieces

    frames = mel.shape[1]

    def through(make: Callable[[], Any], growth: int) -> Way:
        def spoken() -> Iterator[Any]:
            size, pieces = chunk, make()
            pieces.take(latent, mel)
            while frames - pieces.spoken > size + pieces.look_ahead:
                yield pieces.speak(size)[0]
                size *= growth
            yield pieces.finish()[0]

        return lambda: timed(spoken())

    found = {}
    if 4 * chunk >= engine.receptive_field:  # smaller ones cost many times the whole
        found["windows"] = through(lambda: WindowedPieces(engine), 1)
    if engine.delay is not None:
        found["state"] = through(lambda: SteppedPieces(engine, engine.delay), 1)
        found["state, growing"] = through(lambda: SteppedPieces(engine, engine.delay), 4)
    return found


def timed(chunks: Iterable[Any]) -> tuple[Any, Any]:
    """Return the seconds (see `clock`) until the first samples are there, and in all."""
    begun, first = clock(), None
    for samples in chunks:
        if first is None and len(samples):
            first = clock() - begun
    total = clock() - begun
    return (total if first is None else first), total


def compared(rounds: int, whole: Callable[[], object], calls: Mapping[Any, Way]) -> tuple[Any, dict[Any, Any]]:
    """Return the medians of one call's seconds, and for each way those to the first samples and in all."""
    once: list[Any] = []
    taken: dict[Any, list[Any]] = {key: [] for key in calls}
    for number in range(rounds + 1):
        for key, call in calls.items():
            begun = clock()
            whole()
            seconds = clock() - begun
            figures = call()
            if number:  # the first round warms up
                once.append(seconds)
                taken[key].append(figures)
    return np.median(once, 0), {key: np.median(figures, 0) for key, figures in taken.items()}


def rows(part: str, rate: float, seconds: float, measured: tuple[Any, dict[Any, Any]]) -> list[dict[str, Any]]:
    """Return the figures of `compared`, whose keys are a chunk's frames and the way."""
    base, ways_taken = measured
    return [
        {
            "part": part,
            "way": way,
            "chunk_seconds": size / rate,
            "first_audio_ms": 1000 * float(first[0]),
            "first_audio_cpu_ms": 1000 * float(first[1]),
            "over_one_call": float(total[0] / base[0]),
            "cpu_over_one_call": float(total[1] / base[1]),
            "one_call_rtf": float(base[0] / seconds),
        }
        for (size, way), (first, total) in ways_taken.items()
    ]


def measure_network(path: Path, engine_name: str, threads: int, seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Return the figures of a vocoder's network, for all chunk sizes."""
    from glowvox.engines.choose import load_vocoder
    from glowvox.evaluate.engine_speed import CHUNK_SECONDS, random_mel

    engine = load_vocoder(path, engine=engine_name, threads=threads)
    rate = engine.audio.frame_rate
    frames = round(seconds * rate)
    mel = random_mel(engine.audio, frames)
    shape = engine.n_group, frames * engine.groups_per_frame
    latent = np.float32(0.6) * np.random.default_rng(0).standard_normal(shape, np.float32)
    sizes = [round(chunk * rate) for chunk in CHUNK_SECONDS]
    calls = {(size, name): call for size in sizes for name, call in ways(engine, mel, latent, size).items()}
    measured = compared(rounds, lambda: engine.run(latent[None], mel[None]), calls)
    return rows("network", rate, seconds, measured)


def measure_voice(engine_name: str, threads: int, seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Return the figures of the default voice: its vocoder for all chunk sizes, and `voice.stream`."""
    from glowvox import load_voice
    from glowvox.evaluate.engine_speed import CHUNK_SECONDS, TEXT, random_mel
    from glowvox.synthesis.installed_voices import find_voice
    from glowvox.synthesis.options import VocoderOptions
    from glowvox.synthesis.vocoder import Vocoder
    from glowvox.synthesis.voice_card import read_voice_card
    from glowvox.synthesis.voice_folder import open_engines, open_voice_folder

    with open_voice_folder(find_voice(None)) as folder:
        card = read_voice_card(folder)
        vocoder = Vocoder(open_engines(folder, card, engine_name, threads)[1])
    rate = vocoder.engine.audio.frame_rate
    mel = random_mel(vocoder.engine.audio, round(seconds * rate))
    plain = VocoderOptions(denoise=card.defaults.denoise, sigma=card.defaults.sigma)

    def spoken(options: VocoderOptions, first: int | None) -> Way:
        return lambda: timed(vocoder.stream(options, first_chunk=first).speak([mel]))

    calls: dict[Any, Way] = {}
    for size in (round(chunk * rate) for chunk in CHUNK_SECONDS):
        calls[size, "equal"] = spoken(replace(plain, chunk_frames=size), None)
        calls[size, "growing"] = spoken(plain, size)
    found = rows("whole vocoder", rate, seconds, compared(rounds, lambda: vocoder(mel, plain), calls))
    voice = load_voice(engine=engine_name, threads=threads)
    first = next(len(chunk.samples) for chunk in voice.stream(TEXT) if len(chunk.samples))
    key = round(first / voice.sample_rate * rate), "voice.stream"
    streams = {key: lambda: timed(chunk.samples for chunk in voice.stream(TEXT))}
    return found + rows("voice", rate, voice.say(TEXT).duration, compared(rounds, lambda: voice.say(TEXT), streams))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", type=Path, help="a vocoder's graph, or the folder that holds it")
    parser.add_argument("--engine", default="onnx")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        path = args.path or exported(Path(place))
        found = []
        for threads in args.threads:
            measured = measure_network(path, args.engine, threads, args.seconds, args.rounds)
            measured += measure_voice(args.engine, threads, args.seconds, args.rounds)
            found += [{"engine": args.engine, "threads": threads, **row} for row in measured]
    if args.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'':<48}{'first audio, ms':>16}{'x one call':>18}")
    print(f"{'threads':<9}{'part':<15}{'way':<16}{'chunk s':>8}{'clock':>9}{'cpu':>7}{'clock':>10}{'cpu':>8}")
    for row in found:
        print(
            f"{row['threads']:<9}{row['part']:<15}{row['way']:<16}{row['chunk_seconds']:>8.2f}"
            f"{row['first_audio_ms']:>9.1f}{row['first_audio_cpu_ms']:>7.1f}"
            f"{row['over_one_call']:>10.2f}{row['cpu_over_one_call']:>8.2f}"
        )


if __name__ == "__main__":
    main()
