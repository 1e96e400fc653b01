"""Edge fade: a sentence neither begins nor ends with a click."""

import numpy as np
from numpy.typing import NDArray

FADE_SECONDS = 0.004


class EdgeFade:
    """Fade-in and fade-out of a sentence that arrives in pieces, so that it neither begins nor ends with a click.

    It is as many samples behind as a fade is long.
    """

    def __init__(self, sample_rate: int) -> None:
        length = max(1, round(FADE_SECONDS * sample_rate))
        self._ramp = np.sin(np.linspace(0, np.pi / 2, length + 2)[1:-1]).astype(np.float32) ** 2
        """Rises from zero to one, both left out."""
        self._done = 0
        self._held = np.empty(0, np.float32)

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take samples [S], any number of them, and return those that no fade-out reaches."""
        ready = np.concatenate([self._held, self._faded_in(samples)])
        keep = min(len(ready), len(self._ramp))
        self._held = ready[len(ready) - keep :]
        return ready[: len(ready) - keep]

    def finish(self) -> NDArray[np.float32]:
        """End the audio and return what was held back, faded out."""
        held, self._held = self._held, np.empty(0, np.float32)
        return held * self._ramp[: len(held)][::-1]

    def _faded_in(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        ramp = self._ramp[self._done : self._done + len(samples)]
        self._done += len(samples)
        if not len(ramp):
            return samples
        faded = samples.copy()
        faded[: len(ramp)] *= ramp
        return faded
