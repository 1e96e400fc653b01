"""Prepared data as shards: tar files in the form of WebDataset with an index, in a folder or in object storage.

`shards.json` (format version, what `dataset.json` said, the shards with sizes and checksums) is written last;
`train.jsonl` and `validation.jsonl` hold a line for each clip: its row, its shard, and where in the shard it lies. In a
shard each clip is `NAME.safetensors` (samples and mel, as `glowvox prepare` wrote them) and `NAME.json` (its row).
"""

import hashlib
import json
import mmap
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from glowvox.errors import ConfigError, DataError
from glowvox.storage.object_storage import ObjectStorage, address_of, local_path, open_storage

INDEX_NAME = "shards.json"
SHARDS_VERSION = 1


@dataclass(frozen=True)
class ShardFile:
    """One shard."""

    name: str
    """Such as `train-000007.tar`."""
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ShardEntry:
    """One clip in a shard."""

    row: dict[str, Any]
    """The fields of `ClipRow`."""
    shard: int
    """Number of the shard in the index."""
    offset: int
    """First byte of the clip's file in the shard."""
    bytes: int


@dataclass(frozen=True)
class ShardIndex:
    """What `shards.json` says."""

    address: str
    """Where the shards lie."""
    dataset: dict[str, Any]
    """What `dataset.json` said."""
    shards: tuple[ShardFile, ...]

    def entries(self, split: str) -> Iterator[ShardEntry]:
        """Yield the clips of a split in the order of the list.

        Raises:
            DataError: the list is missing or damaged.
        """
        name = f"{split}.jsonl"
        for number, line in enumerate(_read(self.address, name).splitlines(), 1):
            try:
                entry = ShardEntry(**json.loads(line))
                inside = entry.offset >= 0 and entry.offset + entry.bytes <= self.shards[entry.shard].bytes
            except (ValueError, TypeError, IndexError) as error:
                raise DataError(f"{self.address}/{name}, line {number}: damaged ({error})") from error
            if not inside:
                raise DataError(f"{self.address}/{name}, line {number}: the clip lies outside its shard")
            yield entry

    def to_json(self) -> str:
        """Return the content of `shards.json`."""
        shards = [asdict(shard) for shard in self.shards]
        return json.dumps({"format_version": SHARDS_VERSION, "dataset": self.dataset, "shards": shards}, indent=1)


def find_index(place: Path | str) -> ShardIndex | None:
    """Return the index of shards at a place; None: it is a local folder without one.

    Raises:
        DataError: an address where there are no shards; or the index is damaged or of a later version.
        MissingExtraError: an address needs fsspec.
    """
    address = address_of(place)
    local = local_path(address)
    if local is not None and not (Path(local) / INDEX_NAME).is_file():
        return None
    try:
        content = json.loads(_read(address, INDEX_NAME))
        version = content["format_version"]
        if version != SHARDS_VERSION:
            raise DataError(
                f"{address}/{INDEX_NAME}: format version {version!r}, this program reads {SHARDS_VERSION}; pack again"
            )
        return ShardIndex(address, dict(content["dataset"]), tuple(ShardFile(**shard) for shard in content["shards"]))
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{address}/{INDEX_NAME}: damaged ({error}); pack the data again") from error


def _read(address: str, name: str) -> bytes:
    try:
        return open_storage(address).read(name)
    except FileNotFoundError as error:
        raise DataError(f"{address}: no prepared data here (no {name})") from error


FOLDER_VARIABLE, LIMIT_VARIABLE = "GLOWVOX_SHARD_CACHE", "GLOWVOX_SHARD_CACHE_GB"
"""Environment variables: the folder for fetched shards, and its size in GB."""
DEFAULT_LIMIT = 32e9
_OPEN = 32
"""Shards that are open at once."""


class ShardCache:
    """The shards of one data set: read where they lie if that is here, else fetched ahead into a cache of limited size.

    The processes of a machine share the folder without locks: a shard appears whole, by renaming, and one that is
    removed stays readable for whoever has it open.

    Args:
        index: which there are.
        folder: for fetched shards; None: as the environment says, else in the user's folder for caches.
        limit: bytes that fetched shards may take; None: as the environment says, else 32 GB. What is being read is
            never removed, so the limit must hold the shards of two windows of the order.

    Raises:
        ConfigError: the environment's limit is no number.
    """

    def __init__(self, index: ShardIndex, folder: Path | None = None, limit: float | None = None) -> None:
        self.index = index
        storage = open_storage(index.address)
        self._remote = storage if isinstance(storage, ObjectStorage) else None
        key = hashlib.sha256(index.address.encode()).hexdigest()[:16]
        self._folder = folder or _base_folder() / key
        self._limit = _limit() if limit is None else limit
        self._open: OrderedDict[int, mmap.mmap] = OrderedDict()
        self._coming: dict[int, Future[Path]] = {}
        self._lock = threading.Lock()
        self._local = Path(storage.url)
        self._fetcher = ThreadPoolExecutor(1, thread_name_prefix="shards")

    def read(self, shard: int, offset: int, size: int) -> bytes:
        """Return a part of a shard, which is fetched first where it is not here.

        Raises:
            DataError: it cannot be fetched, or is not what the index says.
        """
        opened = self._open.get(shard)
        if opened is None:
            opened = self._opened(shard)
        else:
            self._open.move_to_end(shard)
        return opened[offset : offset + size]

    def expect(self, shards: Iterable[int]) -> None:
        """Have shards fetched that will be read soon."""
        for shard in shards:
            if self._remote is not None and shard not in self._open:
                self._fetching(self._remote, shard)

    def _opened(self, shard: int) -> mmap.mmap:
        path = self._local / self._name(shard) if self._remote is None else self._fetching(self._remote, shard).result()
        try:
            with path.open("rb") as file:
                opened = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError as error:
            if self._remote is None:
                raise DataError(f"{path}: is missing; pack the data again") from error
            # Another process removed it between fetching and opening.
            with self._lock:
                self._coming.pop(shard, None)
            return self._opened(shard)
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read ({error})") from error
        if len(opened) != self.index.shards[shard].bytes:
            raise DataError(f"{path}: has {len(opened)} bytes, the index says {self.index.shards[shard].bytes}")
        self._open[shard] = opened
        while len(self._open) > _OPEN:
            self._open.popitem(last=False)
        return opened

    def _fetching(self, remote: ObjectStorage, shard: int) -> "Future[Path]":
        with self._lock:
            if shard not in self._coming:
                self._coming[shard] = self._fetcher.submit(self._fetch, remote, shard)
            return self._coming[shard]

    def _fetch(self, remote: ObjectStorage, shard: int) -> Path:
        """Fetch a shard unless it is here, and make room for it. Runs in the thread."""
        wanted = self.index.shards[shard]
        path = self._folder / wanted.name
        try:
            if path.is_file() and path.stat().st_size == wanted.bytes:
                os.utime(path)
                return path
            self._make_room(wanted.bytes)
            try:
                remote.fetch(wanted.name, path)
            except FileNotFoundError as error:
                raise DataError(f"{remote.url}/{wanted.name}: is missing") from error
            with path.open("rb") as file:
                hashed = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"{path}: cannot be used ({error.strerror or error})") from error
        if hashed != wanted.sha256:
            path.unlink(missing_ok=True)
            raise DataError(f"{self.index.address}/{wanted.name}: damaged: its checksum is not the index's")
        return path

    def _make_room(self, size: int) -> None:
        """Remove the shards that were used longest ago."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = sorted((path.stat().st_mtime, path) for path in self._folder.glob("*.tar"))
        total = size + sum(path.stat().st_size for _, path in kept)
        for _, path in kept:
            if total <= self._limit:
                return
            total -= path.stat().st_size
            path.unlink(missing_ok=True)
            with self._lock:
                for shard in [number for number in self._coming if self._name(number) == path.name]:
                    del self._coming[shard]

    def _name(self, shard: int) -> str:
        return self.index.shards[shard].name


@dataclass(frozen=True)
class ShardMember:
    """One clip's place in a shard."""

    cache: ShardCache
    shard: int
    offset: int
    size: int

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return `(samples int16 [S], mel float32 [M, T])`.

        Raises:
            DataError: the shard cannot be read, or holds something else there.
        """
        content = self.cache.read(self.shard, self.offset, self.size)
        try:
            tensors = load(content)
            return tensors["samples"], tensors["mel"]
        except (SafetensorError, KeyError) as error:
            name = self.cache.index.shards[self.shard].name
            raise DataError(f"{self.cache.index.address}/{name}: no clip at byte {self.offset} ({error})") from error


def _base_folder() -> Path:
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glowvox" / "shards"


def _limit() -> float:
    given = os.environ.get(LIMIT_VARIABLE, "")
    try:
        limit = float(given) * 1e9 if given else DEFAULT_LIMIT
    except ValueError as error:
        raise ConfigError(f"{LIMIT_VARIABLE} must be a number of GB, got '{given[:40]}'") from error
    if not limit > 0:
        raise ConfigError(f"{LIMIT_VARIABLE} must be above 0, got '{given[:40]}'")
    return limit
