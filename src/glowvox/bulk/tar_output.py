"""A shard as a tar file in the form of WebDataset: for each row `KEY.flac` and `KEY.json`, one after the other."""

import io
import json
import tarfile
from types import TracebackType
from typing import Any, final

from glowvox.bulk.card import RunSettings
from glowvox.bulk.ledger import OutputFile
from glowvox.bulk.output import FileNames, ShardOutput, hashed_file
from glowvox.bulk.run_storage import RunStorage
from glowvox.bulk.speaker import Spoken
from glowvox.errors import DataError


@final
class TarOutput(ShardOutput):
    """See `ShardOutput`. The same rows give the same bytes: no times, owners or places are in the file."""

    def __init__(self, storage: RunStorage, name: str, settings: RunSettings) -> None:
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

    def add(self, spoken: Spoken) -> dict[str, Any]:
        """See `ShardOutput.add`."""
        key = self._names.name(spoken.row.id, spoken.row.number)
        file = f"shards/{self.name}.tar:{key}.{self.settings.audio_format}"
        record = spoken.record(file)
        content = json.dumps(record, ensure_ascii=False, indent=1).encode("utf-8")
        self._put(f"{key}.{self.settings.audio_format}", spoken.audio)
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
