"""The fundamental frequency of a voice by YIN.

YIN after A. de Cheveigne and H. Kawahara, "YIN, a fundamental frequency estimator for speech and music", 2002: the
cumulative mean normalised difference function, an absolute threshold, parabolic interpolation (their steps 2 to 5).
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.audio.checks import checked_samples
from glowvox.audio.mel import mel_edges, product
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError

# A harmonic-plus-noise source: what the latent of a voiced sound looks like when its phases are not known.
# A flow that is told the mel spectrogram cannot know the phases of the harmonics; they stay in its latent, which
# for voiced speech is a train of pulses with a flat spectrum rather than white noise. Drawn from white noise,
# speech is whispered, or its harmonics lock to the frames. So what is drawn is what is found: pulses of the pitch
# that the mel implies, their phase carried on from frame to frame, under noise that takes over towards high
# frequencies.
# The pulses are those of a band-limited train, sum_{k=1..K} cos(2 pi k phase) in closed form (Dirichlet's kernel),
# K being the harmonics below half the sample rate, with unit spectral density, through the lapped transform of the
# flow. The idea of exciting a network with a sine of the pitch is that of neural source-filter models (arXiv
# 1810.11946).


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


@dataclass(frozen=True)
class PitchTrack:
    """Fundamental frequency over time."""

    times: NDArray[np.float64]
    """Centre of each frame in seconds, `[T]`."""
    frequency: NDArray[np.float64]
    """Hz, NaN where the frame is not voiced, `[T]`."""

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Whether each frame is voiced, `[T]`."""
        return ~np.isnan(self.frequency)

    def span(self) -> tuple[float, float, float] | None:
        """Return the 5th, 50th and 95th percentile in Hz, or None when no frame is voiced."""
        voiced = self.frequency[self.voiced]
        if not voiced.size:
            return None
        low, middle, high = np.percentile(voiced, [5, 50, 95])
        return float(low), float(middle), float(high)


def track_pitch(
    samples: ArrayLike,
    sample_rate: int,
    *,
    hop_length: int = 256,
    f_min: float = 60.0,
    f_max: float = 500.0,
    threshold: float = 0.2,
) -> PitchTrack:
    """Estimate the fundamental frequency of speech.

    Args:
        samples: `[S]`; frame t is centred on sample `t * hop_length`.
        sample_rate: in Hz.
        hop_length: samples between frames.
        f_min: lowest frequency in Hz; a frame integrates over one of its periods.
        f_max: highest frequency in Hz.
        threshold: of the normalised difference, below which a frame counts as voiced (0.1 strict, 0.3 lenient).

    Returns:
        One frequency for each of the `S // hop_length + 1` frames.

    Raises:
        AudioError: not finite, or a range that does not fit the rate.
    """
    signal = checked_samples(np.asarray(samples, dtype=np.float64))
    if not 0 < f_min < f_max <= sample_rate / 4 or hop_length < 1:
        raise AudioError(f"no pitch between {f_min} and {f_max} Hz at {sample_rate} Hz and hop {hop_length}")
    longest = int(np.ceil(sample_rate / f_min)) + 1
    shortest = int(np.floor(sample_rate / f_max))
    frames = signal.size // hop_length + 1
    padded = np.pad(signal, (longest, 2 * longest))
    frequency = np.full(frames, np.nan)
    silence = 1e-6 * max(float(np.mean(signal**2)), 1e-12)
    # A few hundred frames at a time bound the memory for long recordings.
    for first in range(0, frames, 256):
        starts = np.arange(first, min(frames, first + 256)) * hop_length
        block = padded[starts[:, None] + np.arange(2 * longest)]
        difference = _normalised_difference(block, longest)
        for row, curve in enumerate(difference):
            if np.mean(block[row] ** 2) > silence:
                period = _first_dip(curve, shortest, threshold)
                if period is not None:
                    frequency[first + row] = sample_rate / period
    return PitchTrack(times=np.arange(frames) * hop_length / sample_rate, frequency=frequency)


def _normalised_difference(block: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """Cumulative mean normalised difference d'(lag), lag = 0..longest-1, of frames `[F, 2 * longest]` (eq. 6, 8)."""
    size = 1 << int(3 * longest - 1).bit_length()
    spectrum = np.fft.rfft(block, size)
    head = np.fft.rfft(block[:, :longest], size)
    correlation = np.fft.irfft(spectrum * np.conj(head), size)[:, :longest]
    energy = np.concatenate([np.zeros((len(block), 1)), np.cumsum(block**2, axis=1)], axis=1)
    moving = energy[:, longest : 2 * longest] - energy[:, :longest]
    difference = np.maximum(moving[:, :1] + moving - 2.0 * correlation, 0.0)
    running = np.cumsum(difference[:, 1:], axis=1)
    lags = np.arange(1, longest)
    normalised = difference[:, 1:] * lags / np.maximum(running, 1e-20)
    return np.concatenate([np.ones((len(block), 1)), normalised], axis=1)


def _first_dip(curve: NDArray[np.float64], shortest: int, threshold: float) -> float | None:
    """Return the period in samples at the first local minimum below the threshold, interpolated, or None."""
    below = np.flatnonzero(curve[shortest:-1] < threshold)
    if not below.size:
        return None
    lag = shortest + int(below[0])
    while lag + 1 < curve.size - 1 and curve[lag + 1] < curve[lag]:
        lag += 1
    left, middle, right = curve[lag - 1], curve[lag], curve[lag + 1]
    curvature = left - 2.0 * middle + right
    return lag + (0.5 * (left - right) / curvature if curvature > 0 else 0.0)


BINS = 96
CHANNELS = BINS + 1
"""Logits of the bins, then the log odds of voicing."""
LOG_CENTRES: NDArray[np.float64] = np.linspace(np.log(LOWEST_HZ), np.log(HIGHEST_HZ), BINS)
_WIDTH = float(LOG_CENTRES[1] - LOG_CENTRES[0])
AROUND = 4
"""Bins on each side of the likeliest one that are averaged."""


def read_pitch(logits: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Decode a predictor's logits `[..., CHANNELS, T]`: pitch in Hz and voicing from 0 to 1, both `[..., T]`.

    After CREPE (arXiv 1802.06182, section 2.2): the pitch is the average of the bins around the likeliest one.
    """
    bins = np.moveaxis(np.asarray(logits[..., :BINS, :], np.float64), -2, -1)
    odds = np.clip(np.asarray(logits[..., BINS, :], np.float64), -50.0, 50.0)
    peak = bins.argmax(-1)
    places = np.clip(peak[..., None] + np.arange(-AROUND, AROUND + 1), 0, BINS - 1)
    near = np.take_along_axis(bins, places, -1)
    weights = np.exp(near - near.max(-1, keepdims=True))
    log_pitch = (weights * LOG_CENTRES[places]).sum(-1) / weights.sum(-1)
    return np.exp(log_pitch), 1.0 / (1.0 + np.exp(-odds))


def target_bins(frequency: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what the bins `[..., BINS, T]` shall hold for a pitch `[..., T]` in Hz, NaN where unvoiced; and voicing.

    A voiced frame has a normal distribution one bin wide around its pitch; an unvoiced one nothing.
    """
    voiced = np.isfinite(frequency)
    log_pitch = np.log(np.where(voiced, np.clip(frequency, LOWEST_HZ, HIGHEST_HZ), LOWEST_HZ))
    distance = (log_pitch[..., None, :] - LOG_CENTRES[:, None]) / _WIDTH
    weights = np.exp(-0.5 * distance**2)
    weights *= voiced[..., None, :] / weights.sum(-2, keepdims=True)
    return weights.astype(np.float32), voiced.astype(np.float32)


REFERENCE_HZ = 180.0
"""The pitch whose logarithm is taken as zero."""
LOG_PITCH_STD = 0.25
"""What the logarithm of a pitch is divided by: about its standard deviation in one speaker's reading."""
_BELOW_HZ = 3000.0
"""Mel bins above it are too wide to tell the harmonics of a voice apart."""


def n_harmonic_features(config: AudioConfig) -> int:
    """Return the number of channels K of `harmonic_features`."""
    return 2 + len(harmonic_bins(config)[0])


def harmonic_features(pitch: NDArray[np.floating], config: AudioConfig) -> NDArray[np.float32]:
    """Return the harmonic features of a pitch contour, which tell a network where its harmonics lie: `[..., K, T]`.

    The spectrum of a voiced sound repeats every f0 Hz; over the mel bins it looks like cos(2 pi f / f0), f being the
    centre of a bin. A bin that is wider than a harmonic sees less of it: a triangle of half width w lets
    sinc(w / f0)**2 of the cosine through. Given this, a network need not learn from one number per frame where eighty
    bins have their peaks.

    The channels are voicing (0 or 1), log pitch, and the cosine of every mel bin below 3 kHz; unvoiced frames are zero.

    Args:
        pitch: Hz, `[..., T]`, 0 where unvoiced.
        config: the mel contract.
    """
    centres, widths = harmonic_bins(config)
    voiced = np.asarray(pitch) > 0
    hertz = np.where(voiced, pitch, REFERENCE_HZ)[..., None, :]
    cosine = np.cos(2 * np.pi * centres[:, None] / hertz) * np.sinc(widths[:, None] / hertz) ** 2
    height = np.log(hertz / REFERENCE_HZ) / LOG_PITCH_STD
    channels = np.concatenate([np.ones_like(height), height, cosine], -2) * voiced[..., None, :]
    return channels.astype(np.float32)


@functools.lru_cache
def harmonic_bins(config: AudioConfig) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centre and half width in Hz of the mel bins below `_BELOW_HZ`."""
    edges = mel_edges(config)
    centres, widths = edges[1:-1], (edges[2:] - edges[:-2]) / 2
    below = centres < _BELOW_HZ
    return centres[below], widths[below]


def token_pitch(
    pitch: NDArray[np.floating], frames: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each token's mean log pitch and the share of its frames that are voiced, both `[L]`.

    Across unvoiced frames the logarithm of the pitch is interpolated, so that every token has one. It is relative to
    `REFERENCE_HZ`, in units of `LOG_PITCH_STD`.

    Args:
        pitch: Hz `[T]`, 0 where unvoiced.
        frames: of each token `[L]`; they sum to T or less. A token without frames has the pitch at its place.
    """
    voiced = np.asarray(pitch) > 0
    places = np.arange(len(pitch))
    height = np.zeros(len(pitch))
    if voiced.any():
        known = np.log(np.asarray(pitch, np.float64)[voiced] / REFERENCE_HZ) / LOG_PITCH_STD
        height = np.interp(places, places[voiced], known)
    ends = np.cumsum(frames)
    starts = ends - frames
    count = np.maximum(frames, 1)
    sums = np.concatenate([[0.0], np.cumsum(height)])
    shares = np.concatenate([[0.0], np.cumsum(voiced)])
    nearest = height[np.minimum(starts, len(pitch) - 1)]
    mean = np.where(frames > 0, (sums[ends] - sums[starts]) / count, nearest)
    return mean.astype(np.float32), ((shares[ends] - shares[starts]) / count).astype(np.float32)


def pitch_contour(
    height: NDArray[np.floating], voicing: NDArray[np.floating], frames: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return the pitch in Hz `[T]`, 0 where unvoiced: straight lines between the middles of the tokens.

    Args:
        height: log pitch of each token `[L]`, as `token_pitch` has it.
        voicing: log odds of each token being voiced, `[L]`; a frame is voiced where their interpolation is positive.
        frames: of each token `[L]`; T is their sum. Tokens without frames have no say.
    """
    heard = frames > 0
    ends = np.cumsum(frames)
    middles = (ends - frames / 2)[heard]
    places = np.arange(int(ends[-1]) if len(ends) else 0) + 0.5
    if not len(middles):
        return np.zeros(0)
    line = np.interp(places, middles, np.asarray(height, np.float64)[heard])
    odds = np.interp(places, middles, np.clip(np.asarray(voicing, np.float64)[heard], -4.0, 4.0))
    pitch = np.clip(REFERENCE_HZ * np.exp(LOG_PITCH_STD * line), LOWEST_HZ, HIGHEST_HZ)
    return np.where(odds > 0, pitch, 0.0)


def varied(
    height: NDArray[np.floating],
    voicing: NDArray[np.floating],
    frames: NDArray[np.integer],
    *,
    shift: float | NDArray[np.floating] = 0.0,
    spread: float = 1.0,
) -> NDArray[np.float32]:
    """Return another pitch contour `[L]`: raised, and wider or narrower about its mean over the voiced frames.

    Args:
        height: log pitch of each token `[L]`, as `token_pitch` has it.
        voicing: log odds of each token being voiced, `[L]`.
        frames: of each token `[L]`.
        shift: semitones, of all or of each token `[L]`.
        spread: factor on the distance from the mean.
    """
    weights = frames * (voicing > 0)
    mean = float((height * weights).sum() / max(int(weights.sum()), 1))
    result: NDArray[np.float32] = (mean + spread * (height - mean) + shift * np.log(2) / 12 / LOG_PITCH_STD).astype(
        np.float32
    )
    return result
