"""The OpenVINO engine: bfloat16 products on processors that have them. Its library is imported when it is used."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glowvox.engines.graph_cache import graph_key
from glowvox.engines.graph_engine import (
    DECODER_NAME,
    ENCODER_NAME,
    METADATA_KEY,
    OPENVINO_SUFFIX,
    STREAM_KEY,
    VOCODER_NAME,
    GraphAcoustic,
    GraphCard,
    GraphType,
    GraphVocoder,
    OpenGraph,
    StreamCard,
    graph_in,
    read_metadata,
)
from glowvox.engines.machine import checked_threads, processor
from glowvox.errors import EngineError, MissingExtraError, one_line
from glowvox.storage.cache import from_cache, into_cache

ComputeType = Literal["auto", "float32", "bfloat16"]
_HINTS = {"float32": "f32", "bfloat16": "bf16"}
_SUFFIX = ".blob"
"""Of a compiled graph in the cache."""


def openvino_library() -> Any:
    """Return the package `openvino`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import openvino
    except ModuleNotFoundError as error:
        if error.name != "openvino":
            raise
        raise MissingExtraError("openvino", "openvino", "the engine 'openvino'") from error
    return openvino


class OpenVinoGraph(OpenGraph):
    """A compiled graph; every call has a request of its own, so that streams may share it."""

    def __init__(self, compiled: Any, where: str) -> None:
        """Take a compiled graph, and the file for messages."""
        self._compiled = compiled
        self._where = where

    def value(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the array."""
        return np.ascontiguousarray(array)

    def array(self, value: Any) -> NDArray[np.float32]:
        """Undo `value`."""
        array: NDArray[np.float32] = value
        return array

    def compute(self, feed: Mapping[str, Any], outputs: Sequence[str] | None = None) -> list[Any]:
        """Return outputs. See `OpenGraph.compute`."""
        try:
            results = self._compiled.create_infer_request().infer(dict(feed))
            return [np.array(results[output]) for output in outputs or self._compiled.outputs]
        except RuntimeError as error:
            raise EngineError(f"{self._where}: OpenVINO failed: {one_line(error, limit=300)}") from error


class OpenVinoVocoder(GraphVocoder):
    """A WaveGlow's exported inverse."""

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, threads: int | None = None, precision: ComputeType = "auto"
    ) -> "OpenVinoVocoder":
        """Return the engine of an exported graph.

        Args:
            path: the .onnx or .xml file, or the folder it was exported to.
            threads: CPU threads; None: as many as this process may use.
            precision: of the products; 'auto': bfloat16 where the processor is faster with it.

        Raises:
            MissingExtraError: OpenVINO is not installed.
            EngineError: no such file, truncated, not exported by this program, of another version, no vocoder,
                or an impossible number of threads or precision.
        """
        place = _place(path, VOCODER_NAME)
        card, stream, compiled = _opened(place, "waveglow", threads, precision)
        return cls(card, stream, OpenVinoGraph(compiled, str(place)))


class OpenVinoAcoustic(GraphAcoustic):
    """A Glow-TTS exported as two graphs."""

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, threads: int | None = None, precision: ComputeType = "auto"
    ) -> "OpenVinoAcoustic":
        """Return the engine of an exported model: the folder with both graphs. See `OpenVinoVocoder.load`."""
        places = [_place(path, name) for name in (ENCODER_NAME, DECODER_NAME)]
        card, _, encoder = _opened(places[0], "glow_tts_encoder", threads, precision)
        other, stream, decoder = _opened(places[1], "glow_tts_decoder", threads, precision)
        card.require_same_model(other, f"{places[0]} and {places[1]}")
        graphs = [OpenVinoGraph(compiled, str(path)) for compiled in (encoder, decoder)]
        return cls(card, graphs[0], graphs[1], stream)


def _place(path: str | os.PathLike[str], name: str) -> Path:
    return graph_in(path, str(Path(name).with_suffix(OPENVINO_SUFFIX)), name)


def _opened(
    place: Path, kind: GraphType, threads: int | None, precision: ComputeType
) -> tuple[GraphCard, StreamCard | None, Any]:
    """Return a graph's cards and the graph, compiled for a low latency."""
    if precision not in ("auto", *_HINTS):
        raise EngineError(f"the precision must be auto, float32 or bfloat16, got '{precision}'")
    count = checked_threads(threads)
    openvino = openvino_library()
    own = place.suffix == OPENVINO_SUFFIX
    if not own:
        _card(read_metadata(place).get(METADATA_KEY), kind, place)
    chosen = ("bfloat16" if processor().has_bf16 else "float32") if precision == "auto" else precision
    settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": count, "NUM_STREAMS": 1}
    settings["INFERENCE_PRECISION_HINT"] = _HINTS[chosen]
    core = openvino.Core()
    try:
        texts = _own_metadata(core.read_model(place)) if own else read_metadata(place)
        cards = _card(texts.get(METADATA_KEY), kind, place), StreamCard.from_json(texts.get(STREAM_KEY), str(place))
        key = graph_key(place, openvino.__version__, json.dumps(settings))
        compiled = from_cache(key, _SUFFIX, lambda entry: core.import_model(entry.read_bytes(), "CPU", settings))
        if compiled is None:
            compiled = core.compile_model(core.read_model(place), "CPU", settings)
            into_cache(key, _SUFFIX, lambda entry: entry.write_bytes(compiled.export_model().getvalue()))
    except (RuntimeError, OSError) as error:
        raise EngineError(f"{place}: OpenVINO cannot open it: {one_line(error, limit=300)}") from error
    return *cards, compiled


def _own_metadata(model: Any) -> dict[str, str]:
    """Return what a model in OpenVINO's own format says about itself."""
    return {key: model.get_rt_info([key]).astype(str) for key in (METADATA_KEY, STREAM_KEY) if model.has_rt_info([key])}


def _card(text: str | None, kind: GraphType, place: Path) -> GraphCard:
    card = GraphCard.from_json(text, str(place))
    card.require_type(kind, str(place))
    if card.precision == "int8":
        raise EngineError(f"{place}: a graph in 8 bits runs in ONNX Runtime alone; choose the engine onnx")
    return card
