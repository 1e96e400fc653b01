"""The bias denoiser: takes a constant spectrum, a vocoder's own hum or a recording's noise, out of audio.

A flow vocoder fed an all-zero mel without noise gives its bias, a faint tone at multiples of rate / group. Its
magnitude spectrum is subtracted from every frame: |Y| = max(|X| - strength |B|, 0), with the phase of X (the denoiser
published with WaveGlow; spectral subtraction after Boll 1979).
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.audio.checks import checked_rate, checked_samples
from glowvox.audio.mel import hann_window, overlap_add, stft
from glowvox.errors import AudioError, one_line

_BLOCK = 1 << 16
"""Samples denoised at once; the memory does not grow with the audio."""


class BiasDenoiser:
    """Subtracts a bias spectrum from audio; `stream` does the same piece by piece."""

    def __init__(self, bias: Any, *, n_fft: int = 1024, hop_length: int = 256) -> None:
        """Take the bias.

        Args:
            bias: the bias audio [S], whose first STFT frame is the bias; or a magnitude spectrum
                [n_fft // 2 + 1, 1], told from audio by its rank.
            n_fft: FFT size and window length in samples.
            hop_length: samples between frames.

        Raises:
            AudioError: the bias is too short, not finite, negative as a spectrum, or of another size.
        """
        if n_fft < 4 or n_fft % 2 or not 0 < hop_length < n_fft // 2 or n_fft % hop_length:
            raise AudioError(
                f"the denoiser needs an even FFT size and a hop that divides it into at least 3 parts, "
                f"got {n_fft} and {hop_length}"
            )
        self.n_fft, self.hop_length = n_fft, hop_length
        array = checked_samples(bias, max_rank=2)
        if array.ndim == 1:
            # Only the first frame counts: it reaches half a window in, and its reflection one sample more.
            array = np.abs(stft(array[: n_fft // 2 + 1], n_fft, hop_length, n_fft)[:, :1])
        if array.shape != (n_fft // 2 + 1, 1):
            raise AudioError(f"a bias spectrum must have the shape [{n_fft // 2 + 1}, 1], got {list(array.shape)}")
        if array.min() < 0:
            raise AudioError("a bias spectrum holds magnitudes, which cannot be negative")
        self.spectrum: NDArray[np.float32] = array.astype(np.float32)
        """Magnitudes [n_fft // 2 + 1, 1]."""

    @classmethod
    def from_noise(cls, noise: Any, *, n_fft: int = 1024, hop_length: int = 256) -> "BiasDenoiser":
        """Return a denoiser whose bias is the mean magnitude of a passage [S] that holds nothing but noise.

        Raises:
            AudioError: the passage is shorter than one window, or not finite.
        """
        samples = checked_samples(noise)
        if len(samples) < n_fft:
            raise AudioError(f"the noise passage has {len(samples)} samples; at least {n_fft} are needed")
        frames = np.abs(stft(samples, n_fft, hop_length, n_fft, center=False))
        return cls(frames.mean(axis=1, keepdims=True), n_fft=n_fft, hop_length=hop_length)

    def __call__(self, samples: Any, strength: float = 0.01) -> NDArray[np.float32]:
        """Return the samples [S] without the bias, float32.

        Args:
            samples: mono, at the sample rate of the bias.
            strength: how many times the bias is subtracted; 0 changes nothing.

        Raises:
            AudioError: the samples are not finite mono samples, or the strength is negative or not finite.
        """
        signal = checked_samples(samples)
        stream = self.stream(strength)
        pieces = [stream.push(signal[start : start + _BLOCK]) for start in range(0, len(signal), _BLOCK)]
        return np.concatenate([*pieces, stream.finish()])

    def stream(self, strength: float = 0.01) -> "DenoiserStream":
        """Return a stream that takes audio in pieces of any size; joined, its output is that of the whole."""
        return DenoiserStream(self, strength)


class DenoiserStream:
    """Denoises audio that arrives in pieces, about one window behind."""

    def __init__(self, denoiser: BiasDenoiser, strength: float) -> None:
        if not np.isfinite(strength) or strength < 0:
            raise AudioError(f"the strength of the denoiser must be a number of at least 0, got {strength}")
        self._n_fft, self._hop = denoiser.n_fft, denoiser.hop_length
        self._subtracted = denoiser.spectrum[:, 0] * np.float32(strength)
        self._window = hann_window(self._n_fft).astype(np.float32)
        self._waiting = np.empty(0, np.float32)
        """Padded input from the first frame that was not transformed."""
        self._tail = np.zeros(self._n_fft - self._hop, np.float32)
        self._weight_tail = np.zeros(self._n_fft - self._hop, np.float32)
        """Overlap-added output that later frames still add to, and its sum of squared windows."""
        self._received = 0
        self._given = 0
        self._padding = self._n_fft // 2
        """Samples of output before the first true one, still to be dropped."""
        self._finished = False

    def push(self, samples: Any) -> NDArray[np.float32]:
        """Take samples [S] (none is allowed) and return those that are ready.

        Raises:
            AudioError: the samples are not finite mono samples, or the stream has ended.
        """
        if self._finished:
            raise AudioError("this denoiser stream has ended; make a new one")
        if not np.size(samples):
            return np.empty(0, np.float32)
        signal = checked_samples(samples).astype(np.float32, copy=False)
        half = self._n_fft // 2
        started = self._received > half
        self._received += len(signal)
        self._waiting = np.concatenate([self._waiting, signal])
        if self._received <= half:
            return np.empty(0, np.float32)
        if not started:
            self._waiting = np.concatenate([self._waiting[half:0:-1], self._waiting])
        return self._run()

    def finish(self) -> NDArray[np.float32]:
        """End the stream and return the samples that were still on their way."""
        if self._finished:
            raise AudioError("this denoiser stream has ended; make a new one")
        self._finished = True
        if not self._received:
            return np.empty(0, np.float32)
        half = self._n_fft // 2
        if self._received <= half:
            # Too short for a reflection: silence follows it.
            self._waiting = np.pad(self._waiting, (0, half + 1 - self._received))
            self._waiting = np.concatenate([self._waiting[half:0:-1], self._waiting])
        # More than half a window waits always, because a hop is less than that.
        self._waiting = np.concatenate([self._waiting, self._waiting[-2 : -half - 2 : -1]])
        joined = np.concatenate([self._run(), self._without_padding(self._tail / _divisor(self._weight_tail))])
        return joined[: len(joined) - (self._given - self._received)]

    def _run(self) -> NDArray[np.float32]:
        """Transform every whole frame of the waiting input and return the output that no later frame changes."""
        n_frames = 1 + (len(self._waiting) - self._n_fft) // self._hop
        if n_frames < 1:
            return np.empty(0, np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(self._waiting, self._n_fft)[
            : n_frames * self._hop : self._hop
        ]
        spectrum = np.fft.rfft(frames * self._window, axis=-1)
        magnitude = np.abs(spectrum)
        kept = np.maximum(magnitude - self._subtracted, 0.0) / np.maximum(magnitude, np.finfo(np.float32).tiny)
        clean: NDArray[np.float32] = np.fft.irfft(spectrum * kept, self._n_fft, axis=-1).astype(np.float32)
        clean *= self._window
        squares = np.broadcast_to(self._window * self._window, clean.shape)
        total = overlap_add(clean, self._hop, self._tail)
        weight = overlap_add(squares, self._hop, self._weight_tail)
        done = n_frames * self._hop
        self._tail, self._weight_tail = total[done:].copy(), weight[done:].copy()
        self._waiting = self._waiting[done:].copy()
        return self._without_padding(total[:done] / _divisor(weight[:done]))

    def _without_padding(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        dropped = min(self._padding, len(output))
        self._padding -= dropped
        self._given += len(output) - dropped
        return output[dropped:]


def _divisor(weight: NDArray[np.float32]) -> NDArray[Any]:
    return np.where(weight > 1e-8, weight, np.float32(1.0))


def write_bias(path: str | os.PathLike[str], denoiser: BiasDenoiser, sample_rate: int, *, strength: float) -> None:
    """Write the bias spectrum of a denoiser to a .safetensors file, with the sample rate and sizes that it holds for.

    Args:
        path: the file to write.
        denoiser: whose spectrum and sizes are kept.
        sample_rate: of the audio that the bias belongs to, in Hz.
        strength: how much of it should be subtracted where the user does not say.

    Raises:
        AudioError: the file name ends otherwise, or it cannot be written.
    """
    import safetensors.numpy

    if Path(path).suffix.lower() != ".safetensors":
        raise AudioError(f"{path}: a stored bias ends in .safetensors")
    facts = {
        "sample_rate": str(checked_rate(sample_rate)),
        "n_fft": str(denoiser.n_fft),
        "hop_length": str(denoiser.hop_length),
        "strength": repr(float(strength)),
    }
    with replacing(path) as stream:
        stream.write(safetensors.numpy.save({"bias": denoiser.spectrum}, metadata=facts))


def read_bias(path: str | os.PathLike[str]) -> tuple[BiasDenoiser, int, float]:
    """Return the denoiser stored in a file, the sample rate in Hz it is for, and its usual strength.

    Raises:
        AudioError: the file is missing, damaged, or not a stored bias.
    """
    import safetensors

    if not Path(path).is_file():
        raise AudioError(f"there is no file {path}")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            spectrum = np.asarray(file.get_tensor("bias"))
            facts = file.metadata() or {}
        n_fft, hop_length = int(facts["n_fft"]), int(facts["hop_length"])
        sample_rate, strength = int(facts["sample_rate"]), float(facts["strength"])
    except (safetensors.SafetensorError, OSError, KeyError, ValueError, TypeError, MemoryError) as problem:
        line = one_line(problem, limit=200)
        raise AudioError(f"{path} is damaged or not a stored bias: {line}") from problem
    if spectrum.ndim != 2:
        raise AudioError(f"{path}: a bias spectrum must have the shape [n_fft // 2 + 1, 1], got {list(spectrum.shape)}")
    try:
        return BiasDenoiser(spectrum, n_fft=n_fft, hop_length=hop_length), checked_rate(sample_rate), strength
    except AudioError as problem:
        raise AudioError(f"{path}: {problem}") from problem
