"""Random segments of the training clips: an endless stream that is a pure function of seed and position."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glowvox.data.batches.store import DEFAULT_MEMORY_LIMIT, ClipStore, open_store
from glowvox.data.prepared import Clip
from glowvox.data.shards_order import shard_numbers, windows
from glowvox.errors import ConfigError, DataError

_SILENT_DB = -55.0
"""Segments below this level (RMS, dB of full scale) are nearly silent: the clips are normalised far above it."""
_SILENT_SHARE = 0.05
"""So many of the nearly silent segments drawn are used all the same: a vocoder has to learn pauses too."""
_DRAWS = 8
_SAMPLES, _NOISE = 0, 1
_AHEAD = 64
"""Steps ahead of their reading that shards begin to be fetched."""


@dataclass(frozen=True)
class SegmentBatch:
    """Segments of equal length."""

    samples: NDArray[np.float32]
    """[B, n * hop], -1 to 1."""
    mel: NDArray[np.float32]
    """[B, M, n]; frame t is centred on sample t * hop of the segment."""


class SegmentSampler:
    """Draws segments that begin on a frame, each clip as often as its length deserves.

    Position p of the stream is one segment; step k of a process with rank r among w takes the B positions from
    `(k * w + r) * B` on. So two processes with batch B see what one process with batch 2B sees, and to resume, the
    step's number is enough. Within an epoch every clip of T frames is drawn max(1, round(T / n)) times; clips in shards
    in an order that needs few shards at a time, see `shards_order`.

    Args:
        clips: the training clips; held in memory where they fit.
        batch_size: B, segments a step and process.
        frames: n, frames of a segment.
        seed: chooses order, places and noise.
        rank: this process, 0 to `world_size` - 1.
        world_size: number of processes.
        dequantise: whether noise, uniform over one step of 16 bits, is added to the samples; without it the density of
            samples that lie on a grid has no bound.
        memory_limit: bytes up to which the clips are held in memory; beyond, they are read as they are needed.

    Raises:
        ConfigError: a size is not positive, or the rank is not among the processes.
        DataError: there are no clips, or every clip is shorter than a segment.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        batch_size: int,
        frames: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        dequantise: bool = True,
        memory_limit: int = DEFAULT_MEMORY_LIMIT,
    ) -> None:
        if batch_size < 1 or frames < 1 or not 0 <= seed < 2**63 or not 0 <= rank < world_size:
            raise ConfigError(
                f"segments need batch_size, frames >= 1, 0 <= seed < 2**63 and 0 <= rank < world_size, "
                f"got {batch_size}, {frames}, {seed}, {rank}, {world_size}"
            )
        self.store: ClipStore = open_store(clips, memory_limit)
        """The clips' samples and mels laid end to end."""
        self.batch_size = batch_size
        self.frames = frames
        self._seed = seed
        self.rank = rank
        self._world_size = world_size
        self._dequantise = dequantise
        lengths = np.diff(self.store.first_frames)
        usable = np.flatnonzero(lengths >= frames)
        if not usable.size:
            seconds = f"{frames} frames ({frames * self.store.hop_length} samples)"
            raise DataError(f"every training clip is shorter than a segment of {seconds}; choose shorter segments")
        self.n_too_short = len(lengths) - len(usable)
        """Clips that are shorter than a segment and never drawn."""
        turns = np.maximum(1, np.rint(lengths[usable] / frames)).astype(np.int64)
        self._turns = np.repeat(usable, turns)
        self._shards = shard_numbers(clips)
        self._orders: dict[int, NDArray[np.int64]] = {}
        self._announced = -1

    @property
    def segments_per_epoch(self) -> int:
        """Positions of the stream after which every clip has had its turns."""
        return len(self._turns)

    def starts(self, step: int) -> NDArray[np.int64]:
        """Return the first frames [B] of a step's segments, counted in the store's frames laid end to end."""
        return np.array([self._start(position) for position in self._positions(step)], np.int64)

    def batch(self, step: int) -> SegmentBatch:
        """Return the batch of a step (from 0 on), whichever batches were asked for before."""
        hop = self.store.hop_length
        samples = np.empty((self.batch_size, self.frames * hop), np.float32)
        mel = np.empty((self.batch_size, self.store.n_mels, self.frames), np.float32)
        for row, position in enumerate(self._positions(step)):
            samples[row], mel[row] = self.store.read(self._start(position), self.frames)
            if self._dequantise:
                samples[row] += self._generator(position, _NOISE).random(samples.shape[1], np.float32) - 0.5
        samples /= 32768.0
        self._announce(step)
        return SegmentBatch(samples, mel)

    def _positions(self, step: int) -> range:
        first = (step * self._world_size + self.rank) * self.batch_size
        return range(first, first + self.batch_size)

    def _start(self, position: int) -> int:
        """Return a random place in the clip whose turn it is, drawn again while it is nearly silent."""
        clip = self._clip(position)
        first, end = (int(frame) for frame in self.store.first_frames[clip : clip + 2])
        generator = self._generator(position, _SAMPLES)
        silence_allowed = generator.random() < _SILENT_SHARE
        best, best_level = first, -np.inf
        for _ in range(_DRAWS):
            start = int(generator.integers(first, end - self.frames + 1))
            level = self._level(start)
            if silence_allowed or level >= _SILENT_DB:
                return start
            if level > best_level:
                best, best_level = start, level
        return best

    def _clip(self, position: int) -> int:
        epoch, turn = divmod(position, len(self._turns))
        if epoch not in self._orders:
            generator = np.random.default_rng([self._seed, epoch])
            if self._shards is None:
                order = generator.permutation(self._turns)
            else:
                order = np.concatenate(windows(self._shards, self._turns, generator))
            # This epoch's and the one before: near the end of one, both are asked for.
            self._orders = {known: self._orders[known] for known in (epoch - 1, epoch + 1) if known in self._orders}
            self._orders[epoch] = order
        return int(self._orders[epoch][turn])

    def _announce(self, step: int) -> None:
        """Have the shards of the next steps fetched."""
        if self._shards is None:
            return
        known = step <= self._announced <= step + _AHEAD
        for ahead in range(self._announced + 1 if known else step + 1, step + _AHEAD + 1):
            self.store.expect(self._clip(position) for position in self._positions(ahead))
        self._announced = step + _AHEAD

    def _level(self, start: int) -> float:
        samples, _ = self.store.read(start, self.frames)
        power = np.square(samples.astype(np.float32) / 32768.0).mean()
        return float(10.0 * np.log10(power + 1e-12))

    def _generator(self, position: int, purpose: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[self._seed, position], counter=[0, 0, 0, purpose]))
