"""The mel transform of audio that arrives in pieces; joined, its frames are those of the whole."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.checks import checked_samples
from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError


class MelStream:
    """Samples in, log-mel frames out, about one FFT behind."""

    def __init__(self, config: AudioConfig) -> None:
        """Take the mel contract."""
        self.config = config
        # The padding is done here, once at each true end.
        self._transform = MelTransform(dataclasses.replace(config, center=False))
        self._half = config.n_fft // 2 if config.center else 0
        self._waiting = np.empty(0, np.float64)
        """Padded input from the next frame on; before the padding is known, the input so far."""
        self._last = np.empty(0, np.float64)
        """The end of the input, which is reflected when no more comes."""
        self._received = 0
        self._padded = not self._half
        self._finished = False

    def push(self, samples: Any) -> NDArray[np.float32]:
        """Take samples [S] (none is allowed) and return the mel frames [M, T] that are ready.

        Raises:
            AudioError: the samples are not finite mono samples, or the stream has ended.
        """
        if self._finished:
            raise AudioError("this stream of audio has ended; make a new one")
        if np.size(samples):
            signal = checked_samples(samples)
            self._waiting = np.concatenate([self._waiting, signal])
            self._received += len(signal)
            self._last = np.concatenate([self._last, signal])[-self._half - 1 :]
        if not self._padded and self._received > self._half:
            self._waiting = np.concatenate([self._padding(self._waiting[1 : self._half + 1]), self._waiting])
            self._padded = True
        # A frame is taken only with the whole hop after its start, so that what follows it begins in the input.
        return self._frames(max(self.config.n_fft, self.config.hop_length)) if self._padded else self._none()

    def finish(self) -> NDArray[np.float32]:
        """End the stream and return the frames that were still on their way.

        Raises:
            AudioError: there was too little audio for one frame, or for the reflection at its ends.
        """
        if self._finished:
            raise AudioError("this stream of audio has ended; make a new one")
        self._finished = True
        if not self._received:
            raise AudioError("the audio has no samples")
        if not self._padded:
            if self.config.pad_mode == "reflect":
                raise AudioError(
                    f"the audio is too short: {self._received} samples, but reflection at the ends needs at least "
                    f"{self._half + 1}"
                )
            self._waiting = np.pad(self._waiting, (self._half, 0))
        if self._half:
            self._waiting = np.concatenate([self._waiting, self._padding(self._last[:-1])])
        if self._received + 2 * self._half < self.config.n_fft:
            raise AudioError(f"the audio is too short: {self._received} samples, but one frame has {self.config.n_fft}")
        return self._frames(self.config.n_fft)

    def _padding(self, mirrored: NDArray[np.float64]) -> NDArray[np.float64]:
        return mirrored[::-1] if self.config.pad_mode == "reflect" else np.zeros(self._half)

    def _frames(self, needed: int) -> NDArray[np.float32]:
        hop = self.config.hop_length
        count = 1 + (len(self._waiting) - needed) // hop
        if count < 1:
            return self._none()
        mel = self._transform(self._waiting[: (count - 1) * hop + self.config.n_fft])
        self._waiting = self._waiting[count * hop :].copy()
        return mel

    def _none(self) -> NDArray[np.float32]:
        return np.empty((self.config.n_mels, 0), np.float32)
