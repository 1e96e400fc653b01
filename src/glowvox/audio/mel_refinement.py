"""Mel refinement: a signal gets the mel spectrogram that it was made from, by a few passes of a spectral gain.

A vocoder is told the mel spectrogram M of what it shall say, and what it says has a mel spectrogram M' that differs. A
pass measures M', spreads the log ratio over the bins of the spectrum as the filters weigh them, multiplies, and adds
the frames up again:

    log g[f, t] = strength * sum_m w[m, f] (log M[m, t] - log M'[m, t]) / sum_m w[m, f]

The phases stay the vocoder's; their consistency with the magnitudes is restored as in Griffin and Lim (1984), whose
iteration this is, with a vocoder's output in place of random phases and a smooth gain in place of a fixed magnitude.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import LOG_UNITS, mel_filterbank
from glowvox.audio.stft import istft, stft
from glowvox.config.audio import AudioConfig
from glowvox.errors import MelError

STRENGTH = 1.5
"""More than 1, because adding the frames up takes back a part of every gain."""
LARGEST_STEP = math.log(3.0)
"""Of one pass, in nepers: a gain beyond this would mostly lift noise."""
MOST_PASSES = 100
_BLOCK = 4096
"""Frames whose spectrum is in memory at once."""


class MelRefinement:
    """Refines samples towards a mel spectrogram; `stream` does the same piece by piece."""

    def __init__(self, config: AudioConfig, passes: int) -> None:
        """Prepare the filters.

        Args:
            config: the mel contract.
            passes: how many times the gain is measured and applied; 0 changes nothing.

        Raises:
            MelError: an impossible number of passes, or the contract's frames are not centred on their samples.
        """
        if not 0 <= passes <= MOST_PASSES:
            raise MelError(f"the passes of mel refinement must lie between 0 and {MOST_PASSES}, got {passes}")
        if passes and not config.center:
            raise MelError("mel refinement needs a mel contract whose frames are centred; choose 0 passes")
        self.config = config
        self.passes = passes
        filters, spread = refinement_filters(config)
        self._analysis, self._spread = filters.astype(np.float32), spread.astype(np.float32)

    @property
    def context(self) -> int:
        """Mel frames on each side of a frame that its samples depend on: in each pass a window in and a window out."""
        return self.passes * -(-self.config.n_fft // self.config.hop_length)

    def __call__(self, samples: NDArray[np.float32], mel: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return samples `[T * hop_length]` whose mel spectrogram is nearer to `mel [M, T]`.

        A signal shorter than half a window is returned as it is.
        """
        if not self.passes or len(samples) <= self.config.n_fft // 2:
            return samples
        if mel.shape[1] <= _BLOCK:
            return self.window(samples, mel)
        stream, hop = self.stream(), self.config.hop_length
        places = [(start, start + _BLOCK) for start in range(0, mel.shape[1], _BLOCK)]
        pieces = [stream.push(samples[start * hop : end * hop], mel[:, start:end]) for start, end in places]
        return np.concatenate([*pieces, stream.finish()])

    def window(self, samples: NDArray[np.float32], mel: NDArray[np.floating]) -> NDArray[np.float32]:
        """Refine a signal, at least half a window long, with its whole spectrum in memory. See `__call__`."""
        config = self.config
        shape = (config.n_fft, config.hop_length, config.win_length)
        target = (np.asarray(mel, np.float32) * config.std + config.mean) / np.float32(LOG_UNITS[config.log])
        signal = samples
        for _ in range(self.passes):
            # the last frame of a centred spectrum lies behind the last mel frame
            spectrum = stft(signal, *shape, pad_mode=config.pad_mode)[:, : target.shape[1]]
            magnitude = np.abs(spectrum)
            energy = self._analysis @ (magnitude if config.power == 1.0 else magnitude**config.power)
            excess = target - np.log(np.maximum(energy, config.floor))
            step = np.clip(excess * np.float32(STRENGTH / config.power), -LARGEST_STEP, LARGEST_STEP)
            signal = istft(spectrum * np.exp(self._spread @ step), *shape, length=len(samples)).astype(np.float32)
        return signal

    def stream(self) -> "MelRefinementStream":
        """Return a stream that takes samples and mel frames in pieces; joined, its output is that of the whole."""
        return MelRefinementStream(self)


class MelRefinementStream:
    """Refines a signal that arrives in pieces; a frame is ready when `context` frames after it are known."""

    def __init__(self, refinement: MelRefinement) -> None:
        self._refinement = refinement
        config = refinement.config
        self._hop = config.hop_length
        self._samples = np.empty(0, np.float32)
        self._mel = np.empty((config.n_mels, 0), np.float32)
        """Both from the frame `_first` on: left context, and what is not refined yet."""
        self._first = 0
        self._given = 0

    def push(self, samples: NDArray[np.float32], mel: NDArray[Any]) -> NDArray[np.float32]:
        """Take mel frames `[M, t]` and their samples `[t * hop_length]`; return the samples that are ready."""
        self._samples = np.concatenate([self._samples, samples])
        self._mel = np.concatenate([self._mel, mel], 1)
        return self._refined(self._first + self._mel.shape[1] - self._refinement.context)

    def finish(self) -> NDArray[np.float32]:
        """End the stream and return the samples that were still on their way."""
        return self._refined(self._first + self._mel.shape[1])

    def _refined(self, end: int) -> NDArray[np.float32]:
        if end <= self._given:
            return np.empty(0, np.float32)
        short = len(self._samples) <= self._refinement.config.n_fft // 2
        refined = self._samples if short else self._refinement.window(self._samples, self._mel)
        ready = refined[(self._given - self._first) * self._hop : (end - self._first) * self._hop]
        first = max(self._first, end - self._refinement.context)
        self._samples = self._samples[(first - self._first) * self._hop :].copy()
        self._mel = self._mel[:, first - self._first :].copy()
        self._first, self._given = first, end
        return ready


def refinement_filters(config: AudioConfig) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mel filters `[M, F]`, and `[F, M]`, which spreads a value per filter over the bins it weighs."""
    filters = mel_filterbank(config)
    total = filters.sum(0)
    spread = np.divide(filters, total, out=np.zeros_like(filters), where=total > 1e-8 * total.max()).T
    return filters, spread
