"""A catalogue of a folder's voices, with the files beside it that a web server or a bucket offers."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glowvox.audio.atomic_file import replacing
from glowvox.config.schema import to_dict
from glowvox.errors import ConfigError, VoiceError
from glowvox.synthesis.installed_voices import load_voice, read_card, voices_in
from glowvox.synthesis.sample_sentences import sample_sentence
from glowvox.synthesis.voice_card import VoiceCard
from glowvox.synthesis.voice_catalogue import CATALOGUE_NAME, FORMAT, FORMAT_VERSION, CatalogueVoice
from glowvox.synthesis.voice_folder import ARCHIVE_SUFFIX, pack_voice

_SAMPLE_SUFFIXES = (".mp3", ".ogg", ".flac", ".wav")


def write_catalogue(
    folder: Path,
    out: Path | None = None,
    *,
    samples: bool = True,
    told: Callable[[str], None] | None = None,
) -> tuple[CatalogueVoice, ...]:
    """Write `catalogue.json`, each voice as a `.voice` file, and a sample of it.

    Args:
        folder: with the voices, as folders or `.voice` files; a sound file of the same name is a voice's sample.
        out: the folder to write into; None: the same one.
        samples: whether a voice without a sample speaks one.
        told: is called with the name of each voice.

    Returns:
        The entries, by name.

    Raises:
        VoiceError: there is no voice in the folder, one is damaged, two have one name, or something cannot be written.
    """
    out = folder if out is None else out
    entries: dict[str, CatalogueVoice] = {}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for _, place in voices_in(folder):
            card = read_card(place)
            archive = out / f"{card.name}{ARCHIVE_SUFFIX}"
            if card.name.lower() in entries:
                if _packed_sha256(place) == entries[card.name.lower()].sha256:
                    continue  # a folder, and the file that was packed of it
                raise VoiceError(f"{place}: another voice is called '{card.name}' already")
            if told is not None:
                told(card.name)
            if place.is_dir():
                pack_voice(place, archive)
            elif not (archive.is_file() and archive.samefile(place)):
                with place.open("rb") as source, replacing(archive, VoiceError) as stream:
                    shutil.copyfileobj(source, stream)
            entries[card.name.lower()] = _entry(card, archive, _sample(place, archive, card, samples=samples))
        if not entries:
            raise VoiceError(f"{folder}: holds no voice, neither a folder with voice.json nor a {ARCHIVE_SUFFIX} file")
        listed = tuple(entry for _, entry in sorted(entries.items()))
        content = {"format": FORMAT, "format_version": FORMAT_VERSION, "voices": [_row(entry) for entry in listed]}
        with replacing(out / CATALOGUE_NAME, VoiceError) as stream:
            stream.write((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))
    except OSError as error:
        raise VoiceError(f"{error.filename or out}: cannot be written ({error.strerror or error})") from error
    return listed


def _entry(card: VoiceCard, archive: Path, sample: str) -> CatalogueVoice:
    try:
        return CatalogueVoice(
            name=card.name,
            url=archive.name,
            size=archive.stat().st_size,
            sha256=_sha256(archive),
            licence=card.licence,
            language=card.language,
            languages=tuple(sorted({card.language, *card.speaker_languages.values()})),
            speakers=card.speakers,
            sample_rate=card.vocoder.mel.sample_rate,
            description=" ".join(card.description.split()),
            sample=sample,
            quality=_figures(card),
        )
    except ConfigError as error:
        raise VoiceError(f"{archive}: cannot stand in a catalogue: {error}") from error


def _row(entry: CatalogueVoice) -> dict[str, Any]:
    return {name: value for name, value in to_dict(entry).items() if value not in ("", [], {})}


def _figures(card: VoiceCard) -> dict[str, float]:
    """Return the figures of the voice itself, of the report in which it spoke texts."""
    report = card.quality.get("voice")
    systems = report.get("systems") if isinstance(report, dict) else None
    own = systems.get(card.name) if isinstance(systems, dict) else None
    found = own.items() if isinstance(own, dict) else ()
    return {name: value for name, value in found if isinstance(value, int | float) and not isinstance(value, bool)}


def _sample(place: Path, archive: Path, card: VoiceCard, *, samples: bool) -> str:
    for suffix in _SAMPLE_SUFFIXES:
        given = place.with_name(f"{archive.stem if place.is_dir() else place.stem}{suffix}")
        if given.is_file():
            target = archive.with_name(f"{card.name}{suffix}")
            if not (target.is_file() and target.samefile(given)):
                shutil.copyfile(given, target)
            return target.name
    if not samples:
        return ""
    target = archive.with_name(f"{card.name}{_SAMPLE_SUFFIXES[0]}")
    load_voice(archive).say(sample_sentence(card.language)).save(target)
    return target.name


def _packed_sha256(place: Path) -> str:
    """Return the SHA-256 of a voice's `.voice` file, or of what would be packed of its folder."""
    if place.is_file():
        return _sha256(place)
    with tempfile.TemporaryDirectory(prefix="glowvox-") as folder:
        archive = Path(folder) / f"voice{ARCHIVE_SUFFIX}"
        pack_voice(place, archive)
        return _sha256(archive)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
