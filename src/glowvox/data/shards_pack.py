"""Packing prepared data into shards."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from glowvox.data.clips import SUFFIX, clip_file_name
from glowvox.data.prepared import SPLITS, Clip, PreparedData
from glowvox.data.shards import INDEX_NAME, ShardEntry, ShardFile, ShardIndex, find_index
from glowvox.errors import ConfigError, DataError
from glowvox.storage.object_storage import address_of, open_storage

DEFAULT_MEGABYTES = 256
_NAME_LIMIT = 80


def pack_shards(
    data: PreparedData,
    place: Path | str,
    *,
    megabytes: float = DEFAULT_MEGABYTES,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ShardIndex:
    """Write prepared data as shards, the clips in random order, and return their index, which is written last.

    The same data and seed give the same bytes.

    Args:
        data: what `glowvox prepare` wrote.
        place: a folder or an fsspec address, without shards in it.
        megabytes: size of a shard.
        seed: of the order.
        on_progress: told how many clips of how many are packed.

    Raises:
        ConfigError: the size is not positive.
        DataError: shards are there already, a clip is damaged, or nothing can be written.
    """
    if not megabytes > 0:
        raise ConfigError(f"a shard must have more than 0 MB, got {megabytes}")
    address = address_of(place)
    if _is_packed(address):
        raise DataError(f"{address}: holds shards already; name another place")
    storage = open_storage(address)
    total, done = sum(len(data.clips(split)) for split in SPLITS), 0
    shards: list[ShardFile] = []
    aside = storage.aside()
    try:
        for split in SPLITS:
            clips = data.clips(split)
            order = np.random.default_rng([seed, SPLITS.index(split)]).permutation(len(clips))
            entries: list[ShardEntry] = []
            for group in _groups([clips[number] for number in order], megabytes * 1e6):
                name = f"{split}-{len(shards):06d}.tar"
                entries += _write_shard(aside, group, len(shards))
                with aside.open("rb") as file:
                    hashed = hashlib.file_digest(file, "sha256").hexdigest()
                shards.append(ShardFile(name, aside.stat().st_size, hashed))
                storage.put(name, aside)
                done += len(group)
                on_progress(done, total)
            aside.write_text("".join(json.dumps(asdict(entry)) + "\n" for entry in entries), encoding="utf-8")
            storage.put(f"{split}.jsonl", aside)
        index = ShardIndex(address, data.information, tuple(shards))
        aside.write_text(index.to_json(), encoding="utf-8")
        storage.put(INDEX_NAME, aside)
    finally:
        aside.unlink(missing_ok=True)
        storage.sweep()
    return index


def _is_packed(address: str) -> bool:
    try:
        return find_index(address) is not None
    except DataError as error:
        if f"no {INDEX_NAME}" in str(error):
            return False
        raise


def _groups(clips: Sequence[Clip], size: float) -> list[list[Clip]]:
    """Cut clips into groups of about a size in bytes, at least one in each."""
    groups: list[list[Clip]] = []
    room = 0.0
    for clip in clips:
        needed = 2 * clip.samples + 4 * clip.n_mels * clip.frames
        if not groups or needed > room:
            groups.append([])
            room = size
        groups[-1].append(clip)
        room -= needed
    return groups


def _write_shard(path: Path, clips: Sequence[Clip], number: int) -> list[ShardEntry]:
    entries = []
    try:
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for place, clip in enumerate(clips):
                content, row = clip.path.read_bytes(), asdict(clip.row)
                key = _key(clip.id, place)
                offset = _add(tar, key + SUFFIX, content)
                _add(tar, f"{key}.json", json.dumps(row, ensure_ascii=False).encode("utf-8"))
                entries.append(ShardEntry(row, number, offset, len(content)))
    except OSError as error:
        raise DataError(f"{path}: cannot pack ({error.strerror or error})") from error
    return entries


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> int:
    """Add a file and return where its content begins."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
    return int(tar.offset) - -(-len(content) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _key(identifier: str, place: int) -> str:
    """Return the clip's key in the shard: its id where that is a plain name; WebDataset's keys have no dots."""
    name = clip_file_name(identifier).removesuffix(SUFFIX).replace(".", "%2E")
    return name if len(name) <= _NAME_LIMIT else f"{name[:_NAME_LIMIT]}%~{place}"
