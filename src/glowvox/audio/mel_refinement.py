"""Mel refinement: a signal gets the mel spectrogram that it was made from, by a few passes of a spectral gain.

A vocoder is told the mel spectrogram M of what it shall say, and what it says has a mel spectrogram M' that differs. A
pass measures M', spreads the log ratio over the bins of the spectrum as the filters weigh them, multiplies, and adds
the frames up again:

    log g[f, t] = strength * sum_m w[m, f] (log M[m, t] - log M'[m, t]) / sum_m w[m, f]

The phases stay the vocoder's; their consistency with the magnitudes is restored as in Griffin and Lim (1984), whose
iteration this is, with a vocoder's output in place of random phases and a smooth gain in place of a fixed magnitude.

The last pass may hold a postfilter, as speech codecs have one (Chen and Gersho 1995): it deepens the valleys between
the harmonics and between the formants, which a vocoder fills with noise. What lies below the level around it is
lowered and what stands out is raised, by a power of the ratio:

    log p[f, t] = postfilter * fade[f] * log(|X[f, t]| / rms of |X[., t]| around f)

As in those (their automatic gain control), a frame keeps its energy: all of log p is shifted by what it takes.
"""

import functools
import math
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import LOG_UNITS, BandedMatrix, hann_window, mel_filterbank, overlap_add
from glowvox.config.audio import AudioConfig
from glowvox.errors import MelError

STRENGTH = 1.5
"""More than 1, because adding the frames up takes back a part of every gain."""
LARGEST_STEP = math.log(3.0)
"""Of one pass, in nepers: a gain beyond this would mostly lift noise."""
MOST_PASSES = 100
MOST_POSTFILTER = 1.0
AROUND_HZ = 430.0
"""The level around a frequency is measured so far on either side: some harmonics of a high voice."""
_FULL_BELOW_HZ, _NONE_ABOVE_HZ = 5000.0, 7500.0
"""The postfilter fades between them: above, speech has few harmonics, and consonants are noise."""
LOWERED, RAISED = 1.0, 0.3
"""Most of the postfilter, in nepers, before a frame is given its energy back."""
LEAST_POWER = 1e-12
"""Added to both powers of a ratio, so that silence stays as it is."""
_BLOCK = 128
"""Frames whose spectrum is in memory at once: so many stay in the processor's cache."""
LEAST_WEIGHT = 1e-8
"""Sum of squared windows below which a sample is left as it was added up."""


class MelRefinement:
    """Refines samples towards a mel spectrogram; `stream` does the same piece by piece."""

    def __init__(self, config: AudioConfig, passes: int, postfilter: float = 0.0) -> None:
        """Prepare the filters.

        Args:
            config: the mel contract.
            passes: how many times the gain is measured and applied; 0 changes nothing.
            postfilter: exponent of the postfilter in the last pass; 0: none.

        Raises:
            MelError: an impossible number of passes or strength of the postfilter, or the contract's frames are not
                centred on their samples.
        """
        if not 0.0 <= postfilter <= MOST_POSTFILTER:
            raise MelError(f"the postfilter must lie between 0 and {MOST_POSTFILTER:g}, got {postfilter}")
        if not 0 <= passes <= MOST_PASSES:
            raise MelError(f"the passes of mel refinement must lie between 0 and {MOST_PASSES}, got {passes}")
        if passes and not config.center:
            raise MelError("mel refinement needs a mel contract whose frames are centred; choose 0 passes")
        self.config = config
        self.passes = passes
        self.postfilter = postfilter
        self._analysis, self._spread = _banded_filters(config)

    @property
    def context(self) -> int:
        """Mel frames on each side of a frame that its samples depend on: in each pass a window in and a window out."""
        return self.passes * -(-self.config.n_fft // self.config.hop_length)

    def __call__(self, samples: NDArray[np.float32], mel: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return samples `[T * hop_length]` whose mel spectrogram is nearer to `mel [M, T]`.

        A signal no longer than half a window is returned as it is.
        """
        if not self.passes or len(samples) <= self.config.n_fft // 2:
            return samples
        stream = self.stream()
        return stream.finish(samples, mel)

    def gain(
        self, spectrum: NDArray[np.complexfloating], target: NDArray[np.float32], *, last: bool = False
    ) -> NDArray[np.float32]:
        """Return the gain `[T, H]` of a spectrum `[T, F]` for a mel spectrogram `[T, M]` in nepers.

        H bins lie below the end of the last filter; the gain of those above is one. The last pass has the postfilter.
        """
        power, magnitude = self.config.power, np.abs(spectrum[:, : self._analysis.shape[0]])
        powered = magnitude if power == 1.0 else magnitude**power
        log_gain: NDArray[np.float32] = refinement_log_gain(
            powered, target, self._analysis, self._spread, self.config, np
        )
        if last and self.postfilter:
            average, weights = _postfilter(self.config)
            strength = np.float32(self.postfilter) * weights
            log_gain[:, : len(weights)] += postfilter_log_gain(magnitude * magnitude, average, strength)
        return np.exp(log_gain, out=log_gain)

    def stream(self) -> "MelRefinementStream":
        """Return a stream that takes samples and mel frames in pieces; joined, its output is that of the whole."""
        return MelRefinementStream(self)


class MelRefinementStream:
    """Refines a signal that arrives in pieces; a frame is ready when `context` frames after it are known.

    Every pass keeps what its next frames need of those before, so nothing is computed twice.
    """

    def __init__(self, refinement: MelRefinement) -> None:
        self._config = refinement.config
        self._passes = [
            _Pass(refinement, last=number == refinement.passes) for number in range(1, refinement.passes + 1)
        ]

    def push(self, samples: NDArray[np.float32], mel: NDArray[Any]) -> NDArray[np.float32]:
        """Take mel frames `[M, t]` and their samples `[t * hop_length]`; return the samples that are ready."""
        target = log_mel_in_nepers(np.asarray(mel, np.float32).T, self._config)
        for one in self._passes:
            samples = one.push(samples, target)
        return samples

    def finish(
        self, samples: NDArray[np.float32] | None = None, mel: NDArray[Any] | None = None
    ) -> NDArray[np.float32]:
        """Take the last frames and samples, if any, end the stream and return the samples that were on their way."""
        left = np.empty(0, np.float32) if samples is None else samples
        target = np.empty((0, 0), np.float32)
        if mel is not None:
            target = log_mel_in_nepers(np.asarray(mel, np.float32).T, self._config)
        for one in self._passes:
            left = one.finish(left, target)
        return left


class _Pass:
    """One pass: frames of the spectrum as soon as their samples are known, and samples once no frame adds to them.

    Places are those of the signal with half a window before it, as the centred transform has it.
    """

    def __init__(self, refinement: MelRefinement, *, last: bool) -> None:
        self._refinement = refinement
        self._last = last
        config = refinement.config
        self._n_fft, self._hop, self._half = config.n_fft, config.hop_length, config.n_fft // 2
        self._window, self._rising = _windows(config)
        self._known = np.empty(0, np.float32)
        """Samples from the place `_first` on; from the signal's start on while that has not been mirrored."""
        self._first = 0
        self._begun = False
        self._target = np.empty((0, config.n_mels), np.float32)
        """Of the frames from `_frame` on."""
        self._frame = 0
        self._sum = np.empty(0, np.float32)
        """What the frames so far add to the samples from the place of the next frame on."""
        self._skip = self._half

    def push(self, samples: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take samples, and the mel `[t, M]` of further frames in nepers; return the samples that are ready."""
        self._take(samples, target)
        return self._refined() if self._begun else self._known[:0]

    def finish(self, samples: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the last ones and return all that is left, the signal being mirrored at its end.

        One too short for that is returned as it is.
        """
        self._take(samples, target)
        if not self._begun:
            return self._known
        end = self._first + len(self._known)
        self._known = np.concatenate([self._known, self._mirrored(self._known[-self._half - 1 : -1])])
        ready, place = self._refined(), self._frame * self._hop
        squares = np.broadcast_to(self._window * self._window, (min(self._frame, len(self._rising)), self._n_fft))
        weight = overlap_add(squares, self._hop)[len(squares) * self._hop :] if self._frame else self._sum
        rest = (self._sum / _divisor(weight))[: max(0, end - place)]
        rest = np.pad(rest, (0, max(0, end - place - len(rest))))  # no frame reaches there
        return np.concatenate([ready, rest[self._skip :]])

    def _take(self, samples: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        self._known = np.concatenate([self._known, samples]) if len(self._known) else samples
        if target.size:
            self._target = np.concatenate([self._target, target]) if len(self._target) else target
        if not self._begun and len(self._known) > self._half:
            self._known = np.concatenate([self._mirrored(self._known[1 : self._half + 1]), self._known])
            self._begun = True

    def _mirrored(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return samples[::-1] if self._refinement.config.pad_mode == "reflect" else np.zeros_like(samples)

    def _refined(self) -> NDArray[np.float32]:
        """Return what all frames whose samples and mel are known complete."""
        begin = self._frame * self._hop - self._first
        count = min(len(self._target), 1 + (len(self._known) - begin - self._n_fft) // self._hop)
        ready = []
        for start in range(0, count, _BLOCK):
            frames = min(_BLOCK, count - start)
            at = begin + start * self._hop
            ready.append(self._completed(self._known[at : at + (frames - 1) * self._hop + self._n_fft], frames))
        # the end of the signal is mirrored by half a window
        kept = max(0, min(begin + max(0, count) * self._hop, len(self._known) - self._half - 1))
        self._known, self._first = self._known[kept:].copy(), self._first + kept
        samples = ready[0] if len(ready) == 1 else np.concatenate([self._known[:0], *ready])
        skipped = min(self._skip, len(samples))
        self._skip -= skipped
        return samples[skipped:]

    def _completed(self, samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """Take frames from samples; return as many hops, to which no later frame adds anything."""
        # windows that overlap, as a view; the helpers of NumPy for it take as long as a transform of ten windows
        strides = (self._hop * samples.itemsize, samples.itemsize)
        views: NDArray[np.float32] = np.ndarray((count, self._n_fft), samples.dtype, samples, 0, strides)
        spectrum = np.fft.rfft(views * self._window).astype(np.complex64, copy=False)
        gain = self._refinement.gain(spectrum, self._target[:count], last=self._last)
        spectrum[:, : gain.shape[1]] *= gain
        frames = np.fft.irfft(spectrum, self._n_fft).astype(np.float32, copy=False)
        frames *= self._window
        total = overlap_add(frames, self._hop, self._sum)
        done = count * self._hop
        self._sum = total[done:]
        ready = total[:done].reshape(count, self._hop)
        begun = len(self._rising) - 1
        edge = min(count, max(0, begun - self._frame))
        ready[:edge] /= self._rising[self._frame : self._frame + edge]
        ready[edge:] /= self._rising[begun]
        self._target, self._frame = self._target[count:], self._frame + count
        return ready.reshape(-1)


def _divisor(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(weight > LEAST_WEIGHT, weight, np.float32(1.0))


@functools.lru_cache(maxsize=8)
def _windows(config: AudioConfig) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the window `[n_fft]`, and what divides the sums of a signal's first hops, `[ceil(n_fft / hop), hop]`.

    The last of these divides all that follow: as many frames reach there as anywhere.
    """
    window = hann_window(config.win_length, config.n_fft).astype(np.float32)
    pieces = -(-config.n_fft // config.hop_length)
    weight = overlap_add(np.broadcast_to(window * window, (pieces, config.n_fft)), config.hop_length)
    return window, _divisor(weight[: pieces * config.hop_length].reshape(pieces, config.hop_length))


@functools.lru_cache(maxsize=8)
def _banded_filters(config: AudioConfig) -> tuple[BandedMatrix, BandedMatrix]:
    """Return the mel filters `[H, M]`, and `[M, H]`, which spreads their values, over the H bins that they weigh."""
    filters, spread = refinement_filters(config)
    heard = heard_bins(config)
    return BandedMatrix(filters.T[:heard].astype(np.float32)), BandedMatrix(spread.T[:, :heard].astype(np.float32))


def refinement_filters(config: AudioConfig) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mel filters `[M, F]`, and `[F, M]`, which spreads a value per filter over the bins it weighs."""
    filters = mel_filterbank(config)
    total = filters.sum(0)
    spread = np.divide(filters, total, out=np.zeros_like(filters), where=total > 1e-8 * total.max()).T
    return filters, spread


def heard_bins(config: AudioConfig) -> int:
    """Return H: how many bins of a spectrum lie below the end of the last filter."""
    return int(np.flatnonzero(mel_filterbank(config).any(0))[-1]) + 1


def log_mel_in_nepers(mel: Any, config: AudioConfig) -> Any:
    """Return a mel of a contract, an array or a tensor, as natural logarithms."""
    unit = float(LOG_UNITS[config.log])
    return mel * (config.std / unit) + config.mean / unit


def refinement_log_gain(
    powered: Any, target: Any, analysis: Any, spread: Any, config: AudioConfig, library: ModuleType
) -> Any:
    """Return the log of one pass's gain, `[..., T, F]`: mel refinement's definition, for arrays and for tensors.

    Args:
        powered: magnitudes to the contract's power, `[..., T, F]`.
        target: the mel that is wanted, `[..., T, M]` in nepers.
        analysis: the mel filters, `[F, M]`.
        spread: what spreads a value per filter over the bins, `[M, F]`; see `refinement_filters`.
        config: the mel contract.
        library: `numpy` or `torch`, whichever the arrays are of.
    """
    excess = target - library.log(library.clip(powered @ analysis, config.floor, None))
    return library.clip(excess * (STRENGTH / config.power), -LARGEST_STEP, LARGEST_STEP) @ spread


def postfilter_weights(config: AudioConfig) -> tuple[NDArray[np.float64], int]:
    """Return the weights of the postfilter `[P]`, which is none from bin P on, and how far the level around reaches."""
    hertz = config.sample_rate / config.n_fft
    fade = (_NONE_ABOVE_HZ - np.arange(heard_bins(config)) * hertz) / (_NONE_ABOVE_HZ - _FULL_BELOW_HZ)
    return np.clip(fade[fade > 0.0], 0.0, 1.0), round(AROUND_HZ / hertz)


@functools.lru_cache(maxsize=8)
def _postfilter(config: AudioConfig) -> tuple[BandedMatrix, NDArray[np.float32]]:
    """Return what `postfilter_log_gain` needs: the averages around the lowest of the H bins, and their weights."""
    weights, around = postfilter_weights(config)
    bins = np.arange(heard_bins(config))
    near = np.abs(bins[:, None] - bins[: len(weights)]) <= around
    return BandedMatrix((near / near.sum(0)).astype(np.float32)), weights.astype(np.float32)


def postfilter_log_gain(
    power: NDArray[np.float32], average: BandedMatrix, weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the log of the postfilter's gain, `[T, P]`: its definition.

    Args:
        power: squared magnitudes, `[T, H]`.
        average: from these to the mean around each of the lowest bins, `[H, P]`.
        weights: exponents of these bins, `[P]`; see `postfilter_weights`.
    """
    level = power @ average
    level += np.float32(LEAST_POWER)
    log_gain = power[:, : len(weights)] + np.float32(LEAST_POWER)
    log_gain /= level
    np.log(log_gain, out=log_gain)
    log_gain *= np.float32(0.5) * weights
    np.clip(log_gain, -LOWERED, RAISED, out=log_gain)
    own = power[:, : len(weights)]
    kept = (own * np.exp(log_gain + log_gain)).sum(1, keepdims=True)
    log_gain += np.float32(0.5) * np.log((own.sum(1, keepdims=True) + LEAST_POWER) / (kept + LEAST_POWER))
    return log_gain
