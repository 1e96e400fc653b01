"""A trained model written for an engine: made aside, compared with PyTorch, and only then put into its place."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from glowvox.checkpoint.folder import read_card
from glowvox.checkpoint.location import find_model_folder
from glowvox.checkpoint.model_folder import load_model
from glowvox.engines.acoustic import AcousticEngine
from glowvox.engines.base import VocoderEngine
from glowvox.engines.onnx_engine import OnnxAcoustic, OnnxVocoder
from glowvox.errors import EngineError
from glowvox.export.graph_builder import Precision
from glowvox.export.model_graphs import graph_cards, write_graphs
from glowvox.export.openvino_files import openvino_engine, write_openvino
from glowvox.export.parity import Parity, acoustic_parity, vocoder_parity
from glowvox.export.tensorrt_files import require_tensorrt, write_tensorrt
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow

Target = Literal["onnx", "openvino", "tensorrt"]
TARGETS: tuple[Target, ...] = ("onnx", "openvino", "tensorrt")
PRECISIONS: tuple[Precision, ...] = ("float32", "float16", "int8")


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote, and what it is worth."""

    files: tuple[Path, ...]
    """What was written, in its place."""
    parity: Parity
    """Of the float32 graphs: the proof that they compute what the model computes."""
    loss: Parity | None
    """What the wished-for precision or engine changes beyond that; None for float32 ONNX, or where it cannot be run."""


def export_model(
    path: str | Path,
    out: str | Path,
    *,
    target: Target = "onnx",
    precision: Precision = "float32",
) -> ExportReport:
    """Write a model for an engine.

    Args:
        path: a model folder or training run.
        out: the folder to write into; files of the same names are replaced, others are left alone.
        target: 'onnx', 'openvino' (an .xml and a .bin beside each other), or 'tensorrt' (an engine for the GPU of this
            machine, untested).
        precision: 'float16' halves the files and computes in float32; 'int8' (ONNX only) quarters them.

    Raises:
        CheckpointError: no model there, or damaged.
        EngineError: the graph differs from the model, or cannot be written.
        MissingExtraError: the target needs a package that is not installed.
    """
    if target == "openvino" and precision == "int8":
        raise EngineError("int8 graphs are written with --to onnx; for OpenVINO choose float32 or float16")
    if target == "tensorrt":
        require_tensorrt()
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise EngineError(f"{out}: is a file; name a folder")
    model, card = load_model(path), read_card(find_model_folder(path))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export.", dir=folder) as aside:
            parity, loss, made = _made(model, graph_cards(model, card), Path(aside), target, precision)
            parity.require(str(path))
            files = tuple(folder / place.name for place in made)
            for source, destination in zip(made, files, strict=True):
                source.replace(destination)
    except OSError as error:
        raise EngineError(f"{out}: cannot be written ({error.strerror or error})") from error
    return ExportReport(files, parity, loss)


def _made(
    model: WaveGlow | GlowTTS, cards: dict[str, Any], aside: Path, target: Target, precision: Precision
) -> tuple[Parity, Parity | None, Sequence[Path]]:
    """Write all files below `aside`; return the proof, the loss and the files that were wished for."""
    exact = aside / "float32"
    exact.mkdir()
    write_graphs(model, cards, exact, "float32")
    parity = _parity(model, _onnx_engine(model, exact), proof=True)
    if target == "tensorrt":
        return parity, None, [write_tensorrt(exact / name, cards[name], precision) for name in cards]
    if target == "openvino":
        made = [file for name in cards for file in write_openvino(exact / name, cards[name], precision)]
        return parity, _parity(model, openvino_engine(model, exact)), made
    if precision == "float32":
        return parity, None, [exact / name for name in cards]
    smaller = aside / precision
    smaller.mkdir()
    write_graphs(model, cards, smaller, precision)
    return parity, _parity(model, _onnx_engine(model, smaller)), [smaller / name for name in cards]


def _onnx_engine(model: WaveGlow | GlowTTS, folder: Path) -> VocoderEngine | AcousticEngine:
    return OnnxVocoder.load(folder, threads=1) if isinstance(model, WaveGlow) else OnnxAcoustic.load(folder, threads=1)


def _parity(model: WaveGlow | GlowTTS, engine: VocoderEngine | AcousticEngine, *, proof: bool = False) -> Parity:
    if isinstance(model, WaveGlow):
        assert isinstance(engine, VocoderEngine)
        return vocoder_parity(model, engine, proof=proof)
    assert isinstance(engine, AcousticEngine)
    return acoustic_parity(model, engine, proof=proof)
