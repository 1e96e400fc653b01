"""Speaks sentences with one system in this interpreter, and prints what that costs as JSON. `peers.py` starts it.

python benchmarks/peer_worker.py SYSTEM < {"texts": {"id": "text"}, "folder": "speech/", "rounds": 3}
"""

import json
import resource
import sys
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHORT, LONG = (
    "Good morning.",
    "The train to the north leaves at ten past nine from the second platform on the left.",
)
"""Two words and sixteen: how soon the first sound comes."""


@dataclass(frozen=True)
class Speaker:
    """What a system has to say a text: samples, float32 `[S]`, at a rate; in pieces too, where it can."""

    say: Callable[[str], Any]
    rate: int
    stream: Callable[[str], Iterator[Any]] | None = None


def open_glowvox(voice: str) -> Speaker:
    """Return how a voice of ours speaks on one thread, and its rate."""
    from glowvox.synthesis.installed_voices import load_voice

    opened = load_voice(voice or None, threads=1)

    def stream(text: str) -> Iterator[Any]:
        for chunk in opened.stream(text):
            yield chunk.samples

    return Speaker(lambda text: opened.say(text).samples, opened.sample_rate, stream)


def open_hibari(voice: str) -> Speaker:
    """Return how hibari-tts speaks on one thread; a sentence comes in one piece."""
    from hibari import SAMPLE_RATE, Hibari

    return Speaker(Hibari(voice=voice, threads=1) if voice else Hibari(threads=1), SAMPLE_RATE)


def open_piper(voice: str) -> Speaker:
    """Return how Piper speaks, with the voice that a package carries; a sentence comes in one piece."""
    import importlib.util

    import numpy as np
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

    def say(text: str) -> Any:
        return np.concatenate([chunk.audio_float_array for chunk in opened.synthesize(text)])

    return Speaker(say, opened.config.sample_rate)


SYSTEMS = {"glowvox": open_glowvox, "hibari": open_hibari, "piper": open_piper}


def times_real_time(say: Callable[[str], Any], texts: list[str], seconds: float, rounds: int) -> float:
    """Return the seconds of speech for a second of the processor's time, in the best of the rounds."""
    ratios = []
    for _ in range(rounds):
        busy = time.process_time()
        for text in texts:
            say(text)
        ratios.append(seconds / (time.process_time() - busy))
    return max(ratios)


def first_sound(speaker: Speaker, text: str, rounds: int) -> float:
    """Return the fastest of several times from the text to the first samples, in milliseconds."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        if speaker.stream is None:
            speaker.say(text)
        else:
            next(chunk for chunk in speaker.stream(text) if len(chunk))
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
    begun = time.perf_counter()
    speaker = SYSTEMS[system](voice)
    told: dict[str, Any] = {"loading_seconds": time.perf_counter() - begun}
    said = {name: np.asarray(speaker.say(text)) for name, text in order["texts"].items()}
    if order["folder"]:
        for name, samples in said.items():
            write(Path(order["folder"]) / f"{name}.wav", samples, speaker.rate)
    texts, rounds, stream = list(order["texts"].values()), order["rounds"], speaker.stream
    seconds = sum(len(samples) for samples in said.values()) / speaker.rate
    told["times_real_time"] = times_real_time(speaker.say, texts, seconds, rounds)
    if stream is not None:
        told["times_real_time_streamed"] = times_real_time(lambda text: list(stream(text)), texts, seconds, rounds)
    told["first_sound_short_ms"] = first_sound(speaker, SHORT, 5 * rounds)
    told["first_sound_long_ms"] = first_sound(speaker, LONG, 5 * rounds)
    told["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told["sample_rate"] = speaker.rate
    print(json.dumps(told))


if __name__ == "__main__":
    main()
