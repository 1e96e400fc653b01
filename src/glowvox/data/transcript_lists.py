"""Lists of recordings with what is said in them, as people and programs write them.

A list is JSON lines, a table with a line of column names, or a table without one, such as LJ Speech's `id|text`. What
the columns mean is found by their names, or by what is in all rows; `Recordings` finds the file that a name means.
"""

import io
import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from glowvox.errors import DataError
from glowvox.storage.text_files import (
    DELIMITERS,
    TableRow,
    TextEncoding,
    TextLine,
    find_encoding,
    first_lines,
    json_rows,
    split_header,
    table_rows,
    text_lines,
)

LIST_SUFFIXES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt", ".list", ".lst", ".psv"})
"""Names of files that may be such a list."""
SPREADSHEETS = frozenset({".xlsx", ".xls", ".ods"})
"""Names of files that may be one, and are not read."""
_JSON_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})
_LOOKED_AT = 50
"""Rows that decide whether a file without column names is such a list."""
_AUDIO_COLUMNS = """
audio audio_file audio_filepath audio_path audio_filename audio_file_path file_name filename file file_path filepath
path wav wav_file wav_path wav_filename wav_filepath clip clip_path id utterance_id utt_id segment_id clip_id name
"""
_TEXT_COLUMNS = """
normalized_text normalised_text text_normalized text_normalised normalized_transcription normalised_transcription
normalized_transcript normalised_transcript text transcription transcript sentence raw_text raw_transcription
"""
_COLUMNS = {
    "audio": _AUDIO_COLUMNS.split(),
    "text": _TEXT_COLUMNS.split(),
    "speaker": ["speaker", "speaker_name", "speaker_id", "spk", "spk_id", "client_id", "reader_id"],
    "language": ["language", "lang", "locale"],
}
"""What programs call a column; the first that there is counts, of texts the first that is not empty.

`audio` is ours, where `text` comes first, `file_name` with `transcription` Hugging Face's, `audio_file` with
`speaker_name` Coqui's, `audio_filepath` NeMo's, `path` with `sentence` Common Voice's.
"""


class Recordings:
    """The recordings of a corpus, found by what a list calls them.

    Args:
        folder: where the list lies, to which paths are relative.
        place: where recordings lie that are called by a name without suffix.
        files: all recordings below the folder, sorted.
    """

    def __init__(self, folder: Path, place: Path, files: Sequence[Path]) -> None:
        self.folder, self.place, self.files = folder, place, files
        self.by_name: dict[str, Path] = {}
        """Recordings of the place by their path in it, without suffix."""
        self.repeated: list[tuple[Path, Path]] = []
        """Recordings of the place with a name that is taken, and whose it is."""
        self._by_path: dict[str, Path] = {}
        self._by_stem: dict[str, list[PurePosixPath]] = {}
        for path in files:
            relative = composed(path.relative_to(folder).as_posix())
            self._by_path[relative] = path
            self._by_stem.setdefault(_stem(relative).rsplit("/", 1)[-1], []).append(PurePosixPath(relative))
            if path.is_relative_to(place):
                name = _stem(composed(path.relative_to(place).as_posix()))
                if name in self.by_name:
                    self.repeated.append((path, self.by_name[name]))
                else:
                    self.by_name[name] = path

    def find(self, name: str) -> Path | None:
        """Return the recording that a list calls by a name, an id or a path; None: there is none.

        Letters may be composed or not (NFC, NFD), and backslashes separate folders as slashes do. A path of another
        machine, or from another folder, means the recording that ends as it does.
        """
        name = name.strip()
        if not name or "\0" in name:
            return None
        if len(name) > 2 and name[0] == name[-1] == '"':
            return self.find(name[1:-1])
        slashed = composed(name.replace("\\", "/")).removeprefix("./")
        for found in (self._by_path.get(slashed), self.by_name.get(slashed), self.by_name.get(_stem(slashed))):
            if found is not None:
                return found
        for path in (self.folder / name, *(base / slashed for base in self._bases())):
            inside = path.is_relative_to(self.folder) and ".." not in path.parts
            if (inside or path.suffix.lower() in _SOUND_SUFFIXES) and _is_file(path):
                return path
        return self._by_ending(slashed)

    def _bases(self) -> tuple[Path, ...]:
        """Return the folders to which a path may be relative: the list's, those above it, and the one we are in."""
        above = folder_above(self.folder)
        return self.folder, above, folder_above(above), Path()

    def is_moved(self, name: str, path: Path) -> bool:
        """Whether a recording was found only by how its path ends."""
        tail = PurePosixPath(composed(name.strip().replace("\\", "/"))).parts
        return len(tail) > 1 and not any(
            composed(str(base / Path(*tail))) == composed(str(path)) for base in (*self._bases(), self.place)
        )

    def _by_ending(self, name: str) -> Path | None:
        parts = _stem(name).split("/")
        matches = []
        for candidate in self._by_stem.get(parts[-1], []):
            own = _stem(str(candidate)).split("/")
            shared = min(len(own), len(parts))
            if own[-shared:] == parts[-shared:]:
                matches.append((shared, str(candidate)))
        matches.sort(reverse=True)
        if not matches or (len(matches) > 1 and matches[0][0] == matches[1][0] and not _same(matches)):
            return None
        return self._by_path[matches[0][1]]


def _same(matches: list[tuple[int, str]]) -> bool:
    return _stem(matches[0][1]) == _stem(matches[1][1])


def folder_above(folder: Path) -> Path:
    """Return the folder that holds another, which a path such as `.` or `..` does not name."""
    return folder.parent if folder.name not in ("", "..") else folder / ".."


def composed(text: str) -> str:
    """Return a text in Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", text)


_SOUND = ".wav .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .au .snd .caf .w64 .rf64 .m4a .aac .wma .webm .mp4"
_SOUND_SUFFIXES = frozenset(_SOUND.split())


def _stem(name: str) -> str:
    head, dot, suffix = name.rpartition(".")
    return head if head and f"{dot}{suffix}".lower() in _SOUND_SUFFIXES else name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


@dataclass(frozen=True)
class ListedClip:
    """A row of a list."""

    line: int
    audio: str = ""
    """As the list calls it."""
    text: str | None = None
    """As it stands; None where the list has no texts."""
    speaker: str = ""
    language: str = ""
    problem: str = ""
    """Why the row cannot be used."""
    remark: str = ""
    """What was found in a row that is used."""


@dataclass
class TranscriptList:
    """A list that is understood."""

    path: Path
    encoding: TextEncoding
    form: str
    """What its rows are, in words: `id|text`, `id|speaker|text`, the names of its columns."""
    rows: Callable[[], Iterator[ListedClip]] = field(repr=False)
    has_names: bool = field(kw_only=True)
    """Whether its columns have names, or its objects keys."""


class UnreadableListError(DataError):
    """A file that may be a list and is none that is known; the message says why, with its first line."""


def open_list(path: Path, find: Callable[[str], Path | None], *, whatever: bool = False) -> TranscriptList:
    """Return the list in a file.

    Args:
        path: the file.
        find: finds the recording that a name means.
        whatever: whether a list whose recordings are not there is one all the same.

    Raises:
        UnreadableListError: it is none.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            encoding = find_encoding(stream, str(path), is_json=path.suffix.lower() in _JSON_SUFFIXES)
    except UnreadableListError:
        raise
    except DataError as error:
        raise UnreadableListError(str(error)) from error
    opened = _Opened(path, encoding)
    first = opened.beginning()
    if not first:
        raise UnreadableListError(f"{path}: holds no line that can be read")
    found: TranscriptList | None
    if path.suffix.lower() in _JSON_SUFFIXES or first[0].text.lstrip().startswith("{"):
        found = _json_list(opened)
    else:
        found = _named_list(opened, first[0].text) or _bare_list(opened, first, find, whatever=whatever)
    if found is None:
        raise UnreadableListError(
            f"{path}: no column 'audio' in its first line, nor is it a recording and its text: "
            f"'{_shown(first[0].text)}'. A list has the columns audio,text,speaker,language, or lines id|text"
        )
    if not whatever and not _is_about(found, find):
        raise UnreadableListError(f"{path}: names no recording that is here; its first line: '{_shown(first[0].text)}'")
    return found


def list_with_names(path: Path, encoding: TextEncoding) -> TranscriptList | None:
    """Return the table in a file whose first line names its columns; None: it does not.

    Raises:
        OSError: it cannot be read.
    """
    opened = _Opened(path, encoding)
    first = opened.beginning()
    return _named_list(opened, first[0].text) if first else None


def is_normalised(rows: list[tuple[str, ...]]) -> bool:
    """Whether rows are LJ Speech's `id|text|normalised text`: most have three columns, and the last two are alike."""
    three = [row for row in rows if len(row) == 3]
    alike = sum(not row[2].strip() or _alike(row[1], row[2]) for row in three)
    return bool(three) and 2 * len(three) >= len(rows) and 2 * alike > len(three)


def _shown(line: str) -> str:
    return "".join(character if character.isprintable() else " " for character in line.strip())[:80]


def _is_about(found: TranscriptList, find: Callable[[str], Path | None]) -> bool:
    """Whether any of the first rows names a recording that is here, or the list says what it is by a column `audio`."""
    if found.has_names and found.form.split(",")[0] == "audio":
        return True
    for count, row in enumerate(found.rows()):
        if row.audio and find(row.audio) is not None:
            return True
        if count >= _LOOKED_AT:
            break
    return False


@dataclass(frozen=True)
class _Opened:
    """A file whose encoding is known."""

    path: Path
    encoding: TextEncoding

    def lines(self) -> Iterator[TextLine]:
        with self.path.open("rb") as stream:
            for line in text_lines(stream, self.encoding):
                # Excel's note to itself of what parts the columns.
                if line.number > 1 or not re.fullmatch(r"sep=.", line.text.strip(" ")):
                    yield line

    def beginning(self) -> list[TextLine]:
        return first_lines((line for line in self.lines() if not line.problem), _LOOKED_AT)


def _json_list(opened: _Opened) -> TranscriptList | None:
    objects = list(json_rows(opened.lines()))
    whole = [] if any(isinstance(row, dict) for _, row in objects) else _json_array(opened)
    objects = whole or objects
    keys = {_plain(key) for _, row in objects[:_LOOKED_AT] if isinstance(row, dict) for key in row}
    if not keys & set(_COLUMNS["audio"]) or not ("audio" in keys or keys & set(_COLUMNS["text"])):
        return None

    def rows() -> Iterator[ListedClip]:
        for line, row in objects:
            yield ListedClip(line, problem=row) if isinstance(row, str) else _json_clip(line, row)

    form = ",".join(key for names in _COLUMNS.values() for key in names if key in keys)
    return TranscriptList(opened.path, opened.encoding, form, rows, has_names=True)


def _json_array(opened: _Opened) -> list[tuple[int, dict[str, Any] | str]]:
    try:
        whole = json.loads("\n".join(line.text for line in opened.lines()))
    except (ValueError, RecursionError):
        return []
    entries = whole if isinstance(whole, list) else []
    return [(number, row) for number, row in enumerate(entries, 1) if isinstance(row, dict)]


def _json_clip(line: int, row: dict[str, Any]) -> ListedClip:
    named = {_plain(key): value for key, value in row.items()}
    values: dict[str, Any] = {}
    for role, names in _columns(named).items():
        there = [named[name] for name in names if named.get(name) is not None]
        blank = [value for value in there if value != ""] if role == "text" else there
        values[role] = (blank or there or [None])[0]
    if isinstance(values["speaker"], int) and not isinstance(values["speaker"], bool):
        values["speaker"] = str(values["speaker"])
    for role in ("text", "speaker", "language"):
        if values[role] is not None and not isinstance(values[role], str):
            return ListedClip(line, problem=f"'{role}' is not a text")
    if not isinstance(values["audio"], str) or not values["audio"].strip() or "\0" in values["audio"]:
        return ListedClip(line, problem="no path in the column 'audio'")
    offset = named.get("offset")
    if isinstance(offset, int | float) and offset:
        return ListedClip(line, problem=f"a part of a recording (offset {offset:g} s); cut it into files")
    return ListedClip(line, values["audio"], values["text"], values["speaker"] or "", values["language"] or "")


def _columns(names: Collection[str]) -> dict[str, list[str]]:
    """Return `_COLUMNS` for a list with these; in our own, `text` is what is said, whatever stands beside it."""
    return {**_COLUMNS, "text": ["text", *_COLUMNS["text"]]} if "audio" in names else _COLUMNS


def _plain(name: str) -> str:
    """Return a column's name as `_COLUMNS` has it: small letters, words joined by a line."""
    return "_".join(name.strip().strip('"').lower().replace("-", " ").split())


def _named_list(opened: _Opened, header: str) -> TranscriptList | None:
    best: tuple[int, str, list[str]] | None = None
    for delimiter in DELIMITERS:
        names = [_plain(name) for name in split_header(header, delimiter)]
        known = {role for role, aliases in _COLUMNS.items() if set(names) & set(aliases)}
        fits = "audio" in names or {"audio", "text"} <= known
        if fits and (best is None or len(known) > best[0]):
            best = len(known), delimiter, names
    if best is None:
        return None
    _, delimiter, names = best
    places = {
        role: [names.index(alias) for alias in aliases if alias in names] for role, aliases in _columns(names).items()
    }

    def rows() -> Iterator[ListedClip]:
        table = table_rows(opened.lines(), delimiter, len(names))
        next(table, None)
        for row in table:
            yield _named_clip(row, names, places, delimiter)

    form = ",".join(names[indices[0]] for indices in places.values() if indices)
    return TranscriptList(opened.path, opened.encoding, form, rows, has_names=True)


def _named_clip(row: TableRow, names: list[str], places: dict[str, list[int]], delimiter: str) -> ListedClip:
    if row.problem:
        return ListedClip(row.line, problem=row.problem)
    fields, remark = list(row.fields), row.remark
    extra = fields[len(names) :]
    if any(part.strip() for part in extra):
        if places["text"] != [len(names) - 1]:
            return ListedClip(row.line, problem=f"{len(fields)} fields, but the first line names {len(names)} columns")
        fields[len(names) - 1 :] = [delimiter.join(fields[len(names) - 1 :])]
        remark = remark or f"'{delimiter}' in a text that is not quoted; the text is taken to the end of the line"

    def value(role: str) -> str | None:
        there = [fields[index] for index in places[role] if index < len(fields)]
        return next((text for text in there if text.strip()), there[0] if there else None)

    audio = value("audio")
    if audio is None or not audio.strip() or "\0" in audio:
        return ListedClip(row.line, problem="no path in the column 'audio'")
    return ListedClip(row.line, audio, value("text"), value("speaker") or "", value("language") or "", remark=remark)


def _bare_list(
    opened: _Opened, beginning: list[TextLine], find: Callable[[str], Path | None], *, whatever: bool
) -> TranscriptList | None:
    """Return a list without column names: most of its first rows begin with a recording, or `whatever` and a bar."""
    for delimiter in ("|", "\t", ";", ",", " "):
        begun = [line.text.partition(delimiter) for line in beginning]
        if all(text.strip().replace(".", "").isdecimal() for name, _, text in begun[1:] or begun if name.strip()):
            continue  # lengths or numbers, not texts
        named = sum(bool(sign) and find(name.strip().strip('"')) is not None for name, sign, _ in begun)
        if 2 * named >= len(begun) or (whatever and delimiter == "|" and begun[0][1]):
            return _with_roles(opened, delimiter)
    return None


def _with_roles(opened: _Opened, delimiter: str) -> TranscriptList:
    rows = list(_words(opened.lines()) if delimiter == " " else table_rows(opened.lines(), delimiter, 2))
    roles = _roles([row.fields for row in rows if not row.problem], delimiter)

    def clips() -> Iterator[ListedClip]:
        for row in rows:
            yield ListedClip(row.line, problem=row.problem) if row.problem else _bare_clip(row, roles, delimiter)

    form = _FORMS[roles].replace("|", delimiter)
    return TranscriptList(opened.path, opened.encoding, form, clips, has_names=False)


_FORMS = {
    "text": "id|text",
    "normalised": "id|text|normalised text",
    "rarely normalised": "id|text",
    "speaker": "id|speaker|text",
    "speaker last": "id|text|speaker",
}


def _words(lines: Iterator[TextLine]) -> Iterator[TableRow]:
    for line in lines:
        if line.problem or line.text.strip():
            yield TableRow(line.number, tuple(line.text.split(maxsplit=1)), line.problem)


def _roles(rows: list[tuple[str, ...]], delimiter: str) -> str:
    """Return what the columns behind the first are.

    `text`, `normalised`, `rarely normalised`, `speaker` (first) or `speaker last`.

    LJ Speech's third column repeats the second with numbers and abbreviations as words; where two columns have nothing
    in common, and one holds names, it is the speaker, as in Piper's `id|speaker|text`.
    """
    three = [row for row in rows if len(row) == 3]
    if 2 * len(three) < len(rows) or not three:
        usual = "normalised" if 5 * len(three) >= len(rows) else "rarely normalised"
        return usual if delimiter == "|" else "text"
    if delimiter != "|" and (len(three) < len(rows) or any(row[2].startswith(" ") for row in three)):
        return "text"  # so many fields as the text has commas
    alike = sum(not row[2].strip() or _alike(row[1], row[2]) for row in three)
    if 2 * alike > len(three):
        return "normalised"
    second, third = ([row[column].strip() for row in three] for column in (1, 2))
    if _are_names(second) and (not _are_names(third) or len(set(second)) <= len(set(third))):
        return "speaker"
    return "speaker last" if _are_names(third) else "normalised"


def _alike(one: str, other: str) -> bool:
    ours, theirs = (set("".join(c if c.isalnum() else " " for c in text.lower()).split()) for text in (one, other))
    return bool(ours and theirs) and 2 * len(ours & theirs) >= min(len(ours), len(theirs))


def _are_names(values: list[str]) -> bool:
    """Whether values may be speakers: short, no sentences, and, of more than two, some repeated."""
    short = all(0 < len(one) <= 40 and len(one.split()) <= 3 and one[-1] not in ".,;:!?…\"'”" for one in values)
    return short and (len(values) <= 2 or len(set(values)) < len(values))


def _bare_clip(row: TableRow, roles: str, delimiter: str) -> ListedClip:
    fields = row.fields
    if roles == "text" and len(fields) > 2:
        fields = (fields[0], delimiter.join(fields[1:]))
    if len(fields) < 2:
        return ListedClip(row.line, problem=f"no text column in '{''.join(fields)[:60]}'")
    if len(fields) > 3:
        return ListedClip(row.line, problem=f"{len(fields)} fields where at most 3 are known")
    name, text, last = fields[0], fields[1], fields[2] if len(fields) == 3 else ""
    if roles == "speaker" and len(fields) == 3:
        return ListedClip(row.line, name, last, text, remark=row.remark)
    if roles == "speaker last":
        return ListedClip(row.line, name, text, last, remark=row.remark)
    third = "a third field, where most rows have two, is taken as the text" if roles == "rarely normalised" else ""
    return ListedClip(
        row.line, name, last if last.strip() else text, remark=row.remark or (third if last.strip() else "")
    )


def describe_unread(path: Path) -> str:
    """Say why a file cannot be read as a list: with its first line, or what else it is."""
    if path.suffix.lower() in SPREADSHEETS:
        return "cannot be read as a list of recordings and texts: a spreadsheet; save it as CSV"
    try:
        with path.open("rb") as stream:
            raw = stream.read(1 << 12)
        encoding = find_encoding(io.BytesIO(raw), path.name)
        lines = first_lines(text_lines(io.BytesIO(raw), encoding), 1)
    except (OSError, DataError) as error:
        return f"cannot be read as a list of recordings and texts: {error}"
    shown = _shown(lines[0].text) if lines else ""
    return f"cannot be read as a list of recordings and texts; its first line: '{shown}'"
