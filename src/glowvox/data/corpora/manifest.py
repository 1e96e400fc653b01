"""A manifest: a CSV file with a header, or JSON lines, with the columns audio, text, speaker and language."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glowvox.data.corpora.utterance import Corpus, Utterance, audio_files, clean_text
from glowvox.data.findings import left_out
from glowvox.errors import DataError

SUFFIXES = (".csv", ".tsv", ".jsonl")
_COLUMNS = ("audio", "text", "speaker", "language")


def find_manifest(path: Path) -> Path | None:
    """Return the manifest that a path is or, where it is a folder, directly holds."""
    if path.is_file():
        return path if path.suffix.lower() in SUFFIXES else None
    candidates = sorted(child for child in path.iterdir() if child.suffix.lower() in SUFFIXES and child.is_file())
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
                f"{path}: no column 'audio' in its first line; a manifest has the columns {', '.join(_COLUMNS)}"
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
