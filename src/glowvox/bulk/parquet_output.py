"""A shard as a Parquet file: a row for each row, the sound file's bytes in the column `audio`."""

from types import TracebackType
from typing import Any, final

from glowvox.bulk.card import RunSettings
from glowvox.bulk.ledger import OutputFile
from glowvox.bulk.output import ShardOutput, hashed_file
from glowvox.bulk.run_storage import RunStorage
from glowvox.bulk.speaker import Spoken
from glowvox.errors import DataError, MissingExtraError

_GROUP = 64
"""Rows in a row group: some megabytes of sound, all that is in memory."""


@final
class ParquetOutput(ShardOutput):
    """See `ShardOutput`.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """

    def __init__(self, storage: RunStorage, name: str, settings: RunSettings) -> None:
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

    def add(self, spoken: Spoken) -> dict[str, Any]:
        """See `ShardOutput.add`."""
        record = spoken.record(f"shards/{self.name}.parquet")
        kept = {name: record.get(name) for name in self._schema.names}
        self._waiting.append({**kept, "audio": spoken.audio, "format": self.settings.audio_format})
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
