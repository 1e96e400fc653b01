"""A random order that needs few shards at a time: shards are shuffled, and clips among the shards of a window.

It is a function of seed and epoch alone. Every process knows the same order and takes its own positions of it, so
nothing needs to be kept to go on after a lost machine but the number of the step.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glowvox.data.prepared import Clip
from glowvox.errors import DataError

WINDOW_SHARDS = 8
"""Shards whose clips are mixed with each other: some hours of speech at the usual size."""


def shard_numbers(clips: Sequence[Clip]) -> list[int] | None:
    """Return a number for each clip that tells the shards of all data sets apart; None: the clips lie in no shards.

    Raises:
        DataError: some lie in shards and some do not.
    """
    members = [clip.member for clip in clips]
    if all(member is None for member in members):
        return None
    numbers: dict[tuple[int, int], int] = {}
    found = []
    for clip, member in zip(clips, members, strict=True):
        if member is None:
            raise DataError(
                f"the clip {clip.id} lies in a folder, others in shards; pack all data into shards, or none of it"
            )
        found.append(numbers.setdefault((id(member.cache), member.shard), len(numbers)))
    return found


def windows(
    shard_of_clip: Sequence[int], clips: NDArray[np.int64], generator: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Divide clips into windows of few shards each, in random order inside.

    Args:
        shard_of_clip: the shard of every clip.
        clips: numbers of clips, each as often as it has its turn.
        generator: of the epoch.

    Returns:
        The clips of each window, in order; together those given.
    """
    shards = np.asarray(shard_of_clip, np.int64)[clips]
    order = generator.permutation(np.unique(shards))
    found = []
    for first in range(0, len(order), WINDOW_SHARDS):
        inside = clips[np.isin(shards, order[first : first + WINDOW_SHARDS])]
        found.append(generator.permutation(inside))
    return found
