"""The proof of an export: the same random inputs through PyTorch and through the engine, at several sizes.

Where weights are ill-conditioned, float32 cannot tell two right programs apart: PyTorch itself is then further
from the true value than the tolerance. So an export that differs is measured against float64, and so is PyTorch.
"""

import copy
import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.pitch import harmonic_features
from glowvox.config.audio import AudioConfig, bridge
from glowvox.engines.base import AcousticEngine, EncodedText, VocoderEngine
from glowvox.engines.torch_engine import TorchAcoustic, TorchVocoder
from glowvox.errors import EngineError
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow

TOLERANCE = 1e-4
"""Largest difference of a float32 graph from PyTorch, relative to the largest value."""
SLACK = 2.0
"""An export may be this many times as far from float64 as float32 PyTorch is, where both are beyond the tolerance."""
VOCODER_SIZES = ((1, 1), (1, 2), (2, 5), (3, 9), (1, 40))
"""Batches and mel frames."""
ACOUSTIC_SIZES = ((1, 1), (2, 3), (3, 11), (1, 60))
"""Batches and tokens."""
_SIGMA = 0.6

Arrays = tuple[NDArray[np.float32], ...]
EngineT = TypeVar("EngineT", VocoderEngine, AcousticEngine)


@dataclass(frozen=True)
class Parity:
    """How far an engine's outputs are from PyTorch's."""

    relative_error: float
    """Largest difference over the largest magnitude, of the worst output and size."""
    snr_db: float
    """Energy of PyTorch's outputs over that of the differences, of the worst output; infinite where they are equal."""
    rounding: float = 0.0
    """How far PyTorch in float32 is from PyTorch in float64, which `relative_error` was then measured against too; 0:
    not measured, float32 was compared with float32."""

    @property
    def allowed(self) -> float:
        """The largest relative error of a right graph."""
        return max(TOLERANCE, SLACK * self.rounding)

    def as_dict(self) -> dict[str, float | None]:
        """Return the figures for JSON, which has no infinity: outputs that are equal have no ratio."""
        return {"relative_error": self.relative_error, "snr_db": self.snr_db if math.isfinite(self.snr_db) else None}

    def __str__(self) -> str:
        """Return the figures for people."""
        snr = f"{self.snr_db:.1f} dB" if math.isfinite(self.snr_db) else "equal"
        return f"largest difference {self.relative_error:.1e} of the largest value, signal to noise {snr}"

    def require(self, what: str) -> None:
        """Refuse a graph that differs by more than is `allowed`.

        Raises:
            EngineError: it does.
        """
        if not self.relative_error <= self.allowed:
            of = f" (in float32 that is {self.rounding:.1e} from float64 itself)" if self.allowed > TOLERANCE else ""
            raise EngineError(
                f"{what}: the exported graph differs from the PyTorch model{of} by {self.relative_error:.2e} of the "
                f"largest value, at most {self.allowed:.1g} is allowed; nothing was written, please report this as a "
                "defect"
            )


def vocoder_parity(model: WaveGlow, engine: VocoderEngine, *, proof: bool = False) -> Parity:
    """Compare a vocoder engine with the model.

    Args:
        model: the weights.
        engine: of what was exported.
        proof: whether the graph shall be proved right: where float32 cannot tell, both are compared with float64.
    """
    return _parity(model, engine, TorchVocoder, _vocoder_outputs, proof=proof)


def acoustic_parity(model: GlowTTS, engine: AcousticEngine, *, proof: bool = False) -> Parity:
    """Compare both halves of an acoustic engine with the model, batches with padding included; see `vocoder_parity`."""
    return _parity(model, engine, TorchAcoustic, _acoustic_outputs, proof=proof)


def _parity(
    model: WaveGlow | GlowTTS,
    engine: EngineT,
    torch_engine: Callable[..., EngineT],
    outputs: Callable[[EngineT, EngineT], Iterator[tuple[Arrays, Arrays]]],
    *,
    proof: bool,
) -> Parity:
    """Compare an engine with PyTorch's; where a proof is asked for that float32 cannot give, compare both with float64.

    Args:
        model: the weights.
        engine: of what was exported.
        torch_engine: makes PyTorch's engine of the model.
        outputs: of an engine, beside those of the reference, which is its first argument.
        proof: see `vocoder_parity`.
    """
    reference = torch_engine(model)
    found = compared(outputs(reference, engine))
    if not proof or found.relative_error <= TOLERANCE:
        return found
    exact = torch_engine(copy.deepcopy(model), dtype="float64")
    found, own = (compared(outputs(exact, one)) for one in (engine, reference))
    return dataclasses.replace(found, rounding=own.relative_error if math.isfinite(own.relative_error) else 0.0)


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


def _vocoder_outputs(reference: VocoderEngine, engine: VocoderEngine) -> Iterator[tuple[Arrays, Arrays]]:
    for batch, frames in VOCODER_SIZES:
        generator = np.random.default_rng(frames)
        mel = random_mel(engine.audio, (batch, engine.audio.n_mels, frames), generator)
        shape = (batch, engine.n_group, frames * engine.groups_per_frame)
        latent = generator.standard_normal(shape, np.float32) * np.float32(_SIGMA)
        yield (engine.run(latent, mel),), (reference.run(latent, mel),)


def _acoustic_outputs(reference: AcousticEngine, engine: AcousticEngine) -> Iterator[tuple[Arrays, Arrays]]:
    for batch, length in ACOUSTIC_SIZES:
        generator = np.random.default_rng(length)
        tokens = generator.integers(0, engine.n_symbols, (batch, length))
        lengths = np.maximum(1, length - 2 * np.arange(batch))
        speaker = generator.integers(0, engine.n_speakers, batch) if engine.n_speakers > 1 else None
        found, wanted = (one.encode(tokens, lengths, speaker) for one in (engine, reference))
        yield _arrays(found), _arrays(wanted)
        frames = length * engine.n_squeeze
        latent = generator.standard_normal((batch, engine.audio.n_mels, frames), np.float32)
        ends = lengths * engine.n_squeeze
        pitch = generator.uniform(80, 300, (batch, frames)) * (generator.random((batch, frames)) > 0.3)
        given = latent, ends, speaker, harmonic_features(pitch, engine.audio) if engine.melody else None
        yield (engine.decode(*given),), (reference.decode(*given),)


def _arrays(encoded: EncodedText) -> Arrays:
    arrays = encoded.mean, encoded.log_std, encoded.log_duration
    return arrays if encoded.melody is None else (*arrays, encoded.melody)
