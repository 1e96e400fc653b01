"""Changing the sample rate, once, with the SoX resampler; whole signals and streams give the same samples."""

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from glowvox.audio.checks import checked_rate, checked_samples
from glowvox.errors import AudioError


def resample(samples: Any, source_rate: int, target_rate: int) -> NDArray[np.float32]:
    """Return samples [S] at another rate, float32 [S * target / source].

    Raises:
        AudioError: the rates are not rates, or the samples not samples.
    """
    source_rate, target_rate = checked_rate(source_rate), checked_rate(target_rate)
    signal = checked_samples(samples).astype(np.float32, copy=False)
    if source_rate == target_rate:
        return signal
    return np.asarray(soxr.resample(signal, source_rate, target_rate, quality="HQ"), dtype=np.float32)


class StreamingResampler:
    """The same resampling over a signal that arrives in pieces."""

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self.source_rate = checked_rate(source_rate)
        self.target_rate = checked_rate(target_rate)
        self._finished = False
        self._stream = (
            None
            if self.source_rate == self.target_rate
            else soxr.ResampleStream(self.source_rate, self.target_rate, 1, dtype="float32", quality="HQ")
        )

    def push(self, samples: Any) -> NDArray[np.float32]:
        """Take samples [S] (none is allowed) and return those that are ready.

        Raises:
            AudioError: the samples are not samples, or the stream has ended.
        """
        return self._run(samples, last=False)

    def finish(self) -> NDArray[np.float32]:
        """End the stream and return the samples that were still on their way."""
        return self._run(np.empty(0, np.float32), last=True)

    def _run(self, samples: Any, *, last: bool) -> NDArray[np.float32]:
        if self._finished:
            raise AudioError("this resampler has finished its stream; make a new one")
        self._finished = last
        signal = np.asarray(samples)
        signal = checked_samples(signal).astype(np.float32, copy=False) if signal.size else np.empty(0, np.float32)
        if self._stream is None:
            return signal
        return np.asarray(self._stream.resample_chunk(signal, last=last), dtype=np.float32)
