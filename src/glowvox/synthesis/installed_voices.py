"""Where voices are: inside the package, in the user's folder, or where a path says."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from glowvox.errors import VoiceError
from glowvox.synthesis.hub_voices import hub_voice, is_repository
from glowvox.synthesis.opened_voice import opened_folder
from glowvox.synthesis.voice_archive import ARCHIVE_SUFFIX
from glowvox.synthesis.voice_card import CARD_NAME, VoiceCard, read_voice_card

VOICES_VARIABLE = "GLOWVOX_VOICES"
"""Environment variable with the user's folders of voices, separated as in PATH."""
DEFAULT = "default"


@dataclass(frozen=True)
class InstalledVoice:
    """A voice that can be called by its name."""

    name: str
    path: Path
    """Its folder or `.voice` file."""
    packaged: bool
    """Whether it came with the package."""

    def card(self) -> VoiceCard:
        """Return what the voice says about itself.

        Raises:
            VoiceError: it is damaged.
        """
        with opened_folder(self.path) as folder:
            return read_voice_card(folder)


def packaged_folder() -> Path:
    """Return the folder of the voices that come with the package."""
    return Path(str(resources.files("glowvox"))) / "voices"


def user_folders() -> list[Path]:
    """Return the user's folders of voices: those of `GLOWVOX_VOICES`, else the usual place for data."""
    named = os.environ.get(VOICES_VARIABLE, "")
    if named:
        return [Path(part).expanduser() for part in named.split(os.pathsep) if part]
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return [base / "glowvox" / "voices"]


def installed_voices() -> list[InstalledVoice]:
    """Return all voices that have a name, the user's first; of two with one name the first counts."""
    found: dict[str, InstalledVoice] = {}
    for folder, packaged in [*((folder, False) for folder in user_folders()), (packaged_folder(), True)]:
        for name, path in _voices_in(folder):
            found.setdefault(name, InstalledVoice(name, path, packaged))
    return list(found.values())


def find_voice(name_or_path: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder or `.voice` file of a voice.

    Args:
        name_or_path: a folder, a `.voice` file, the name of an installed voice, or a Hugging Face repository
            (`owner/name`, `owner/name@revision`); None or "default": the first one that came with the package, else
            the user's first.

    Raises:
        VoiceError: there is no such voice; the message names those that there are.
        MissingExtraError: it is on Hugging Face, and the package `huggingface_hub` is not installed.
    """
    if name_or_path is not None and str(name_or_path) != DEFAULT:
        path = Path(name_or_path)
        try:
            if path.is_file() or (path / CARD_NAME).is_file():
                return path
        except (OSError, ValueError):
            pass
    installed = installed_voices()
    if name_or_path is None or str(name_or_path) == DEFAULT:
        for voice in sorted(installed, key=lambda voice: not voice.packaged):
            return voice.path
        raise VoiceError(
            f"no voice is installed: name a voice's folder or .voice file, or put one into {user_folders()[0]}"
        )
    for voice in installed:
        if voice.name == str(name_or_path):
            return voice.path
    if Path(name_or_path).is_dir():
        raise VoiceError(f"{name_or_path}: is a folder without {CARD_NAME}, not a voice")
    if is_repository(str(name_or_path)):
        return hub_voice(str(name_or_path))
    names = ", ".join(voice.name for voice in installed) or "none"
    raise VoiceError(
        f"there is no voice '{str(name_or_path)[:200]}': no such file or folder, and installed are {names}"
    )


def _voices_in(folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.suffix == ARCHIVE_SUFFIX and entry.is_file():
            yield entry.stem, entry
        elif (entry / CARD_NAME).is_file():
            yield entry.name, entry
