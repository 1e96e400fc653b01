"""hibari-tts as a teacher: `distill ... --voice heart --function recipes/taught-voices/hibari_teacher.py:speak`.

Needs `pip install hibari-tts scipy` in the same environment. Apache-2.0; about 100 times real time on one thread.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray


@functools.cache
def _system() -> Any:
    from hibari import Hibari

    return Hibari(threads=1)


def speak(text: str, voice: str, seed: int) -> tuple[NDArray[np.float32], int]:
    """Return the samples of a text at 24 kHz; the package's own voice is called `heart`."""
    if voice != "heart":
        raise ValueError(f"hibari's own voice is 'heart', not '{voice}'")
    return np.asarray(_system()(text, seed=seed), dtype=np.float32), 24000
