"""Shards: what was packed is what is read; the order is a function of seed and step; damage is noticed."""

import io
import json
import tarfile
import threading

import numpy as np
import pytest

from glowvox.audio.mel import MelTransform
from glowvox.cli.main import main
from glowvox.config.audio import AudioConfig
from glowvox.data.batches import WINDOW_SHARDS, DiskStore, LengthBuckets, SegmentSampler, shard_numbers, windows
from glowvox.data.clips import write_clip
from glowvox.data.prepared import PreparedData
from glowvox.data.shards import LIMIT_VARIABLE, ShardCache, find_index
from glowvox.data.shards_pack import pack_shards
from glowvox.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Prepared data of 40 short clips of noise, four of them for validation."""
    place = tmp_path_factory.mktemp("prepared")
    audio, generator = AudioConfig(), np.random.default_rng(0)
    (place / "clips").mkdir()
    rows = {"train": [], "validation": []}
    for number in range(40):
        samples = generator.uniform(-0.3, 0.3, audio.hop_length * int(generator.integers(20, 60))).astype(np.float32)
        frames = len(samples) // audio.hop_length
        mel = MelTransform(audio)(samples)[:, :frames]
        name = f"clip.{number}"
        write_clip(place / "clips" / f"{name}.safetensors", (samples * 32767).astype(np.int16), mel, "key", {})
        row = {"id": name, "text": "Some text.", "speaker": "noise", "language": "en-us", "samples": len(samples)}
        row |= {"frames": frames, "file": f"clips/{name}.safetensors", "gain": 1.0}
        rows["train" if number % 10 else "validation"].append(row)
    for split, entries in rows.items():
        (place / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in entries), encoding="utf-8")
    contract = {**vars(audio), "fingerprint": audio.fingerprint()}
    described = {"format_version": 1, "audio": contract, "language": "en-us"}
    (place / "dataset.json").write_text(json.dumps(described), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def packed(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("packed")
    pack_shards(PreparedData(folder), place, megabytes=0.05)
    return place


@pytest.fixture
def remote(packed, monkeypatch, tmp_path):
    """The same shards in object storage, and a folder to fetch them into."""
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed (extra: cluster)")
    system = fsspec.filesystem("memory")
    system.put(str(packed), "/shards-test", recursive=True)
    monkeypatch.setenv("GLOWVOX_SHARD_CACHE", str(tmp_path / "cache"))
    yield "memory://shards-test"
    system.rm("/shards-test", recursive=True)
    # Threads that fetched for a data set end with it; none may be left for the next test.
    assert threading.active_count() < 50


def test_what_is_read_is_what_was_packed(folder, packed, remote):
    plain = PreparedData(folder)
    for place in (packed, remote):
        shards = PreparedData(place)
        assert (shards.audio, shards.language, shards.speakers) == (plain.audio, plain.language, plain.speakers)
        for split in ("train", "validation"):
            expected = {clip.id: clip for clip in plain.clips(split)}
            found = shards.clips(split)
            assert sorted(clip.id for clip in found) == sorted(expected)
            assert [clip.id for clip in found] != list(expected)
            for clip in found:
                assert clip.row == expected[clip.id].row
                for ours, theirs in zip(clip.load(), expected[clip.id].load(), strict=True):
                    np.testing.assert_array_equal(ours, theirs)
                for ours, theirs in zip(clip.load_part(3, 10), expected[clip.id].load_part(3, 10), strict=True):
                    np.testing.assert_array_equal(ours, theirs)


def test_shards_are_plain_webdataset_and_reproducible(folder, packed, tmp_path):
    pack_shards(PreparedData(folder), tmp_path / "again", megabytes=0.05)
    names = sorted(path.name for path in packed.iterdir())
    assert len([name for name in names if name.startswith("train-")]) > WINDOW_SHARDS
    for name in names:
        assert (packed / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
        if name.endswith(".tar"):
            with tarfile.open(packed / name) as tar:
                keys = [member.name.split(".") for member in tar.getmembers()]
                assert [end for _, end in keys] == ["safetensors", "json"] * (len(keys) // 2)
                assert all(one[0] == two[0] for one, two in zip(keys[::2], keys[1::2], strict=True))
                row = json.load(io.TextIOWrapper(tar.extractfile(tar.getmembers()[1]), encoding="utf-8"))
                assert row["text"] == "Some text."


def test_the_order_is_of_windows_and_holds_every_clip():
    shard_of_clip = [clip % 20 for clip in range(400)]
    clips = np.repeat(np.arange(400), 2)
    found = windows(shard_of_clip, clips, np.random.default_rng([3, 5]))
    assert len(found) == 3
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), clips)
    used = [{shard_of_clip[clip] for clip in window} for window in found]
    assert [len(shards) for shards in used] == [8, 8, 4] and not used[0] & used[1]
    again = windows(shard_of_clip, clips, np.random.default_rng([3, 5]))
    other = windows(shard_of_clip, clips, np.random.default_rng([3, 6]))
    assert all((one == two).all() for one, two in zip(found, again, strict=True))
    assert (np.concatenate(found) != np.concatenate(other)).any()


def sampler(clips, batch_size, rank=0, world_size=1, memory_limit=0):
    return SegmentSampler(
        clips, batch_size=batch_size, frames=8, seed=4, rank=rank, world_size=world_size, memory_limit=memory_limit
    )


def test_streamed_segments_are_a_function_of_seed_and_step(packed, remote):
    clips = PreparedData(packed).clips("train")
    whole = sampler(clips, 4, memory_limit=1 << 30)
    streamed = sampler(PreparedData(remote).clips("train"), 4)
    assert isinstance(streamed.store, DiskStore)
    steps = range(whole.segments_per_epoch // 4 * 2 + 3)
    expected = [whole.batch(step) for step in steps]
    for step in steps:
        np.testing.assert_array_equal(streamed.batch(step).samples, expected[step].samples)
    # A machine that comes back begins in the middle, and half of the batch each is the whole batch.
    late = [sampler(PreparedData(remote).clips("train"), 2, rank, 2) for rank in (0, 1)]
    for step in (steps[-1], 5, 6):
        parts = [one.batch(step) for one in late]
        np.testing.assert_array_equal(np.concatenate([part.samples for part in parts]), expected[step].samples)
        np.testing.assert_array_equal(np.concatenate([part.mel for part in parts]), expected[step].mel)
    # As gradient accumulation does it: two small batches one after the other.
    half = sampler(clips, 2)
    np.testing.assert_array_equal(np.concatenate([half.batch(14).samples, half.batch(15).samples]), expected[7].samples)


def test_few_shards_are_used_at_a_time(packed):
    clips = PreparedData(packed).clips("train")
    numbers = shard_numbers(clips)
    streamed = sampler(clips, 1)
    used = []
    for step in range(streamed.segments_per_epoch):
        clip = int(np.searchsorted(streamed.store.first_frames, streamed.starts(step)[0], "right")) - 1
        used.append(numbers[clip])
    first = used[: len(used) // 6]
    assert len(set(used)) == len(set(numbers)) > WINDOW_SHARDS >= len(set(first))


def test_buckets_of_shards_hold_every_clip_once_and_fit_among_processes(packed):
    clips = PreparedData(packed).clips("train")
    lengths, numbers = [clip.frames for clip in clips], shard_numbers(clips)
    one = LengthBuckets(lengths, max_frames=300, seed=1, shards=numbers)
    assert sorted(clip for batch in one.batches(0) for clip in batch) == list(range(len(clips)))
    assert one.batches(0) == one.batches(0) != one.batches(1)
    ranks = [LengthBuckets(lengths, max_frames=300, seed=1, rank=r, world_size=2, shards=numbers) for r in (0, 1)]
    pairs = list(zip(*(rank.batches(2) for rank in ranks), strict=True))
    assert all(len(left) == len(right) for left, right in pairs)
    assert {clip for pair in pairs for batch in pair for clip in batch} == set(range(len(clips)))


def test_the_cache_keeps_its_limit_and_what_is_open(remote, tmp_path):
    index = find_index(remote)
    limit = 2.5 * max(shard.bytes for shard in index.shards)
    first, second = (ShardCache(index, tmp_path / "small", limit) for _ in range(2))
    parts = {}
    for cache in (first, second):
        for number, shard in enumerate(index.shards):
            cache.expect([number])
            content = cache.read(number, 0, shard.bytes)
            assert parts.setdefault(number, content) == content
            assert sum(path.stat().st_size for path in (tmp_path / "small").glob("*.tar")) <= limit
    assert first.read(0, 100, 50) == parts[0][100:150]


def test_damage_is_noticed(packed, remote, tmp_path, monkeypatch):
    import fsspec

    system = fsspec.filesystem("memory")
    data = PreparedData(remote)
    name = find_index(remote).shards[0].name
    content = bytearray(system.cat_file(f"/shards-test/{name}"))
    content[len(content) // 2] ^= 1
    system.pipe_file(f"/shards-test/{name}", bytes(content))
    with pytest.raises(DataError, match="checksum"):
        for clip in data.clips("train"):
            clip.load()
    system.rm_file(f"/shards-test/{name}")
    with pytest.raises(DataError, match=f"{name}: is missing"):
        PreparedData(remote).clips("train")[0].load()
    line = json.loads(system.cat_file("/shards-test/train.jsonl").splitlines()[0])
    for change in ({"offset": -1}, {"bytes": 1 << 40}, {"shard": 999}, {"more": 1}, {"row": {"id": "x"}}):
        system.pipe_file("/shards-test/train.jsonl", json.dumps(line | change).encode())
        with pytest.raises(DataError, match=r"train\.jsonl, line 1"):
            PreparedData(remote)
    for wrong in (b"{", b"[]", b'{"format_version": 9}'):
        system.pipe_file("/shards-test/shards.json", wrong)
        with pytest.raises(DataError, match=r"shards\.json"):
            PreparedData(remote)
    with pytest.raises(DataError, match="no prepared data here"):
        PreparedData("memory://nothing-there")
    monkeypatch.setenv(LIMIT_VARIABLE, "much")
    with pytest.raises(ConfigError, match=LIMIT_VARIABLE):
        PreparedData(packed)


def test_shards_and_folders_are_not_mixed(folder, packed):
    with pytest.raises(DataError, match="pack all data"):
        sampler(PreparedData(folder).clips("train") + PreparedData(packed).clips("train"), 2)


def test_the_command(folder, tmp_path, capsys):
    assert main(["pack", str(folder), "-o", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["shards"] == 2 and told["clips"] == {"train": 36, "validation": 4}
    assert len(PreparedData(tmp_path / "out").clips("train")) == 36
    assert main(["pack", str(folder), "-o", str(tmp_path / "out")]) == 2
    assert "holds shards already" in capsys.readouterr().err
    assert main(["pack", str(folder), "-o", str(tmp_path / "other"), "--shard-mb", "0"]) == 2
    assert main(["pack", str(tmp_path), "-o", str(tmp_path / "other")]) == 2
