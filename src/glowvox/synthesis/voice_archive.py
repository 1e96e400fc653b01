"""`.voice` files: a voice's folder as a zip. They may come from strangers, and are opened accordingly.

Only plain files with the names that a voice has, only stored or deflated, and never more bytes than announced or
allowed: nothing is written outside the folder, and no small file becomes a huge one.
"""

import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from glowvox.audio.atomic_file import replacing
from glowvox.errors import VoiceError

ARCHIVE_SUFFIX = ".voice"
MAX_BYTES = 4 << 30
"""Of all files together."""
_MAX_FILES = 64
_MAX_RATIO = 100
"""Weights hardly shrink; a text file shrinks by ten."""
_SMALL = 4 << 20
"""A file of at most this size may shrink by any factor."""
_NAME = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}/)?[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", re.ASCII)
_SUFFIXES = frozenset({".json", ".onnx", ".safetensors", ".md", ".txt", ""})
_BLOCK = 1 << 20


def is_voice_file(name: str) -> bool:
    """Whether a file of that name, with `/` between folder and file, may be part of a voice."""
    return _NAME.fullmatch(name) is not None and Path(name).suffix.lower() in _SUFFIXES


def unpack_voice(archive: Path, folder: Path) -> None:
    """Unpack a `.voice` file into an existing, empty folder.

    Raises:
        VoiceError: no such file, damaged, truncated, or holding what a voice does not hold; nothing is left outside
            the folder.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _checked(opened.infolist())
            for member in members:
                _unpack_one(opened, member, folder)
    except OSError as error:
        raise VoiceError(f"{archive}: cannot be read ({error.strerror or error})") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise VoiceError(f"{archive}: damaged or truncated, not a voice that can be read ({error})") from error
    except VoiceError as error:
        raise VoiceError(f"{archive}: {error}") from error


def pack_voice(folder: Path, archive: Path) -> None:
    """Write a voice's folder as a `.voice` file, aside first; the same folder gives the same bytes.

    Raises:
        VoiceError: the folder holds what is no part of a voice, or the file cannot be written.
    """
    files = sorted(path for path in folder.rglob("*") if not path.is_dir())
    names = [path.relative_to(folder).as_posix() for path in files]
    for path, name in zip(files, names, strict=True):
        if path.is_symlink() or not is_voice_file(name):
            raise VoiceError(f"{path}: is no part of a voice; take it out of the folder")
    if len(files) > _MAX_FILES or sum(path.stat().st_size for path in files) > MAX_BYTES:
        raise VoiceError(f"{folder}: a voice has at most {_MAX_FILES} files and {MAX_BYTES >> 30} GiB")
    with replacing(archive, VoiceError) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as opened:
        for path, name in zip(files, names, strict=True):
            member = zipfile.ZipInfo(name)
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            with path.open("rb") as source, opened.open(member, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, _BLOCK)


def _checked(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    files = [member for member in members if not member.is_dir()]
    if len(members) > 2 * _MAX_FILES or len(files) > _MAX_FILES:
        raise VoiceError(f"holds {len(members)} files, a voice at most {_MAX_FILES}")
    seen: set[str] = set()
    for member in files:
        shown = repr(member.filename[:100])
        if not is_voice_file(member.filename):
            raise VoiceError(f"holds {shown}, which is no file of a voice")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise VoiceError(f"holds {shown}, which is no plain file")
        if member.filename.lower() in seen:
            raise VoiceError(f"holds {shown} twice")
        seen.add(member.filename.lower())
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise VoiceError(f"holds {shown} encrypted, or compressed in an unusual way")
        if member.file_size > max(_SMALL, _MAX_RATIO * member.compress_size):
            raise VoiceError(f"holds {shown}, which would grow from {member.compress_size} to {member.file_size} bytes")
    if sum(member.file_size for member in files) > MAX_BYTES:
        raise VoiceError(f"would be more than {MAX_BYTES >> 30} GiB unpacked")
    return files


def _unpack_one(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / member.filename
    target.parent.mkdir(exist_ok=True)
    left = member.file_size
    with opened.open(member) as source, target.open("xb") as sink:
        while block := source.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise VoiceError(f"holds {member.filename!r}, which is longer than it says")
            sink.write(block)
    if left:
        raise VoiceError(f"holds {member.filename!r}, which is shorter than it says")
