"""Where a signal stands that goes through a vocoder piece by piece."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class StreamState:
    """What `SteppingVocoder.step` left behind; never changed, so a signal can be taken up again from any state."""

    frames: int
    """Mel frames that have gone in."""
    values: Mapping[str, Any]
    """The engine's own: what later pieces need of those before."""
