"""Batches for training in NumPy: random segments for a vocoder, whole clips by length for an acoustic model.

In reading order: padding, where clips lie (`ClipStore`), an order that needs few shards at a time (`windows`), whole
clips (`LengthBuckets`), segments (`SegmentSampler`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glowvox.data.prepared import Clip
from glowvox.errors import ConfigError, DataError


def pad_mels(mels: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return `(mel [B, M, T], lengths [B])` of mels [M, T_i], padded with zeros to the longest."""
    lengths = np.array([mel.shape[1] for mel in mels], np.int64)
    padded = np.zeros((len(mels), mels[0].shape[0], int(lengths.max())), np.float32)
    for row, mel in zip(padded, mels, strict=True):
        row[:, : mel.shape[1]] = mel
    return padded, lengths


def pad_tokens(tokens: Sequence[Sequence[int]], padding: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return `(tokens [B, L], lengths [B])` of token sequences of L_i, padded to the longest."""
    lengths = np.array([len(sequence) for sequence in tokens], np.int64)
    padded = np.full((len(tokens), int(lengths.max())), padding, np.int64)
    for row, sequence in zip(padded, tokens, strict=True):
        row[: len(sequence)] = sequence
    return padded, lengths


DEFAULT_MEMORY_LIMIT = 8 << 30
"""Bytes up to which the clips of a training are held in memory."""


class ClipStore(ABC):
    """Clips laid end to end; clip i holds the frames `first_frames[i]` to `first_frames[i + 1]`.

    Args:
        clips: at least one, all of one mel contract.

    Raises:
        DataError: there are no clips, or their hop lengths or numbers of mel bins differ.
    """

    def __init__(self, clips: Sequence[Clip]) -> None:
        if not clips:
            raise DataError("the training data holds no clips")
        shapes = {(clip.hop_length, clip.n_mels) for clip in clips}
        if len(shapes) > 1:
            listed = ", ".join(f"hop {hop} with {mels} mel bins" for hop, mels in sorted(shapes))
            raise DataError(f"the clips were prepared with different mel contracts: {listed}")
        self.clips = tuple(clips)
        self.hop_length, self.n_mels = shapes.pop()
        self.first_frames: NDArray[np.int64] = np.concatenate(([0], np.cumsum([clip.frames for clip in clips])))

    @abstractmethod
    def read(self, start: int, frames: int) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        """Return `(samples int16 [frames * hop], mel float32 [M, frames])` from a frame on, within one clip."""

    @abstractmethod
    def expect(self, clips: Iterable[int]) -> None:
        """Take note that these clips, by their numbers, will be read soon."""


class MemoryStore(ClipStore):
    """All clips in two arrays, which a trainer may also copy to its device: `samples` int16 and `mel` float32."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        super().__init__(clips)
        total = int(self.first_frames[-1])
        self.samples: NDArray[np.int16] = np.empty(total * self.hop_length, np.int16)
        """[sum of S], clip after clip."""
        self.mel: NDArray[np.float32] = np.empty((self.n_mels, total), np.float32)
        """[M, sum of T], clip after clip."""
        for clip, first in zip(self.clips, self.first_frames, strict=False):
            samples, mel = clip.load()
            self.samples[first * self.hop_length : (first + clip.frames) * self.hop_length] = samples
            self.mel[:, first : first + clip.frames] = mel

    def read(self, start: int, frames: int) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        """Return views into the arrays."""
        end = start + frames
        return self.samples[start * self.hop_length : end * self.hop_length], self.mel[:, start:end]

    def expect(self, clips: Iterable[int]) -> None:
        """See `ClipStore.expect`; everything is here."""


class DiskStore(ClipStore):
    """Clips read from their files or shards part by part."""

    def read(self, start: int, frames: int) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        """Read a part of one clip's file."""
        index = int(np.searchsorted(self.first_frames, start, side="right")) - 1
        return self.clips[index].load_part(start - int(self.first_frames[index]), frames)

    def expect(self, clips: Iterable[int]) -> None:
        """See `ClipStore.expect`."""
        expect(self.clips[index] for index in clips)


def expect(clips: Iterable[Clip]) -> None:
    """Have the shards of clips fetched that will be read soon."""
    for clip in clips:
        if clip.member is not None:
            clip.member.cache.expect((clip.member.shard,))


def open_store(clips: Sequence[Clip], memory_limit: int = DEFAULT_MEMORY_LIMIT) -> ClipStore:
    """Return the clips in memory where they take at most `memory_limit` bytes, else on disk.

    Raises:
        DataError: there are no clips, or one is damaged.
    """
    needed = sum(2 * clip.samples + 4 * clip.n_mels * clip.frames for clip in clips)
    return MemoryStore(clips) if needed <= memory_limit else DiskStore(clips)


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
    """Divide clips into windows of few shards each: shards are shuffled, and clips among the shards of a window.

    The order is a function of seed and epoch alone. Every process knows the same and takes its own positions of it, so
    nothing needs to be kept to go on after a lost machine but the number of the step.

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
        shards: number of each clip's shard; the clips of a batch then lie in few shards, see `windows`.

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
    in an order that needs few shards at a time, see `windows`.

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
        epoch, turn = divmod(position, self.segments_per_epoch)
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
