"""A signal through a vocoder engine in chunks, in the two ways that give the samples of the whole.

An engine that does steps keeps its own state, and nothing is computed twice. For any other, every window has the whole
receptive field of what it speaks on both sides, and the rest of the window is thrown away.
"""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from glowvox.engines.base import VocoderEngine
from glowvox.engines.stepping import SteppingVocoder
from glowvox.engines.stream_state import StreamState

Spoken = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Samples `[t * hop_length]` and the mel frames `[M, t]` that they say."""


class VocoderPieces(ABC):
    """The frames of one signal on their way through an engine."""

    def __init__(self, engine: VocoderEngine) -> None:
        self._engine = engine
        self._latent = np.empty((engine.n_group, 0), np.float32)
        self._mel = np.empty((engine.audio.n_mels, 0), np.float32)
        """Both from the frame `_first` on."""
        self._first = 0
        self.spoken = 0
        """Frames whose samples were given out."""

    @property
    @abstractmethod
    def look_ahead(self) -> int:
        """Frames that must be known after a frame before it is spoken."""

    @abstractmethod
    def _samples(self, end: int, *, final: bool) -> NDArray[np.float32]:
        """Return the samples of the frames from the last one spoken to `end`."""

    @abstractmethod
    def _oldest(self) -> int:
        """Return the first frame that is still needed."""

    @property
    def received(self) -> int:
        """Frames that were taken."""
        return self._first + self._mel.shape[1]

    def take(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> None:
        """Take frames, `latent [G, t * groups_per_frame]` and `mel [M, t]`."""
        self._latent = np.concatenate([self._latent, latent], 1)
        self._mel = np.concatenate([self._mel, mel], 1)

    def speak(self, count: int) -> Spoken:
        """Return the next `count` frames, spoken; `look_ahead` frames more are there.

        Raises:
            EngineError: the engine failed.
        """
        return self._speak(self.spoken + count, final=False)

    def finish(self) -> Spoken:
        """Return all that is left, one frame at least, spoken; the signal ends there.

        Raises:
            EngineError: the engine failed.
        """
        return self._speak(self.received, final=True)

    def _speak(self, end: int, *, final: bool) -> Spoken:
        samples = self._samples(end, final=final)
        mel = self._mel[:, self.spoken - self._first : end - self._first].copy()
        self.spoken = end
        first = self._oldest()
        self._latent = self._latent[:, (first - self._first) * self._engine.groups_per_frame :].copy()
        self._mel = self._mel[:, first - self._first :].copy()
        self._first = first
        return samples, mel

    def _part(self, first: int, end: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return latent and mel of some frames, as engines take them."""
        begin, stop, columns = first - self._first, end - self._first, self._engine.groups_per_frame
        return self._latent[None, :, begin * columns : stop * columns], self._mel[None, :, begin:stop]


class SteppedPieces(VocoderPieces):
    """Over an engine that does steps."""

    def __init__(self, engine: SteppingVocoder, delay: int) -> None:
        """Begin a signal.

        Args:
            engine: does steps.
            delay: of the engine.
        """
        super().__init__(engine)
        self._stepping = engine
        self._delay = delay
        self._state: StreamState = engine.begin()

    @property
    def look_ahead(self) -> int:
        """Frames that must be known after a frame before it is spoken: one waits, to be the last, if none follows."""
        return self._delay + 1

    def _samples(self, end: int, *, final: bool) -> NDArray[np.float32]:
        if final and not self._state.frames:
            return self._engine.run(*self._part(0, end))[0]
        known = end if final else end + self._delay
        samples, state = self._stepping.step(*self._part(self._state.frames, known), self._state, final=final)
        self._state = state
        return samples[0]

    def _oldest(self) -> int:
        return min(self.spoken, self._state.frames)


class WindowedPieces(VocoderPieces):
    """Over an engine that takes whole windows."""

    @property
    def look_ahead(self) -> int:
        """Frames that must be known after a frame before it is spoken: the receptive field."""
        return self._engine.receptive_field

    def _samples(self, end: int, *, final: bool) -> NDArray[np.float32]:
        hop = self._engine.audio.hop_length
        last = end if final else end + self.look_ahead
        samples = self._engine.run(*self._part(self._first, last))[0]
        return samples[(self.spoken - self._first) * hop : (end - self._first) * hop]

    def _oldest(self) -> int:
        return max(0, self.spoken - self.look_ahead)


def vocoder_pieces(engine: VocoderEngine) -> VocoderPieces:
    """Return the way that costs least with an engine."""
    if isinstance(engine, SteppingVocoder) and engine.delay is not None:
        return SteppedPieces(engine, engine.delay)
    return WindowedPieces(engine)
