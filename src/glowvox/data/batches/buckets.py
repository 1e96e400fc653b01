"""Batches of whole clips of similar length, bounded by their padded size."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glowvox.data.shards_order import windows
from glowvox.errors import ConfigError, DataError

_JITTER = 0.1
"""Lengths are compared after multiplying them with 1 +- this: clips of similar length meet others in every epoch."""


class LengthBuckets:
    """Divides clips into batches whose padded size stays below a limit; a pure function of seed and epoch.

    Every clip occurs once in an epoch, except that a few are repeated where the number of processes does not divide
    that of the clips: in every step all processes have the same number of clips.

    Args:
        lengths: length of each clip, in frames.
        max_frames: largest padded size of a process' batch, items times the longest.
        seed: chooses the composition and the order.
        max_items: most clips in a process' batch; None: as many as fit.
        rank: this process, 0 to `world_size` - 1.
        world_size: number of processes.
        shards: number of each clip's shard; the clips of a batch then lie in few shards, see `shards_order`.

    Raises:
        ConfigError: a size is not positive, or the rank is not among the processes.
        DataError: no clip is short enough.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        *,
        max_frames: int,
        seed: int,
        max_items: int | None = None,
        rank: int = 0,
        world_size: int = 1,
        shards: Sequence[int] | None = None,
    ) -> None:
        if max_frames < 1 or seed < 0 or not 0 <= rank < world_size or (max_items is not None and max_items < 1):
            raise ConfigError(
                f"length buckets need max_frames >= 1, max_items >= 1, seed >= 0 and 0 <= rank < world_size, "
                f"got {max_frames}, {max_items}, {seed}, {rank}, {world_size}"
            )
        self._lengths = np.asarray(lengths, np.int64)
        self._max_frames = max_frames
        self._max_items = max_items or len(self._lengths) or 1
        self._seed = seed
        self._rank = rank
        self._world_size = world_size
        self._shards = shards
        self.too_long = tuple(np.flatnonzero(self._lengths > max_frames).tolist())
        """Indices of clips longer than `max_frames`, which are in no batch."""
        self._usable = np.flatnonzero(self._lengths <= max_frames)
        if not self._usable.size:
            raise DataError(f"no training clip has at most {max_frames} frames; allow more frames in a batch")

    def batches(self, epoch: int) -> list[list[int]]:
        """Return this process' batches of an epoch (from 0 on) as indices of clips.

        Step k of one process and step k of another hold different clips of similar lengths, equally many.
        """
        generator = np.random.default_rng([self._seed, epoch])
        if self._shards is None:
            groups = [generator.permutation(self._usable)]
        else:
            groups = windows(self._shards, self._usable, generator)
        return [batch for group in groups for batch in self._batches(group, generator)]

    def _batches(self, order: NDArray[np.int64], generator: np.random.Generator) -> list[list[int]]:
        missing = -len(order) % self._world_size
        order = np.concatenate([order, np.resize(order, missing)])
        jitter = 1.0 + generator.uniform(-_JITTER, _JITTER, len(order))
        order = order[np.argsort(self._lengths[order] * jitter, kind="stable")]
        steps = self._cut(order.reshape(-1, self._world_size))
        return [steps[index][:, self._rank].tolist() for index in generator.permutation(len(steps))]

    def _cut(self, rows: np.ndarray) -> list[np.ndarray]:
        """Cut rows [items, processes] into steps so that no process' padded batch exceeds the limit."""
        steps = []
        first, longest = 0, 0
        for index, row in enumerate(rows):
            grown = max(longest, int(self._lengths[row].max()))
            items = index - first + 1
            if items > 1 and (items > self._max_items or items * grown > self._max_frames):
                steps.append(rows[first:index])
                first, grown = index, int(self._lengths[row].max())
            longest = grown
        steps.append(rows[first:])
        return steps
