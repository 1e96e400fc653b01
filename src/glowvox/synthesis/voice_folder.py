"""A voice's folder: which files it holds, how it is written, and the engines that run them.

`voice.json` and, for the engines, `acoustic_encoder.onnx`, `acoustic_decoder.onnx` and `vocoder.onnx`, or the model
folders `acoustic/` and `vocoder/` (config.json, model.safetensors), which can be trained further; or both. `README.md`
says what `voice.json` says, for people.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from glowvox.engines.acoustic import AcousticEngine
from glowvox.engines.base import VocoderEngine
from glowvox.engines.choose import choose_engine, engine_for, load_acoustic, load_vocoder
from glowvox.engines.graph_files import DECODER_NAME, ENCODER_NAME, VOCODER_NAME
from glowvox.errors import VoiceError
from glowvox.synthesis.voice_archive import ARCHIVE_SUFFIX, is_voice_file
from glowvox.synthesis.voice_card import CARD_NAME, VocoderCard, VoiceCard, read_voice_card
from glowvox.synthesis.voice_readme import README_NAME, voice_readme

GRAPHS = (ENCODER_NAME, DECODER_NAME, VOCODER_NAME)
MODELS = tuple(f"{part}/{name}" for part in ("acoustic", "vocoder") for name in ("config.json", "model.safetensors"))


def write_voice(folder: Path, card: VoiceCard, files: Mapping[str, Path], *, replace: bool = False) -> None:
    """Write a voice's folder, aside first.

    Args:
        folder: the folder to create.
        card: what `voice.json` shall say.
        files: the other files by their names in the voice (`vocoder.onnx`, `acoustic/config.json`), each with the file
            to copy. A `README.md` among them stands instead of the one that would be written.
        replace: whether a voice that is there already may be replaced.

    Raises:
        VoiceError: the folder exists, or is no voice's; the files do not make a voice; or it cannot be written.
    """
    _check_files(files)
    refuse_existing_voice(folder, replace=replace)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as place:
            aside = Path(place) / "new"
            aside.mkdir()
            for name, source in files.items():
                (aside / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(source, aside / name)
            content = json.dumps(card.to_dict(), indent=2, ensure_ascii=False) + "\n"
            (aside / CARD_NAME).write_text(content, encoding="utf-8")
            if README_NAME not in files:
                (aside / README_NAME).write_text(voice_readme(card), encoding="utf-8")
            read_voice_card(aside)
            if folder.exists():
                folder.replace(Path(place) / "old")
            aside.replace(folder)
    except OSError as error:
        raise VoiceError(f"{folder}: cannot be written ({error.strerror})") from error


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
        what = "is there already; replace it with --force" if own else "is no voice's folder"
        raise VoiceError(f"{path}: {what}, or choose another name")


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
    graphs = all((folder / name).is_file() for name in GRAPHS)
    models = all((folder / name).is_file() for name in MODELS)
    if not graphs and not models:
        raise VoiceError(f"{folder}: the voice is not complete: it has neither {', '.join(GRAPHS)} nor model folders")
    chosen = choose_engine(engine, exported=engine not in ("auto", "torch") or (engine == "auto" and graphs)).name
    if chosen == "torch" and not models:
        raise VoiceError(f"{folder}: the voice has no model folders for the engine torch; use the engine onnx")
    if chosen != "torch" and not graphs:
        raise VoiceError(
            f"{folder}: the voice has no {', '.join(GRAPHS)} for the engine {chosen}; use the engine torch"
        )
    return chosen


def open_engines(
    folder: Path,
    card: VoiceCard,
    engine: str = "auto",
    threads: int | None = None,
    *,
    device: str = "cpu",
    precision: str = "float32",
) -> tuple[AcousticEngine, VocoderEngine]:
    """Return the engines of a voice.

    Args:
        folder: the voice's.
        card: what its `voice.json` says.
        engine: "onnx", "openvino", "torch", or "auto": the best one for the graphs where there are any, else PyTorch.
        threads: CPU threads; None: the engine's own choice.
        device: see `load_vocoder`.
        precision: of the vocoder, see `load_vocoder`.

    Raises:
        VoiceError: the voice lacks the files, or they are not what the card says.
        EngineError: no such engine, or it cannot start.
        MissingExtraError: the engine's package is not installed.
    """
    chosen = chosen_engine(folder, engine_for(engine, device, precision))
    if chosen == "torch":
        acoustic = load_acoustic(folder / "acoustic", engine=chosen, threads=threads, device=device)
        vocoder: VocoderEngine = load_vocoder(
            folder / "vocoder", engine=chosen, threads=threads, device=device, precision=precision
        )
    else:
        with ThreadPoolExecutor(1) as beside:  # engines take most of a start, and open their graphs on any thread
            opening = beside.submit(_exported_vocoder, folder, card.vocoder, chosen, threads)
            acoustic = load_acoustic(folder, engine=chosen, threads=threads)
            vocoder = opening.result()
    _check_engines(folder, card, acoustic, vocoder)
    return acoustic, vocoder


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
        "speakers": (acoustic.n_speakers, len(card.speakers)),
        "acoustic.n_squeeze": (acoustic.n_squeeze, card.n_squeeze),
        "vocoder.n_group": (vocoder.n_group, card.vocoder.n_group),
    }
    for name, (found, stated) in pairs.items():
        if found != stated:
            raise VoiceError(
                f"{folder}: {CARD_NAME} says {name} {stated}, the models have {found}; the voice is damaged"
            )


def _check_files(files: Mapping[str, Path]) -> None:
    wrong = [name for name in files if not is_voice_file(name) or name == CARD_NAME]
    if wrong:
        raise VoiceError(f"'{wrong[0]}' is no file of a voice")
    if not set(GRAPHS) <= set(files) and not set(MODELS) <= set(files):
        raise VoiceError(f"a voice needs {', '.join(GRAPHS)}, or {', '.join(MODELS)}, or both")
