"""A packed voice: the run's voice as bytes, which the machines of a cluster get from the one that started it."""

import functools
import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glowvox.errors import VoiceError
from glowvox.synthesis.installed_voices import find_voice, load_voice
from glowvox.synthesis.voice import Voice
from glowvox.synthesis.voice_card import read_voice_card
from glowvox.synthesis.voice_folder import ARCHIVE_SUFFIX, chosen_engine, files_folder, open_voice_folder, pack_voice


@dataclass(frozen=True)
class PackedVoice:
    """A voice packed as a `.voice` file; the same voice gives the same bytes."""

    name: str
    content: bytes
    engine: str
    """What runs its models, everywhere."""

    @functools.cached_property
    def sha256(self) -> str:
        """Of the packed voice."""
        return hashlib.sha256(self.content).hexdigest()

    def check(self, overrides: Mapping[str, Any]) -> None:
        """Refuse options that the voice does not have, before anything is done.

        Args:
            overrides: options for all rows; see `SpeechOptions`.

        Raises:
            VoiceError, ConfigError: no such speaker, language or option, or one out of range.
        """
        self.open(1).options(**overrides)

    def open(self, threads: int) -> Voice:
        """Return the voice.

        Args:
            threads: CPU threads of its engine.

        Raises:
            VoiceError, EngineError, MissingExtraError: it cannot be run here.
        """
        with tempfile.TemporaryDirectory(prefix="glowvox-voice-", ignore_cleanup_errors=True) as place:
            file = Path(place) / f"voice{ARCHIVE_SUFFIX}"
            try:
                file.write_bytes(self.content)
            except OSError as error:
                raise VoiceError(f"{place}: the voice cannot be unpacked ({error.strerror})") from error
            return load_voice(file, engine=self.engine, threads=threads)


def pack_voice_for_workers(name_or_path: str | None, engine: str) -> PackedVoice:
    """Return a voice packed for the machines of a cluster.

    Args:
        name_or_path: see `load_voice`.
        engine: an engine's name, or "auto": the one that this machine would take, for all machines.

    Raises:
        VoiceError, EngineError, MissingExtraError: there is no such voice, or it cannot be run.
    """
    with open_voice_folder(find_voice(name_or_path)) as folder, tempfile.TemporaryDirectory(prefix="glowvox-") as place:
        card = read_voice_card(folder)
        chosen = chosen_engine(files_folder(folder, card), engine)
        file = Path(place) / f"voice{ARCHIVE_SUFFIX}"
        pack_voice(folder, file)
        return PackedVoice(card.name, file.read_bytes(), chosen)
