"""The distance between two pitch tracks."""

from dataclasses import dataclass

import numpy as np

from glowvox.audio.pitch import PitchTrack
from glowvox.errors import AudioError


@dataclass(frozen=True)
class PitchDistance:
    """How the pitch of two aligned signals differs."""

    cents: float
    """Root-mean-square difference in hundredths of a semitone where both are voiced; NaN where that is nowhere."""
    voicing_error: float
    """Share of the frames that are voiced in one and not in the other."""


def pitch_distance(reference: PitchTrack, estimate: PitchTrack) -> PitchDistance:
    """Compare two tracks frame by frame.

    Raises:
        AudioError: the tracks have different lengths.
    """
    if reference.frequency.shape != estimate.frequency.shape:
        raise AudioError(
            f"cannot compare pitch tracks of {reference.frequency.size} and {estimate.frequency.size} frames"
        )
    both = reference.voiced & estimate.voiced
    cents = 1200.0 * np.log2(estimate.frequency[both] / reference.frequency[both])
    return PitchDistance(
        cents=float(np.sqrt(np.mean(cents**2))) if both.any() else float("nan"),
        voicing_error=float(np.mean(reference.voiced != estimate.voiced)),
    )
