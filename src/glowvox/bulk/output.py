"""The forms in which a shard's speech is written: a file per row, or all in one file."""

import hashlib
import io
import json
import tarfile
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, final

from glowvox.bulk.card import RunSettings
from glowvox.bulk.ledger import OutputFile
from glowvox.bulk.speaker import SynthesizedRow
from glowvox.errors import DataError, MissingExtraError
from glowvox.storage.object_storage import Storage

_BLOCK = 1 << 20
_LONGEST_NAME = 80
"""A name with its number and ending fits into the 100 bytes of a plain tar header."""


class ShardOutput(ABC):
    """Takes the speech of a shard's rows in order; nothing counts before `finish` has been called.

    Args:
        storage: of the run.
        name: the shard's number as files have it.
        settings: the run's.
    """

    def __init__(self, storage: Storage, name: str, settings: RunSettings) -> None:
        self.storage, self.name, self.settings = storage, name, settings

    def __enter__(self) -> "ShardOutput":
        return self

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not put in place."""

    @abstractmethod
    def add(self, spoken: SynthesizedRow) -> dict[str, Any]:
        """Take a row's speech; return its record, which says where it lies.

        Raises:
            DataError: it cannot be written.
        """

    @abstractmethod
    def finish(self) -> tuple[OutputFile, ...]:
        """Put everything in place and return the files: none where no row could be spoken.

        Raises:
            DataError: it cannot be written.
        """


class FileNames:
    """Names for the files of a shard: told apart where ids are, harmless whatever the ids hold.

    Letters, digits, `_` and `-` stay; every other byte of the UTF-8 form becomes `%XX`. Long names are cut and end in a
    hash. Names that a file system might take for the same (`A`, `a`) get the row's number.
    """

    def __init__(self) -> None:
        self.taken: set[str] = set()
        """The names given, in lower case."""

    def name(self, identifier: str, number: int) -> str:
        """Return the name for a row's id and number."""
        raw = identifier.encode("utf-8")
        name = "".join(
            chr(byte) if (chr(byte).isalnum() and byte < 128) or byte in b"_-" else f"%{byte:02X}" for byte in raw
        )
        if len(name) > _LONGEST_NAME:
            name = f"{name[: _LONGEST_NAME - 34]}%~{hashlib.sha256(raw).hexdigest()[:32]}"
        if name.lower() in self.taken:
            name = f"{name}%~{number}"
        self.taken.add(name.lower())
        return name


def hashed_file(path: Path, name: str) -> OutputFile:
    """Return a local file's size and checksum under the name that it will have."""
    hashed, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hashed.update(block)
            size += len(block)
    return OutputFile(name, size, hashed.hexdigest())


@final
class FileOutput(ShardOutput):
    """A sound file per row, `audio/00000007/ID.flac`; the files are written as they come, each whole."""

    def __init__(self, storage: Storage, name: str, settings: RunSettings) -> None:
        super().__init__(storage, name, settings)
        self._names = FileNames()
        self._files: list[OutputFile] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave everything: files without a ledger are written again, the same."""

    def add(self, spoken: SynthesizedRow) -> dict[str, Any]:
        """See `ShardOutput.add`."""
        own = self._names.name(spoken.row.id, spoken.row.number)
        name = f"audio/{self.name}/{own}.{self.settings.audio_format}"
        self.storage.write(name, spoken.audio)
        self._files.append(OutputFile(name, len(spoken.audio), spoken.sha256))
        record = spoken.record(name)
        if spoken.timestamps:
            record["timestamps"] = f"audio/{self.name}/{own}.{self.settings.timestamps}"
            content = spoken.timestamps.encode("utf-8")
            self.storage.write(record["timestamps"], content)
            self._files.append(OutputFile(record["timestamps"], len(content), hashlib.sha256(content).hexdigest()))
        return record

    def finish(self) -> tuple[OutputFile, ...]:
        """See `ShardOutput.finish`."""
        return tuple(self._files)


_GROUP = 64
"""Rows in a row group: some megabytes of sound, all that is in memory."""


@final
class ParquetOutput(ShardOutput):
    """A shard as a Parquet file: a row for each row, the sound file's bytes in the column `audio`.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """

    def __init__(self, storage: Storage, name: str, settings: RunSettings) -> None:
        super().__init__(storage, name, settings)
        try:
            import pyarrow
            import pyarrow.parquet
        except ModuleNotFoundError as error:
            raise MissingExtraError("pyarrow", "cluster", "Parquet output") from error
        self._arrow = pyarrow
        columns = {
            "id": pyarrow.string(),
            "text": pyarrow.string(),
            "audio": pyarrow.binary(),
            "format": pyarrow.string(),
            "seconds": pyarrow.float64(),
            "samples": pyarrow.int64(),
            "sample_rate": pyarrow.int32(),
            "seed": pyarrow.int64(),
            "sha256": pyarrow.string(),
            "row": pyarrow.int64(),
            "speaker": pyarrow.string(),
            "language": pyarrow.string(),
            "speed": pyarrow.float64(),
            **({"timestamps": pyarrow.string()} if settings.timestamps else {}),
        }
        self._schema = pyarrow.schema(list(columns.items()))
        self._aside = storage.aside()
        self._writer = pyarrow.parquet.ParquetWriter(self._aside, self._schema, compression={"text": "zstd"})
        self._waiting: list[dict[str, Any]] = []
        self._rows = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See `ShardOutput.__exit__`."""
        self._writer.close()
        self._aside.unlink(missing_ok=True)

    def add(self, spoken: SynthesizedRow) -> dict[str, Any]:
        """See `ShardOutput.add`."""
        record = spoken.record(f"shards/{self.name}.parquet")
        kept = {name: record.get(name) for name in self._schema.names}
        row = {**kept, "audio": spoken.audio, "format": self.settings.audio_format}
        self._waiting.append(row | ({"timestamps": spoken.timestamps} if self.settings.timestamps else {}))
        self._rows += 1
        if len(self._waiting) >= _GROUP:
            self._flush()
        return record

    def finish(self) -> tuple[OutputFile, ...]:
        """See `ShardOutput.finish`."""
        if not self._rows:
            return ()
        self._flush()
        try:
            self._writer.close()
            file = hashed_file(self._aside, f"shards/{self.name}.parquet")
        except OSError as error:
            raise DataError(f"{self.storage.url}: cannot write a shard ({error})") from error
        self.storage.put(file.name, self._aside)
        return (file,)

    def _flush(self) -> None:
        if not self._waiting:
            return
        table = self._arrow.Table.from_pylist(self._waiting, self._schema)
        self._waiting.clear()
        try:
            self._writer.write_table(table)
        except OSError as error:
            raise DataError(f"{self.storage.url}: cannot write a shard ({error})") from error


@final
class TarOutput(ShardOutput):
    """A shard as a tar file in the form of WebDataset: for each row `KEY.flac` and `KEY.json`, one after the other.

    The same rows give the same bytes: no times, owners or places are in the file.
    """

    def __init__(self, storage: Storage, name: str, settings: RunSettings) -> None:
        super().__init__(storage, name, settings)
        self._names = FileNames()
        self._aside = storage.aside()
        self._tar = tarfile.open(self._aside, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - closed by finish

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See `ShardOutput.__exit__`."""
        self._tar.close()
        self._aside.unlink(missing_ok=True)

    def add(self, spoken: SynthesizedRow) -> dict[str, Any]:
        """See `ShardOutput.add`."""
        key = self._names.name(spoken.row.id, spoken.row.number)
        file = f"shards/{self.name}.tar:{key}.{self.settings.audio_format}"
        record = spoken.record(file)
        content = json.dumps(record, ensure_ascii=False, indent=1).encode("utf-8")
        self._put(f"{key}.{self.settings.audio_format}", spoken.audio)
        if spoken.timestamps:
            # Not as KEY.json, which says what the row is.
            self._put(f"{key}.words.{self.settings.timestamps}", spoken.timestamps.encode("utf-8"))
        self._put(f"{key}.json", content)
        return record

    def finish(self) -> tuple[OutputFile, ...]:
        """See `ShardOutput.finish`."""
        if not self._names.taken:
            return ()
        try:
            self._tar.close()
            file = hashed_file(self._aside, f"shards/{self.name}.tar")
        except OSError as error:
            raise DataError(f"{self.storage.url}: cannot write a shard ({error.strerror or error})") from error
        self.storage.put(file.name, self._aside)
        return (file,)

    def _put(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        try:
            self._tar.addfile(member, io.BytesIO(content))
        except OSError as error:
            raise DataError(f"{self.storage.url}: cannot write a shard ({error.strerror or error})") from error
