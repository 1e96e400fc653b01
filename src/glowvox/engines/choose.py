"""Which engine runs a model on this machine, and why; and the engines by name."""

import functools
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from glowvox.engines.base import AcousticEngine, SteppingVocoder
from glowvox.engines.graph_engine import DECODER_NAME, ENCODER_NAME, OPENVINO_SUFFIX, VOCODER_NAME, in_8_bits
from glowvox.engines.machine import processor
from glowvox.errors import EngineError, MissingExtraError

ENGINES = {"onnx": "onnxruntime", "openvino": "openvino", "torch": "torch"}
"""The engines, and the package that each of them needs."""
_EXTRAS = {"onnxruntime": "", "openvino": "openvino", "torch": "train"}


@dataclass(frozen=True)
class EngineChoice:
    """An engine and the reason for it."""

    name: str
    reason: str


def installed_engines() -> dict[str, str]:
    """Return the version of each engine's package that is installed, by the engine's name; nothing is imported."""
    return {name: _version(ENGINES[name]) for name in _installed()}


def _installed() -> list[str]:
    return [name for name, package in ENGINES.items() if importlib.util.find_spec(package) is not None]


@functools.cache
def _version(package: str) -> str:
    import importlib.metadata  # with the parser of mail that it brings it takes as long as opening a graph

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def choose_engine(wanted: str = "auto", *, exported: bool = True) -> EngineChoice:
    """Return the engine to use.

    Args:
        wanted: 'auto', or an engine's name.
        exported: whether the model is an exported graph; if not, only PyTorch can run it.

    Raises:
        EngineError: there is no such engine, or it cannot run this kind of model.
        MissingExtraError: its package is not installed.
    """
    if wanted not in ("auto", *ENGINES):
        raise EngineError(f"there is no engine '{wanted}'; choose auto, {', '.join(ENGINES)}")
    installed = _installed()
    if wanted != "auto":
        if wanted not in installed:
            package = ENGINES[wanted]
            raise MissingExtraError(package, _EXTRAS[package], f"the engine '{wanted}'")
        if exported == (wanted == "torch"):
            hint = "name the model folder" if exported else "export the model first: glowvox export model"
            raise EngineError(f"the engine '{wanted}' cannot run {'a graph' if exported else 'a model folder'}; {hint}")
        return EngineChoice(wanted, "it was asked for")
    if not exported:
        if "torch" not in installed:
            raise MissingExtraError("torch", "train", "a model folder that is not exported")
        return EngineChoice("torch", "only PyTorch runs a model folder; an exported graph is faster on a CPU")
    tiles = processor().has_bf16_tiles
    if "openvino" in installed and tiles:
        return EngineChoice("openvino", "it is installed and this processor multiplies tiles of bfloat16 numbers (AMX)")
    if "onnx" in installed:
        if tiles:
            why = "OpenVINO, which would use this processor's AMX, is not installed: pip install 'glowvox[openvino]'"
        elif "openvino" in installed:
            why = "this processor has no AMX, without which OpenVINO is no faster"
        else:
            why = "OpenVINO is not installed, and no faster without AMX"
        return EngineChoice("onnx", f"it runs everywhere; {why}")
    if "openvino" in installed:
        return EngineChoice("openvino", "ONNX Runtime is not installed")
    raise EngineError("no engine for exported graphs is installed: pip install onnxruntime")


def engine_for(engine: str, device: str, precision: str = "float32") -> str:
    """Return the engine to ask for: for a device other than the CPU, or a type of one's choice, 'auto' is 'torch'.

    Raises:
        EngineError: the engine runs on the CPU only, and a graph in the type that it was exported in.
    """
    wish = f"the device '{device}'" if device != "cpu" else precision if precision != "float32" else ""
    if not wish or engine == "torch":
        return engine
    if engine != "auto":
        raise EngineError(f"the engine '{engine}' runs graphs as they are, on the CPU; use the engine torch for {wish}")
    return "torch"


def load_vocoder(
    path: str | os.PathLike[str],
    *,
    engine: str = "auto",
    threads: int | None = None,
    device: str = "cpu",
    precision: str = "float32",
) -> SteppingVocoder:
    """Return a vocoder's engine.

    Args:
        path: an exported graph, the folder that holds one, a model folder or a training run.
        engine: 'auto', 'onnx', 'openvino' or 'torch'.
        threads: CPU threads; None: as many as this process may use.
        device: "cpu"; others ("auto", "cuda", "cuda:N", "mps") are for the engine 'torch'.
        precision: of the engine 'torch': "float32", "bfloat16" or "float16". A graph has its own, see the export.

    Raises:
        EngineError, MissingExtraError: see `choose_engine` and the engines.
        CheckpointError: the model folder is missing or damaged.
    """
    engine = engine_for(engine, device, precision)
    chosen = _engine_of(path, engine, VOCODER_NAME)
    if chosen == "torch":
        from glowvox.engines.torch_engine import TorchVocoder

        return TorchVocoder.load(Path(path), threads=threads, device=device, dtype=precision)
    if chosen == "openvino":
        from glowvox.engines.openvino_engine import OpenVinoVocoder

        return OpenVinoVocoder.load(path, threads=threads)
    from glowvox.engines.onnx_engine import OnnxVocoder

    return OnnxVocoder.load(path, threads=threads)


def load_acoustic(
    path: str | os.PathLike[str], *, engine: str = "auto", threads: int | None = None, device: str = "cpu"
) -> AcousticEngine:
    """Return an acoustic model's engine; see `load_vocoder`."""
    engine = engine_for(engine, device)
    chosen = _engine_of(path, engine, ENCODER_NAME, DECODER_NAME)
    if chosen == "torch":
        from glowvox.engines.torch_engine import TorchAcoustic

        return TorchAcoustic.load(Path(path), threads=threads, device=device)
    if chosen == "openvino":
        from glowvox.engines.openvino_engine import OpenVinoAcoustic

        return OpenVinoAcoustic.load(path, threads=threads)
    from glowvox.engines.onnx_engine import OnnxAcoustic

    return OnnxAcoustic.load(path, threads=threads)


def _engine_of(path: str | os.PathLike[str], engine: str, name: str, *others: str) -> str:
    """Return the engine that runs what a path holds. OpenVINO does not run graphs in 8 bits."""
    chosen = choose_engine(engine, exported=_is_exported(path, name, engine, *others)).name
    place = Path(path)
    graph = place / name if place.is_dir() else place
    if chosen == "openvino" and engine == "auto" and graph.suffix == ".onnx" and graph.is_file() and in_8_bits(graph):
        return "onnx"
    return chosen


def _is_exported(path: str | os.PathLike[str], name: str, engine: str, *others: str) -> bool:
    """Whether a path is a graph, or a folder with one; a folder that holds both kinds is what the engine can run."""
    place = Path(path)
    if not place.exists():
        raise EngineError(f"{path}: there is no such file or folder")
    if place.is_file():
        return place.suffix in (".onnx", OPENVINO_SUFFIX)
    names = (name, *others)
    has_graphs = any(
        all((place / Path(one).with_suffix(suffix)).is_file() for one in names) for suffix in (".onnx", OPENVINO_SUFFIX)
    )
    return has_graphs and engine != "torch"
