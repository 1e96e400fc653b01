"""The ONNX Runtime engine: the default everywhere, without PyTorch."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.config.audio import AudioConfig
from glowvox.engines.acoustic import AcousticEngine, EncodedText
from glowvox.engines.base import VocoderEngine
from glowvox.engines.graph_card import METADATA_KEY, GraphCard, GraphType
from glowvox.engines.graph_files import DECODER_NAME, ENCODER_NAME, VOCODER_NAME, graph_in
from glowvox.engines.onnx_file import read_metadata
from glowvox.engines.onnx_session import as_value, computed, computed_values, open_session
from glowvox.engines.piece_sizes import piece_frames
from glowvox.engines.stepping import SteppingVocoder
from glowvox.engines.stream_card import NEXT, STREAM_KEY, StreamCard, clock_inputs
from glowvox.engines.stream_state import StreamState
from glowvox.errors import EngineError


class OnnxVocoder(SteppingVocoder):
    """A WaveGlow's exported inverse."""

    def __init__(self, card: GraphCard, stream: StreamCard | None, session: Any, where: str) -> None:
        """Take a session; see `load`."""
        super().__init__(
            card.audio,
            n_group=card.n_group,
            receptive_field=card.receptive_field,
            refine=card.refine,
            pitch=card.pitch_network(),
        )
        self.card = card
        self._stream = stream
        self._session = session
        self._where = where

    @property
    def parallel(self) -> bool:
        """Whether calls from several threads at once get more done than one call with a batch: they do."""
        return True

    @property
    def delay(self) -> int | None:
        """Mel frames that must follow a frame before `step` gives its samples; None: an older graph."""
        return None if self._stream is None else self._stream.delay

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
        return cls(card, stream, open_session(place, threads), str(place))

    def _run(self, latent: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._stream is None:
            return computed(self._session, {"latent": latent, "mel": mel}, self._where, ["audio"])[0]
        return self._steps(latent, mel, StreamState(0, self._begin(len(mel))), final=True)[0]

    def _piece_frames(self, batch: int) -> int:
        threads = self._session.get_session_options().intra_op_num_threads
        return piece_frames(batch * self.groups_per_frame, threads)

    def _begin(self, batch: int) -> Mapping[str, Any]:
        assert self._stream is not None
        return {name: as_value(zeros) for name, zeros in self._stream.zeros(batch).items()}

    def _step(
        self, latent: NDArray[np.float32], mel: NDArray[np.float32], state: StreamState, *, final: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        own: dict[str, NDArray[Any]] = {"latent": latent, "mel": mel, **clock_inputs(state.frames, final=final)}
        feed = {name: as_value(value) for name, value in own.items()} | dict(state.values)
        names = [] if final else list(state.values)  # nothing follows the end
        audio, *values = computed_values(
            self._session, feed, self._where, ["audio", *(f"{NEXT}{name}" for name in names)]
        )
        return audio.numpy(), dict(zip(names, values, strict=True))


class OnnxMelVocoder(VocoderEngine):
    """Any vocoder from mel to audio as an ONNX file, under a mel contract that the caller states.

    The graph has one input `[B, M, T]` and, as its first output, samples `[B, S]` or `[B, 1, S]`, S at least
    `T * hop_length`. The latent is empty.
    """

    def __init__(self, audio: AudioConfig, session: Any, where: str, *, receptive_field: int) -> None:
        """Take a session; see `load`."""
        super().__init__(audio, n_group=0, receptive_field=receptive_field)
        self._session = session
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
        samples = computed(self._session, {self._input: mel}, self._where)[0]
        wanted = mel.shape[2] * self.audio.hop_length
        samples = samples[:, 0] if samples.ndim == 3 and samples.shape[1] == 1 else samples
        if samples.ndim != 2 or len(samples) != len(mel) or samples.shape[1] < wanted:
            raise EngineError(
                f"{self._where}: gave {list(samples.shape)} for a mel {list(mel.shape)}; a hop of "
                f"{self.audio.hop_length} needs {wanted} samples. Is the mel contract stated the model's?"
            )
        return samples[:, :wanted].astype(np.float32, copy=False)


class OnnxAcoustic(AcousticEngine):
    """A Glow-TTS exported as two graphs."""

    def __init__(self, card: GraphCard, decoder_card: GraphCard, encoder: Any, decoder: Any, where: str) -> None:
        """Take two sessions, the first card being the encoder's; see `load`."""
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
        sessions = [open_session(place, threads) for place in places]
        return cls(encoder, decoder, sessions[0], sessions[1], str(path))

    def _encode(
        self, tokens: NDArray[np.int64], lengths: NDArray[np.int64], speaker: NDArray[np.int64] | None
    ) -> EncodedText:
        feed = _with_speaker({"tokens": tokens, "lengths": lengths}, speaker)
        return EncodedText(*computed(self._encoder, feed, self._where))

    def _decode(
        self,
        latent: NDArray[np.float32],
        lengths: NDArray[np.int64],
        speaker: NDArray[np.int64] | None,
        comb: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        feed = _with_speaker({"latent": latent, "lengths": lengths}, speaker)
        if comb is not None:
            feed["comb"] = comb
        return computed(self._decoder, feed, self._where)[0]


def _card(path: Path, kind: GraphType) -> GraphCard:
    card = GraphCard.from_json(read_metadata(path).get(METADATA_KEY), str(path))
    card.require_type(kind, str(path))
    return card


def _with_speaker(feed: dict[str, NDArray[Any]], speaker: NDArray[np.int64] | None) -> dict[str, NDArray[Any]]:
    return feed if speaker is None else {**feed, "speaker": speaker}
