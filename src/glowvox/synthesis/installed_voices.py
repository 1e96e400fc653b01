"""Where voices are: in the user's folder, a package of their own, inside this package, or where a path says."""

import contextlib
import hashlib
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any

from glowvox.engines.base import AcousticEngine, VocoderEngine
from glowvox.errors import MissingExtraError, VoiceError, named_kind, one_line
from glowvox.storage.cache import cache_folder
from glowvox.storage.file_lock import only_one_in
from glowvox.synthesis.shared_engines import SharedEngines
from glowvox.synthesis.voice import Voice
from glowvox.synthesis.voice_card import CARD_NAME, VoiceCard, read_voice_card
from glowvox.synthesis.voice_folder import (
    ARCHIVE_SUFFIX,
    MAX_BYTES,
    files_folder,
    open_engines,
    open_voice_folder,
    require_complete,
)
from glowvox.synthesis.voice_packages import package_folders

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(?:@[\w./-]{1,100})?", re.ASCII)
HUB_PREFIX = "hf:"
"""What a voice's name begins with to be looked up at Hugging Face; nothing else is."""
_HUB_FILES = (CARD_NAME, f"*{ARCHIVE_SUFFIX}", "*.onnx", "acoustic/*", "vocoder/*")
_BLOCK = 1 << 20
_ASIDE, _FORMER = ".part", ".former"
"""Ends of the hidden names of a copy that is not finished, and of what it replaces."""
_PATIENCE = 60.0
"""Seconds to wait for another process that installs a voice."""
_SHA256, _SHA1 = 64, 40
VOICES_VARIABLE = "GLOWVOX_VOICES"
"""Environment variable with the user's folders of voices, separated as in PATH."""
DEFAULT = "default"
_PACKAGED_DEFAULT = "nora"
"""Of the voices in the package, the one that speaks where none is named; where it is not there: the first by name."""
_MODEL_FILES = ("config.json", "model.safetensors")


@dataclass(frozen=True)
class InstalledVoice:
    """A voice that can be called by its name."""

    name: str
    path: Path
    """Its folder or `.voice` file."""
    packaged: bool
    """Whether it came with the package."""

    def card(self) -> VoiceCard:
        """Return what the voice says about itself.

        Raises:
            VoiceError: it is damaged.
        """
        return read_card(self.path)


def read_card(path: Path) -> VoiceCard:
    """Return what a voice says about itself, of its folder or `.voice` file.

    Raises:
        VoiceError: it is damaged.
    """
    with open_voice_folder(path) as folder:
        return read_voice_card(folder)


def load_voice(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    engine: str = "auto",
    threads: int | None = None,
    device: str = "cpu",
    precision: str = "float32",
    shared: SharedEngines | None = None,
) -> Voice:
    """Load a voice by its name or place, with the engines of this machine.

    Args:
        name_or_path: a voice's folder, a `.voice` file, the name of an installed voice, or a Hugging Face repository
            (`hf:owner/name`, `hf:owner/name@revision`); None or "default": the one that came with the package.
        engine: "onnx", "openvino", "torch", or "auto": the best for this machine.
        threads: CPU threads; None: the engine's own choice.
        device: "cpu", "cuda", "cuda:N", "mps", or "auto": a GPU where there is one. Not the CPU: the engine "torch".
        precision: of the vocoder in the engine "torch": "float32", "bfloat16" or "float16".
        shared: where voices that are loaded with it keep the engines that they have in common, a vocoder say, once;
            None: this voice has its own.

    Raises:
        VoiceError: there is no such voice, or it is damaged or hostile.
        EngineError, CheckpointError: its models cannot be run.
        MissingExtraError: the engine needs a package that is not installed.
    """

    def opened(count: int | None) -> tuple[VoiceCard, AcousticEngine, VocoderEngine]:
        with open_voice_folder(find_voice(name_or_path)) as folder:
            card = read_voice_card(folder)
            return card, *open_engines(folder, card, engine, count, device=device, precision=precision, shared=shared)

    def opened_alone() -> tuple[AcousticEngine, VocoderEngine]:
        now, acoustic, vocoder = opened(1)
        if now != card:
            raise VoiceError(f"{name_or_path}: is another voice than when it was loaded")
        return acoustic, vocoder

    card, acoustic, vocoder = opened(threads)
    again = name_or_path
    if again is not None and not str(again).startswith(HUB_PREFIX) and Path(again).exists():
        again = Path(again).absolute()
    source = partial(load_voice, again, engine=engine, threads=threads, device=device, precision=precision)
    return Voice(card, acoustic, vocoder, alone=opened_alone, threads=threads, source=source)


def find_voice(name_or_path: str | os.PathLike[str] | None = None, *, warn: bool = True) -> Path:
    """Return the folder or `.voice` file of a voice.

    Args:
        name_or_path: a folder, a `.voice` file, the name of an installed voice, or a Hugging Face repository
            (`hf:owner/name`, `hf:owner/name@revision`); None or "default": the one that came with this package,
            else the first one.
        warn: whether a folder of `GLOWVOX_VOICES` that cannot be read is told of.

    Raises:
        VoiceError: there is no such voice; the message names those that there are.
        MissingExtraError: it is on Hugging Face, and the package `huggingface_hub` is not installed.
    """
    if name_or_path is not None and not isinstance(name_or_path, str | os.PathLike):
        raise VoiceError(f"a voice is named by a string or a path, got {named_kind(name_or_path)}")
    if str(name_or_path).startswith(HUB_PREFIX):
        repository = str(name_or_path).removeprefix(HUB_PREFIX)
        if not is_repository(repository):
            raise VoiceError(f"'{str(name_or_path)[:200]}' names no repository; one looks like {HUB_PREFIX}owner/name")
        return hub_voice(repository)
    if name_or_path is not None and str(name_or_path) != DEFAULT:
        path = Path(name_or_path)
        try:
            folder = path.is_dir()
            if path.is_file() or (path / CARD_NAME).is_file():
                return path
        except (OSError, ValueError):  # no name that a file could have
            folder = False
    if name_or_path is None or str(name_or_path) == DEFAULT:
        # Packages are not looked through for it, which takes longer than opening it.
        packaged = sorted(voices_in(packaged_folder()), key=lambda found: found[0] != _PACKAGED_DEFAULT)
        if packaged:
            return packaged[0][1]
        for voice in _all_voices(warn=warn):
            return voice.path
        raise VoiceError(
            f"no voice is installed: name a voice's folder or .voice file, or put one into {user_folders()[0]}"
        )
    for voice in _all_voices(warn=warn):
        if voice.name == str(name_or_path):
            return voice.path
    if folder:
        raise VoiceError(f"{name_or_path or '.'}: is a folder without {CARD_NAME}, not a voice")
    names = ", ".join(dict.fromkeys(voice.name for voice in _all_voices(warn=warn))) or "none"
    # A path that is not there is never looked up elsewhere: only who asks for the hub is taken to it.
    hint = f"; on Hugging Face it would be {HUB_PREFIX}{name_or_path}" if is_repository(str(name_or_path)) else ""
    raise VoiceError(
        f"there is no voice '{str(name_or_path)[:200]}': no such file or folder, and installed are {names}{hint}"
    )


def install_voice(name_or_path: str | os.PathLike[str], *, replace: bool = False) -> InstalledVoice:
    """Copy a voice into the user's folder of voices, where its name finds it.

    Args:
        name_or_path: a voice's folder, a `.voice` file, or a Hugging Face repository (`hf:owner/name`).
        replace: whether a voice of that name that the user has may be replaced.

    Raises:
        VoiceError: it is no voice, one of that name is there already, or the folder cannot be written.
    """
    source = find_voice(name_or_path, warn=False)  # the folder is about to be made
    name = installable_card(source).name
    home = user_folders()[0]
    target = home / (f"{name}{ARCHIVE_SUFFIX}" if source.is_file() else name)
    aside = home / f".{target.name}{_ASIDE}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with changing_voices(home):
            there = [place for place in (home / f"{name}{ARCHIVE_SUFFIX}", home / name) if place.exists()]
            if any(place.resolve() == source.resolve() for place in there):
                return InstalledVoice(name, source, packaged=False)
            if there and not replace:
                raise VoiceError(f"the voice {name} is installed already, as {there[0]}; replace it with --force")
            try:
                if source.is_file():
                    shutil.copyfile(source, aside)
                else:
                    shutil.copytree(source, aside)
                replace_installed(aside, target, there)
            finally:
                _remove(aside)
    except (OSError, shutil.Error) as error:
        raise VoiceError(f"the voice {name} cannot be copied into {home}: {one_line(error, limit=200)}") from error
    return InstalledVoice(name, target, packaged=False)


@contextlib.contextmanager
def changing_voices(home: Path) -> Iterator[None]:
    """Let one process at a time change a folder of voices, and put right first what one that was killed left there.

    Raises:
        VoiceError: another process does not come to its end.
    """
    with only_one_in(home, patience=_PATIENCE) as mine:
        if not mine:
            raise VoiceError(f"{home}: another process is installing a voice there; try again when it is done")
        for left in home.glob(f".*{_ASIDE}"):
            _remove(left)
        for aside in home.glob(f".*{_FORMER}"):
            place = home / aside.name[1:].removesuffix(_FORMER)
            name = place.name.removesuffix(ARCHIVE_SUFFIX)
            if any(os.path.lexists(home / other) for other in (name, f"{name}{ARCHIVE_SUFFIX}")):
                _remove(aside)
            else:  # its successor never arrived
                aside.rename(place)
        yield


def installable_card(path: Path) -> VoiceCard:
    """Return the card of a voice that can be called and speaks once it lies in the user's folder.

    Args:
        path: its folder or `.voice` file.

    Raises:
        VoiceError: it is damaged or not complete, shares the files of a voice that is not there, or has a name that
            means something else.
    """
    with open_voice_folder(path) as folder:
        card = read_voice_card(folder)
        if card.name == DEFAULT or card.name.startswith("-"):
            what = "the voice that came with the package" if card.name == DEFAULT else "an option"
            raise VoiceError(
                f"{folder}: the name '{card.name}' would stand for {what}; change 'name' in its {CARD_NAME}, or speak "
                "with its path"
            )
        if not card.shares:
            require_complete(folder)
        elif path.is_file() or not (user_folders()[0] / card.shares / CARD_NAME).is_file():
            raise VoiceError(
                f"{folder}: speaks with the files of the voice '{card.shares}'; "
                + ("install its folder" if path.is_file() else f"install the folder of {card.shares} first")
            )
    return card


def replace_installed(arrived: Path, target: Path, former: list[Path]) -> None:
    """Give a voice that has arrived its place, within `changing_voices`.

    Args:
        arrived: its folder or file, in the file system of the target.
        target: its place.
        former: what it replaces, in that place or another one.

    Raises:
        OSError: it cannot be moved; what it was to replace is where it was.
    """
    if former == [target] and arrived.is_file() and target.is_file():
        arrived.replace(target)  # at no time is neither there
        return
    kept: list[tuple[Path, Path]] = []
    try:
        for place in former:
            aside = place.with_name(f".{place.name}{_FORMER}")
            _remove(aside)
            place.rename(aside)
            kept.append((aside, place))
        arrived.rename(target)
    except BaseException:
        for aside, place in kept:
            aside.rename(place)
        raise
    for aside, _ in kept:
        _remove(aside)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            place.unlink()


def installed_voices() -> list[InstalledVoice]:
    """Return all voices that have a name; of two with one name the first counts.

    The user's come first, then those of packages of their own (`voice_packages`), then those inside this package.
    """
    found: dict[str, InstalledVoice] = {}
    for voice in _all_voices(warn=True):
        found.setdefault(voice.name, voice)
    return list(found.values())


def _all_voices(*, warn: bool) -> Iterator[InstalledVoice]:
    """Yield the voices as they are found, also those whose name another one has."""
    for folder in user_folders():
        if warn and os.environ.get(VOICES_VARIABLE):  # the usual place need not be there
            _warn_if_unreadable(folder)
        yield from (InstalledVoice(name, path, packaged=False) for name, path in voices_in(folder))
    for folder in package_folders():
        yield from (InstalledVoice(name, path, packaged=False) for name, path in voices_in(folder))
    yield from (InstalledVoice(name, path, packaged=True) for name, path in voices_in(packaged_folder()))


@cache
def _warn_if_unreadable(folder: Path) -> None:
    """Log, once in a process, that a folder which somebody named holds no voices because it cannot be read."""
    try:
        with os.scandir(folder):
            pass
    except OSError as error:
        logging.getLogger("glowvox").warning(
            "%s names %s, where no voice can be found (%s); name folders that hold voices",
            VOICES_VARIABLE,
            folder,
            error.strerror,
        )


def packaged_folder() -> Path:
    """Return the folder of the voices that come with the package."""
    return Path(str(resources.files("glowvox"))) / "voices"


def user_folders() -> list[Path]:
    """Return the user's folders of voices: those of `GLOWVOX_VOICES`, else the usual place for data."""
    named = os.environ.get(VOICES_VARIABLE, "")
    if named:
        return [Path(part).expanduser() for part in named.split(os.pathsep) if part]
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return [base / "glowvox" / "voices"]


def model_path(name_or_path: str, part: str) -> Path:
    """Return where a model lies.

    Args:
        name_or_path: 'default', the name, folder or `.voice` file of a voice that holds its models, a model folder or
            a training run.
        part: 'acoustic' or 'vocoder', of a voice. Of a `.voice` file it is unpacked into the cache, where it stays.

    Raises:
        VoiceError: the voice does not hold its models, or its file is damaged.
    """
    if name_or_path == DEFAULT:
        return default_model(part)
    place = Path(name_or_path)
    if not place.exists():
        place = next((voice.path for voice in installed_voices() if voice.name == name_or_path), place)
    if place.is_file() and place.suffix.lower() == ARCHIVE_SUFFIX:
        return _unpacked_model(place, part)
    if not (place / CARD_NAME).is_file():
        return place
    place = files_folder(place, read_voice_card(place))
    if not all((place / part / name).is_file() for name in _MODEL_FILES):
        raise VoiceError(f"{place}: the voice does not hold its {part} model, only what speaks")
    return place / part


def _unpacked_model(archive: Path, part: str) -> Path:
    """Return the folder of a model that a `.voice` file holds, in the cache, where a run that is resumed finds it."""
    try:
        with archive.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()[:32]
    except OSError as error:
        raise VoiceError(f"{archive}: cannot be read ({error.strerror or error})") from error
    home = cache_folder() or Path(tempfile.gettempdir()) / "glowvox"
    target = home / "models" / f"{digest}-{part}"
    if all((target / name).is_file() for name in _MODEL_FILES):
        return target
    with open_voice_folder(archive) as folder:
        if not all((folder / part / name).is_file() for name in _MODEL_FILES):
            raise VoiceError(f"{archive}: the voice does not hold its {part} model, only what speaks")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".making-", dir=target.parent, ignore_cleanup_errors=True) as aside:
                made = Path(aside) / part
                shutil.copytree(folder / part, made)
                with contextlib.suppress(OSError):  # another process was faster
                    made.rename(target)
        except (OSError, shutil.Error) as error:
            raise VoiceError(f"{archive}: cannot be unpacked into {home}: {one_line(error, limit=200)}") from error
    if not all((target / name).is_file() for name in _MODEL_FILES):
        raise VoiceError(f"{archive}: cannot be unpacked: {target} is there, and is no model")
    return target


def voice_of_model(name_or_path: str) -> VoiceCard | None:
    """Return the card of the voice that a model belongs to; None: to none.

    Args:
        name_or_path: see `model_path`.

    Raises:
        VoiceError: the voice's card is damaged.
    """
    place = Path(name_or_path)
    if name_or_path == DEFAULT or not place.exists() or place.is_file():
        known = name_or_path == DEFAULT or place.suffix.lower() == ARCHIVE_SUFFIX
        if not known and all(voice.name != name_or_path for voice in installed_voices()):
            return None
        with open_voice_folder(find_voice(name_or_path)) as folder:
            return read_voice_card(folder)
    holds = (folder for folder in (place, place.resolve().parent) if (folder / CARD_NAME).is_file())
    return next((read_voice_card(folder) for folder in holds), None)


def default_model(part: str) -> Path:
    """Return the folder of a model that comes with the package, of the first voice by name that has it.

    Args:
        part: 'acoustic' or 'vocoder'.

    Raises:
        VoiceError: this installation has none.
    """
    for folder in sorted(packaged_folder().glob(f"*/{part}")):
        if all((folder / name).is_file() for name in _MODEL_FILES):
            return folder
    raise VoiceError(f"no {part} model comes with this installation: name a model folder or a training run")


def default_vocoder() -> Path:
    """Return the folder of the vocoder that comes with the package, the first one by name.

    Raises:
        VoiceError: this installation has none.
    """
    try:
        return default_model("vocoder")
    except VoiceError as error:
        raise VoiceError(
            "no voice comes with this installation: name a model folder with --model, or speak without one "
            "(--griffin-lim)"
        ) from error


def voices_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name and place of each voice in a folder, in order; none where it cannot be read.

    What is hidden is no voice: copies that were not finished lie there.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.suffix == ARCHIVE_SUFFIX and entry.is_file():
            yield entry.stem, entry
        elif (entry / CARD_NAME).is_file():
            yield entry.name, entry


def hub_voice(name: str) -> Path:
    """Download the voice of a Hugging Face repository, once; return its folder or `.voice` file in the hub's own cache.

    Its files are checked by their hashes, and then used without a network.

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
            huggingface_hub.snapshot_download(repository, revision=revision or None, allow_patterns=list(_HUB_FILES))
        )
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.HFValidationError) as error:
        raise VoiceError(
            f"Hugging Face has no voice '{name}', or it is private ({one_line(error, limit=200)})"
        ) from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise VoiceError(
            f"the voice '{name}' is not in the local cache, and Hugging Face is not to be reached (offline mode, or no "
            "network): fetch it once while online, or name a folder or .voice file"
        ) from error
    except (errors.HfHubHTTPError, OSError) as error:
        raise VoiceError(
            f"the voice '{name}' cannot be fetched from Hugging Face: {one_line(error, limit=200)}"
        ) from error
    verify_snapshot(folder, name)
    return _voice_in(folder, name)


def is_repository(name: str) -> bool:
    """Whether a name has the form `owner/repository`, or `owner/repository@revision`."""
    return _REPOSITORY.fullmatch(name) is not None and ".." not in name


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
