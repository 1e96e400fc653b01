"""What speaking costs with an engine on this machine: real-time factors, time to first audio, memory."""

import contextlib
import ctypes
import dataclasses
import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.pitch import harmonic_features
from glowvox.config.audio import AudioConfig, bridge
from glowvox.engines.base import AcousticEngine
from glowvox.engines.choose import load_vocoder
from glowvox.synthesis.installed_voices import find_voice
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.vocoder import Vocoder, whole_latent
from glowvox.synthesis.voice import Voice
from glowvox.synthesis.voice_card import read_voice_card
from glowvox.synthesis.voice_folder import open_engines, open_voice_folder

T = TypeVar("T")


@dataclass(frozen=True)
class Cost(Generic[T]):
    """The result of a call and what it cost."""

    result: T
    seconds: float
    """Wall-clock time."""
    peak_bytes: int | None
    """Growth of the resident memory from before the call to its peak during the call; None where the operating
    system does not say (it is read from Linux's process status)."""


def measure(call: Callable[[], T]) -> Cost[T]:
    """Run `call` once and measure it.

    Garbage is collected and free memory given back to the system before, so that what an earlier call left behind does
    not hide what this one takes.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)  # Only the GNU C library has it.
    before = _reset_peak()
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    peak = None if before is None else max(0, _status("VmHWM") - before)
    return Cost(result=result, seconds=seconds, peak_bytes=peak)


def real_time_factor(seconds: float, samples: int, sample_rate: int) -> float:
    """Return computing time over playing time: below 1 is faster than real time.

    Args:
        seconds: computing time.
        samples: samples made, at least one.
        sample_rate: in Hz.
    """
    return seconds * sample_rate / samples


def process_peak_bytes() -> int:
    """Return the largest resident memory of this process since it started."""
    import resource  # Not on Windows, where the rest of this file works without memory figures.

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _reset_peak() -> int | None:
    """Start a new peak at the memory of now and return that, or None where this cannot be done."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        return _status("VmRSS")
    except OSError:
        return None


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")


TEXT = (
    "The north wind and the sun were disputing which was the stronger, when a traveller came along wrapped in a warm "
    "cloak. They agreed that the one who first succeeded in making the traveller take his cloak off should be "
    "considered stronger than the other."
)
CHUNK_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)
_TOKENS_PER_SECOND = 25.0
"""Phonemes and the blanks between them."""


@dataclass(frozen=True)
class Spread:
    """Repeated measurements of one thing."""

    median: float
    percentile_90: float
    worst: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the figures of some values, one at least."""
        return cls(float(np.median(values)), float(np.percentile(values, 90)), float(np.max(values)))


@dataclass(frozen=True)
class ChunkCost:
    """A vocoder as a stream of equal chunks."""

    chunk_seconds: float
    first_audio: Spread
    """Seconds from the first mel frame to the first samples."""
    over_one_shot: float
    """The median of the time that the whole stream takes over that of one call."""


@dataclass(frozen=True)
class EngineSpeed:
    """One engine with one number of threads."""

    load_seconds: float
    vocoder: Spread
    """Real-time factor of one call, refinement and denoiser included."""
    network: Spread
    """Real-time factor of the engine alone."""
    chunks: tuple[ChunkCost, ...]
    peak_bytes: int
    """Largest memory of the process."""
    acoustic: Spread | None = None
    """Real-time factor of the acoustic model, from tokens to mel; None: there is no voice."""
    voice: Spread | None = None
    """Real-time factor from text to samples."""
    voice_first_audio: Spread | None = None
    """Seconds from a text to the first samples."""


def vocoder_speed(path: Path, *, engine: str, threads: int | None, seconds: float, repeats: int) -> EngineSpeed:
    """Measure a vocoder's graph or model folder.

    Args:
        path: see `load_vocoder`.
        engine: its name.
        threads: CPU threads; None: the engine's own choice.
        seconds: of audio.
        repeats: how often everything is done; once more before, for warming up.

    Raises:
        EngineError, MissingExtraError, CheckpointError: see `load_vocoder`.
    """
    loaded = measure(lambda: Vocoder(load_vocoder(path, engine=engine, threads=threads)))
    return _speed(loaded.result, loaded.seconds, seconds, repeats)


def voice_speed(
    name_or_path: str | None, *, engine: str, threads: int | None, seconds: float, repeats: int
) -> EngineSpeed:
    """Measure a voice. See `vocoder_speed` and `load_voice`."""
    with open_voice_folder(find_voice(name_or_path)) as folder:
        card = read_voice_card(folder)
        loaded = measure(lambda: open_engines(folder, card, engine, threads))
    acoustic, vocoder = loaded.result
    speed = _speed(Vocoder(vocoder), loaded.seconds, seconds, repeats)
    voice = Voice(card, acoustic, vocoder)
    length = voice.say(TEXT).duration
    says = _times(lambda: voice.say(TEXT), repeats)
    firsts = _times(lambda: next(chunk for chunk in voice.stream(TEXT) if chunk.samples.size), repeats)
    return dataclasses.replace(
        speed,
        voice=Spread.of([took / length for took in says]),
        acoustic=_acoustic_speed(acoustic, seconds, repeats),
        voice_first_audio=Spread.of(firsts),
        peak_bytes=process_peak_bytes(),
    )


def random_mel(audio: AudioConfig, frames: int) -> NDArray[np.float32]:
    """Return a mel `[M, T]` of values such as speech has, in the contract's units: in nepers -5, deviation 2."""
    scale, shift = bridge(dataclasses.replace(audio, log="ln", mean=0.0, std=1.0), audio)
    values = np.random.default_rng(0).normal(-5.0, 2.0, (audio.n_mels, frames))
    return (scale * values + shift).astype(np.float32)


def _speed(vocoder: Vocoder, load_seconds: float, seconds: float, repeats: int) -> EngineSpeed:
    engine = vocoder.engine
    audio, options = engine.audio, VocoderOptions()
    frames = max(1, round(seconds * audio.frame_rate))
    mel = random_mel(audio, frames)
    length = frames / audio.frame_rate
    latent = whole_latent(engine, options, mel)[None]
    network = _times(lambda: engine.run(latent, mel[None]), repeats)
    whole = _times(lambda: vocoder(mel, options), repeats)
    chunks = tuple(_chunk_cost(vocoder, mel, chunk, whole, repeats) for chunk in CHUNK_SECONDS if chunk < length)
    return EngineSpeed(
        load_seconds,
        Spread.of([took / length for took in whole]),
        Spread.of([took / length for took in network]),
        chunks,
        process_peak_bytes(),
    )


def _times(call: Callable[[], object], repeats: int) -> list[float]:
    call()
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return taken


def _chunk_cost(
    vocoder: Vocoder, mel: NDArray[np.float32], chunk_seconds: float, whole: Sequence[float], repeats: int
) -> ChunkCost:
    chunk = max(1, round(chunk_seconds * vocoder.engine.audio.frame_rate))
    options = VocoderOptions(chunk_frames=chunk)
    firsts, totals = [], []
    for number in range(repeats + 1):
        begun = time.perf_counter()
        first = None
        for samples in _chunks(vocoder, mel, options, chunk):
            if samples.size and first is None:
                first = time.perf_counter() - begun
        total = time.perf_counter() - begun
        if number:
            firsts.append(total if first is None else first)
            totals.append(total)
    return ChunkCost(chunk_seconds, Spread.of(firsts), float(np.median(totals) / np.median(whole)))


def _chunks(
    vocoder: Vocoder, mel: NDArray[np.float32], options: VocoderOptions, chunk: int
) -> Iterator[NDArray[np.float32]]:
    stream = vocoder.stream(options)
    for start in range(0, mel.shape[1], chunk):
        yield stream.push(mel[:, start : start + chunk])
    yield stream.finish()


def _acoustic_speed(engine: AcousticEngine, seconds: float, repeats: int) -> Spread:
    step = engine.n_squeeze
    frames = max(step, round(seconds * engine.audio.frame_rate) // step * step)
    generator = np.random.default_rng(0)
    tokens = generator.integers(0, engine.n_symbols, (1, max(1, round(seconds * _TOKENS_PER_SECOND))))
    latent = generator.standard_normal((1, engine.audio.n_mels, frames), np.float32)
    speaker = None if engine.n_speakers == 1 else np.zeros(1, np.int64)
    harmonics = harmonic_features(np.full((1, frames), 200.0), engine.audio) if engine.melody else None

    def speak() -> None:
        engine.encode(tokens, np.array([tokens.shape[1]]), speaker)
        engine.decode(latent, np.array([frames]), speaker, harmonics)

    length = frames / engine.audio.frame_rate
    return Spread.of([took / length for took in _times(speak, repeats)])
