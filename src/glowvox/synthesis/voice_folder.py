"""A voice's folder: which files it holds, how it is written, and the engines that run them.

`voice.json` and, for the engines, `acoustic_encoder.onnx`, `acoustic_decoder.onnx` and `vocoder.onnx`, or the model
folders `acoustic/` and `vocoder/` (config.json, model.safetensors), which can be trained further; or both.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from glowvox.engines.acoustic import AcousticEngine
from glowvox.engines.base import VocoderEngine
from glowvox.errors import EngineError, MissingExtraError, VoiceError
from glowvox.synthesis.voice_archive import is_voice_file
from glowvox.synthesis.voice_card import CARD_NAME, VoiceCard, read_voice_card

ENCODER_GRAPH, DECODER_GRAPH, VOCODER_GRAPH = "acoustic_encoder.onnx", "acoustic_decoder.onnx", "vocoder.onnx"
GRAPHS = (ENCODER_GRAPH, DECODER_GRAPH, VOCODER_GRAPH)
MODELS = tuple(f"{part}/{name}" for part in ("acoustic", "vocoder") for name in ("config.json", "model.safetensors"))
ENGINES = ("auto", "onnx", "torch")


def write_voice(folder: Path, card: VoiceCard, files: Mapping[str, Path], *, replace: bool = False) -> None:
    """Write a voice's folder, aside first.

    Args:
        folder: the folder to create.
        card: what `voice.json` shall say.
        files: the other files by their names in the voice (`vocoder.onnx`, `acoustic/config.json`), each with the file
            to copy.
        replace: whether a voice that is there already may be replaced.

    Raises:
        VoiceError: the folder exists, or is no voice's; the files do not make a voice; or it cannot be written.
    """
    _check_files(files)
    if folder.exists() and not (replace and (folder / CARD_NAME).is_file()):
        what = "is there already; replace it with --force" if (folder / CARD_NAME).is_file() else "is no voice's folder"
        raise VoiceError(f"{folder}: {what}, or choose another name")
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
            read_voice_card(aside)
            if folder.exists():
                folder.replace(Path(place) / "old")
            aside.replace(folder)
    except OSError as error:
        raise VoiceError(f"{folder}: cannot be written ({error.strerror})") from error


def open_engines(
    folder: Path, card: VoiceCard, engine: str = "auto", threads: int | None = None
) -> tuple[AcousticEngine, VocoderEngine]:
    """Return the engines of a voice.

    Args:
        folder: the voice's.
        card: what its `voice.json` says.
        engine: "onnx", "torch", or "auto": the graphs where there are any, else PyTorch.
        threads: CPU threads; None: the engine's own choice.

    Raises:
        VoiceError: the voice lacks the files, or they are not what the card says.
        EngineError: no such engine, or it cannot start.
        MissingExtraError: PyTorch is wanted and not installed.
    """
    if engine not in ENGINES:
        raise EngineError(f"'{engine}' is no engine; choose one of {', '.join(ENGINES)}")
    graphs = all((folder / name).is_file() for name in GRAPHS)
    models = all((folder / name).is_file() for name in MODELS)
    if not graphs and not models:
        raise VoiceError(f"{folder}: the voice is not complete: it has neither {', '.join(GRAPHS)} nor model folders")
    if engine == "auto":
        engine = "onnx" if graphs else "torch"
    if engine == "onnx" and not graphs:
        raise VoiceError(f"{folder}: the voice has no {', '.join(GRAPHS)} for the engine onnx; use the engine torch")
    if engine == "torch" and not models:
        raise VoiceError(f"{folder}: the voice has no model folders for the engine torch; use the engine onnx")
    opened = _onnx(folder, card, threads) if engine == "onnx" else _torch(folder, threads)
    _check_engines(folder, card, *opened)
    return opened


def _torch(folder: Path, threads: int | None) -> tuple[AcousticEngine, VocoderEngine]:
    try:
        from glowvox.engines.torch_engine import TorchAcoustic, TorchVocoder
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("torch", "train", "a voice without graphs") from error
    return TorchAcoustic.load(folder / "acoustic", threads=threads), TorchVocoder.load(folder / "vocoder")


def _onnx(folder: Path, card: VoiceCard, threads: int | None) -> tuple[AcousticEngine, VocoderEngine]:
    from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxMelVocoder, OnnxVocoder

    acoustic = OnnxAcoustic.load(folder, threads=threads)
    if card.vocoder.n_group:
        return acoustic, OnnxVocoder.load(folder, threads=threads)
    place, stated = folder / VOCODER_GRAPH, card.vocoder
    return acoustic, OnnxMelVocoder.load(place, stated.mel, receptive_field=stated.receptive_field, threads=threads)


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
