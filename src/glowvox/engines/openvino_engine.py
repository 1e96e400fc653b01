"""The OpenVINO engine: bfloat16 products on processors that have them. Its library is imported when it is used."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glowvox.engines.base import AcousticEngine, EncodedText, StreamState
from glowvox.engines.graph_cache import from_cache, graph_key, into_cache
from glowvox.engines.graph_card import (
    DECODER_NAME,
    ENCODER_NAME,
    METADATA_KEY,
    NEXT,
    OPENVINO_SUFFIX,
    STREAM_KEY,
    VOCODER_NAME,
    GraphCard,
    GraphType,
    StreamCard,
    clock_inputs,
    graph_in,
    read_metadata,
)
from glowvox.engines.machine import checked_threads, processor
from glowvox.engines.stepping import SteppingVocoder
from glowvox.errors import EngineError, MissingExtraError, one_line

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


class OpenVinoVocoder(SteppingVocoder):
    """A WaveGlow's exported inverse."""

    def __init__(self, card: GraphCard, stream: StreamCard | None, compiled: Any, where: str) -> None:
        """Take a compiled graph; see `load`."""
        super().__init__(
            card.audio,
            n_group=card.n_group,
            receptive_field=card.receptive_field,
            refine=card.refine,
            pitch=card.pitch_network(),
        )
        self.card = card
        self._stream = stream
        self._compiled = compiled
        self._where = where

    @property
    def delay(self) -> int | None:
        """Mel frames that must follow a frame before `step` gives its samples; None: an older graph."""
        return None if self._stream is None else self._stream.delay

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
        return cls(card, stream, compiled, str(place))

    def _run(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        feed: dict[str, Any] = {"latent": latent, "mel": mel}
        if self._stream is not None:
            feed |= clock_inputs(0, final=True) | self._stream.zeros(len(mel))
        return _computed(self._compiled, feed, self._where, ["audio"])[0]

    def _begin(self, batch: int) -> Mapping[str, Any]:
        assert self._stream is not None
        return self._stream.zeros(batch)

    def _step(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        feed = {"latent": latent, "mel": mel, **clock_inputs(state.frames, final=final), **state.values}
        names = list(state.values)
        audio, *values = _computed(self._compiled, feed, self._where, ["audio", *(f"{NEXT}{name}" for name in names)])
        return audio, dict(zip(names, values, strict=True))


class OpenVinoAcoustic(AcousticEngine):
    """A Glow-TTS exported as two graphs."""

    def __init__(self, card: GraphCard, decoder_card: GraphCard, encoder: Any, decoder: Any, where: str) -> None:
        """Take two compiled graphs, the first card being the encoder's; see `load`."""
        super().__init__(card.audio, **card.acoustic())
        self.card = card
        self._decoder_card = decoder_card
        self._encoder, self._decoder = encoder, decoder
        self._where = where

    @property
    def decoder_field(self) -> int | None:
        """Mel frames on each side of a frame that its mel depends on in `decode`; None: an older graph."""
        return self._decoder_card.receptive_field or None

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, threads: int | None = None, precision: ComputeType = "auto"
    ) -> "OpenVinoAcoustic":
        """Return the engine of an exported model: the folder with both graphs. See `OpenVinoVocoder.load`."""
        places = [_place(path, name) for name in (ENCODER_NAME, DECODER_NAME)]
        card, _, encoder = _opened(places[0], "glow_tts_encoder", threads, precision)
        other, _, decoder = _opened(places[1], "glow_tts_decoder", threads, precision)
        card.require_same_model(other, f"{places[0]} and {places[1]}")
        return cls(card, other, encoder, decoder, str(path))

    def _encode(
        self, tokens: NDArray[np.int64], lengths: NDArray[np.int64], speaker: NDArray[np.int64] | None
    ) -> EncodedText:
        feed: dict[str, Any] = {"tokens": tokens, "lengths": lengths}
        return EncodedText(
            *_computed(self._encoder, feed if speaker is None else {**feed, "speaker": speaker}, self._where)
        )

    def _decode(
        self,
        latent: NDArray[np.float32],
        lengths: NDArray[np.int64],
        speaker: NDArray[np.int64] | None,
        harmonics: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        feed: dict[str, Any] = {"latent": latent, "lengths": lengths}
        if harmonics is not None:
            feed["comb"] = harmonics
        return _computed(self._decoder, feed if speaker is None else {**feed, "speaker": speaker}, self._where)[0]


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
    return card


def _computed(
    compiled: Any, feed: Mapping[str, NDArray[Any]], where: str, outputs: list[str] | None = None
) -> list[NDArray[np.float32]]:
    """Return outputs, all without names; every call has a request of its own, so that streams may share the graph."""
    arrays = {name: np.ascontiguousarray(value) for name, value in feed.items()}
    try:
        results = compiled.create_infer_request().infer(arrays)
        return [np.array(results[output]) for output in outputs or compiled.outputs]
    except RuntimeError as error:
        raise EngineError(f"{where}: OpenVINO failed: {one_line(error, limit=300)}") from error
