"""A harmonic-plus-noise source: what the latent of a voiced sound looks like when its phases are not known.

A flow that is told the mel spectrogram cannot know the phases of the harmonics; they stay in its latent, which for
voiced speech is a train of pulses with a flat spectrum rather than white noise. Drawn from white noise, speech is
whispered, or its harmonics lock to the frames. So what is drawn is what is found: pulses of the pitch that the mel
implies, their phase carried on from frame to frame, under noise that takes over towards high frequencies.

The pulses are those of a band-limited train, sum_{k=1..K} cos(2 pi k phase) in closed form (Dirichlet's kernel), K
being the harmonics below half the sample rate, with unit spectral density, through the lapped transform of the flow.
The idea of exciting a network with a sine of the pitch is that of neural source-filter models (arXiv 1810.11946).
"""

import functools

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.stft import product

_HARMONIC_BELOW_HZ = 3000.0
"""Up to here the source of a voiced sound is harmonic; above, noise takes over step by step."""
_NOISE_ABOVE_HZ = 9000.0
_LEAST_HARMONIC = 0.15
_LEAST_NOISE = 0.1
LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0
"""Range of the pitch."""


class HarmonicSource:
    """Makes lapped coefficients of a source from a pitch track; `stream` does it piece by piece.

    Args:
        sample_rate: in Hz.
        hop_length: samples between frames, and channels of the lapped transform.
    """

    def __init__(self, sample_rate: int, hop_length: int) -> None:
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        frequency = (np.arange(hop_length) + 0.5) * sample_rate / (2 * hop_length)
        above = (frequency - _HARMONIC_BELOW_HZ) / (_NOISE_ABOVE_HZ - _HARMONIC_BELOW_HZ)
        harmonic = np.clip(1.0 - above, _LEAST_HARMONIC, 1.0)
        self.harmonic_gain: NDArray[np.float32] = harmonic[:, None].astype(np.float32)
        """Of the pulses in a voiced sound, `[hop_length, 1]`."""
        noise = np.maximum(np.sqrt(1.0 - harmonic**2), _LEAST_NOISE)
        self.noise_gain: NDArray[np.float32] = noise[:, None].astype(np.float32)
        """Of the noise in a voiced sound, `[hop_length, 1]`; in an unvoiced one it is 1."""

    def __call__(
        self, frequency: NDArray[np.floating], voicing: NDArray[np.floating], phase: float = 0.0
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the pulses' coefficients and the gain of the noise, both `[hop_length, T]`.

        Args:
            frequency: Hz, `[T]`; frame t is at sample `t * hop_length`.
            voicing: 0 to 1, `[T]`.
            phase: of the pulses at the first sample, in periods.
        """
        stream = HarmonicStream(self, phase)
        first, last = stream.push(frequency, voicing), stream.finish()
        return np.concatenate([first[0], last[0]], 1), np.concatenate([first[1], last[1]], 1)

    def stream(self) -> "HarmonicStream":
        """Return a stream of the same; joined, its pieces are the whole."""
        return HarmonicStream(self)


class HarmonicStream:
    """The source while its pitch becomes known. A frame is ready when the two frames after it are known."""

    look_ahead = 2

    def __init__(self, source: HarmonicSource, phase: float = 0.0) -> None:
        self._source = source
        self._frequency = np.empty(0)
        self._voicing = np.empty(0)
        """Of the frames from the first one on whose block of samples was not made."""
        self._phase = phase
        """At the first of them, in periods."""
        self._blocks = np.empty((0, source.hop_length))
        """Blocks of samples that later coefficients need: the one before the next frame, that frame's, and later."""
        self._block_voicing = np.empty(0)
        self._started = False

    def push(
        self, frequency: NDArray[np.floating], voicing: NDArray[np.floating]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Take the pitch in Hz `[t]` and the voicing `[t]` of frames; return what is ready, see `HarmonicSource`."""
        self._frequency = np.concatenate([self._frequency, np.clip(frequency, LOWEST_HZ, HIGHEST_HZ)])
        self._voicing = np.concatenate([self._voicing, np.clip(voicing, 0.0, 1.0)])
        self._make_blocks()
        return self._coefficients(ended=False)

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """End the stream: the last pitch stays as it is to the end."""
        if len(self._frequency):
            self._frequency = np.append(self._frequency, self._frequency[-1])
            self._voicing = np.append(self._voicing, self._voicing[-1])
            self._make_blocks()
        return self._coefficients(ended=True)

    def _make_blocks(self) -> None:
        """Make the samples of every block whose both ends have a pitch."""
        count = len(self._frequency) - 1
        if count < 1:
            return
        hop, rate = self._source.hop_length, self._source.sample_rate
        start, end = self._frequency[:-1, None], self._frequency[1:, None]
        periods = np.cumsum(np.append(self._phase, hop * (start + end)[:, 0] / (2 * rate)))
        inside = np.arange(hop) / hop
        frequency = start + (end - start) * inside
        phase = periods[:-1, None] + (start * inside + (end - start) * inside**2 / 2) * (hop / rate)
        pulses = 2.0 * np.sqrt(frequency / rate) * _pulse_train(phase, np.floor(rate / 2 / frequency))
        self._blocks = np.concatenate([self._blocks, pulses])
        self._block_voicing = np.append(self._block_voicing, (self._voicing[:-1] + self._voicing[1:]) / 2)
        self._phase = float(periods[-1] % 1.0)
        self._frequency, self._voicing = self._frequency[-1:], self._voicing[-1:]

    def _coefficients(self, *, ended: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Transform the blocks whose neighbours are known, or whose neighbour is an end."""
        first = int(self._started)
        count = len(self._blocks) - first - (0 if ended else 1)
        if count < 1:
            return (np.empty((self._source.hop_length, 0), np.float32),) * 2
        needed = self._blocks[: first + count + (0 if ended else 1)]
        coefficients = lapped_coefficients(needed)[first : first + count].T
        voicing = self._block_voicing[first : first + count]
        self._blocks, self._block_voicing = self._blocks[first + count - 1 :], self._block_voicing[first + count - 1 :]
        self._started = True
        source = self._source
        pulses = coefficients * source.harmonic_gain * voicing
        return pulses.astype(np.float32), (1.0 - voicing + voicing * source.noise_gain).astype(np.float32)


def _pulse_train(phase: NDArray[np.float64], harmonics: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sum_{k=1..K} cos(2 pi k phase), the phase in periods."""
    half = np.pi * (phase - np.round(phase))
    sine = np.sin(half)
    near = np.abs(sine) < 1e-9
    ratio = np.sin((2.0 * harmonics + 1.0) * half) / np.where(near, 1.0, sine)
    return np.where(near, harmonics, 0.5 * ratio - 0.5)


@functools.lru_cache(maxsize=4)
def _constants(hop: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    angle = np.pi / 4 + np.pi / (2 * hop) * (np.arange(hop // 2) + 0.5)
    index = np.arange(hop) + 0.5
    return np.sin(angle), np.cos(angle), np.sqrt(2.0 / hop) * np.cos(np.pi / hop * index[:, None] * index[None, :])


def lapped_coefficients(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the orthonormal lapped transform `[T, hop]` of blocks of samples `[T, hop]`, as `flows.Lapped` has it."""
    half = blocks.shape[1] // 2
    sine, cosine, basis = _constants(blocks.shape[1])
    folded = blocks.copy()
    before, after = blocks[:-1, half:][:, ::-1], blocks[1:, :half]
    folded[:-1, half:] = (sine * before - cosine * after)[:, ::-1]
    folded[1:, :half] = sine * after + cosine * before
    return product(folded, basis)
