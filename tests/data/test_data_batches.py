"""Batches are pure functions of seed and position; processes share the work; silence is limited."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowvox.data.batches import DiskStore, LengthBuckets, MemoryStore, SegmentSampler, open_store, pad_mels, pad_tokens
from glowvox.data.clips import write_clip
from glowvox.data.prepared import Clip, ClipRow
from glowvox.errors import ConfigError, DataError

HOP, MELS = 16, 3


def make_clip(folder: Path, index: int, frames: int, *, silent: range = range(0), mels: int = MELS) -> Clip:
    """A clip whose mel holds 1000 * index + frame, and whose samples hold the frame's number, scaled."""
    number = np.arange(frames)
    samples = np.repeat(2000 + 10 * number, HOP).astype(np.int16)
    samples[silent.start * HOP : silent.stop * HOP] = 0
    mel = np.tile(1000.0 * index + number, (mels, 1)).astype(np.float32)
    path = folder / f"{index}.safetensors"
    write_clip(path, samples, mel, "", {})
    row = ClipRow(f"{index}", "", "s", "en", frames * HOP, frames, path.name, 1.0)
    return Clip(row, path, mels)


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    return [make_clip(tmp_path, index, frames) for index, frames in enumerate((40, 8, 100, 25))]


def sampler(clips: list[Clip], **options: int | bool) -> SegmentSampler:
    return SegmentSampler(clips, **{"batch_size": 4, "frames": 10, "seed": 5, **options})


def test_samples_and_mel_belong_together(clips: list[Clip]) -> None:
    drawn = sampler(clips, dequantise=False)
    assert drawn.n_too_short == 1
    for step in range(10):
        batch = drawn.batch(step)
        assert (batch.samples.shape, batch.mel.shape) == ((4, 10 * HOP), (4, MELS, 10))
        assert batch.samples.dtype == batch.mel.dtype == np.float32
        frame = batch.mel[:, 0] % 1000
        assert np.array_equal(np.diff(frame), np.ones((4, 9)))
        assert np.array_equal(batch.samples[:, ::HOP] * 32768, 2000 + 10 * frame)


def test_a_batch_depends_on_its_step_only(clips: list[Clip]) -> None:
    in_order = [sampler(clips).batch(step) for step in range(12)]
    jumping = sampler(clips)
    for step in (11, 3, 7, 3, 0):
        batch = jumping.batch(step)
        assert np.array_equal(batch.samples, in_order[step].samples)
        assert np.array_equal(batch.mel, in_order[step].mel)
    other = sampler(clips, seed=6)
    assert any(not np.array_equal(other.batch(step).mel, in_order[step].mel) for step in range(12))


def test_two_processes_see_what_one_with_the_double_batch_sees(clips: list[Clip]) -> None:
    one = sampler(clips, batch_size=6)
    two = [sampler(clips, batch_size=3, rank=rank, world_size=2) for rank in range(2)]
    for step in range(8):
        parts = [part.batch(step) for part in two]
        assert np.array_equal(one.batch(step).samples, np.concatenate([part.samples for part in parts]))
        assert np.array_equal(one.batch(step).mel, np.concatenate([part.mel for part in parts]))


def test_clips_are_drawn_as_their_length_deserves(clips: list[Clip]) -> None:
    drawn = sampler(clips, batch_size=1)
    assert drawn.segments_per_epoch == 4 + 10 + 2
    for epoch in range(3):
        first = epoch * drawn.segments_per_epoch
        starts = np.concatenate([drawn.starts(first + step) for step in range(drawn.segments_per_epoch)])
        counts = np.bincount(np.searchsorted(drawn.store.first_frames, starts, side="right") - 1, minlength=4)
        assert counts.tolist() == [4, 0, 10, 2]


def test_noise_fills_one_step_of_sixteen_bits(clips: list[Clip]) -> None:
    noise = (sampler(clips).batch(0).samples - sampler(clips, dequantise=False).batch(0).samples) * 32768
    assert -0.501 < noise.min() < -0.45
    assert 0.45 < noise.max() < 0.501
    assert abs(noise.mean()) < 0.05


def test_disk_and_memory_give_the_same(clips: list[Clip]) -> None:
    assert isinstance(open_store(clips), MemoryStore)
    assert isinstance(open_store(clips, memory_limit=10), DiskStore)
    memory, disk = sampler(clips), sampler(clips, memory_limit=10)
    for step in range(5):
        assert np.array_equal(memory.batch(step).samples, disk.batch(step).samples)
        assert np.array_equal(memory.batch(step).mel, disk.batch(step).mel)
        assert np.array_equal(memory.starts(step), disk.starts(step))


def test_silence_is_rare_but_not_banned(tmp_path: Path) -> None:
    clip = make_clip(tmp_path, 0, 400, silent=range(100, 400))
    drawn = sampler([clip], batch_size=500)
    silent = np.mean(drawn.starts(0) >= 100)
    assert 0.01 < silent < 0.2  # 0.77 without the limit
    whole = make_clip(tmp_path, 1, 50, silent=range(50))
    assert sampler([whole]).batch(0).samples.shape == (4, 160)


def test_wrong_segments_are_refused(clips: list[Clip], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no clips"):
        sampler([])
    with pytest.raises(DataError, match=r"shorter than a segment of 101 frames \(1616 samples\)"):
        sampler(clips, frames=101)
    with pytest.raises(DataError, match="different mel contracts"):
        sampler([*clips, make_clip(tmp_path, 9, 30, mels=4)])
    for wrong in ({"batch_size": 0}, {"frames": 0}, {"seed": -1}, {"seed": 2**63}, {"rank": 2, "world_size": 2}):
        with pytest.raises(ConfigError):
            sampler(clips, **wrong)


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 400), min_size=1, max_size=60),
    max_frames=st.integers(400, 2000),
    world_size=st.integers(1, 4),
    epoch=st.integers(0, 3),
)
def test_buckets_cover_all_clips_within_the_limit(
    lengths: list[int], max_frames: int, world_size: int, epoch: int
) -> None:
    def batches(rank: int) -> list[list[int]]:
        options = {"max_frames": max_frames, "seed": 1, "max_items": 9, "rank": rank, "world_size": world_size}
        return LengthBuckets(lengths, **options).batches(epoch)

    shards = [batches(rank) for rank in range(world_size)]
    assert len({tuple(map(len, shard)) for shard in shards}) == 1
    for batch in (batch for shard in shards for batch in shard):
        assert 1 <= len(batch) <= 9
        assert len(batch) * max(lengths[index] for index in batch) <= max_frames
    seen = [index for shard in shards for batch in shard for index in batch]
    assert set(seen) == set(range(len(lengths)))
    assert len(seen) - len(lengths) < world_size
    assert shards[0] == batches(0)


def test_buckets_hold_similar_lengths_in_a_new_order_each_epoch() -> None:
    lengths = np.random.default_rng(0).integers(50, 800, 500)
    buckets = LengthBuckets(lengths, max_frames=6000, seed=3)
    first, second = buckets.batches(0), buckets.batches(1)
    assert sorted(map(sorted, first)) != sorted(map(sorted, second))
    padded = sum(len(batch) * lengths[batch].max() for batch in first)
    assert padded < 1.2 * lengths.sum()
    longest = [lengths[batch].max() for batch in first]
    assert longest != sorted(longest)
    assert LengthBuckets(lengths, max_frames=6000, seed=4).batches(0) != first


def test_clips_too_long_for_a_batch_are_named() -> None:
    buckets = LengthBuckets([10, 900, 20], max_frames=100, seed=0)
    assert buckets.too_long == (1,)
    assert sorted(buckets.batches(0)[0]) == [0, 2]
    with pytest.raises(DataError, match="at most 5 frames"):
        LengthBuckets([10], max_frames=5, seed=0)
    with pytest.raises(DataError):
        LengthBuckets([], max_frames=5, seed=0)
    for wrong in ({"max_frames": 0}, {"seed": -1}, {"max_items": 0}, {"rank": 1}):
        with pytest.raises(ConfigError):
            LengthBuckets([1], **{"max_frames": 5, "seed": 0, **wrong})


def test_padding() -> None:
    mels, lengths = pad_mels([np.ones((2, 3), np.float32), np.ones((2, 5), np.float32)])
    assert mels.shape == (2, 2, 5)
    assert lengths.tolist() == [3, 5]
    assert mels.sum() == 16
    tokens, lengths = pad_tokens([[7, 8], [9]], padding=-1)
    assert tokens.tolist() == [[7, 8], [9, -1]]
    assert lengths.tolist() == [2, 1]
