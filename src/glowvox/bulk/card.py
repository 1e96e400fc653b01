"""What a run is, written once when it is planned: a run is only continued as what it was begun as."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from glowvox.bulk.manifest import ManifestFile
from glowvox.errors import ConfigError, DataError
from glowvox.storage.object_storage import Storage

CARD_NAME = "bulk.json"
FORMAT_VERSION = 1
OUTPUTS = ("files", "webdataset", "parquet")
AUDIO_FORMATS = ("flac", "wav", "ogg", "mp3")
TIMESTAMPS = ("srt", "vtt", "TextGrid", "json", "ctm")


@dataclass(frozen=True)
class RunSettings:
    """What decides which bytes a run gives."""

    voice: str
    """Name of the voice."""
    voice_sha256: str
    """Of the voice packed as a `.voice` file."""
    engine: str
    """What runs the models: other engines give samples that differ in the last bits."""
    options: Mapping[str, Any]
    """The voice's options for all rows, the seed apart."""
    seed: int = 0
    """Of all rows that have none of their own; see `row_seed`."""
    output: str = "files"
    """One of `OUTPUTS`."""
    audio_format: str = "flac"
    """One of `AUDIO_FORMATS`."""
    shard_rows: int = 100
    """Rows in a shard, the unit of work and of loss."""
    id_column: str = "id"
    text_column: str = "text"
    lexicon: str = ""
    """Lines of the user's lexicon, `word = phonemes`."""
    timestamps: str = ""
    """Form in which the times of words stand beside each row's sound, one of `TIMESTAMPS`; empty: none."""

    def __post_init__(self) -> None:
        if self.output not in OUTPUTS or self.audio_format not in AUDIO_FORMATS:
            raise ConfigError(f"the output is one of {', '.join(OUTPUTS)}, the audio one of {', '.join(AUDIO_FORMATS)}")
        if self.timestamps and self.timestamps not in TIMESTAMPS:
            raise ConfigError(f"times of words are written as {', '.join(TIMESTAMPS)}, not as '{self.timestamps[:20]}'")
        if not 1 <= self.shard_rows <= 1_000_000:
            raise ConfigError(f"a shard has 1 to 1000000 rows, got {self.shard_rows}")


@dataclass(frozen=True)
class RunCard:
    """Settings, manifests and size of a run."""

    settings: RunSettings
    manifests: tuple[ManifestFile, ...]
    rows: int
    characters: int
    shards: int
    format_version: int = FORMAT_VERSION

    def require(self, settings: RunSettings, manifests: tuple[ManifestFile, ...]) -> None:
        """Refuse to continue a run as another one.

        Raises:
            ConfigError: something differs; the message says what.
        """
        was, now = asdict(self.settings), asdict(settings)
        changed = [name for name in was if was[name] != now[name]]
        different = [f"{name} was {_shown(was[name])}, now {_shown(now[name])}" for name in changed]
        if [one.sha256 for one in self.manifests] != [one.sha256 for one in manifests]:
            different.append(f"the manifest {', '.join(one.name for one in manifests)} is not the one of then")
        if different:
            raise ConfigError(
                f"the output holds another run: {'; '.join(different)}. Continue it as it was, or name another output"
            )


def _shown(value: object) -> str:
    """Return a setting for a message; a lexicon has many lines."""
    return repr(value) if len(repr(value)) <= 300 else f"{repr(value)[:60]} ..."


def read_card(storage: Storage) -> RunCard | None:
    """Return the card of the run in a storage; None where no run was planned.

    Raises:
        DataError: it is damaged, or of a later version.
    """
    try:
        content = json.loads(storage.read(CARD_NAME))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DataError(f"{storage.url}/{CARD_NAME}: damaged ({error}); name another output") from error
    if not isinstance(content, dict) or content.get("format_version") != FORMAT_VERSION:
        raise DataError(f"{storage.url}/{CARD_NAME}: not of the format version {FORMAT_VERSION}; name another output")
    try:
        settings = RunSettings(**content["settings"])
        manifests = tuple(ManifestFile(**one) for one in content["manifests"])
        return RunCard(settings, manifests, *(int(content[name]) for name in ("rows", "characters", "shards")))
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{storage.url}/{CARD_NAME}: damaged ({error}); name another output") from error


def write_card(storage: Storage, card: RunCard) -> None:
    """Write the card; from then on the run is planned.

    Raises:
        DataError: it cannot be written.
    """
    storage.write(CARD_NAME, (json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n").encode("utf-8"))
