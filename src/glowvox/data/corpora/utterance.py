"""An utterance of a corpus as its owner keeps it: a recording, its text, who speaks, in which language."""

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from glowvox.data.findings import Finding, left_out

UNREAD_SUFFIXES = frozenset({".m4a", ".aac", ".wma", ".webm", ".mp4"})
"""Names of audio, as telephones write it, that the audio library has no decoder for."""
_READ = ("wav", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc", "au", "snd", "caf", "w64", "rf64")
AUDIO_SUFFIXES = UNREAD_SUFFIXES.union(f".{name}" for name in _READ)
"""File names that claim to hold audio; those that the audio library cannot open are found unreadable later."""

_LARGEST_TEXT = 1 << 16


@dataclass(frozen=True)
class Utterance:
    """One recording with what is known about it."""

    id: str
    """Name, unique in the corpus."""
    audio: Path
    """The recording."""
    text: str | None
    """What is said, white space collapsed; None where the corpus has no text for the recording."""
    speaker: str
    """Name of the speaker; empty: not said."""
    language: str = ""
    """Language of the text; empty: the corpus' language."""


@dataclass
class Corpus:
    """What a layout's reader found: utterances sorted by id, and findings about rows and files without a partner."""

    folder: Path
    layout: str
    utterances: list[Utterance] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, utterance: Utterance) -> None:
        """Add an utterance, or list it as left out where its id is taken already."""
        if utterance.id in self._taken:
            subject = f"{self.relative(utterance.audio)}"
            same = self._taken[utterance.id] == utterance.text
            which = "with the same text" if same else "with another text"
            self.findings.append(
                left_out("duplicate id", subject, f"the id '{utterance.id}' occurs before {which}; the first is used")
            )
            return
        self._taken[utterance.id] = utterance.text
        self.utterances.append(utterance)

    def relative(self, path: Path) -> str:
        """Return a path as the report shows it: relative to the corpus where it lies inside."""
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else str(path)

    def __post_init__(self) -> None:
        self._taken: dict[str, str | None] = {}


def clean_text(text: str) -> str:
    """Return a text in Unicode's composed form, on one line, without control characters."""
    composed = unicodedata.normalize("NFC", text)
    printable = "".join(
        " " if character.isspace() else character
        for character in composed
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )
    return " ".join(printable.split())


def audio_files(folder: Path) -> list[Path]:
    """Return all files below a folder that claim to be audio, sorted; hidden files and folders are passed over."""
    return _files(folder, AUDIO_SUFFIXES)


def text_files(folder: Path) -> list[Path]:
    """Return all `.txt` and `.lab` files below a folder, sorted; hidden files and folders are passed over."""
    return _files(folder, frozenset((".txt", ".lab")))


def read_text_file(path: Path) -> str:
    """Return the cleaned text of a small text file.

    Raises:
        ValueError: too large, or not UTF-8.
        OSError: cannot be read.
    """
    if path.stat().st_size > _LARGEST_TEXT:
        raise ValueError(f"{path.stat().st_size} bytes are too many for the text of one recording")
    return clean_text(path.read_text(encoding="utf-8-sig"))


def _files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    # Broken links and pipes are named too: the checks find them unreadable; nothing is passed over in silence.
    found = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes and not path.is_dir())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))
