"""From a book that is heard to its files: an M4B, a folder of chapters, or a read-along EPUB."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from glowvox import __version__
from glowvox.book.chapters import HeardBook
from glowvox.book.epub_writer import write_read_along
from glowvox.book.production import Encoding, Narrator, Production, TrackFile
from glowvox.book.script import BookPauses, Track, script_of
from glowvox.book.sound_files import ChapterSound, join_m4b
from glowvox.book.work_folder import WorkFolder
from glowvox.errors import AudioError, ConfigError, DataError

_PLAN_VERSION = 1
"""Rises when the same book and options may sound otherwise: work that waits is then thrown away."""
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
OUTPUTS = {".m4b": "m4b", ".m4a": "m4b", ".epub": "epub"}
FOLDER_FORMATS = ("mp3", "flac")


@dataclass(frozen=True)
class BookOptions:
    """How a book is made."""

    output: str = "m4b"
    """m4b, epub, or one of `FOLDER_FORMATS`: a folder."""
    bit_rate: int = 64_000
    """Bits per second of AAC and MP3."""
    unit: str = "sentence"
    """What lights up at once in a read-along book."""
    seed: int = 0
    threads: int = 1
    """Utterances spoken at a time; the result does not depend on it."""
    pauses: BookPauses = field(default_factory=BookPauses)

    def __post_init__(self) -> None:
        if not 16_000 <= self.bit_rate <= 320_000:
            raise ConfigError(f"the bit rate must lie between 16 and 320 kbit/s, got {self.bit_rate / 1000:g}")


@dataclass(frozen=True)
class Made:
    """A book that was made."""

    files: tuple[Path, ...]
    seconds: float
    """Of sound."""
    chapters: Sequence[tuple[str, float]]
    """Of each chapter its title and length in seconds; of a read-along book, each page."""
    went_on: bool
    """Whether an earlier run had begun it."""


Report = Callable[[int, int, int, str], None]
"""Told the characters spoken, how many of those by an earlier run, of how many, and the title at work."""


def output_of(path: str, format: str | None) -> str:
    """Return what is made for the name of an output.

    Raises:
        AudioError: the name and the format contradict each other, or a folder lacks its format.
    """
    suffix = Path(path).suffix.lower()
    if suffix in OUTPUTS and not Path(path).is_dir():
        if format not in (None, OUTPUTS[suffix]):
            raise AudioError(f"{path}: '{suffix}' is no {format}; leave out --format, or name another output")
        return OUTPUTS[suffix]
    if suffix in (".mp3", ".flac"):
        raise AudioError(
            f"{path}: {suffix[1:].upper()} is written as a folder with a file for each chapter: name a folder, and "
            f"--format {suffix[1:]}"
        )
    if format in ("m4b", "epub"):
        raise AudioError(f"{path}: the name of an {format} ends in .{format}")
    if suffix in (".wav", ".ogg", ".opus", ".aac", ".zip", ".pdf", ".txt"):
        raise AudioError(f"{path}: a book is written as .m4b or .epub, or into a folder as MP3 or FLAC")
    return format or "mp3"


def make_book(
    book: HeardBook,
    output: Path,
    narrators: Mapping[str, Narrator],
    options: BookOptions,
    *,
    identity: Mapping[str, Any],
    report: Report,
    warn: Callable[[str], None],
) -> Made:
    """Make a book, or go on where an earlier run with the same book and options stopped.

    Args:
        book: what is heard.
        output: the file or folder.
        narrators: by role, see `Production`.
        options: how.
        identity: what else decides how it sounds (hashes of voices and lexicon, options), for telling runs apart.
        report: told how it goes.
        warn: told of everything that was guessed or left out.

    Raises:
        DataError: something cannot be written; what is finished is kept.
        GlowvoxError: see `Voice.say`.
    """
    if output.exists() and book.source.path.exists() and output.samefile(book.source.path):
        raise DataError(f"{output} is the book itself, which would be lost; name another output")
    read_along = options.output == "epub"
    tracks = script_of(book, options.pauses, by_page=read_along, roles=narrators)
    folder_output = options.output in FOLDER_FORMATS
    if folder_output:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"cannot make the folder {output}: {error.strerror or error}") from error
        place = output / ".glowvox-book"
    elif not output.parent.is_dir() or output.is_dir():
        where = (
            "is a folder; name a file"
            if output.is_dir()
            else f"the folder {output.parent} does not exist; create it first"
        )
        raise DataError(f"cannot write {output}: {where}")
    else:
        place = output.parent / f".{output.name[:100]}.glowvox-book"
    folder = WorkFolder(place, _plan(tracks, options, identity, book))
    try:
        made = _made(book, tracks, output, narrators, options, folder, report, warn)
    except BaseException:
        folder.close()
        raise
    folder.remove()
    return made


def _made(
    book: HeardBook,
    tracks: Sequence[Track],
    output: Path,
    narrators: Mapping[str, Narrator],
    options: BookOptions,
    folder: WorkFolder,
    report: Report,
    warn: Callable[[str], None],
) -> Made:
    tags = book_tags(book, narrators["narrator"].voice.name)
    form = options.output if options.output in FOLDER_FORMATS else "m4a"
    digits = max(2, len(str(len(tracks))))

    def path_of(track: Track) -> Path:
        if options.output not in FOLDER_FORMATS:
            return folder.path / f"{track.number:04d}.m4a"
        return output / f"{track.number:0{digits}d} {_file_name(track.title)}.{form}"

    def tags_of(track: Track) -> Mapping[str, str]:
        if options.output not in FOLDER_FORMATS:
            return {}
        return {**tags, "title": track.title, "track": f"{track.number}/{len(tracks)}"}

    cover = book.source.cover if options.output in FOLDER_FORMATS else None
    production = Production(
        narrators,
        folder,
        Encoding(form, options.bit_rate, tags_of, cover, path_of),
        seed=options.seed,
        threads=options.threads,
        warn=warn,
    )
    total = sum(track.characters for track in tracks)
    files: list[TrackFile] = []
    went_on = folder.goes_on
    for file in production.files(tracks, lambda done, reused, track: report(done, reused, total, track.title)):
        files.append(file)
    seconds = [file.sound.samples / file.sound.sample_rate for file in files]
    listed = [
        (file.track.title or book.source.pages[file.track.passages[0].page].name, length)
        for file, length in zip(files, seconds, strict=True)
    ]
    written: tuple[Path, ...] = (output,)
    whole = sum(seconds)
    if options.output == "m4b":
        chapters = [ChapterSound(file.path, file.track.title, file.sound.packets) for file in files]
        whole = production.guarded(
            lambda: join_m4b(output, chapters, files[0].sound.sample_rate, tags=tags, cover=book.source.cover)
        )
    elif options.output == "epub":
        narrator = narrators["narrator"].voice.name
        whole = production.guarded(lambda: write_read_along(output, book, files, unit=options.unit, narrator=narrator))
    else:
        written = tuple(file.path for file in files)
    return Made(written, whole, listed, went_on)


def book_tags(book: HeardBook, narrator: str) -> dict[str, str]:
    """Return the tags of an audiobook, as players know them."""
    source = book.source
    return {
        "title": source.title,
        "album": source.title,
        "artist": ", ".join(source.authors),
        "album_artist": ", ".join(source.authors),
        "composer": narrator,
        "genre": "Audiobook",
        "date": year[0] if (year := re.search(r"(?<!\d)\d{4}(?!\d)|^\d{4}", source.date)) else "",
        "publisher": source.publisher,
        "comment": source.description[:1000],
        "language": source.language,
    }


def _plan(
    tracks: Sequence[Track], options: BookOptions, identity: Mapping[str, Any], book: HeardBook
) -> dict[str, Any]:
    script = hashlib.sha256()
    for track in tracks:
        script.update(repr((track.title, track.ending, track.parts)).encode("utf-8", "replace"))
    cover = book.source.cover
    return {
        "version": _PLAN_VERSION,
        "glowvox": __version__,
        "script": script.hexdigest(),
        "tags": book_tags(book, ""),
        "cover": hashlib.sha256(cover.content).hexdigest() if cover is not None else "",
        "options": {name: value for name, value in asdict(options).items() if name not in ("threads", "unit")},
        **identity,
    }


def _file_name(title: str) -> str:
    plain = " ".join(_FORBIDDEN.sub(" ", title).split()).strip(". ")
    return plain.encode("utf-8")[:120].decode("utf-8", "ignore").strip() or "chapter"
