"""Catalogue of voices: a JSON file with what each voice is, its size and its SHA-256, from which voices are downloaded.

A catalogue comes from a stranger. Its entries are checked when it is read: where a file lies, how large it may be, and
that no text does anything to a terminal. What is downloaded is opened as any `.voice` file is, before it is installed.
"""

import contextlib
import json
import math
import os
import re
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glowvox.config.schema import from_dict
from glowvox.errors import ConfigError, VoiceError, one_line
from glowvox.storage.download import Told, download, is_web, read_file, shown
from glowvox.storage.object_storage import local_path
from glowvox.synthesis.installed_voices import (
    InstalledVoice,
    changing_voices,
    installable_card,
    replace_installed,
    user_folders,
)
from glowvox.synthesis.voice_folder import ARCHIVE_SUFFIX, MAX_BYTES

FORMAT = "glowvox-catalogue"
FORMAT_VERSION = 1
CATALOGUE_VARIABLE = "GLOWVOX_CATALOGUE"
"""Environment variable with the address of the catalogue."""
CATALOGUE_NAME = "catalogue.json"
_MAX_CATALOGUE_BYTES = 8 << 20
_MOST_VOICES = 10_000
_MOST_FIGURES = 64
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", re.ASCII)
_RELATIVE = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}/){0,8}[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}", re.ASCII)
"""Names and folders below the catalogue's own, without a way up."""
_ABSOLUTE = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,300}/[!-~]{0,1500}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class CatalogueVoice:
    """A voice that can be downloaded."""

    name: str
    """By which it is called; letters, digits, `-`, `_` and `.`."""
    url: str
    """Of its `.voice` file: relative to the catalogue, or an address by `https` (by `http` where the catalogue is)."""
    size: int
    """Bytes of the file."""
    sha256: str
    """Of the file, in lower-case hexadecimal."""
    licence: str
    """As in its `voice.json`: an SPDX expression where there is one."""
    language: str
    """Language tag of the first speaker."""
    languages: tuple[str, ...] = ()
    """Language tags of all speakers; empty: only `language`."""
    speakers: tuple[str, ...] = ()
    """Names of its speakers."""
    sample_rate: int | None = None
    """Samples per second of what it says."""
    description: str = ""
    """A sentence."""
    sample: str = ""
    """Address of a sound file with a sentence in the voice, as `url` is written; empty: none."""
    quality: dict[str, Any] = field(default_factory=dict)
    """Measured figures, as the card has them for the voice itself: `wer`, `distillmos`, `rtf`, ..."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f"'{_plain(self.name)}' is no name for a voice: use letters, digits, '-', '_' and '.'")
        for what, url in (("url", self.url), ("sample", self.sample)):
            if not (_RELATIVE.fullmatch(url) or _ABSOLUTE.fullmatch(url) or (what == "sample" and not url)):
                raise ConfigError(f"{what}: '{_plain(url)}' is neither a file below the catalogue nor an https address")
        if not 0 < self.size <= MAX_BYTES:
            raise ConfigError(f"size: a voice has 1 byte to {MAX_BYTES >> 30} GiB, not {str(self.size)[:30]} bytes")
        if not _SHA256.fullmatch(self.sha256):
            raise ConfigError("sha256: expected 64 hexadecimal digits in lower case")
        for text in (self.licence, self.language, self.description, *self.languages, *self.speakers):
            if not text.isprintable() or len(text) > 1000:
                raise ConfigError(f"'{_plain(text)}' is no line of text")
        if not self.licence or not self.language:
            raise ConfigError("the licence and the language are stated")
        if self.sample_rate is not None and not 1 <= self.sample_rate <= 1_000_000:
            raise ConfigError(f"sample_rate: {str(self.sample_rate)[:30]} is none")
        if len(self.quality) > _MOST_FIGURES:
            raise ConfigError(f"quality: more than {_MOST_FIGURES} figures")
        for name, value in self.quality.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not _NAME.fullmatch(name) or not number or not math.isfinite(value):
                raise ConfigError(f"quality: '{_plain(name)}' is no name with a number")


@dataclass(frozen=True)
class VoiceCatalogue:
    """What a catalogue offers."""

    address: str
    """Where it was read."""
    voices: tuple[CatalogueVoice, ...]
    """In the order of the file."""

    def voice(self, name: str) -> CatalogueVoice:
        """Return the voice of a name.

        Raises:
            VoiceError: the catalogue has none; the message names those that it has.
        """
        for voice in self.voices:
            if voice.name == name:
                return voice
        names = ", ".join(voice.name for voice in self.voices[:20]) + (", ..." if self.voices[20:] else "")
        raise VoiceError(f"{shown(self.address)} has no voice '{_plain(name)}'; it has {names or 'none'}")

    def address_of(self, url: str) -> str:
        """Return the whole address of a file that an entry names.

        Raises:
            VoiceError: an encrypted catalogue refers to an address that is not.
        """
        if is_web(url):
            if not url.startswith("https://") and not _trusts_http(self.address):
                raise VoiceError(f"{shown(self.address)}: refers to {shown(url)}, which is not encrypted")
            return url
        if is_web(self.address):
            return urllib.parse.urljoin(self.address, url)
        local = local_path(self.address)
        return f"{self.address.rpartition('/')[0]}/{url}" if local is None else str(Path(local).parent / url)


def catalogue_address(named: str | None) -> str:
    """Return the address of the catalogue: the one named, else that of the environment variable `GLOWVOX_CATALOGUE`.

    Raises:
        VoiceError: there is none. No catalogue is asked of its own accord.
    """
    address = named or os.environ.get(CATALOGUE_VARIABLE, "")
    if not address:
        raise VoiceError(
            f"no catalogue is named, and there is no public one yet: give --catalogue an address or a path, or set "
            f"{CATALOGUE_VARIABLE}"
        )
    return address if "://" in address else str(Path(address).expanduser())


def read_catalogue(address: str) -> VoiceCatalogue:
    """Read a catalogue.

    Args:
        address: a path, an address by `https` or `http`, or one that fsspec knows (`s3://bucket/catalogue.json`).

    Raises:
        DataError: it cannot be read.
        VoiceError: it is no catalogue, damaged or hostile; the message names the entry.
        MissingExtraError: an address needs fsspec, which is not installed.
    """
    where = shown(address)
    try:
        content = json.loads(read_file(address, limit=_MAX_CATALOGUE_BYTES).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise VoiceError(f"{where}: not valid JSON, and so no catalogue of voices") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise VoiceError(f"{where}: not a catalogue of voices")
    if content.get("format_version") != FORMAT_VERSION:
        raise VoiceError(
            f"{where}: format version {_plain(str(content.get('format_version')))}, this program reads "
            f"{FORMAT_VERSION}; use a fitting release"
        )
    unknown = sorted(set(content) - {"format", "format_version", "voices"})
    entries = content.get("voices")
    if unknown or not isinstance(entries, list) or len(entries) > _MOST_VOICES:
        what = f"unknown key '{_plain(unknown[0])}'" if unknown else f"'voices' must be at most {_MOST_VOICES} entries"
        raise VoiceError(f"{where}: {what}")
    voices: dict[str, CatalogueVoice] = {}
    for number, entry in enumerate(entries, 1):
        try:
            voice = from_dict(CatalogueVoice, entry, "voice")
            if voice.name.lower() in voices:
                raise ConfigError(f"the name '{voice.name}' stands twice")
        except ConfigError as error:
            raise VoiceError(f"{where}: voice {number}: {_plain(one_line(error), limit=300)}") from error
        voices[voice.name.lower()] = voice
    return VoiceCatalogue(address, tuple(voices.values()))


def download_voice(
    catalogue: VoiceCatalogue, name: str, *, replace: bool = False, told: Told | None = None
) -> InstalledVoice:
    """Download a voice of a catalogue into the user's folder of voices, where its name finds it.

    A download that broke off goes on where it was. The voice is there when it is complete, its hash is the one stated
    and it opens; else nothing of it is.

    Args:
        catalogue: see `read_catalogue`.
        name: of the voice.
        replace: whether a voice of that name that the user has may be replaced.
        told: is called as it comes, with the bytes that are there and those that there will be.

    Raises:
        VoiceError: there is no such voice, one of that name is installed already, or it is not what the catalogue says.
        DataError: it cannot be fetched or written.
    """
    entry = catalogue.voice(name)
    home = user_folders()[0]
    target = home / f"{entry.name}{ARCHIVE_SUFFIX}"
    there = [place for place in (target, home / entry.name) if os.path.lexists(place)]
    if there and not replace:
        raise VoiceError(f"the voice {entry.name} is installed already, as {there[0]}; replace it with --force")
    arrived = home / ".downloads" / target.name
    try:
        download(catalogue.address_of(entry.url), arrived, size=entry.size, sha256=entry.sha256, told=told)
        try:
            card = installable_card(arrived)
            for what, stated, own in (("name", entry.name, card.name), ("licence", entry.licence, card.licence)):
                if stated != own:
                    raise VoiceError(f"the catalogue states the {what} '{stated}', the voice itself '{_plain(own)}'")
        except VoiceError as error:
            arrived.unlink(missing_ok=True)
            said = str(error).removeprefix(f"{arrived}: ")
            raise VoiceError(f"{shown(catalogue.address_of(entry.url))}: {said}; nothing of it was kept") from error
        with changing_voices(home):
            replace_installed(
                arrived, target, [place for place in (target, home / entry.name) if os.path.lexists(place)]
            )
    except OSError as error:
        raise VoiceError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            arrived.parent.rmdir()
    return InstalledVoice(entry.name, target, packaged=False)


def _trusts_http(address: str) -> bool:
    return not address.lower().startswith("https://")


def _plain(text: str, *, limit: int = 100) -> str:
    """Return the beginning of a stranger's text, without what does something to a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:limit])
