"""Exported graphs as engines: what is the same whichever library runs them."""

import base64
import binascii
import dataclasses
import json
import math
import os
from abc import ABC, abstractmethod
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.pitch import PitchNetwork, SourceMixNetwork
from glowvox.config.audio import AudioConfig
from glowvox.config.schema import from_dict, to_dict
from glowvox.engines.base import AcousticEngine, DecoderInput, EncodedText, SteppingVocoder, StreamState
from glowvox.errors import ConfigError, EngineError

METADATA_KEY = "glowvox"
FORMAT_VERSIONS = (1, 2)
"""Those that are read. A decoder of version 2 takes its latent in pieces (see `StreamCard`), one of version 1 whole."""
_MAX_CHARACTERS = 4 << 20
_MAX_SETTING = 1_000_000

GraphType = Literal["waveglow", "glow_tts_encoder", "glow_tts_decoder", "mel_vocoder"]


@dataclass(frozen=True)
class GraphCard:
    """Everything that a caller must know of a graph: one JSON document in its metadata, under `METADATA_KEY`."""

    type: GraphType
    """Which model, or which half of it; 'mel_vocoder': any vocoder from mel to audio."""
    audio: AudioConfig
    """The mel contract of the input or output."""
    precision: Literal["float32", "float16", "int8"] = "float32"
    """How the large matrices are stored."""
    n_group: int = 0
    """Channels of the latent (waveglow)."""
    receptive_field: int = 0
    """Mel frames on each side of a frame that it depends on (waveglow, glow_tts_decoder, mel_vocoder)."""
    refine: int = 0
    """Passes of mel refinement that its output is meant for (waveglow)."""
    pitch: dict[str, Any] = field(default_factory=dict)
    """The pitch predictor of a harmonic source (waveglow), see `PitchNetwork.to_dict`; empty: there is none."""
    source_mix: dict[str, Any] = field(default_factory=dict)
    """The gains of that source (waveglow), see `SourceMixNetwork.to_dict`; empty: it is as it is."""
    n_symbols: int = 0
    """Size of the vocabulary (glow_tts)."""
    n_speakers: int = 1
    """Speakers (glow_tts)."""
    n_squeeze: int = 1
    """The decoder takes multiples of this many frames (glow_tts)."""
    melody: bool = False
    """Whether the decoder must be told the pitch, which the encoder predicts (glow_tts)."""
    bias_spectrum: str = ""
    """The denoiser's bias (waveglow): magnitudes as base64 of little-endian float32; see `bias`."""
    text: dict[str, Any] = field(default_factory=dict)
    """The tokenizer with its symbols, the front ends and the speakers' names (glow_tts)."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """Where the weights come from."""
    glowvox: str = ""
    """Version of the program that wrote the graph."""

    def __post_init__(self) -> None:
        if self.type == "waveglow" and (self.n_group < 1 or self.audio.hop_length % self.n_group):
            raise ConfigError(f"n_group {self.n_group} does not divide the hop length {self.audio.hop_length}")
        for name in ("receptive_field", "n_symbols", "n_group"):
            if not 0 <= getattr(self, name) <= _MAX_SETTING:
                raise ConfigError(f"{name} = {getattr(self, name)} is not possible")
        if not 0 <= self.refine <= 100:
            raise ConfigError(f"refine = {self.refine} is not possible")
        if min(self.n_speakers, self.n_squeeze) < 1:
            raise ConfigError("n_speakers and n_squeeze must be at least 1")

    def to_json(self) -> str:
        """Return the card as the text that is stored."""
        version = 2 if self.type == "glow_tts_decoder" else 1  # what did not change can be run by older programs
        content = {"format_version": version, "mel_fingerprint": self.audio.fingerprint(), **to_dict(self)}
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | None, where: str) -> "GraphCard":
        """Return the card that a graph holds.

        Args:
            text: what is stored under `METADATA_KEY`; None: nothing.
            where: the file, for messages.

        Raises:
            EngineError: there is none, it is damaged, or of another version.
        """
        if text is None:
            raise EngineError(
                f"{where}: holds no Glowvox metadata; export a model with 'glowvox export model', or state the mel "
                "contract of a foreign vocoder"
            )
        try:
            content = json.loads(text) if len(text) <= _MAX_CHARACTERS else None
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise EngineError(f"{where}: the metadata is damaged; export the model again")
        version, fingerprint = content.pop("format_version", None), content.pop("mel_fingerprint", None)
        if version not in FORMAT_VERSIONS:
            raise EngineError(
                f"{where}: format version {str(version)[:20]!r}, this program reads "
                f"{' and '.join(map(str, FORMAT_VERSIONS))}; "
                "export the model again, or use the release that wrote it"
            )
        try:
            card = from_dict(cls, content, "metadata")
        except (ConfigError, TypeError, RecursionError) as error:
            raise EngineError(f"{where}: the metadata is damaged: {error}") from None
        if fingerprint != card.audio.fingerprint():
            raise EngineError(f"{where}: the mel contract does not have the fingerprint stored; the file was altered")
        return card

    def require_type(self, kind: GraphType, where: str) -> None:
        """Refuse a graph of another model.

        Raises:
            EngineError: it is one.
        """
        if self.type != kind:
            raise EngineError(f"{where}: holds a graph of type '{self.type}'; one of type '{kind}' is needed")

    def require_same_model(self, other: "GraphCard", where: str) -> None:
        """Refuse two halves that do not belong together.

        Raises:
            EngineError: they differ in their contracts, speakers, squeeze or pitch conditioning.
        """
        different = self.audio.differences(other.audio)
        names = [name for name in ("n_speakers", "n_squeeze", "melody") if getattr(self, name) != getattr(other, name)]
        if different or names:
            raise EngineError(f"{where}: belong to different models ({', '.join([*names, *different])} differ)")

    def acoustic(self) -> dict[str, Any]:
        """Return what an `AcousticEngine` must know besides the mel contract."""
        return {name: getattr(self, name) for name in ("n_symbols", "n_speakers", "n_squeeze", "melody")}

    def with_bias(self, magnitudes: list[float]) -> "GraphCard":
        """Return the card with a denoiser's bias, magnitudes `[n_fft // 2 + 1]`."""
        packed = base64.b64encode(array("f", magnitudes).tobytes()).decode("ascii")
        return dataclasses.replace(self, bias_spectrum=packed)

    def pitch_network(self) -> PitchNetwork | None:
        """Return the pitch predictor; None where there is none.

        Raises:
            EngineError: it is damaged.
        """
        return PitchNetwork.from_dict(self.pitch) if self.pitch else None

    def source_mix_network(self) -> SourceMixNetwork | None:
        """Return what gives the source its gains; None where there is none.

        Raises:
            EngineError: it is damaged.
        """
        return SourceMixNetwork.from_dict(self.source_mix) if self.source_mix else None

    def bias(self) -> list[float] | None:
        """Return the denoiser's bias, magnitudes `[n_fft // 2 + 1]`; None where none is stored.

        Raises:
            EngineError: it is damaged.
        """
        if not self.bias_spectrum:
            return None
        values = array("f")
        try:
            values.frombytes(base64.b64decode(self.bias_spectrum, validate=True))
        except (binascii.Error, ValueError):
            values = array("f", [math.nan])
        if not all(math.isfinite(value) and value >= 0 for value in values):
            raise EngineError("the denoiser's bias in the metadata is damaged; export the model again")
        return values.tolist()


STREAM_KEY = "glowvox.stream"
NEXT = "next."
"""What stands before a state's name in the name of the output."""
POSITION, FINAL = "position", "final"
"""Inputs, int64 [1]: mel frames in the pieces before this one, and 1 for the last piece, otherwise 0."""
_MAX_STATES, _MAX_ROWS, _MAX_CHANNELS = 20_000, 1_000_000, 100_000
_MAX_VALUES = 1 << 28
RANGE_PREFIX = "range:"
"""Before the names of outputs that tell how large the values are that a product is given: see `OnnxGraph.ranges`."""


@dataclass(frozen=True)
class StreamCard:
    """The states of a graph that takes a signal in pieces: each an input, and an output with `next.` before its name.

    A second document in the metadata, under `STREAM_KEY`.
    """

    delay: int
    """Mel frames that must follow a frame, or the end, before its samples come."""
    states: dict[str, tuple[int, int]]
    """For each state the rows and channels of the zeros `[B, rows, channels]` that the first piece gets."""

    def to_json(self) -> str:
        """Return the card as the text that is stored."""
        return json.dumps({"delay": self.delay, "states": self.states})

    def zeros(self, batch: int) -> dict[str, NDArray[np.float32]]:
        """Return the states before the first piece."""
        return {name: np.zeros((batch, *shape), np.float32) for name, shape in self.states.items()}

    @classmethod
    def from_json(cls, text: str | None, where: str) -> "StreamCard | None":
        """Return the card that a graph holds; None: it holds none, and takes whole signals only.

        Raises:
            EngineError: it is damaged.
        """
        if text is None:
            return None
        try:
            content = json.loads(text)
            states = {
                name: (_size(rows, _MAX_ROWS), _size(channels, _MAX_CHANNELS))
                for name, (rows, channels) in content["states"].items()
            }
            if len(states) > _MAX_STATES or sum(rows * channels for rows, channels in states.values()) > _MAX_VALUES:
                raise ValueError
            return cls(_size(content["delay"], _MAX_ROWS), states)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise EngineError(f"{where}: the metadata on streaming is damaged; export the model again") from None


def clock_inputs(frames: int, *, final: bool) -> dict[str, NDArray[np.int64]]:
    """Return the inputs that say where a piece stands.

    Args:
        frames: mel frames in the pieces before.
        final: whether it is the last one.
    """
    return {POSITION: np.array([frames], np.int64), FINAL: np.array([int(final)], np.int64)}


def _size(value: Any, limit: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
        raise ValueError(value)
    return value


VOCODER_NAME = "vocoder.onnx"
ENCODER_NAME = "acoustic_encoder.onnx"
DECODER_NAME = "acoustic_decoder.onnx"
OPENVINO_SUFFIX = ".xml"


def graph_in(path: str | os.PathLike[str], *names: str) -> Path:
    """Return a graph's file: `path` itself, or the first of the names that lies in the folder `path`.

    Raises:
        EngineError: there is none.
    """
    place = Path(path)
    if place.is_file():
        return place
    if not place.is_dir():
        raise EngineError(f"{path}: there is no such file")
    for name in names:
        if (place / name).is_file():
            return place / name
    raise EngineError(f"{path}: holds no {' or '.join(names)}; 'glowvox export model' writes one")


_GRAPH_FIELD, _METADATA_FIELD = 7, 14
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MAX_ENTRY = 8 << 20


def in_8_bits(path: Path) -> bool:
    """Return whether an ONNX file says that its products are computed in 8 bits.

    Raises:
        EngineError: it is no such file, or its metadata is damaged.
    """
    return GraphCard.from_json(read_metadata(path).get(METADATA_KEY), str(path)).precision == "int8"


class _DamagedError(Exception):
    """The file is no protocol-buffer message, or ends within a field."""


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the metadata of an ONNX file, without an engine and without reading its weights.

    The file is a protocol-buffer message: fields, each a tag and, for all that matters here, a length and as many
    bytes. Stepping over them costs nothing and tells a truncated file before an engine spends seconds on it.

    Raises:
        EngineError: there is no such file, it is truncated, or it is no ONNX file.
    """
    place = Path(path)
    try:
        with place.open("rb") as stream:
            return _metadata(stream, place.stat().st_size)
    except (FileNotFoundError, NotADirectoryError):
        raise EngineError(f"{path}: there is no such file") from None
    except OSError as error:
        raise EngineError(f"{path}: cannot be read ({error.strerror or error})") from None
    except _DamagedError as error:
        raise EngineError(f"{path}: {error}; export the model again") from None


def _metadata(stream: BinaryIO, size: int) -> dict[str, str]:
    found: dict[str, str] = {}
    has_graph = False
    while stream.tell() < size:
        number, kind = _tag(stream)
        if kind != _BYTES:
            _skip(stream, kind)
            continue
        length = _varint(stream)
        if length > size - stream.tell():
            raise _DamagedError(f"truncated ({size:,} bytes), or not an ONNX file")
        has_graph |= number == _GRAPH_FIELD
        if number != _METADATA_FIELD or length > _MAX_ENTRY:
            stream.seek(length, os.SEEK_CUR)
            continue
        key, value = _entry(stream, length)
        found[key] = value
    if not has_graph:
        raise _DamagedError("not an ONNX file, or an empty one")
    return found


def _entry(stream: BinaryIO, length: int) -> tuple[str, str]:
    """Return a StringStringEntryProto: field 1 is the key, field 2 the value."""
    end = stream.tell() + length
    parts = {1: "", 2: ""}
    while stream.tell() < end:
        number, kind = _tag(stream)
        size = _varint(stream) if kind == _BYTES else 0
        if kind != _BYTES or number not in parts or size > end - stream.tell():
            raise _DamagedError("its metadata is damaged")
        try:
            parts[number] = stream.read(size).decode("utf-8")
        except UnicodeDecodeError:
            raise _DamagedError("its metadata is damaged") from None
    return parts[1], parts[2]


def _tag(stream: BinaryIO) -> tuple[int, int]:
    value = _varint(stream)
    return value >> 3, value & 7


def _skip(stream: BinaryIO, kind: int) -> None:
    if kind == _VARINT:
        _varint(stream)
    elif kind in (_FIXED_64, _FIXED_32):
        stream.seek(8 if kind == _FIXED_64 else 4, os.SEEK_CUR)
    else:
        raise _DamagedError("not an ONNX file")


def _varint(stream: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise _DamagedError("truncated, or not an ONNX file")


class OpenGraph(ABC):
    """A graph that a library has opened. Calls may come from several threads at once."""

    @abstractmethod
    def value(self, array: NDArray[Any]) -> Any:
        """Return an array as the library keeps it between two calls."""

    @abstractmethod
    def array(self, value: Any) -> NDArray[np.float32]:
        """Undo `value`."""

    @abstractmethod
    def compute(self, feed: Mapping[str, Any], outputs: Sequence[str] | None = None) -> list[Any]:
        """Return outputs as values, from values by the names of the inputs; None: all outputs.

        Raises:
            EngineError: the library failed.
        """

    def compute_arrays(
        self, feed: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None
    ) -> list[NDArray[np.float32]]:
        """Return what `compute` does, as arrays, from arrays."""
        values = self.compute({name: self.value(array) for name, array in feed.items()}, outputs)
        return [self.array(value) for value in values]

    def compute_piece(
        self, feed: Mapping[str, NDArray[Any]], state: StreamState, output: str, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        """Return an output for the next piece of a signal, and the states for the one after; none after the last.

        Args:
            feed: the piece, by the names of the inputs.
            state: what the piece before left.
            output: the name.
            final: whether the signal ends here.

        Raises:
            EngineError: the library failed.
        """
        own = {**feed, **clock_inputs(state.frames, final=final)}
        names = [] if final else list(state.values)
        given = {name: self.value(array) for name, array in own.items()} | dict(state.values)
        result, *values = self.compute(given, [output, *(f"{NEXT}{name}" for name in names)])
        return self.array(result), dict(zip(names, values, strict=True))

    def begin(self, stream: StreamCard, batch: int) -> Mapping[str, Any]:
        """Return the states before the first piece of `batch` signals."""
        return {name: self.value(zeros) for name, zeros in stream.zeros(batch).items()}


class GraphVocoder(SteppingVocoder, ABC):
    """A WaveGlow's exported inverse."""

    def __init__(self, card: GraphCard, stream: StreamCard | None, graph: OpenGraph) -> None:
        """Take an open graph; see `load`."""
        super().__init__(
            card.audio,
            n_group=card.n_group,
            receptive_field=card.receptive_field,
            refine=card.refine,
            pitch=card.pitch_network(),
            source_mix=card.source_mix_network(),
        )
        self.card = card
        self._stream = stream
        self._graph = graph

    @property
    def delay(self) -> int | None:
        """Mel frames that must follow a frame before `step` gives its samples; None: an older graph."""
        return None if self._stream is None else self._stream.delay

    def _run(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._stream is None:
            return self._graph.compute_arrays({"latent": latent, "mel": mel}, ["audio"])[0]
        return self._steps(latent, mel, StreamState(0, self._begin(len(mel))), final=True)[0]

    def _begin(self, batch: int) -> Mapping[str, Any]:
        assert self._stream is not None
        return self._graph.begin(self._stream, batch)

    def _step(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        return self._graph.compute_piece({"latent": latent, "mel": mel}, state, "audio", final=final)


class GraphAcoustic(AcousticEngine, ABC):
    """A Glow-TTS exported as two graphs."""

    def __init__(
        self,
        card: GraphCard,
        encoder: OpenGraph,
        decoder: OpenGraph,
        stream: StreamCard | None,
    ) -> None:
        """Take two open graphs, the encoder's card and the decoder's states; see `load`."""
        super().__init__(card.audio, **card.acoustic())
        self.card = card
        self._encoder, self._decoder = encoder, decoder
        self._stream = stream

    @property
    def decoder_delay(self) -> int | None:
        """Mel frames that must follow a frame before `decode_piece` gives it; None: an older graph."""
        return None if self._stream is None else self._stream.delay

    def _encode(
        self, tokens: NDArray[np.int64], lengths: NDArray[np.int64], speaker: NDArray[np.int64] | None
    ) -> EncodedText:
        feed = {"tokens": tokens, "lengths": lengths}
        if speaker is not None:
            feed["speaker"] = speaker
        return EncodedText(*self._encoder.compute_arrays(feed))

    def _decode(
        self, given: DecoderInput, state: StreamState | None, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        frames = given.latent.shape[2]
        lengths = given.lengths if state is None else np.array([state.frames + frames], np.int64)  # all of them count
        named: dict[str, NDArray[Any] | None] = {
            "latent": given.latent,
            "lengths": lengths,
            "speaker": given.speaker,
            "comb": given.harmonics,
        }
        feed = {name: array for name, array in named.items() if array is not None}
        if self._stream is None:
            return self._decoder.compute_arrays(feed, ["mel"])[0], {}
        if state is None or not state.frames:
            state = StreamState(0, self._decoder.begin(self._stream, len(given.latent)))
        return self._decoder.compute_piece(feed, state, "mel", final=final)
