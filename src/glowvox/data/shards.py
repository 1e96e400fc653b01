"""Prepared data as shards: tar files in the form of WebDataset with an index, in a folder or in object storage.

`shards.json` (format version, what `dataset.json` said, the shards with sizes and checksums) is written last;
`train.jsonl` and `validation.jsonl` hold a line for each clip: its row, its shard, and where in the shard it lies. In a
shard each clip is `NAME.safetensors` (samples and mel, as `glowvox prepare` wrote them) and `NAME.json` (its row).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glowvox.data.shards_place import read_place
from glowvox.errors import DataError

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
        for number, line in enumerate(read_place(self.address, name).splitlines(), 1):
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


def address_of(place: Path | str) -> str:
    """Return a place as an address: `s3://bucket/data`, of which a `Path` has made `s3:/bucket/data`, or a path."""
    found = re.fullmatch(r"([a-z][a-z0-9+.]+):/+(.*)", str(place))
    if found is None:
        return str(place)
    return f"{found[1]}://{'/' if found[1] == 'file' else ''}{found[2]}"


def find_index(place: Path | str) -> ShardIndex | None:
    """Return the index of shards at a place; None: it is a local folder without one.

    Raises:
        DataError: an address where there are no shards; or the index is damaged or of a later version.
        MissingExtraError: an address needs fsspec.
    """
    address = address_of(place)
    if "://" not in address and not (Path(address) / INDEX_NAME).is_file():
        return None
    try:
        content = json.loads(read_place(address, INDEX_NAME))
        version = content["format_version"]
        if version != SHARDS_VERSION:
            raise DataError(
                f"{address}/{INDEX_NAME}: format version {version!r}, this program reads {SHARDS_VERSION}; pack again"
            )
        return ShardIndex(address, dict(content["dataset"]), tuple(ShardFile(**shard) for shard in content["shards"]))
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{address}/{INDEX_NAME}: damaged ({error}); pack the data again") from error
