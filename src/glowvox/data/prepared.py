"""Reading a prepared data set: the format that `glowvox prepare` writes and training relies on.

A folder with `dataset.json` (format version, mel contract and fingerprint, loudness, language, counts), one row per
clip in `train.jsonl` and `validation.jsonl`, and one file per clip in `clips/`. Or the same packed into shards, here or
in object storage; see `shards`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glowvox.config.audio import AudioConfig
from glowvox.config.schema import from_dict
from glowvox.data.clips import read_clip, read_clip_part
from glowvox.data.shards import ShardCache, ShardMember, find_index
from glowvox.errors import ConfigError, DataError, MelError

FORMAT_VERSION = 1
SPLITS = ("train", "validation")
DATASET_FILE = "dataset.json"


@dataclass(frozen=True)
class ClipRow:
    """One line of a split's list."""

    id: str
    """Name of the clip, unique in the data set."""
    text: str
    """What is said; empty where the data was prepared without text."""
    speaker: str
    """Name of the speaker."""
    language: str
    """Language of the text, such as `en-us`."""
    samples: int
    """S, a multiple of the hop length."""
    frames: int
    """T = S / hop length."""
    file: str
    """The clip's file relative to the data set's folder."""
    gain: float
    """Factor that the recording's samples were multiplied with to reach the target loudness."""


@dataclass(frozen=True)
class Clip:
    """A prepared recording: its row, and where its audio lies."""

    row: ClipRow
    path: Path
    """Its file; of a clip in a shard, the name that messages call it by."""
    n_mels: int
    member: ShardMember | None = None
    """Its place in a shard; None: it is a file of its own."""

    @property
    def id(self) -> str:
        """Name of the clip, unique in the data set."""
        return self.row.id

    @property
    def text(self) -> str:
        """What is said."""
        return self.row.text

    @property
    def speaker(self) -> str:
        """Name of the speaker."""
        return self.row.speaker

    @property
    def language(self) -> str:
        """Language of the text."""
        return self.row.language

    @property
    def samples(self) -> int:
        """Length S in samples."""
        return self.row.samples

    @property
    def frames(self) -> int:
        """Length T in mel frames."""
        return self.row.frames

    @property
    def hop_length(self) -> int:
        """Samples in a mel frame."""
        return self.row.samples // self.row.frames

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        """Return `(samples int16 [S], mel float32 [M, T])`; frame t is centred on sample t * hop length.

        Raises:
            DataError: the clip's file is missing, damaged or not what its row says.
        """
        samples, mel = read_clip(self.path) if self.member is None else self.member.read()
        if samples.shape != (self.samples,) or mel.shape != (self.n_mels, self.frames):
            raise DataError(
                f"{self.path}: samples {list(samples.shape)} and mel {list(mel.shape)} are not those of clip "
                f"'{self.id}' ([{self.samples}] and [{self.n_mels}, {self.frames}]); run 'glowvox prepare' again"
            )
        return samples, mel

    def load_part(self, start: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Return `(samples int16 [frames * hop], mel float32 [M, frames])` from a frame on.

        Raises:
            DataError: the clip's file is missing, damaged or shorter than that.
        """
        if self.member is None:
            return read_clip_part(self.path, start, frames, self.hop_length, self.n_mels)
        samples, mel = self.load()
        hop = self.hop_length
        return samples[start * hop : (start + frames) * hop], mel[:, start : start + frames]


class PreparedData:
    """A prepared data set, opened for reading.

    Args:
        folder: what `glowvox prepare` or `glowvox pack` wrote; shards may also be named by an fsspec address.

    Raises:
        DataError: no prepared data, a format of a later version, or damaged lists.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._index = find_index(folder)
        self._cache = None if self._index is None else ShardCache(self._index)
        self.information = _read_dataset(self.folder) if self._index is None else self._index.dataset
        self.audio = _read_contract(self.folder / DATASET_FILE, self.information)
        self._clips = {split: self._read_split(split) for split in SPLITS}

    @property
    def language(self) -> str:
        """The data set's language, such as `en-us`."""
        return str(self.information.get("language", ""))

    @property
    def front_end_version(self) -> int:
        """Version of the text front end when the data was prepared; 1 where that was not yet written."""
        version = self.information.get("front_end_version", 1)
        return version if isinstance(version, int) else 1

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names of all speakers, sorted."""
        return tuple(sorted({clip.speaker for clips in self._clips.values() for clip in clips}))

    @property
    def teachers(self) -> list[dict[str, Any]]:
        """The system that spoke a distilled corpus (teacher, version, licence, voices); none for recordings."""
        teacher = self.information.get("teacher")
        return [dict(teacher)] if isinstance(teacher, dict) else []

    def clips(self, split: str) -> list[Clip]:
        """Return the clips of `train` or `validation` in the list's order.

        Raises:
            DataError: there is no such split.
        """
        if split not in self._clips:
            raise DataError(f"{self.folder}: no split '{split}'; there are {' and '.join(SPLITS)}")
        return list(self._clips[split])

    def hours(self, split: str) -> float:
        """Return the length of a split in hours."""
        return sum(clip.samples for clip in self.clips(split)) / self.audio.sample_rate / 3600

    def require(self, audio: AudioConfig) -> None:
        """Refuse the data for a model with another mel contract.

        Raises:
            MelError: the contracts differ; the message spells out in what.
        """
        different = self.audio.differences(audio)
        if different:
            listed = "; ".join(
                f"{name} is {here}, the model wants {there}" for name, (here, there) in different.items()
            )
            raise MelError(
                f"{self.folder}: prepared with another mel contract: {listed}. Prepare the recordings again with "
                "--contract and the model's configuration"
            )

    def _read_split(self, split: str) -> list[Clip]:
        if self._index is not None and self._cache is not None:
            found = []
            for number, entry in enumerate(self._index.entries(split), 1):
                member = ShardMember(self._cache, entry.shard, entry.offset, entry.bytes)
                found.append(self._clip(entry.row, f"{self._index.address}/{split}.jsonl, line {number}", member))
            return found
        path = self.folder / f"{split}.jsonl"
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: cannot be read ({error}); run 'glowvox prepare' again") from error
        return [self._read_row(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]

    def _read_row(self, line: str, where: str) -> Clip:
        try:
            return self._clip(json.loads(line), where, None)
        except ValueError as error:
            raise DataError(f"{where}: {error}") from error

    def _clip(self, fields: object, where: str, member: ShardMember | None) -> Clip:
        try:
            row = from_dict(ClipRow, fields)
        except ConfigError as error:
            raise DataError(f"{where}: {error}") from error
        relative = Path(row.file)
        if relative.is_absolute() or ".." in relative.parts:
            raise DataError(f"{where}: the file '{row.file}' lies outside the data set")
        if row.samples != row.frames * self.audio.hop_length or row.frames < 1:
            raise DataError(
                f"{where}: {row.samples} samples are not {row.frames} frames of {self.audio.hop_length} samples"
            )
        return Clip(row, self.folder / relative, self.audio.n_mels, member)


def _read_dataset(folder: Path) -> dict[str, Any]:
    path = folder / DATASET_FILE
    if not path.is_file():
        raise DataError(f"{folder}: no prepared data here (no {DATASET_FILE}); make it with 'glowvox prepare'")
    try:
        information = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); run 'glowvox prepare' again") from error
    version = information.get("format_version") if isinstance(information, dict) else None
    if version != FORMAT_VERSION:
        raise DataError(
            f"{path}: format version {version!r}, this program reads {FORMAT_VERSION}; prepare the recordings again"
        )
    return dict(information)


def _read_contract(path: Path, information: dict[str, Any]) -> AudioConfig:
    stored = information.get("audio")
    if not isinstance(stored, dict):
        raise DataError(f"{path}: the mel contract 'audio' is missing; run 'glowvox prepare' again")
    fields = {name: value for name, value in stored.items() if name != "fingerprint"}
    try:
        audio = from_dict(AudioConfig, fields, "audio")
    except ConfigError as error:
        raise DataError(f"{path}: {error}") from error
    if stored.get("fingerprint") != audio.fingerprint():
        raise DataError(f"{path}: the fingerprint does not fit the mel contract; run 'glowvox prepare' again")
    return audio
