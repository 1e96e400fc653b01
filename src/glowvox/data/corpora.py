"""Speech corpora in the layouts that people keep them in: lists (LJ Speech's, Piper's, NeMo's ...), folders, Kaldi.

In reading order: what is said of a file (`Finding`), what a corpus holds (`Corpus`), a reader for each layout, and
which one a folder has (`read_corpus`).
"""

import os
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from glowvox.data.transcript_lists import (
    LIST_SUFFIXES,
    SPREADSHEETS,
    Recordings,
    TranscriptList,
    UnreadableListError,
    composed,
    describe_unread,
    folder_above,
    open_list,
)
from glowvox.errors import DataError
from glowvox.storage.text_files import UTF_8, TextEncoding, find_encoding, read_text, text_lines

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
    encodings: dict[str, int] = field(default_factory=dict)
    """How many text files have which encoding."""

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

    def saw_encoding(self, subject: str, encoding: TextEncoding) -> None:
        """Count a text file's encoding; another than UTF-8 is a finding."""
        self.encodings[encoding.name] = self.encodings.get(encoding.name, 0) + 1
        if encoding.is_guessed:
            reason = f"read as {encoding.name}, since it is not UTF-8; look at its letters, or save it as UTF-8"
            self.findings.append(warning("encoding", subject, reason))
        elif encoding != UTF_8:
            self.findings.append(note("encoding", subject, f"read as {encoding.name}"))

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


def _files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    # Broken links and pipes are named too: the checks find them unreadable; nothing is passed over in silence.
    # Links to folders are followed, since large corpora lie elsewhere; one that leads back to where it lies is not.
    found: list[Path] = []
    above = {folder: frozenset((os.path.realpath(folder),))}
    for name, folders, files in os.walk(folder, followlinks=True):
        here = Path(name)  # of ".", os.walk writes "./wavs" and Path "wavs"
        found += [here / file for file in files if not file.startswith(".")]
        for below in tuple(folders):
            path = here / below
            place = os.path.realpath(path)
            if below.startswith(".") or place in above[here]:
                folders.remove(below)
            else:
                above[path] = above[here] | {place}
    return sorted(path for path in found if path.suffix.lower() in suffixes)


_METADATA = "metadata.csv"
"""The list of the LJ Speech layout: rows `id|text` or `id|text|normalised text`, of recordings in `wavs/`."""
_AUDIO_FOLDERS = ("wavs", "wav", "clips")
_LIST_FOLDERS = ("text", "texts", "transcripts", "filelists", "lists", "metadata", "manifests")
"""Folders in which the list of recordings beside them may lie."""
_FIRST_LISTS = ("manifest", "metadata", "validated", "normalized", "train", "metadata_train", "train_manifest")
"""Names of lists that are read before others."""


def read_lists(folder: Path, *, only: str = "") -> Corpus | None:
    """Read the list that a folder directly holds, or those of the folders in it; None: there is none.

    Args:
        folder: the corpus.
        only: `ljspeech`: `metadata.csv` without column names; `manifest`: a list with column names, or JSON.
    """
    corpus = Corpus(folder, "")
    found = _lists(_recordings(folder), only)
    read = found[:1]
    if not found and only != "ljspeech":
        inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        lists = [_lists(_recordings(path), "manifest")[:1] for path in inside if any(path.glob("metadata.*"))]
        read = found = [one for several in lists for one in several if one.path.stem == "metadata"]
    for one in read:
        _read_list(one, corpus, _recordings(one.path.parent))
    if not found and not only:
        found = [one for name in _LIST_FOLDERS for one in _lists(_recordings(folder), only, folder / name)]
        read = found[:1]
        for one in read:
            _read_list(one, corpus, _recordings(folder))
    for one in found[len(read) :]:
        reason = f"only {read[0].path.name} is read; give {one.path.name} in its place to prepare what it lists"
        corpus.findings.append(note("further list", one.path.name, reason))
    return corpus if found else None


def read_list(path: Path) -> Corpus:
    """Read a list of recordings; paths are relative to its folder, or to the folder above.

    Raises:
        DataError: it is no such list.
    """
    folder = path.parent
    recordings = _recordings(folder)
    above = folder_above(folder)
    if not recordings.files and any((above / name).is_dir() for name in _AUDIO_FOLDERS):
        recordings = _recordings(above)
    corpus = Corpus(recordings.folder, "")
    _read_list(open_list(path, recordings.find, whatever=True), corpus, recordings)
    return corpus


def _recordings(folder: Path) -> Recordings:
    place = next((folder / name for name in _AUDIO_FOLDERS if (folder / name).is_dir()), folder)
    return Recordings(folder, place, audio_files(folder))


def _lists(recordings: Recordings, only: str, folder: Path | None = None) -> list[TranscriptList]:
    """Return the lists that a folder (of the recordings, or another) holds, those first that are usually whole."""
    folder = recordings.folder if folder is None else folder
    if not folder.is_dir():
        return []
    texts = {composed(str(path.with_suffix(""))) for path in recordings.files}
    candidates = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in LIST_SUFFIXES
        and path.is_file()
        and composed(str(_without_version(path.with_suffix("")))) not in texts
    ]
    order = {name: place for place, name in enumerate(_FIRST_LISTS)}
    found = []
    for path in sorted(candidates, key=lambda path: order.get(path.stem, len(order))):
        if only == "ljspeech" and path.name != _METADATA:
            continue
        try:
            one = open_list(path, recordings.find, whatever=path.name == _METADATA)
        except UnreadableListError:
            continue
        if one.has_names or only != "manifest":
            found.append(one)
    return found


def _read_list(listed: TranscriptList, corpus: Corpus, recordings: Recordings) -> None:
    """Add what a list says to a corpus, with findings for rows, and for recordings that it does not name."""
    name = corpus.relative(listed.path)
    corpus.layout = corpus.layout or _layout_of(listed)
    corpus.saw_encoding(name, listed.encoding)
    bare = not listed.has_names and listed.path.name == _METADATA
    if bare:
        for path, first in recordings.repeated:
            reason = f"the same name as {corpus.relative(first)}"
            corpus.findings.append(left_out("duplicate id", corpus.relative(path), reason))
    mentioned = {path.resolve() for path, _ in recordings.repeated} if bare else set()
    moved = []
    for row in listed.rows():
        where = f"{name}, line {row.line}"
        if row.problem:
            corpus.findings.append(left_out("malformed row", where, row.problem))
            continue
        audio = recordings.find(row.audio)
        if audio is None:
            corpus.findings.append(left_out("text without audio", where, f"no recording '{row.audio[:200]}'"))
            continue
        mentioned.add(audio.resolve())
        if recordings.is_moved(row.audio, audio):
            moved.append((where, row.audio, audio))
        if row.remark:
            corpus.findings.append(warning("unusual row", where, row.remark))
        identifier = audio.relative_to(recordings.place) if bare and audio.is_relative_to(recordings.place) else audio
        corpus.add(
            Utterance(
                str(Path(corpus.relative(corpus.folder / identifier)).with_suffix("")),
                audio,
                None if row.text is None else clean_text(row.text),
                clean_text(row.speaker),
                clean_text(row.language),
            )
        )
    if moved:
        where, called, audio = moved[0]
        reason = f"{len(moved)} recordings lie elsewhere than the list says: '{called}' is {corpus.relative(audio)}"
        corpus.findings.append(note("moved recordings", where, reason))
    for audio in recordings.files:
        if audio.resolve() in mentioned or (bare and not audio.is_relative_to(recordings.place)):
            continue
        if bare:
            corpus.add(Utterance(audio.relative_to(recordings.place).with_suffix("").as_posix(), audio, None, ""))
        else:
            reason = f"not mentioned in {listed.path.name}"
            corpus.findings.append(left_out("audio without text", corpus.relative(audio), reason))


def _layout_of(listed: TranscriptList) -> str:
    if listed.has_names:
        return "manifest"
    if "speaker" in listed.form:
        return f"list ({listed.form})"
    return "LJ Speech" if listed.path.name == _METADATA and "|" in listed.form else f"list ({listed.form})"


def is_plain(folder: Path) -> bool:
    """Tell whether there is any recording below a folder; each has a `.txt` or `.lab` file of its name beside it."""
    return bool(audio_files(folder))


_VERSIONS_OF_A_TEXT = (".normalized", ".normalised", ".original")
"""What LibriTTS has before `.txt`: numbers as words, or as printed; the first that there is counts."""


def read_plain(folder: Path) -> Corpus:
    """Read a folder of recordings with a text beside each; in LibriTTS's layout with the speakers' names."""
    audio = audio_files(folder)
    libritts = bool(audio) and all(_libritts_speaker(folder, path) for path in audio)
    corpus = Corpus(folder, "LibriTTS" if libritts else "plain folder")
    texts: dict[str, Path] = {}
    for path in text_files(folder):
        texts.setdefault(composed(str(_without_version(path.with_suffix("")))), path)
    used = set()
    for path in audio:
        stem = composed(str(path.with_suffix("")))
        identifier = path.relative_to(folder).with_suffix("").as_posix()
        speaker = _libritts_speaker(folder, path) if libritts else ""
        if stem not in texts:
            corpus.add(Utterance(identifier, path, None, speaker))
            continue
        used.add(stem)
        text = _text_beside(corpus, path, texts[stem])
        if text is not None:
            corpus.add(Utterance(identifier, path, text, speaker))
    for stem in sorted(set(texts) - used):
        corpus.findings.append(
            left_out("text without audio", corpus.relative(texts[stem]), "no recording of the same name beside it")
        )
    if not any(utterance.text for utterance in corpus.utterances):
        corpus.findings += _unread_lists(folder, set(texts.values()), corpus)
    return corpus


def _without_version(path: Path) -> Path:
    """Return the path of the recording, without suffix, of `1.normalized.txt` or `1.wav.txt` without its own."""
    return path.with_suffix("") if path.suffix.lower() in {*_VERSIONS_OF_A_TEXT, *AUDIO_SUFFIXES} else path


def _libritts_speaker(folder: Path, audio: Path) -> str:
    """Return the speaker of `SPEAKER/CHAPTER/SPEAKER_CHAPTER_PARAGRAPH_SENTENCE`; empty for another name."""
    parts = audio.relative_to(folder).parts
    return parts[-3] if len(parts) >= 3 and parts[-1].startswith(f"{parts[-3]}_{parts[-2]}_") else ""


def _text_beside(corpus: Corpus, audio: Path, path: Path) -> str | None:
    """Return the text of a file that belongs to one recording; None, and a finding, where it cannot be read."""
    try:
        text, encoding = read_text(path, _LARGEST_TEXT)
    except DataError as error:
        corpus.findings.append(left_out("unreadable text", corpus.relative(audio), f"{path.name}: {error}"))
        return None
    corpus.saw_encoding(corpus.relative(path), encoding)
    return clean_text(text)


_ABOUT = frozenset(("readme", "license", "licence", "copying", "notice", "changelog", "requirements"))


def _unread_lists(folder: Path, texts: set[Path], corpus: Corpus) -> list[Finding]:
    """Name files that may be lists of what is said, of which nothing could be read, with their first lines."""
    candidates = [
        path
        for path in _files(folder, LIST_SUFFIXES | SPREADSHEETS)
        if (path not in texts or len(texts) < 3) and path.stem.lower() not in _ABOUT
    ]
    return [left_out("unread list", corpus.relative(path), describe_unread(path)) for path in candidates[:10]]


def is_kaldi(folder: Path) -> bool:
    """Tell whether a folder has Kaldi's `wav.scp` and `text`."""
    return (folder / "wav.scp").is_file() and (folder / "text").is_file()


def read_kaldi(folder: Path) -> Corpus:
    """Read a data folder of Kaldi: `wav.scp` (id, path), `text` (id, words) and, where there is one, `utt2spk`."""
    corpus = Corpus(folder, "Kaldi")
    tables = {name: _kaldi_table(corpus, folder / name) for name in ("wav.scp", "text", "utt2spk", "segments")}
    recordings = _recordings(folder)
    texts, speakers = tables["text"], tables["utt2spk"]
    for name, path in tables["wav.scp"].items():
        subject = f"wav.scp, '{name}'"
        if path.endswith("|") or path.startswith("|"):
            corpus.findings.append(
                left_out("malformed row", subject, "a command, which is not run; convert it to files")
            )
            continue
        audio = recordings.find(path)
        if audio is None:
            corpus.findings.append(left_out("text without audio", subject, f"no recording '{path[:200]}'"))
            continue
        text = texts.get(name)
        speaker = clean_text(speakers.get(name, ""))
        corpus.add(Utterance(name, audio, None if text is None else clean_text(text), speaker))
    for name in sorted(set(texts) - set(tables["wav.scp"])):
        cut = name in tables["segments"]
        reason = "a part of a recording (segments); cut it into files" if cut else "not in wav.scp"
        corpus.findings.append(left_out("text without audio", f"text, '{name}'", reason))
    return corpus


def _kaldi_table(corpus: Corpus, path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open("rb") as stream:
        encoding = find_encoding(stream, str(path))
    corpus.saw_encoding(path.name, encoding)
    table: dict[str, str] = {}
    with path.open("rb") as stream:
        for line in text_lines(stream, encoding):
            key, *rest = line.text.split(maxsplit=1)[:2] or [""]
            where = f"{path.name}, line {line.number}"
            if line.problem:
                corpus.findings.append(left_out("malformed row", where, line.problem))
            elif key and key in table:
                corpus.findings.append(left_out("duplicate id", where, f"'{key}' occurs before; the first is used"))
            elif key:
                table[key] = rest[0].strip() if rest else ""
    return table


_MICROPHONE = re.compile(r"_mic(\d+)$")


def is_vctk(folder: Path) -> bool:
    """Tell whether a folder has `txt/` and a folder whose name starts with `wav`, both with folders of speakers."""
    return (folder / "txt").is_dir() and _audio_folder(folder) is not None


def read_vctk(folder: Path) -> Corpus:
    """Read a corpus in the VCTK layout; of a text recorded by several microphones the first is used."""
    corpus = Corpus(folder, "VCTK")
    place = _audio_folder(folder) or folder
    texts = {
        composed(path.relative_to(folder / "txt").with_suffix("").as_posix()): path
        for path in text_files(folder / "txt")
    }
    audio: dict[str, Path] = {}
    others = 0
    for path in audio_files(place):
        name = _MICROPHONE.sub("", composed(path.relative_to(place).with_suffix("").as_posix()))
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
        text = _text_beside(corpus, path, texts[name])
        if text is not None:
            corpus.add(Utterance(name, path, text, speaker))
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


LAYOUTS = ("auto", "ljspeech", "plain", "vctk", "manifest", "kaldi")


def read_corpus(path: Path, layout: str = "auto") -> Corpus:
    """Read the list of a corpus' recordings and texts; the recordings themselves are not opened.

    Args:
        path: the corpus' folder, or a list.
        layout: one of `LAYOUTS`; `auto` recognises it.

    Raises:
        DataError: there is no such folder, nothing is recognised, or the layout does not fit.
    """
    if layout not in LAYOUTS:
        raise DataError(f"no layout '{layout}'; there are {', '.join(LAYOUTS)}")
    if not (path.is_dir() or path.is_file()):
        raise DataError(f"{path}: no such folder or manifest")
    if path.is_file() and path.suffix.lower() in AUDIO_SUFFIXES:
        raise DataError(f"{path}: is one recording; name the folder that it lies in, or a list of recordings")
    try:
        corpus = _read(path, layout)
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read ({error.strerror})") from error
    if corpus is None:
        wanted = "recordings" if layout == "auto" else f"a corpus in the layout '{layout}'"
        raise DataError(
            f"{path}: no {wanted} found. A corpus is a folder with metadata.csv (id|text) and wavs/, a folder with "
            ".txt or .lab files beside the audio, txt/SPEAKER and wav48/SPEAKER, Kaldi's wav.scp and text, or a CSV or "
            "JSONL list with the columns audio,text,speaker,language"
        )
    if not corpus.utterances and not corpus.findings:
        raise DataError(f"{path}: the corpus is empty")
    corpus.utterances.sort(key=lambda utterance: utterance.id)
    return corpus


def _read(path: Path, layout: str) -> Corpus | None:
    if not path.is_dir():
        return read_list(path) if layout in ("auto", "manifest", "ljspeech") else None
    if layout in ("auto", "kaldi") and is_kaldi(path):
        return read_kaldi(path)
    if layout in ("auto", "ljspeech"):
        corpus = read_lists(path, only="ljspeech")
        if corpus is not None:
            return corpus
    if layout in ("auto", "vctk") and is_vctk(path):
        return read_vctk(path)
    if layout in ("auto", "manifest"):
        corpus = read_lists(path, only="" if layout == "auto" else "manifest")
        if corpus is not None:
            return corpus
    if layout in ("auto", "plain") and is_plain(path):
        return read_plain(path)
    return None
