"""Speech corpora in the layouts that people keep them in: LJ Speech, a manifest, a plain folder, VCTK.

In reading order: what is said of a file (`Finding`), what a corpus holds (`Corpus`), a reader for each layout, and
which one a folder has (`read_corpus`).
"""

import csv
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from glowvox.errors import DataError

Severity = Literal["left out", "warning", "note"]


@dataclass(frozen=True, order=True)
class Finding:
    """One remark about one file or row."""

    kind: str
    """What was found, in a few fixed words, such as `clipped`."""
    severity: Severity
    """`left out`: not in the data set; `warning`: kept, look at it; `note`: kept, and dealt with."""
    subject: str
    """The file relative to the corpus, or the row of a list."""
    reason: str
    """What exactly, with figures."""


def left_out(kind: str, subject: str, reason: str) -> Finding:
    """Return a finding about something that is not in the data set."""
    return Finding(kind, "left out", subject, reason)


def warning(kind: str, subject: str, reason: str) -> Finding:
    """Return a finding about something that is kept and deserves a look."""
    return Finding(kind, "warning", subject, reason)


def note(kind: str, subject: str, reason: str) -> Finding:
    """Return a finding about something that was dealt with."""
    return Finding(kind, "note", subject, reason)


UNREAD_SUFFIXES = frozenset({".m4a", ".aac", ".wma", ".webm", ".mp4"})
"""Names of audio, as telephones write it, that is read with the extra `aac` only."""
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


_METADATA = "metadata.csv"
"""The list of the LJ Speech layout: rows `id|text` or `id|text|normalised text`, of recordings in `wavs/`."""
_AUDIO_FOLDERS = ("wavs", "wav")


def is_ljspeech(folder: Path) -> bool:
    """Tell whether a folder has a `metadata.csv` whose first row looks like `id|text`, not like a header."""
    path = folder / _METADATA
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"").decode("utf-8-sig", "replace")
    columns = [column.strip().lower() for column in first.split("|")]
    return len(columns) > 1 and not {"audio", "text"} <= set(columns)


def read_ljspeech(folder: Path) -> Corpus:
    """Read a corpus in the LJ Speech layout; the third column, where there is one, is the text that is used."""
    corpus = Corpus(folder, "LJ Speech")
    place = next((folder / name for name in _AUDIO_FOLDERS if (folder / name).is_dir()), folder)
    audio: dict[str, Path] = {}
    for path in audio_files(place):
        name = path.relative_to(place).with_suffix("").as_posix()
        if name in audio:
            corpus.findings.append(
                left_out("duplicate id", corpus.relative(path), f"the same name as {corpus.relative(audio[name])}")
            )
        else:
            audio[name] = path
    mentioned = set()
    for number, raw in enumerate((folder / _METADATA).read_bytes().split(b"\n"), 1):
        where = f"{_METADATA}, line {number}"
        if not raw.strip():
            continue
        try:
            columns = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r").split("|")
        except UnicodeDecodeError as error:
            corpus.findings.append(left_out("malformed row", where, f"not UTF-8 ({error.reason} at {error.start})"))
            continue
        if len(columns) < 2:
            corpus.findings.append(left_out("malformed row", where, f"no text column in '{columns[0][:60]}'"))
            continue
        name = columns[0].strip()
        if name not in audio and Path(name).suffix and str(Path(name).with_suffix("")) in audio:
            name = str(Path(name).with_suffix(""))
        if name not in audio:
            corpus.findings.append(left_out("text without audio", where, f"no recording '{name}' in {place.name}/"))
            continue
        mentioned.add(name)
        text = clean_text(columns[2] if len(columns) > 2 and columns[2].strip() else columns[1])
        corpus.add(Utterance(name, audio[name], text, speaker=""))
    for name in sorted(set(audio) - mentioned):
        corpus.add(Utterance(name, audio[name], None, speaker=""))
    return corpus


_MANIFEST_SUFFIXES = (".csv", ".tsv", ".jsonl")
_MANIFEST_COLUMNS = ("audio", "text", "speaker", "language")


def find_manifest(path: Path) -> Path | None:
    """Return the manifest that a path is or, where it is a folder, directly holds."""
    if path.is_file():
        return path if path.suffix.lower() in _MANIFEST_SUFFIXES else None
    candidates = sorted(
        child for child in path.iterdir() if child.suffix.lower() in _MANIFEST_SUFFIXES and child.is_file()
    )
    named = [child for child in candidates if child.stem in ("manifest", "metadata")]
    return next((child for child in [*named, *candidates] if _has_audio_column(child)), None)


def read_manifest(path: Path) -> Corpus:
    """Read a manifest; paths of recordings are relative to the manifest's folder.

    Raises:
        DataError: the manifest has no column `audio`.
    """
    folder = path.parent
    corpus = Corpus(folder, "manifest")
    mentioned = set()
    for where, row in _rows(path):
        if isinstance(row, str):
            corpus.findings.append(left_out("malformed row", where, row))
            continue
        name = row.get("audio")
        texts = {key: row.get(key) for key in ("text", "speaker", "language")}
        wrong = next((key for key, value in texts.items() if value is not None and not isinstance(value, str)), None)
        if not isinstance(name, str) or not name.strip() or "\0" in name or wrong:
            reason = f"'{wrong}' is not a text" if wrong else "no path in the column 'audio'"
            corpus.findings.append(left_out("malformed row", where, reason))
            continue
        audio = folder / name.strip()
        if not _is_file(audio):
            corpus.findings.append(left_out("text without audio", where, f"no file '{name}'"))
            continue
        mentioned.add(audio.resolve())
        text = texts["text"]
        corpus.add(
            Utterance(
                str(Path(corpus.relative(audio)).with_suffix("")),
                audio,
                None if text is None else clean_text(text),
                clean_text(texts["speaker"] or ""),
                clean_text(texts["language"] or ""),
            )
        )
    for audio in audio_files(folder):
        if audio.resolve() not in mentioned:
            corpus.findings.append(
                left_out("audio without text", corpus.relative(audio), f"not mentioned in {path.name}")
            )
    return corpus


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Yield `(place, row)`, or `(place, what is wrong)` for a row that cannot be read."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        if path.suffix.lower() == ".jsonl":
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{path.name}, line {number}", _json_row(line)
            return
        reader = csv.DictReader(file, dialect=_dialect(path))
        if "audio" not in (reader.fieldnames or ()):
            raise DataError(
                f"{path}: no column 'audio' in its first line; a manifest has the columns "
                f"{', '.join(_MANIFEST_COLUMNS)}"
            )
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield f"{path.name}, line {reader.line_num}", str(error)
                continue
            yield f"{path.name}, line {reader.line_num}", row


def _json_row(line: str) -> dict[str, Any] | str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"not JSON ({error})"
    return row if isinstance(row, dict) else "not a JSON object"


def _dialect(path: Path) -> type[csv.Dialect]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline(4096)
    best = max(",\t;|", key=header.count)

    class ManifestDialect(csv.excel):
        delimiter = best

    return ManifestDialect


def _has_audio_column(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            first = file.readline(1 << 20)
    except OSError:
        return False
    if path.suffix.lower() == ".jsonl":
        row = _json_row(first)
        return isinstance(row, dict) and "audio" in row
    delimiter = _dialect(path).delimiter
    return "audio" in [column.strip().strip('"') for column in first.split(delimiter)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def is_plain(folder: Path) -> bool:
    """Tell whether there is any recording below a folder; each has a `.txt` or `.lab` file of its name beside it."""
    return bool(audio_files(folder))


def read_plain(folder: Path) -> Corpus:
    """Read a plain folder of recordings and texts by one speaker."""
    corpus = Corpus(folder, "plain folder")
    texts: dict[Path, Path] = {}
    for path in text_files(folder):
        texts.setdefault(path.with_suffix(""), path)
    used = set()
    for audio in audio_files(folder):
        stem = audio.with_suffix("")
        identifier = audio.relative_to(folder).with_suffix("").as_posix()
        if stem not in texts:
            corpus.add(Utterance(identifier, audio, None, speaker=""))
            continue
        used.add(stem)
        try:
            text = read_text_file(texts[stem])
        except (OSError, ValueError) as error:
            reason = f"{texts[stem].name}: {error}"
            corpus.findings.append(left_out("unreadable text", corpus.relative(audio), reason))
            continue
        corpus.add(Utterance(identifier, audio, text, speaker=""))
    for stem in sorted(set(texts) - used):
        corpus.findings.append(
            left_out("text without audio", corpus.relative(texts[stem]), "no recording of the same name beside it")
        )
    return corpus


_MICROPHONE = re.compile(r"_mic(\d+)$")


def is_vctk(folder: Path) -> bool:
    """Tell whether a folder has `txt/` and a folder whose name starts with `wav`, both with folders of speakers."""
    return (folder / "txt").is_dir() and _audio_folder(folder) is not None


def read_vctk(folder: Path) -> Corpus:
    """Read a corpus in the VCTK layout; of a text recorded by several microphones the first is used."""
    corpus = Corpus(folder, "VCTK")
    place = _audio_folder(folder) or folder
    texts = {path.relative_to(folder / "txt").with_suffix("").as_posix(): path for path in text_files(folder / "txt")}
    audio: dict[str, Path] = {}
    others = 0
    for path in audio_files(place):
        name = _MICROPHONE.sub("", path.relative_to(place).with_suffix("").as_posix())
        others += name in audio
        audio.setdefault(name, path)
    if others:
        corpus.findings.append(
            note("further microphone", place.name, f"{others} recordings of further microphones are not used")
        )
    for name, path in audio.items():
        speaker = name.split("/")[0]
        if name not in texts:
            corpus.add(Utterance(name, path, None, speaker))
            continue
        try:
            corpus.add(Utterance(name, path, read_text_file(texts[name]), speaker))
        except (OSError, ValueError) as error:
            reason = f"{corpus.relative(texts[name])}: {error}"
            corpus.findings.append(left_out("unreadable text", corpus.relative(path), reason))
    for name in sorted(set(texts) - set(audio)):
        corpus.findings.append(
            left_out("text without audio", corpus.relative(texts[name]), f"no recording in {place.name}/")
        )
    return corpus


def _audio_folder(folder: Path) -> Path | None:
    for path in sorted(folder.glob("wav*")):
        if path.is_dir() and any(child.is_dir() for child in path.iterdir()):
            return path
    return None


LAYOUTS = ("auto", "ljspeech", "plain", "vctk", "manifest")


def read_corpus(path: Path, layout: str = "auto") -> Corpus:
    """Read the list of a corpus' recordings and texts; the recordings themselves are not opened.

    Args:
        path: the corpus' folder, or a manifest.
        layout: one of `LAYOUTS`; `auto` recognises it.

    Raises:
        DataError: there is no such folder, nothing is recognised, or the layout does not fit.
    """
    if layout not in LAYOUTS:
        raise DataError(f"no layout '{layout}'; there are {', '.join(LAYOUTS)}")
    if not (path.is_dir() or path.is_file()):
        raise DataError(f"{path}: no such folder or manifest")
    try:
        corpus = _read(path, layout)
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read ({error.strerror})") from error
    if corpus is None:
        wanted = "recordings" if layout == "auto" else f"a corpus in the layout '{layout}'"
        raise DataError(
            f"{path}: no {wanted} found. A corpus is a folder with metadata.csv (id|text) and wavs/, a folder with "
            ".txt or .lab files beside the audio, txt/SPEAKER and wav48/SPEAKER, or a CSV or JSONL manifest with the "
            "columns audio,text,speaker,language"
        )
    if not corpus.utterances and not corpus.findings:
        raise DataError(f"{path}: the corpus is empty")
    corpus.utterances.sort(key=lambda utterance: utterance.id)
    return corpus


def _read(path: Path, layout: str) -> Corpus | None:
    folder = path.is_dir()
    if layout in ("auto", "ljspeech") and folder and is_ljspeech(path):
        return read_ljspeech(path)
    if layout in ("auto", "vctk") and folder and is_vctk(path):
        return read_vctk(path)
    if layout in ("auto", "manifest"):
        manifest = find_manifest(path)
        if manifest is not None:
            return read_manifest(manifest)
    if layout in ("auto", "plain") and folder and is_plain(path):
        return read_plain(path)
    return None
