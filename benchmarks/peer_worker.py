"""Speaks sentences with one system in this interpreter, and prints what that costs as JSON. `peers.py` starts it.

python benchmarks/peer_worker.py SYSTEM < {"texts": {"id": "text"}, "folder": "speech/", "rounds": 3}
"""

import json
import resource
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SHORT, LONG = (
    "Good morning.",
    "The train to the north leaves at ten past nine from the second platform on the left.",
)
"""Two words and sixteen: how soon the first sound comes."""

Speak = Callable[[str], Iterator[Any]]
"""Yields chunks of samples, float32 `[S]`."""


def open_glowvox(voice: str) -> tuple[Speak, int]:
    """Return how a voice of ours speaks on one thread, and its rate."""
    from glowvox.synthesis.installed_voices import load_voice

    opened = load_voice(voice or None, threads=1)

    def speak(text: str) -> Iterator[Any]:
        for chunk in opened.stream(text):
            yield chunk.samples

    return speak, opened.sample_rate


def open_hibari(voice: str) -> tuple[Speak, int]:
    """Return how hibari-tts speaks on one thread; a sentence comes in one piece."""
    from hibari import SAMPLE_RATE, Hibari

    opened = Hibari(voice=voice, threads=1) if voice else Hibari(threads=1)

    def speak(text: str) -> Iterator[Any]:
        yield opened(text)

    return speak, SAMPLE_RATE


def open_piper(voice: str) -> tuple[Speak, int]:
    """Return how Piper speaks, with the voice that a package carries; a sentence comes in one piece."""
    import importlib.util

    import onnxruntime
    from piper import PiperVoice

    package = importlib.util.find_spec(voice)
    if package is None or package.origin is None:
        raise SystemExit(f"no package {voice}")
    model = next(Path(package.origin).parent.rglob("*.onnx"))
    opened = PiperVoice.load(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    opened.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def speak(text: str) -> Iterator[Any]:
        for chunk in opened.synthesize(text):
            yield chunk.audio_float_array

    return speak, opened.config.sample_rate


SYSTEMS = {"glowvox": open_glowvox, "hibari": open_hibari, "piper": open_piper}


def first_sound(speak: Speak, text: str, rounds: int) -> float:
    """Return the fastest of several times from the text to the first chunk, in milliseconds."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        next(chunk for chunk in speak(text) if len(chunk))
        taken.append(1000 * (time.perf_counter() - begun))
    return min(taken)


def write(path: Path, samples: Any, rate: int) -> None:
    """Write 16-bit WAV."""
    import numpy as np

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def main() -> None:
    """Load, speak, and print the costs."""
    import numpy as np

    system, _, voice = sys.argv[1].partition(":")
    order = json.load(sys.stdin)
    begun, busy = time.perf_counter(), time.process_time()
    speak, rate = SYSTEMS[system](voice)
    told: dict[str, Any] = {"loading_seconds": time.perf_counter() - begun}
    said = {name: np.concatenate(list(speak(text))) for name, text in order["texts"].items()}
    if order["folder"]:
        for name, samples in said.items():
            write(Path(order["folder"]) / f"{name}.wav", samples, rate)
    seconds = sum(len(samples) for samples in said.values()) / rate
    ratios = []
    for _ in range(order["rounds"]):
        busy = time.process_time()
        for text in order["texts"].values():
            for _chunk in speak(text):
                pass
        ratios.append(seconds / (time.process_time() - busy))
    told["times_real_time"] = max(ratios)
    told["first_sound_short_ms"] = first_sound(speak, SHORT, 5 * order["rounds"])
    told["first_sound_long_ms"] = first_sound(speak, LONG, 5 * order["rounds"])
    told["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told["sample_rate"] = rate
    print(json.dumps(told))


if __name__ == "__main__":
    main()
