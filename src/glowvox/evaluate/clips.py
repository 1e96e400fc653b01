"""The recordings an evaluation compares with: a prepared data set's validation split, or a folder of recordings."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.files import read_audio
from glowvox.config.audio import AudioConfig
from glowvox.data.corpora import AUDIO_SUFFIXES, read_corpus
from glowvox.data.distillation import require_finished
from glowvox.data.prepared import DATASET_FILE, SPLITS, Clip, PreparedData
from glowvox.errors import AudioError, DataError
from glowvox.storage.text_files import told_text

T = TypeVar("T")
_LARGEST_LIST = 16 << 20
_LARGEST_TEXT = 16 << 20
"""Bytes of a file with the text of one recording."""


@dataclass(frozen=True)
class Recording:
    """A natural recording with what is said in it."""

    id: str
    samples: NDArray[np.float32]
    """`[S]`, at the evaluation's sample rate, full scale 1."""
    text: str | None
    """What is said; None where nobody wrote it down."""


def prepared_contract(source: Path) -> AudioConfig | None:
    """Return the mel contract of a prepared data set, or None for a folder of recordings."""
    return PreparedData(source).audio if (source / DATASET_FILE).is_file() else None


def read_outputs(folder: Path, ids: Iterable[str], sample_rate: int) -> dict[str, NDArray[np.float32]]:
    """Return what another system said: `ID.wav`, `.flac`, `.ogg` or `.mp3` for each id, at one sample rate.

    Raises:
        DataError: an id has no file.
        AudioError: a file cannot be read.
    """
    found = {}
    for identifier in ids:
        paths = (folder / f"{identifier}{suffix}" for suffix in (".wav", ".flac", ".ogg", ".mp3"))
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            raise DataError(f"{folder}: no {identifier}.wav (or .flac, .ogg, .mp3); it has to have every sentence")
        found[identifier] = read_audio(path, sample_rate)[0]
    return found


def read_recordings(
    source: Path, config: AudioConfig, *, limit: int | None = None, ids: Sequence[str] | None = None
) -> list[Recording]:
    """Return recordings at the contract's rate, in the order of their ids.

    Args:
        source: what `glowvox prepare` wrote (its validation split is read), or a corpus in any layout that it accepts.
        config: the mel contract of what is evaluated; prepared data must have the same.
        limit: at most so many, spread evenly over the list.
        ids: exactly these, in this order (`limit` then takes from them).

    Raises:
        DataError: no recordings, or an id that is not there.
        MelError: prepared with another contract.
        AudioError: a recording cannot be read.
    """
    if (source / DATASET_FILE).is_file():
        data = PreparedData(source)
        data.require(config)
        chosen = _choose({clip.id: clip for clip in data.clips("validation")}, source, limit, ids)
        return [
            Recording(name, clip.load()[0].astype(np.float32) / 32768.0, clip.text or None)
            for name, clip in chosen.items()
        ]
    require_finished(source)
    corpus = read_corpus(source)
    utterances = _choose({utterance.id: utterance for utterance in corpus.utterances}, source, limit, ids)
    return [
        Recording(name, read_audio(utterance.audio, config.sample_rate)[0], utterance.text)
        for name, utterance in utterances.items()
    ]


def read_ids(path: Path, on_note: Callable[[str], None] | None = None) -> list[str]:
    """Return the ids of a list, one a line; lines that begin with # are comments.

    Args:
        path: the file, in UTF-8, UTF-16 with a mark, or cp1252 where nothing else fits.
        on_note: told of an encoding that is not UTF-8, in a line.

    Raises:
        DataError: it cannot be read, or names nothing.
    """
    lines = list_lines(path, "ids", on_note)
    ids = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not ids:
        raise DataError(f"{path}: names no clips (one id a line)")
    return ids


def list_lines(path: Path, what: str, on_note: Callable[[str], None] | None = None) -> list[str]:
    """Return the lines of a list in a file.

    Args:
        path: see `read_ids`.
        what: it holds, in the plural.
        on_note: see `read_ids`.

    Raises:
        DataError: it cannot be read, or is larger than 16 MiB.
    """
    try:
        return told_text(path, _LARGEST_LIST, on_note).splitlines()
    except DataError as error:
        if error.__cause__ is None:
            raise
        raise DataError(f"{path}: cannot be read as a list of {what} ({error.__cause__})") from error


def _choose(found: dict[str, T], source: Path, limit: int | None, ids: Sequence[str] | None) -> dict[str, T]:
    missing = [name for name in ids or () if name not in found]
    if missing:
        raise DataError(
            f"{source} has no recording '{missing[0]}'" + (f" ({len(missing)} ids are missing)" * (len(missing) > 1))
        )
    names = list(dict.fromkeys(ids)) if ids is not None else list(found)
    if not names:
        raise DataError(f"{source}: no recordings to evaluate")
    if limit is not None and limit < len(names):
        if limit < 1:
            raise DataError(f"the number of clips must be at least 1, got {limit}")
        names = [names[index * len(names) // limit] for index in range(limit)]
    return {name: found[name] for name in names}


@dataclass(frozen=True)
class SpokenFile:
    """A recording and what is said in it."""

    id: str
    text: str
    speaker: str
    """Name; empty where it is not known."""
    language: str
    """Language tag; empty where it is not known."""
    place: Path | Clip
    """The sound file, or the clip of a prepared data set."""

    def samples(self) -> tuple[NDArray[np.float32], int | None]:
        """Return the samples [S] and their rate in Hz; None for a prepared clip: that of its contract.

        Raises:
            AudioError, DataError: it cannot be read.
        """
        if isinstance(self.place, Clip):
            return self.place.load()[0].astype(np.float32) / 32768.0, None
        return read_audio(self.place)


@dataclass(frozen=True)
class SpokenFiles:
    """A list of recordings, and those that have no text or could not be listed, with the reason."""

    files: tuple[SpokenFile, ...]
    left_out: dict[str, str]


def spoken_files(
    source: Path, config: AudioConfig, *, splits: Sequence[str] = SPLITS, limit: int | None = None
) -> SpokenFiles:
    """Return the recordings of a prepared data set or a corpus, sorted by id.

    Args:
        source: what `glowvox prepare` wrote, a corpus' folder, or a manifest.
        config: the mel contract of the model that will hear them; prepared data must have the same.
        splits: of prepared data.
        limit: at most so many, spread evenly over the list.

    Raises:
        DataError: nothing is there, or nothing has a text.
        MelError: prepared with another contract.
    """
    left_out: dict[str, str] = {}
    if (source / DATASET_FILE).is_file():
        data = PreparedData(source)
        data.require(config)
        clips = [clip for split in splits for clip in data.clips(split)]
        found = [SpokenFile(clip.id, clip.text, clip.speaker, clip.language, clip) for clip in clips]
    else:
        require_finished(source)
        corpus = read_corpus(source)
        left_out |= {finding.subject: finding.reason for finding in corpus.findings if finding.severity == "left out"}
        found = [SpokenFile(one.id, one.text or "", one.speaker, one.language, one.audio) for one in corpus.utterances]
    left_out |= {one.id: "no text" for one in found if not one.text.strip()}
    files = sorted((one for one in found if one.text.strip()), key=lambda one: one.id)
    if not files:
        raise DataError(f"{source}: holds no recording with a text")
    if limit is not None and limit < len(files):
        if limit < 1:
            raise DataError(f"the number of recordings must be at least 1, got {limit}")
        files = [files[place * len(files) // limit] for place in range(limit)]
    return SpokenFiles(tuple(files), left_out)


def text_beside(recording: Path) -> str:
    """Return the text of the `.txt` or `.lab` file beside a recording.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    for suffix in (".txt", ".lab"):
        place = recording.with_suffix(suffix)
        if place.is_file():
            return read_text(place)
    raise DataError(f"{recording}: no text is given, and there is no {recording.stem}.txt or .lab beside it")


def read_text(path: Path, on_note: Callable[[str], None] | None = None) -> str:
    """Return the text of a recording from its file.

    Args:
        path: the file, in UTF-8, UTF-16 with a mark, or cp1252 where nothing else fits.
        on_note: told of an encoding that is not UTF-8, in a line; None: the logger is.

    Raises:
        DataError: it cannot be read, is no text, or larger than 16 MiB.
    """
    return told_text(path, _LARGEST_TEXT, on_note or logging.getLogger("glowvox").warning)


def is_sound_file(path: Path) -> bool:
    """Whether a path is one sound file, by its name.

    Raises:
        AudioError: there is nothing of that name.
    """
    if not path.exists():
        raise AudioError(f"{path}: there is no such file or folder")
    return path.is_file() and path.suffix.lower() in AUDIO_SUFFIXES
