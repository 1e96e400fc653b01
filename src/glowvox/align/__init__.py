"""Alignment between tokens and mel frames: the monotonic search, the sum over all paths, durations in whole frames.

The names below need PyTorch and load it when they are first used; `search.py` and `prior.py` do without.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glowvox.align.alignment import ForwardSum as ForwardSum
    from glowvox.align.alignment import SearchMethod as SearchMethod
    from glowvox.align.alignment import alignment_from_durations as alignment_from_durations
    from glowvox.align.alignment import alignment_from_frame_tokens as alignment_from_frame_tokens
    from glowvox.align.alignment import forward_sum as forward_sum
    from glowvox.align.alignment import monotonic_alignment_search as monotonic_alignment_search

__all__ = [
    "ForwardSum",
    "SearchMethod",
    "alignment_from_durations",
    "alignment_from_frame_tokens",
    "forward_sum",
    "monotonic_alignment_search",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562), and keep it.

    Raises:
        AttributeError: there is no such name.
    """
    if name not in __all__:
        raise AttributeError(f"module 'glowvox.align' has no attribute '{name}'")
    value = getattr(importlib.import_module("glowvox.align.alignment"), name)
    globals()[name] = value
    return value
