"""The ONNX Runtime engine: the default everywhere, without PyTorch."""

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glowvox.config.audio import AudioConfig
from glowvox.engines.base import VocoderEngine, piece_frames
from glowvox.engines.graph_cache import graph_key
from glowvox.engines.graph_engine import (
    DECODER_NAME,
    ENCODER_NAME,
    METADATA_KEY,
    RANGE_PREFIX,
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
from glowvox.engines.machine import checked_threads
from glowvox.errors import EngineError, one_line
from glowvox.storage.cache import from_cache, into_cache

if TYPE_CHECKING:
    import onnxruntime


_ERRORS_ONLY = 3
_EXTERNAL_DATA = re.compile(
    rb"\n\x08location\x12.(?P<place>[ -~]+?)j.\n\x06offset\x12.(?P<offset>\d+)j.\n\x06length\x12.(?P<length>\d+)",
    re.DOTALL,
)


def open_session(path: str | os.PathLike[str], threads: int | None = None) -> "onnxruntime.InferenceSession":
    """Return a session with options for a low latency, from the cache of optimised graphs where it is there.

    Raises:
        EngineError: the file cannot be opened by ONNX Runtime, or an impossible number of threads.
    """
    count = checked_threads(threads)
    place = Path(path)
    try:
        key = graph_key(place, "onnxruntime", _version(), f"exact products {multiplies_exactly(_version())}")
        kept = from_cache(key, ".onnx", lambda entry: _session(entry, count, optimised=True))
    except (OSError, ImportError):
        key, kept = None, None
    if kept is not None:
        return kept
    made: list[onnxruntime.InferenceSession] = []
    if key is not None:
        with contextlib.suppress(Exception):  # what cannot be kept, or opened at all, is met again below
            into_cache(key, ".onnx", lambda entry: made.append(_session(place, count, save=entry)))
    try:
        return made[0] if made else _session(place, count)
    except Exception as error:  # its errors have no base class of their own
        if lacking := _lacking_weights(place):
            raise EngineError(f"{path}: {lacking}; get the voice again, or export the model again") from error
        raise EngineError(f"{path}: ONNX Runtime cannot open it: {one_line(error, limit=300)}") from error


def _lacking_weights(graph: Path) -> str:
    """Return what is wrong with a file beside a graph that cannot be opened, from which it takes its weights.

    ONNX Runtime names such a file by its internals only, and a truncated one not at all. The entries of a tensor's
    external data are strings of a protocol-buffer message, each behind its length.
    """
    try:
        content = graph.read_bytes()
        for entry in _EXTERNAL_DATA.finditer(content):
            place = graph.parent / entry["place"].decode("utf-8", "replace")
            if not place.is_file():
                return f"the file {place} with its weights is missing"
            if place.stat().st_size < int(entry["offset"]) + int(entry["length"]):
                return f"the file {place} with its weights is truncated"
    except (OSError, ValueError):
        return ""
    return ""


def _version() -> str:
    quiet_telemetry()
    import onnxruntime

    return str(onnxruntime.__version__)


def multiplies_exactly(version: str) -> bool:
    """Return whether a release of ONNX Runtime has exact products of 8 bits on every processor, and may be asked for.

    Without VNNI they are summed in pairs of 16 bits, which loud columns overflow, unless it is asked for exact ones.
    Releases before 1.30 end the process where a product of ours is turned into an exact one.
    """
    parts = version.split(".")[:2]
    return all(part.isdecimal() for part in parts) and tuple(map(int, parts)) >= (1, 30)


def quiet_telemetry() -> None:
    """Switch ONNX Runtime's telemetry off before it is imported: no device id and database at home, no host looked up.

    Its releases since 1.31 do both, and what their Python interface offers against it comes too late. Who has set the
    variable has decided already.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def _session(
    place: Path, threads: int, *, optimised: bool = False, save: Path | None = None
) -> "onnxruntime.InferenceSession":
    """Return a session; `optimised`: the graph is already; `save`: where to write it as it is optimised."""
    quiet_telemetry()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_mem_pattern = False  # plans are kept for every length ever seen
    options.enable_mem_reuse = False  # planning takes longer than all other opening, and runs are no faster for it
    options.log_severity_level = _ERRORS_ONLY
    # threads wait actively within a run, where that saves time, and not between runs, where it costs others theirs
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if multiplies_exactly(_version()):
        options.add_session_config_entry("session.x64quantprecision", "1")
    if optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if save is not None:
        options.optimized_model_filepath = os.fspath(save)
    return onnxruntime.InferenceSession(os.fspath(place), options, providers=["CPUExecutionProvider"])


class OnnxGraph(OpenGraph):
    """A graph in a session, whose values are handed on without copying them."""

    def __init__(self, session: "onnxruntime.InferenceSession", where: str) -> None:
        """Take a session, and the file for messages."""
        self.session = session
        self._where = where
        names = [output.name for output in session.get_outputs()]
        self._outputs = [name for name in names if not name.startswith(RANGE_PREFIX)]
        self._observed = [name for name in names if name.startswith(RANGE_PREFIX)]
        self.ranges: dict[str, float] = {}
        """The largest magnitudes that products were given so far, by their names; of a graph written to tell them."""
        self._begun: Mapping[str, onnxruntime.OrtValue] | None = None

    def begin(self, stream: StreamCard, batch: int) -> "Mapping[str, onnxruntime.OrtValue]":
        """Return the states before the first piece; those of one signal are made once, since nothing changes them."""
        if batch != 1:
            return super().begin(stream, batch)
        if self._begun is None:
            self._begun = super().begin(stream, batch)
        return self._begun

    def value(self, array: NDArray[Any]) -> "onnxruntime.OrtValue":
        """Return an array as a value."""
        from onnxruntime import OrtValue

        return OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array))

    def array(self, value: Any) -> NDArray[np.float32]:
        """Undo `value`."""
        array: NDArray[np.float32] = value.numpy()
        return array

    def compute(self, feed: Mapping[str, Any], outputs: Sequence[str] | None = None) -> list[Any]:
        """Return outputs. See `OpenGraph.compute`."""
        wanted = list(outputs or self._outputs)
        try:
            values = list(self.session.run_with_ort_values([*wanted, *self._observed], dict(feed)))
        except Exception as error:  # its errors have no base class of their own
            raise EngineError(f"{self._where}: ONNX Runtime failed: {one_line(error, limit=300)}") from error
        for output in self._observed:
            name, largest = output.removeprefix(RANGE_PREFIX), float(values.pop(len(wanted)).numpy().max(initial=0.0))
            self.ranges[name] = max(self.ranges.get(name, 0.0), largest)
        return values


class OnnxVocoder(GraphVocoder):
    """A WaveGlow's exported inverse."""

    @property
    def parallel(self) -> bool:
        """Whether calls from several threads at once get more done than one call with a batch: they do."""
        return True

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int | None = None) -> "OnnxVocoder":
        """Return the engine of an exported graph.

        Args:
            path: the .onnx file, or the folder it was exported to.
            threads: CPU threads; None: as many as this process may use.

        Raises:
            EngineError: no such file, truncated, not exported by this program, of another version, no vocoder,
                or an impossible number of threads.
        """
        place = graph_in(path, VOCODER_NAME)
        card = _card(place, "waveglow")
        stream = StreamCard.from_json(read_metadata(place).get(STREAM_KEY), str(place))
        return cls(card, stream, OnnxGraph(open_session(place, threads), str(place)))

    @property
    def ranges(self) -> dict[str, float]:
        """The largest magnitudes that products were given. See `OnnxGraph.ranges`."""
        assert isinstance(self._graph, OnnxGraph)
        return self._graph.ranges

    def _piece_frames(self, batch: int) -> int:
        assert isinstance(self._graph, OnnxGraph)
        threads = self._graph.session.get_session_options().intra_op_num_threads
        return piece_frames(batch * self.groups_per_frame, threads)


class OnnxMelVocoder(VocoderEngine):
    """Any vocoder from mel to audio as an ONNX file, under a mel contract that the caller states.

    The graph has one input `[B, M, T]` and, as its first output, samples `[B, S]` or `[B, 1, S]`, S at least
    `T * hop_length`. The latent is empty.
    """

    def __init__(self, audio: AudioConfig, session: Any, where: str, *, receptive_field: int) -> None:
        """Take a session; see `load`."""
        super().__init__(audio, n_group=0, receptive_field=receptive_field)
        self._graph = OnnxGraph(session, where)
        self._where = where
        inputs = session.get_inputs()
        if len(inputs) != 1:
            listed = ", ".join(entry.name for entry in inputs)
            raise EngineError(f"{where}: a vocoder takes one mel spectrogram, this graph has the inputs {listed}")
        bins = inputs[0].shape[1] if len(inputs[0].shape) == 3 else None
        if len(inputs[0].shape) != 3 or (isinstance(bins, int) and bins != audio.n_mels):
            raise EngineError(f"{where}: expected an input [B, {audio.n_mels}, T], the graph has {inputs[0].shape}")
        self._input = inputs[0].name

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        audio: AudioConfig | None = None,
        *,
        receptive_field: int | None = None,
        threads: int | None = None,
    ) -> "OnnxMelVocoder":
        """Return the engine of a graph.

        Args:
            path: the .onnx file.
            audio: the mel contract of the input; None: the graph's metadata states it (see `GraphCard`).
            receptive_field: mel frames on each side of a frame that its samples depend on; None: as `audio`.
            threads: CPU threads; None: as many as this process may use.

        Raises:
            EngineError: no such file, truncated, no contract stated, not such a graph, or an impossible number of
                threads.
        """
        place = Path(path)
        if audio is None or receptive_field is None:
            card = _card(place, "mel_vocoder")
            audio, receptive_field = audio or card.audio, receptive_field or card.receptive_field
        if receptive_field < 0:
            raise EngineError(f"a receptive field cannot be {receptive_field} mel frames")
        return cls(audio, open_session(place, threads), str(place), receptive_field=receptive_field)

    def _run(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        samples = self._graph.compute_arrays({self._input: mel})[0]
        wanted = mel.shape[2] * self.audio.hop_length
        samples = samples[:, 0] if samples.ndim == 3 and samples.shape[1] == 1 else samples
        if samples.ndim != 2 or len(samples) != len(mel) or samples.shape[1] < wanted:
            raise EngineError(
                f"{self._where}: gave {list(samples.shape)} for a mel {list(mel.shape)}; a hop of "
                f"{self.audio.hop_length} needs {wanted} samples. Is the mel contract stated the model's?"
            )
        return samples[:, :wanted].astype(np.float32, copy=False)


class OnnxAcoustic(GraphAcoustic):
    """A Glow-TTS exported as two graphs."""

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int | None = None) -> "OnnxAcoustic":
        """Return the engine of an exported model.

        Args:
            path: the folder with the encoder's and the decoder's graph.
            threads: CPU threads; None: as many as this process may use.

        Raises:
            EngineError: a graph is missing, truncated, not exported by this program, of another version or of another
                model, or an impossible number of threads.
        """
        places = [graph_in(path, name) for name in (ENCODER_NAME, DECODER_NAME)]
        encoder, decoder = _card(places[0], "glow_tts_encoder"), _card(places[1], "glow_tts_decoder")
        encoder.require_same_model(decoder, f"{places[0]} and {places[1]}")
        stream = StreamCard.from_json(read_metadata(places[1]).get(STREAM_KEY), str(places[1]))
        graphs = [OnnxGraph(open_session(place, threads), str(path)) for place in places]
        return cls(encoder, graphs[0], graphs[1], stream)

    @property
    def ranges(self) -> tuple[dict[str, float], dict[str, float]]:
        """The largest magnitudes that the products of encoder and decoder were given. See `OnnxGraph.ranges`."""
        assert isinstance(self._encoder, OnnxGraph)
        assert isinstance(self._decoder, OnnxGraph)
        return self._encoder.ranges, self._decoder.ranges


def _card(path: Path, kind: GraphType) -> GraphCard:
    card = GraphCard.from_json(read_metadata(path).get(METADATA_KEY), str(path))
    card.require_type(kind, str(path))
    return card
