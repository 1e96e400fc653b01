"""Voices from Hugging Face repositories: fetched once, checked by their hashes, then used without a network."""

import hashlib
import re
from pathlib import Path
from typing import Any

from glowvox.errors import MissingExtraError, VoiceError
from glowvox.synthesis.voice_archive import ARCHIVE_SUFFIX, MAX_BYTES
from glowvox.synthesis.voice_card import CARD_NAME

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(?:@[\w./-]{1,100})?", re.ASCII)
_FILES = (CARD_NAME, f"*{ARCHIVE_SUFFIX}", "*.onnx", "acoustic/*", "vocoder/*")
_BLOCK = 1 << 20
_SHA256, _SHA1 = 64, 40


def is_repository(name: str) -> bool:
    """Whether a name has the form `owner/repository`, or `owner/repository@revision`."""
    return _REPOSITORY.fullmatch(name) is not None and ".." not in name


def hub_voice(name: str) -> Path:
    """Return the voice of a Hugging Face repository, a folder or `.voice` file in the hub's own cache.

    Its offline mode (`HF_HUB_OFFLINE=1`) and its cache folder (`HF_HOME`) are honoured.

    Args:
        name: `owner/repository`, with `@revision` behind it if not the newest is meant.

    Raises:
        MissingExtraError: the package `huggingface_hub` is not installed.
        VoiceError: there is no such repository, no network and nothing in the cache, no voice in it, or a file is not
            what the hub says.
    """
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ModuleNotFoundError as error:
        raise MissingExtraError("huggingface_hub", "hub", f"loading the voice '{name}' from Hugging Face") from error
    repository, _, revision = name.partition("@")
    try:
        folder = Path(
            huggingface_hub.snapshot_download(repository, revision=revision or None, allow_patterns=list(_FILES))
        )
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.HFValidationError) as error:
        raise VoiceError(f"Hugging Face has no voice '{name}', or it is private ({_line(error)})") from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise VoiceError(
            f"the voice '{name}' is not in the local cache, and Hugging Face is not to be reached (offline mode, or no "
            "network): fetch it once while online, or name a folder or .voice file"
        ) from error
    except (errors.HfHubHTTPError, OSError) as error:
        raise VoiceError(f"the voice '{name}' cannot be fetched from Hugging Face: {_line(error)}") from error
    verify_snapshot(folder, name)
    return _voice_in(folder, name)


def verify_snapshot(folder: Path, name: str) -> None:
    """Compare every file of a snapshot with the hash under which the hub's cache keeps it.

    The cache names a file by its SHA-256 or, where the repository holds it as text, by its Git hash.

    Raises:
        VoiceError: a file is not what it was, cannot be verified, or they are too large.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if sum(path.stat().st_size for path in files) > MAX_BYTES:
        raise VoiceError(f"the voice '{name}' has more than {MAX_BYTES >> 30} GiB")
    for path in files:
        shown, wanted = path.relative_to(folder).as_posix(), path.resolve().name
        if not path.is_symlink() or len(wanted) not in (_SHA256, _SHA1):
            raise VoiceError(
                f"the voice '{name}' cannot be verified: this system's cache does not keep the hash of {shown}; "
                "download its files yourself and name their folder"
            )
        if _digest(path, wanted) != wanted:
            raise VoiceError(
                f"the voice '{name}': {shown} in the cache is damaged, its hash is not the one that Hugging Face "
                f"states; delete {path.resolve()} and load the voice again"
            )


def _digest(path: Path, like: str) -> str:
    digest: Any = hashlib.sha256()
    if len(like) == _SHA1:
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return str(digest.hexdigest())


def _voice_in(folder: Path, name: str) -> Path:
    if (folder / CARD_NAME).is_file():
        return folder
    archives = sorted(folder.glob(f"*{ARCHIVE_SUFFIX}"))
    if len(archives) != 1:
        what = "no voice" if not archives else f"{len(archives)} voices"
        raise VoiceError(
            f"the repository '{name}' holds {what}: neither {CARD_NAME} nor a single {ARCHIVE_SUFFIX} file"
        )
    return archives[0]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
