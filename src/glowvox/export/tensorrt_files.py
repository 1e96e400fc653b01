"""Graphs built into TensorRT engines, for the GPU of the machine that builds them.

Untested: TensorRT's libraries could not be had where this was written. The graphs keep within what its ONNX parser
takes (operator set 17; no loops, branches, strings or sequences).
"""

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from glowvox.engines.graph_card import GraphCard
from glowvox.engines.onnx_file import read_metadata
from glowvox.engines.stream_card import FINAL, POSITION, STREAM_KEY, StreamCard
from glowvox.errors import EngineError
from glowvox.export.graph_builder import Precision

_LARGEST_BATCH, _USUAL_FRAMES, _MOST_FRAMES = 8, 256, 2048
_MOST_PLACES = 1 << 40


def require_tensorrt() -> None:
    """Check that an engine can be built here, before any work is done.

    Raises:
        EngineError: the package or the GPU is missing.
    """
    if importlib.util.find_spec("tensorrt") is None:
        raise EngineError(
            "--to tensorrt needs NVIDIA's package 'tensorrt', which is not installed: pip install tensorrt; "
            "an ONNX file (--to onnx) can be built into an engine elsewhere, with trtexec"
        )
    import torch

    if not torch.cuda.is_available():
        raise EngineError("--to tensorrt builds an engine for an NVIDIA GPU, and this machine has none that is usable")


def write_tensorrt(source: Path, card: GraphCard, precision: Precision) -> Path:
    """Build an ONNX file into an engine file beside it, and return that.

    Args:
        source: the .onnx file.
        card: of the graph.
        precision: 'float16' lets TensorRT compute in half precision; 'int8' is refused, it needs calibration.

    Raises:
        EngineError: TensorRT cannot parse or build the graph.
    """
    if precision == "int8":
        raise EngineError("int8 engines need calibration data; for TensorRT choose float32 or float16")
    tensorrt: Any = importlib.import_module("tensorrt")
    builder = tensorrt.Builder(tensorrt.Logger(tensorrt.Logger.ERROR))
    network = builder.create_network(0)
    parser = tensorrt.OnnxParser(network, tensorrt.Logger(tensorrt.Logger.ERROR))
    if not parser.parse(source.read_bytes()):
        problems = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise EngineError(f"TensorRT cannot parse the graph: {problems[:300]}")
    config = builder.create_builder_config()
    if precision == "float16":
        config.set_flag(tensorrt.BuilderFlag.FP16)
    profile = builder.create_optimization_profile()
    stream = StreamCard.from_json(read_metadata(source).get(STREAM_KEY), str(source))
    for index in range(network.num_inputs):
        value = network.get_input(index)
        if value.name in (POSITION, FINAL):
            profile.set_shape_input(value.name, (0,), (0,), (_MOST_PLACES if value.name == POSITION else 1,))
        elif stream is not None and value.name in stream.states:
            profile.set_shape(value.name, *_state_sizes(*stream.states[value.name], most=_most_rows(stream, card)))
        else:
            profile.set_shape(value.name, *_sizes(value.name, tuple(value.shape), card))
    config.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise EngineError("TensorRT could not build an engine from the graph; its own messages say why")
    place = source.with_suffix(".engine")
    place.write_bytes(bytes(engine))
    return place


def _most_rows(stream: StreamCard, card: GraphCard) -> int:
    """Return the rows that wait at most: those of all frames between a frame's arrival and its samples."""
    return (stream.delay + 1) * (card.audio.hop_length // card.n_group)


def _state_sizes(rows: int, channels: int, *, most: int) -> list[tuple[int, ...]]:
    """Return the shapes of a state: none or the first piece's zeros, and as much as the end of a piece may leave."""
    return [(1, 0, channels), (1, rows, channels), (_LARGEST_BATCH, max(2 * rows, most), channels)]


def _sizes(name: str, shape: tuple[int, ...], card: GraphCard) -> list[tuple[int, ...]]:
    """Return the smallest, the usual and the largest shape of an input, whose free lengths are -1."""
    per_frame = card.audio.hop_length // card.n_group if name == "latent" and card.n_group else 1
    found = []
    for batch, frames in ((1, card.n_squeeze), (1, _USUAL_FRAMES), (_LARGEST_BATCH, _MOST_FRAMES)):
        whole = frames // card.n_squeeze * card.n_squeeze * per_frame
        found.append((batch, *(whole if size == -1 else size for size in shape[1:])))
    return found
