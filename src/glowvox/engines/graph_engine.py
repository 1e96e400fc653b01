"""Exported graphs as engines: what is the same whichever library runs them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.engines.base import AcousticEngine, EncodedText, StreamState
from glowvox.engines.graph_card import NEXT, GraphCard, StreamCard, clock_inputs
from glowvox.engines.stepping import SteppingVocoder


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
        self,
        latent: NDArray[np.float32],
        lengths: NDArray[np.int64],
        speaker: NDArray[np.int64] | None,
        harmonics: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        if self._stream is None:
            return self._decoder.compute_arrays(_latents(latent, lengths, speaker, harmonics), ["mel"])[0]
        state = StreamState(0, self._begin_decoding(len(latent)))
        return self._decoder.compute_piece(_latents(latent, lengths, speaker, harmonics), state, "mel", final=True)[0]

    def _begin_decoding(self, batch: int) -> Mapping[str, Any]:
        assert self._stream is not None
        return self._decoder.begin(self._stream, batch)

    def _decode_piece(
        self,
        latent: NDArray[np.float32],
        state: StreamState,
        speaker: NDArray[np.int64] | None,
        harmonics: NDArray[np.float32] | None,
        *,
        final: bool,
    ) -> tuple[NDArray[np.float32], Mapping[str, Any]]:
        known = np.array([state.frames + latent.shape[2]], np.int64)  # all of them count
        return self._decoder.compute_piece(_latents(latent, known, speaker, harmonics), state, "mel", final=final)


def _latents(
    latent: NDArray[np.float32],
    lengths: NDArray[np.int64],
    speaker: NDArray[np.int64] | None,
    harmonics: NDArray[np.float32] | None,
) -> dict[str, NDArray[Any]]:
    """Return the inputs of a decoder's graph."""
    given: dict[str, NDArray[Any] | None] = {
        "latent": latent,
        "lengths": lengths,
        "speaker": speaker,
        "comb": harmonics,
    }
    return {name: array for name, array in given.items() if array is not None}
