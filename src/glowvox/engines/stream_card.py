"""What an exported vocoder says about the pieces in which it can take a signal: a second document in its metadata."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import EngineError

STREAM_KEY = "glowvox.stream"
NEXT = "next."
"""What stands before a state's name in the name of the output."""
POSITION, FINAL = "position", "final"
"""Inputs, int64 [1]: mel frames in the pieces before this one, and 1 for the last piece, otherwise 0."""
_MAX_STATES, _MAX_ROWS, _MAX_CHANNELS = 20_000, 1_000_000, 100_000
_MAX_VALUES = 1 << 28


@dataclass(frozen=True)
class StreamCard:
    """The states of a graph: each an input, and an output whose name has `next.` before it."""

    delay: int
    """Mel frames that must follow a frame, or the end, before its samples come."""
    states: dict[str, tuple[int, int]]
    """For each state the rows and channels of the zeros `[B, rows, channels]` that the first piece gets."""

    def to_json(self) -> str:
        """Return the card as the text that is stored."""
        return json.dumps({"delay": self.delay, "states": self.states})

    def zeros(self, batch: int) -> dict[str, NDArray[np.float32]]:
        """Return the states before the first piece."""
        return {name: np.zeros((batch, *shape), np.float32) for name, shape in self.states.items()}

    @classmethod
    def from_json(cls, text: str | None, where: str) -> "StreamCard | None":
        """Return the card that a graph holds; None: it holds none, and takes whole signals only.

        Raises:
            EngineError: it is damaged.
        """
        if text is None:
            return None
        try:
            content = json.loads(text)
            states = {
                name: (_size(rows, _MAX_ROWS), _size(channels, _MAX_CHANNELS))
                for name, (rows, channels) in content["states"].items()
            }
            if len(states) > _MAX_STATES or sum(rows * channels for rows, channels in states.values()) > _MAX_VALUES:
                raise ValueError
            return cls(_size(content["delay"], _MAX_ROWS), states)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise EngineError(f"{where}: the metadata on streaming is damaged; export the model again") from None


def clock_inputs(frames: int, *, final: bool) -> dict[str, NDArray[np.int64]]:
    """Return the inputs that say where a piece stands.

    Args:
        frames: mel frames in the pieces before.
        final: whether it is the last one.
    """
    return {POSITION: np.array([frames], np.int64), FINAL: np.array([int(final)], np.int64)}


def _size(value: Any, limit: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
        raise ValueError(value)
    return value
