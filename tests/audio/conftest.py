"""Generated audio for the tests of this folder."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def synthetic_voice() -> Callable[..., NDArray[np.float32]]:
    """A function that makes a signal like speech: gliding harmonics with formants, syllables, pauses, noise."""

    def make(seconds: float, sample_rate: int = 22050, seed: int = 0) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        time = np.arange(int(seconds * sample_rate)) / sample_rate
        pitch = 120 + 40 * np.sin(2 * np.pi * 0.7 * time + seed)
        phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
        voice = np.zeros_like(time)
        for harmonic in range(1, 40):
            frequency = harmonic * pitch
            formants = sum(np.exp(-(((frequency - centre) / 250) ** 2)) for centre in (600, 1500, 2800))
            voice += np.where(frequency < sample_rate / 2, (0.05 + formants) / harmonic, 0.0) * np.sin(harmonic * phase)
        syllables = np.clip(np.sin(2 * np.pi * 3.0 * time), 0, None)
        voice = voice * syllables + 0.003 * rng.standard_normal(len(time))
        return (0.3 * voice / np.abs(voice).max()).astype(np.float32)

    return make
