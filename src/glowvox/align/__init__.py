"""Monotonic alignment between tokens and mel frames: the hard search, the soft sum, and paths as durations."""

from glowvox.align.forward_sum import ForwardSum, forward_sum
from glowvox.align.search import (
    SearchMethod,
    alignment_from_durations,
    alignment_from_frame_tokens,
    monotonic_alignment_search,
)

__all__ = [
    "ForwardSum",
    "SearchMethod",
    "alignment_from_durations",
    "alignment_from_frame_tokens",
    "forward_sum",
    "monotonic_alignment_search",
]
