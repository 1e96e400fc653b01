"""The folder that a preparation writes: whether it may be written, what was begun there, and writing its files."""

import json
from pathlib import Path
from typing import Any

from glowvox.audio.atomic_file import replacing
from glowvox.data.clip_file import SUFFIX
from glowvox.data.prepared import DATASET_FILE
from glowvox.errors import DataError

CLIPS = "clips"
_MARKER = "prepare.json"
_MARK = "prepared by glowvox"


class Target:
    """A folder for prepared data.

    A marker file says which corpus it belongs to. It is written first, so that an interrupted preparation can be told
    from a folder of somebody's files, which is never written into.

    Args:
        folder: the folder; it need not exist.
        corpus: the corpus' folder, or its manifest.

    Raises:
        DataError: the folder is the corpus or lies in it, holds other files, or another corpus' data.
    """

    def __init__(self, folder: Path, corpus: Path) -> None:
        self.folder = folder
        self._corpus = corpus.resolve()
        place = folder.resolve()
        home = self._corpus if self._corpus.is_dir() else self._corpus.parent
        if place == home or (self._corpus.is_dir() and place.is_relative_to(home)):
            raise DataError(f"{folder}: lies in the corpus {corpus}, which is never written to; choose another folder")
        if folder.exists() and not folder.is_dir():
            raise DataError(f"{folder}: is a file; choose a folder")
        marker = self._read_marker()
        if marker is None and folder.is_dir() and any(folder.iterdir()):
            raise DataError(f"{folder}: holds files that are no prepared data; choose an empty or a new folder")
        if marker is not None and marker.get("corpus") != str(self._corpus):
            raise DataError(
                f"{folder}: holds the prepared data of {marker.get('corpus')}; choose another folder, or delete it"
            )
        self._begun_with = marker.get("clips") if marker else None

    def begin(self, clip_fingerprint: str) -> None:
        """Create the folder and mark it; data made with other settings stops being readable before it is replaced.

        Args:
            clip_fingerprint: hash of the settings that decide the clips' content.
        """
        try:
            (self.folder / CLIPS).mkdir(parents=True, exist_ok=True)
            if self._begun_with != clip_fingerprint:
                (self.folder / DATASET_FILE).unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"{self.folder}: cannot be written ({error.strerror})") from error
        self.write_json(_MARKER, {"format": _MARK, "corpus": str(self._corpus), "clips": clip_fingerprint})

    def write_json(self, name: str, content: Any) -> None:
        """Write plain data as an indented JSON file."""
        self.write(name, json.dumps(content, ensure_ascii=False, indent=1) + "\n")

    def write_lines(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Write one JSON object per line."""
        self.write(name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    def write(self, name: str, content: str) -> None:
        """Write a text file aside and rename it; a file name's undecodable bytes become JSON's \\u escapes."""
        with replacing(self.folder / name, DataError) as file:
            file.write(content.encode("utf-8", "backslashreplace"))

    def remove_other_clips(self, names: set[str]) -> None:
        """Remove clips that are not (or no longer) part of the data, and what an interruption left half written."""
        for path in (self.folder / CLIPS).iterdir():
            if path.name not in names and (path.suffix == SUFFIX or path.name.endswith(".part")):
                path.unlink()

    def _read_marker(self) -> dict[str, Any] | None:
        try:
            marker = json.loads((self.folder / _MARKER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return marker if isinstance(marker, dict) and marker.get("format") == _MARK else None
