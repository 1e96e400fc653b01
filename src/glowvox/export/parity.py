"""The proof of an export: the same random inputs through PyTorch and through the engine, at several sizes."""

import dataclasses
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glowvox.config.audio import AudioConfig, bridge
from glowvox.engines.acoustic import AcousticEngine
from glowvox.engines.base import VocoderEngine
from glowvox.engines.torch_engine import TorchAcoustic, TorchVocoder
from glowvox.errors import EngineError
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow

TOLERANCE = 1e-4
"""Largest difference of a float32 graph from PyTorch, relative to the largest value."""
VOCODER_SIZES = ((1, 1), (1, 2), (2, 5), (3, 9), (1, 40))
"""Batches and mel frames."""
ACOUSTIC_SIZES = ((1, 1), (2, 3), (3, 11), (1, 60))
"""Batches and tokens."""
_SIGMA = 0.6

Arrays = tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class Parity:
    """How far an engine's outputs are from PyTorch's."""

    relative_error: float
    """Largest difference over the largest magnitude, of the worst output and size."""
    snr_db: float
    """Energy of PyTorch's outputs over that of the differences, of the worst output; infinite where they are equal."""

    def require(self, what: str) -> None:
        """Refuse a graph that differs by more than `TOLERANCE`.

        Raises:
            EngineError: it does.
        """
        if not self.relative_error <= TOLERANCE:
            raise EngineError(
                f"{what}: the exported graph differs from the PyTorch model by {self.relative_error:.2e} of the "
                f"largest value, at most {TOLERANCE:g} is allowed; nothing was written, please report this as a defect"
            )


def vocoder_parity(model: WaveGlow, engine: VocoderEngine) -> Parity:
    """Compare a vocoder engine with the model."""
    return compared(_vocoder_outputs(TorchVocoder(model), engine))


def acoustic_parity(model: GlowTTS, engine: AcousticEngine) -> Parity:
    """Compare both halves of an acoustic engine with the model, batches with padding included."""
    return compared(_acoustic_outputs(TorchAcoustic(model), engine))


def compared(pairs: Iterable[tuple[Arrays, Arrays]]) -> Parity:
    """Return how far outputs are from those wanted, over all pairs of (found, wanted)."""
    worst, lowest = 0.0, math.inf
    for found, wanted in pairs:
        for one, other in zip(found, wanted, strict=True):
            difference = one.astype(np.float64) - other
            largest, energy = float(np.abs(other).max()), float(np.square(difference).sum())
            if not energy:
                continue
            worst = max(worst, float(np.abs(difference).max()) / max(largest, 1e-9))
            signal = float(np.square(other, dtype=np.float64).sum())
            lowest = min(lowest, 10 * math.log10(max(signal, 1e-30) / energy)) if math.isfinite(energy) else -math.inf
            worst = worst if math.isfinite(energy) else math.inf
    return Parity(worst, lowest)


def random_mel(audio: AudioConfig, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.float32]:
    """Return values such as speech has them, in the units of a mel contract: in nepers -5 with a deviation of 2."""
    scale, shift = bridge(dataclasses.replace(audio, log="ln", mean=0.0, std=1.0), audio)
    return (scale * generator.normal(-5.0, 2.0, shape) + shift).astype(np.float32)


def _vocoder_outputs(reference: TorchVocoder, engine: VocoderEngine) -> Iterator[tuple[Arrays, Arrays]]:
    for batch, frames in VOCODER_SIZES:
        generator = np.random.default_rng(frames)
        mel = random_mel(engine.audio, (batch, engine.audio.n_mels, frames), generator)
        shape = (batch, engine.n_group, frames * engine.groups_per_frame)
        latent = generator.standard_normal(shape, np.float32) * np.float32(_SIGMA)
        yield (engine.run(latent, mel),), (reference.run(latent, mel),)


def _acoustic_outputs(reference: TorchAcoustic, engine: AcousticEngine) -> Iterator[tuple[Arrays, Arrays]]:
    for batch, length in ACOUSTIC_SIZES:
        generator = np.random.default_rng(length)
        tokens = generator.integers(0, engine.n_symbols, (batch, length))
        lengths = np.maximum(1, length - 2 * np.arange(batch))
        speaker = generator.integers(0, engine.n_speakers, batch) if engine.n_speakers > 1 else None
        found, wanted = (one.encode(tokens, lengths, speaker) for one in (engine, reference))
        yield (
            (found.mean, found.log_std, found.log_duration),
            (wanted.mean, wanted.log_std, wanted.log_duration),
        )
        frames = length * engine.n_squeeze
        latent = generator.standard_normal((batch, engine.audio.n_mels, frames), np.float32)
        ends = lengths * engine.n_squeeze
        yield (engine.decode(latent, ends, speaker),), (reference.decode(latent, ends, speaker),)
