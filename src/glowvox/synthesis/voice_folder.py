"""A voice's folder: which files it holds, how it is written, and the engines that run them.

`voice.json` and, for the engines, `acoustic_encoder.onnx`, `acoustic_decoder.onnx` and `vocoder.onnx`, or the model
folders `acoustic/` and `vocoder/` (config.json, model.safetensors), which can be trained further; or both. `README.md`
says what `voice.json` says, for people.
"""

import contextlib
import dataclasses
import json
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from glowvox.audio.atomic_file import replacing
from glowvox.engines.base import AcousticEngine, VocoderEngine
from glowvox.engines.choose import choose_engine, engine_for, load_acoustic, load_vocoder
from glowvox.engines.graph_engine import DECODER_NAME, ENCODER_NAME, VOCODER_NAME, in_8_bits
from glowvox.errors import GlowvoxError, VoiceError, one_line
from glowvox.storage.whole_folder import replacing_folder
from glowvox.synthesis.shared_engines import SharedEngines
from glowvox.synthesis.voice_card import CARD_NAME, README_NAME, VocoderCard, VoiceCard, read_voice_card, voice_readme

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
GRAPHS = (ENCODER_NAME, DECODER_NAME, VOCODER_NAME)
MODELS = tuple(f"{part}/{name}" for part in ("acoustic", "vocoder") for name in ("config.json", "model.safetensors"))


@contextlib.contextmanager
def open_voice_folder(path: Path) -> Iterator[Path]:
    """Open the folder of a voice; a `.voice` file is unpacked for as long as the block lasts.

    An error that the block raises names the user's file where it would name the folder of the unpacked one.

    Raises:
        VoiceError: the file is no voice, or damaged.
    """
    if path.is_dir():
        yield path
        return
    if path.suffix.lower() != ARCHIVE_SUFFIX:
        raise VoiceError(f"{path}: a voice is a folder, or a file that ends in {ARCHIVE_SUFFIX}")
    with tempfile.TemporaryDirectory(prefix="glowvox-", ignore_cleanup_errors=True) as place:
        unpack_voice(path, Path(place))
        try:
            yield Path(place)
        except GlowvoxError as error:
            error.args = tuple(told.replace(place, str(path)) if isinstance(told, str) else told for told in error.args)
            raise


def open_engines(
    folder: Path,
    card: VoiceCard,
    engine: str = "auto",
    threads: int | None = None,
    *,
    device: str = "cpu",
    precision: str = "float32",
    shared: SharedEngines | None = None,
) -> tuple[AcousticEngine, VocoderEngine]:
    """Return the engines of a voice.

    Args:
        folder: the voice's.
        card: what its `voice.json` says.
        engine: "onnx", "openvino", "torch", or "auto": the best one for the graphs where there are any, else PyTorch.
        threads: CPU threads; None: the engine's own choice.
        device: see `load_vocoder`.
        precision: of the vocoder, see `load_vocoder`.
        shared: where engines are that other voices use; None: they are opened for this voice alone.

    Raises:
        VoiceError: the voice lacks the files, or they are not what the card says.
        EngineError: no such engine, or it cannot start.
        MissingExtraError: the engine's package is not installed.
    """
    folder = files_folder(folder, card)
    chosen = chosen_engine(folder, engine_for(engine, device, precision))
    torch = chosen == "torch"
    vocoder_files = MODELS[2:] if torch else (VOCODER_NAME,)
    acoustic_files = MODELS[:2] if torch else (ENCODER_NAME, DECODER_NAME)
    options = (chosen, threads, device, precision)

    def open_acoustic() -> AcousticEngine:
        if torch:
            return load_acoustic(folder / "acoustic", engine=chosen, threads=threads, device=device)
        return load_acoustic(folder, engine=chosen, threads=threads)

    def open_vocoder() -> VocoderEngine:
        if torch:
            place = folder / "vocoder"
            return load_vocoder(place, engine=chosen, threads=threads, device=device, precision=precision)
        return _exported_vocoder(folder, card.vocoder, chosen, threads)

    if shared is not None:
        acoustic = shared.get([folder / name for name in acoustic_files], ("acoustic", *options), open_acoustic)
        stated = repr(card.vocoder)  # a graph without a card of its own is what the voice says of it
        vocoder = shared.get([folder / name for name in vocoder_files], ("vocoder", *options, stated), open_vocoder)
    elif torch:
        acoustic, vocoder = open_acoustic(), open_vocoder()
    else:
        with ThreadPoolExecutor(1) as beside:  # engines take most of a start, and open their graphs on any thread
            opening = beside.submit(open_vocoder)
            acoustic = open_acoustic()
            vocoder = opening.result()
    _check_engines(folder, card, acoustic, vocoder)
    return acoustic, vocoder


def files_folder(folder: Path, card: VoiceCard) -> Path:
    """Return the folder with the graphs and models of a voice: its own, or that of the voice beside it.

    Raises:
        VoiceError: it shares the files of a voice that is not there.
    """
    if not card.shares:
        return folder
    place = folder.parent / card.shares
    if not (place / CARD_NAME).is_file():
        raise VoiceError(
            f"{folder}: speaks with the files of the voice '{card.shares}', which is not beside it; keep both folders "
            "in one place"
        )
    return place


def chosen_engine(folder: Path, engine: str = "auto") -> str:
    """Return the name of the engine that would run a voice on this machine.

    Args:
        folder: the voice's.
        engine: see `open_engines`.

    Raises:
        VoiceError: the voice lacks the files.
        EngineError: no such engine.
        MissingExtraError: the engine's package is not installed.
    """
    graphs, models = require_complete(folder)
    chosen = choose_engine(engine, exported=engine not in ("auto", "torch") or (engine == "auto" and graphs)).name
    if chosen == "openvino" and engine == "auto" and in_8_bits(folder / GRAPHS[0]):
        chosen = "onnx"
    if chosen == "torch" and not models:
        raise VoiceError(f"{folder}: the voice has no model folders for the engine torch; use the engine onnx")
    if chosen != "torch" and not graphs:
        raise VoiceError(
            f"{folder}: the voice has no {', '.join(GRAPHS)} for the engine {chosen}; use the engine torch"
        )
    return chosen


def require_complete(folder: Path) -> tuple[bool, bool]:
    """Return whether a voice that shares no files has its graphs, and whether it has its models.

    Raises:
        VoiceError: it has neither, so that nothing can speak it.
    """
    graphs = all((folder / name).is_file() for name in GRAPHS)
    models = all((folder / name).is_file() for name in MODELS)
    if not graphs and not models:
        raise VoiceError(f"{folder}: the voice is not complete: it has neither {', '.join(GRAPHS)} nor model folders")
    return graphs, models


def write_voice(folder: Path, card: VoiceCard, files: Mapping[str, Path], *, replace: bool = False) -> None:
    """Write a voice's folder, aside first.

    Args:
        folder: the folder to create.
        card: what `voice.json` shall say.
        files: the other files by their names in the voice (`vocoder.onnx`, `acoustic/config.json`), each with the file
            to copy; none where the card says whose files the voice shares. A `README.md` among them stands instead of
            the one that would be written.
        replace: whether a voice that is there already may be replaced.

    Raises:
        VoiceError: the folder exists, or is no voice's; the files do not make a voice; or it cannot be written.
    """
    _check_files(files, card)
    refuse_existing_voice(folder, replace=replace)
    with replacing_folder(folder, VoiceError) as made:
        made.mkdir()
        for name, source in files.items():
            (made / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(source, made / name)
        _write_card(made, card)
        if README_NAME in files:
            shutil.copyfile(files[README_NAME], made / README_NAME)


def _write_card(folder: Path, card: VoiceCard) -> None:
    """Write `voice.json` and `README.md`, and read the former again."""
    content = json.dumps(card.to_dict(), indent=2, ensure_ascii=False) + "\n"
    (folder / CARD_NAME).write_text(content, encoding="utf-8")
    (folder / README_NAME).write_text(voice_readme(card), encoding="utf-8")
    read_voice_card(folder)


def refuse_existing_voice(path: Path, *, replace: bool) -> None:
    """Check that a voice may be written, before the work is done.

    Args:
        path: a folder, or a `.voice` file.
        replace: whether a voice that is there already may be replaced.

    Raises:
        VoiceError: it is there, or something else is, which would be lost.
    """
    if not path.exists():
        return
    own = (path / CARD_NAME).is_file() or (path.is_file() and path.suffix.lower() == ARCHIVE_SUFFIX)
    if not (replace and own):
        what = "; replace it with --force, or" if own else " and is no voice;"
        raise VoiceError(f"{path}: is there already{what} choose another name")


def unpack_voice(archive: Path, folder: Path) -> None:
    """Unpack a `.voice` file, which may come from a stranger, into an existing, empty folder.

    Only plain files with the names that a voice has, only stored or deflated, and never more bytes than announced or
    allowed: nothing is written outside the folder, and no small file becomes a huge one.

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
        shown = one_line(error, limit=100)  # which may quote pages of a damaged file
        raise VoiceError(f"{archive}: damaged or truncated, not a voice that can be read ({shown})") from error
    except VoiceError as error:
        raise VoiceError(f"{archive}: {error}") from error


def pack_voice(folder: Path, archive: Path) -> None:
    """Write a voice's folder as a `.voice` file, aside first; the same folder gives the same bytes.

    A voice that shares the files of another gets them, so that the file can go anywhere.

    Raises:
        VoiceError: the folder holds what is no part of a voice, or the file cannot be written.
    """
    card = read_voice_card(folder) if (folder / CARD_NAME).is_file() else None
    if card is not None and card.shares:
        with tempfile.TemporaryDirectory(prefix="glowvox-") as place:
            shutil.copytree(files_folder(folder, card), place, dirs_exist_ok=True)
            _write_card(Path(place), dataclasses.replace(card, shares=""))
            pack_voice(Path(place), archive)
        return
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


def is_voice_file(name: str) -> bool:
    """Whether a file of that name, with `/` between folder and file, may be part of a voice."""
    return _NAME.fullmatch(name) is not None and Path(name).suffix.lower() in _SUFFIXES


def _checked(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    files = [member for member in members if not member.is_dir()]
    if len(members) > 2 * _MAX_FILES or len(files) > _MAX_FILES:
        raise VoiceError(f"holds {len(members)} files, a voice at most {_MAX_FILES}")
    seen: set[str] = set()
    folders: set[str] = set()
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
        folders.add(member.filename.lower().rpartition("/")[0])
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise VoiceError(f"holds {shown} encrypted, or compressed in an unusual way")
        if member.file_size > max(_SMALL, _MAX_RATIO * member.compress_size):
            raise VoiceError(f"holds {shown}, which would grow from {member.compress_size} to {member.file_size} bytes")
    if seen & folders:
        raise VoiceError(f"holds '{min(seen & folders)}' as a file and as a folder")
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


def _exported_vocoder(folder: Path, stated: VocoderCard, engine: str, threads: int | None) -> VocoderEngine:
    """Return the engine of the vocoder's graph; one without a latent may be anybody's, and ONNX Runtime opens it."""
    if stated.n_group:
        return load_vocoder(folder, engine=engine, threads=threads)
    from glowvox.engines.onnx_engine import OnnxMelVocoder

    place = folder / VOCODER_NAME
    return OnnxMelVocoder.load(place, stated.mel, receptive_field=stated.receptive_field, threads=threads)


def _check_engines(folder: Path, card: VoiceCard, acoustic: AcousticEngine, vocoder: VocoderEngine) -> None:
    """Refuse files that are not those of the card."""
    pairs: dict[str, tuple[object, object]] = {
        "mel": (acoustic.audio.fingerprint(), card.mel.fingerprint()),
        "vocoder.mel": (vocoder.audio.fingerprint(), card.vocoder.mel.fingerprint()),
        "speakers": (acoustic.n_speakers, len(card.numbered_speakers)),
        "acoustic.n_squeeze": (acoustic.n_squeeze, card.n_squeeze),
        "vocoder.n_group": (vocoder.n_group, card.vocoder.n_group),
    }
    for name, (found, stated) in pairs.items():
        if found != stated:
            raise VoiceError(
                f"{folder}: {CARD_NAME} says {name} {stated}, the models have {found}; the voice is damaged"
            )


def _check_files(files: Mapping[str, Path], card: VoiceCard) -> None:
    wrong = [name for name in files if not is_voice_file(name) or name == CARD_NAME]
    if wrong:
        raise VoiceError(f"'{wrong[0]}' is no file of a voice")
    if card.shares:
        if set(files) - {README_NAME}:
            raise VoiceError(f"a voice that shares the files of '{card.shares}' has none of its own")
        return
    if not set(GRAPHS) <= set(files) and not set(MODELS) <= set(files):
        raise VoiceError(f"a voice needs {', '.join(GRAPHS)}, or {', '.join(MODELS)}, or both")
