"""The interface of a vocoder engine that also takes a signal piece by piece, without computing anything twice.

What a stream must remember is an argument and a result.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.engines.base import StreamState, VocoderEngine, piece_ends
from glowvox.errors import EngineError, MelError


class SteppingVocoder(VocoderEngine, ABC):
    """Does steps, where the model that was loaded can."""

    @property
    @abstractmethod
    def delay(self) -> int | None:
        """Mel frames that must follow a frame before `step` gives its samples; None: this model cannot do steps."""

    def begin(self) -> StreamState:
        """Return the state before the first piece of a signal.

        Raises:
            EngineError: the engine cannot do steps.
        """
        if self.delay is None:
            raise EngineError("this engine takes whole windows only")
        return StreamState(0, self._begin(1))

    def step(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], StreamState]:
        """Take the next piece of a signal; joined, the samples of all pieces are those of `run` for the whole.

        Args:
            latent: float32 `[1, G, t * groups_per_frame]`, the piece's part of the latent.
            mel: float32 `[1, M, t]`. The first piece, if it is not the last too, has more than `delay` frames.
            state: what `begin` or the step before returned.
            final: whether the signal ends here.

        Returns:
            Samples float32 `[1, S]`, from where the step before ended to `delay` frames before the end of this piece,
            or, in the last step, to the end; and the state for the next step.

        Raises:
            MelError: the shapes do not fit.
            EngineError: the engine failed, cannot do steps, or gave samples that are not finite.
        """
        if self.delay is None:
            raise EngineError("this engine takes whole windows only")
        self._check(latent, mel)
        if len(mel) != 1:
            raise MelError(f"a stream takes one mel at a time, got {len(mel)}")
        if not final and state.frames + mel.shape[2] <= self.delay:
            raise MelError(f"the first piece of a stream needs more than {self.delay} frames, got {mel.shape[2]}")
        samples, state = self._steps(latent, mel, state, final=final)
        self._check_samples(samples, mel)
        return samples, state

    def _piece_frames(self, batch: int) -> int | None:
        """Return the mel frames of the pieces in which this engine is fastest; None: any number at once."""
        return None

    def _steps(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], StreamState]:
        """Take a piece `[B, ...]`, in smaller ones where those are faster. See `step`.

        Raises:
            EngineError: the engine failed.
        """
        frames, columns = mel.shape[2], self.groups_per_frame
        size = self._piece_frames(len(mel)) or frames
        joined, begin = [], 0
        for end in piece_ends(frames, size):
            part = latent[:, :, begin * columns : end * columns], mel[:, :, begin:end]
            samples, values = self._step(*part, state, final=final and end == frames)
            state = StreamState(state.frames + end - begin, values)
            joined.append(samples)
            begin = end
        return (joined[0] if len(joined) == 1 else np.concatenate(joined, 1)), state

    @abstractmethod
    def _begin(self, batch: int) -> Mapping[str, Any]:
        """Return the engine's own state before the first piece of `batch` signals, where `delay` is not None."""

    @abstractmethod
    def _step(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        """Compute `step` for inputs `[B, ...]` that fit, where `delay` is not None. The last state is never asked for.

        Raises:
            EngineError: the engine failed.
        """
