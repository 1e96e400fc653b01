"""A sound file per row: `audio/00000007/ID.flac`."""

from types import TracebackType
from typing import Any, final

from glowvox.bulk.card import RunSettings
from glowvox.bulk.ledger import OutputFile
from glowvox.bulk.output import FileNames, ShardOutput
from glowvox.bulk.run_storage import RunStorage
from glowvox.bulk.speaker import Spoken


@final
class FileOutput(ShardOutput):
    """See `ShardOutput`; the files are written as they come, each whole."""

    def __init__(self, storage: RunStorage, name: str, settings: RunSettings) -> None:
        super().__init__(storage, name, settings)
        self._names = FileNames()
        self._files: list[OutputFile] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave everything: files without a ledger are written again, the same."""

    def add(self, spoken: Spoken) -> dict[str, Any]:
        """See `ShardOutput.add`."""
        own = self._names.name(spoken.row.id, spoken.row.number)
        name = f"audio/{self.name}/{own}.{self.settings.audio_format}"
        self.storage.write(name, spoken.audio)
        self._files.append(OutputFile(name, len(spoken.audio), spoken.sha256))
        return spoken.record(name)

    def finish(self) -> tuple[OutputFile, ...]:
        """See `ShardOutput.finish`."""
        return tuple(self._files)
