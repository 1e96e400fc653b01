"""Time-scale modification: speech faster or slower at the same pitch, whole or in pieces.

Waveform similarity overlap-add (WSOLA; Verhelst and Roelands, ICASSP 1993): windows are taken from the signal further
apart, or closer together, than they are laid down, each from the place near its own where it continues best what was
laid down before.
"""

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import AudioError

FASTEST, SLOWEST = 8.0, 0.125
"""Factors at most and at least."""
_WINDOW_SECONDS = 0.014
"""Of three times as fast speech, more words are understood than with longer windows."""
_SEARCH_SECONDS = 0.0075
"""To both sides: together a period of a low voice, so that one in phase is found."""

Samples = NDArray[np.float32]


class TimeStretch:
    """WSOLA of a signal that arrives in pieces: however it is cut, the result is the same.

    Sample `i` of the signal is heard at `i / factor`, give or take a few milliseconds.
    """

    def __init__(self, sample_rate: int, factor: float) -> None:
        """Begin a signal.

        Args:
            sample_rate: in Hz.
            factor: how much faster; 2 takes half the time.

        Raises:
            AudioError: a factor out of range.
        """
        if not SLOWEST <= factor <= FASTEST:
            raise AudioError(f"a time stretch is from {SLOWEST:g} to {FASTEST:g} times as fast, got {factor:g}")
        self.factor = factor
        self._hop = max(1, round(_WINDOW_SECONDS * sample_rate / 2))
        self._reach = max(1, round(_SEARCH_SECONDS * sample_rate))
        rising = np.sin(np.arange(self._hop) * (np.pi / 2 / self._hop)) ** 2
        self._rising = rising.astype(np.float32)
        self._signal = np.empty(0, np.float32)
        """From `_first` on."""
        self._first = 0
        self._laid = 0
        """Windows that are laid down; half a window each is given out."""
        self._follow = 0
        """Where the last window would go on."""

    def push(self, samples: Samples) -> Samples:
        """Take samples [S], any number of them; return those that are settled."""
        if self.factor == 1.0:
            return samples
        self._signal = np.concatenate([self._signal, samples])
        end = self._first + len(self._signal)
        return self._lay(min(end - self._reach, end - round(self._hop * self.factor)) - 2 * self._hop)

    def finish(self) -> Samples:
        """End the signal; return the rest, so that the whole is `round(S / factor)` samples long."""
        if self.factor == 1.0:
            return np.empty(0, np.float32)
        end = self._first + len(self._signal)
        missing = max(0, round(end / self.factor) - self._laid * self._hop)
        self._signal = np.pad(self._signal, (0, round(missing * self.factor) + 4 * self._hop + self._reach))
        rest = self._lay(end + self._hop)
        self._signal, self._first, self._laid, self._follow = np.empty(0, np.float32), 0, 0, 0
        return np.pad(rest, (0, max(0, missing - len(rest))))[:missing]

    def _lay(self, last: int) -> Samples:
        """Lay down the windows whose own place is no later than `last`."""
        laid = []
        while (place := round(self._laid * self._hop * self.factor)) <= last:
            start = self._best(place)
            before = self._cut(self._follow, self._hop)
            head = self._cut(start, self._hop)
            laid.append(head if self._laid == 0 else before + (head - before) * self._rising)
            self._follow = start + self._hop
            self._laid += 1
        keep = min(self._follow, max(0, round(self._laid * self._hop * self.factor) - self._reach))
        if keep > self._first:
            self._signal = self._signal[keep - self._first :]
            self._first = keep
        return np.concatenate(laid) if laid else np.empty(0, np.float32)

    def _best(self, place: int) -> int:
        """Return where near a place the signal resembles most what would have followed the last window."""
        if self._laid == 0:
            return 0
        wanted = self._cut(self._follow, self._hop)
        first = max(0, place - self._reach)
        region = self._cut(first, place + self._reach - first + self._hop)
        likeness = np.correlate(region, wanted, "valid")
        energy = np.concatenate([[0.0], np.cumsum(np.square(region, dtype=np.float64))])
        size = np.sqrt(np.maximum(energy[self._hop :] - energy[: -self._hop], 0.0)) + 1e-4
        return first + int(np.argmax(likeness / size))

    def _cut(self, start: int, length: int) -> Samples:
        return self._signal[start - self._first : start - self._first + length]


def stretched(samples: Samples, sample_rate: int, factor: float) -> Samples:
    """Return samples [S] spoken `factor` times as fast, `round(S / factor)` of them.

    Args:
        samples: [S].
        sample_rate: in Hz.
        factor: 2 takes half the time.

    Raises:
        AudioError: a factor out of range.
    """
    stretch = TimeStretch(sample_rate, factor)
    return np.concatenate([stretch.push(samples), stretch.finish()])
