"""Clips laid end to end, so that a frame number finds samples and mel: in memory where they fit, else on disk."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from glowvox.data.prepared import Clip
from glowvox.errors import DataError

DEFAULT_MEMORY_LIMIT = 8 << 30


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
