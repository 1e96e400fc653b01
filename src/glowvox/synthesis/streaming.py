"""A vocoder as a stream: mel frames are pushed, samples come out, and joined they are those of the whole.

Three conditions make this exact. The noise of a position depends on the seed and the position only; everything that is
spoken has seen its whole receptive field, on both sides (see `vocoder_pieces`); and zero padding happens at the true
ends only. There is no cross-fading: a seam has nothing to hide.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.denoiser import BiasDenoiser, DenoiserStream
from glowvox.audio.mel import checked_mel
from glowvox.audio.mel_refinement import MelRefinement
from glowvox.engines.base import VocoderEngine
from glowvox.errors import MelError
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.vocoder_latent import LatentStream
from glowvox.synthesis.vocoder_pieces import vocoder_pieces

_GROWTH = 4
"""A chunk has that many times the frames of the one before, up to the longest."""


class StreamingVocoder:
    """One stream over an engine, which other streams may share. Made by `Vocoder.stream`.

    Its state is what the engine needs of the frames before, the tails of refinement and denoiser, and where it is.
    A frame is spoken when `look_ahead` frames after it are known.
    """

    def __init__(
        self,
        engine: VocoderEngine,
        options: VocoderOptions,
        *,
        chunk_frames: int,
        refinement: MelRefinement,
        denoiser: BiasDenoiser | None,
        first_chunk: int | None = None,
    ) -> None:
        """Start a stream.

        Args:
            engine: what computes the windows.
            options: sigma, denoiser strength and seed.
            chunk_frames: mel frames spoken at once.
            refinement: gives the samples the mel they were made from.
            denoiser: takes the model's bias out; None: nothing is taken out.
            first_chunk: mel frames spoken at first, four times as many in each chunk after: the first samples are ready
                early, and the later ones cost little more than in one piece. None: `chunk_frames`.
        """
        self._engine = engine
        self._options = options
        self._longest_chunk = chunk_frames
        self._first_chunk = chunk_frames if first_chunk is None else min(first_chunk, chunk_frames)
        self._refinement = refinement
        self._denoiser = denoiser
        self.reset()

    @property
    def look_ahead(self) -> int:
        """Mel frames that must be known after a frame before it is spoken."""
        return self._latents.look_ahead + self._pieces.look_ahead + self._refinement.context

    @property
    def frames_spoken(self) -> int:
        """Mel frames whose samples were computed."""
        return self._pieces.spoken

    def reset(self) -> None:
        """Forget everything; the next frame is the first of a new signal."""
        self._latents = LatentStream(self._engine, self._options)
        self._pieces = vocoder_pieces(self._engine)
        self._chunk = self._first_chunk
        self._finished = False
        self._refined = self._refinement.stream() if self._refinement.passes else None
        self._clean: DenoiserStream | None = None
        if self._denoiser is not None and self._options.denoise:
            self._clean = self._denoiser.stream(self._options.denoise)

    def push(self, mel: Any) -> NDArray[np.float32]:
        """Take mel frames [M, t], any number of them, and return the samples [S] that are ready.

        Raises:
            MelError: the frames do not fit the contract or are not finite, or the stream has ended. The stream is left
                as it was.
            EngineError: the engine failed.
        """
        self._check_open()
        array = np.asarray(mel)
        if array.shape != (self._engine.audio.n_mels, 0):
            frames = checked_mel(array, self._engine.audio).astype(np.float32, copy=False)
            self._pieces.take(*self._latents.push(frames))
        pieces = []
        while self._pieces.received - self._pieces.spoken >= self._chunk + self._pieces.look_ahead:
            pieces.append(self._refine(*self._pieces.speak(self._chunk)))
            self._chunk = min(_GROWTH * self._chunk, self._longest_chunk)
        return self._joined(pieces)

    def speak(self, mels: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield the samples of a mel that is known, or in long pieces [M, t], chunk by chunk, and end the stream.

        It takes at each step what the next chunk needs: no more, so that the first one is early, and no less, because
        every piece has its price in each part of the vocoder.

        Raises:
            MelError: see `push`.
            EngineError: the engine failed.
        """
        known = 0
        for mel in mels:
            first = known
            while known < first + mel.shape[1]:
                end = min(first + mel.shape[1], max(known + 1, self.next_frames))
                yield self.push(mel[:, known - first : end - first])
                known = end
        yield self.finish()

    @property
    def next_frames(self) -> int:
        """Mel frames that must be known before the next chunk is spoken."""
        return self.frames_spoken + self._chunk + self._latents.look_ahead + self._pieces.look_ahead

    def finish(self) -> NDArray[np.float32]:
        """End the stream and return the samples that were still on their way; none where no frame was pushed.

        Raises:
            MelError: the stream has ended before.
            EngineError: the engine failed.
        """
        self._check_open()
        self._pieces.take(*self._latents.finish())
        # Fewer frames than a chunk and its look-ahead are left: one piece, no larger than the others, reaches the end.
        left = self._pieces.received > self._pieces.spoken
        pieces = [self._refine(*self._pieces.finish())] if left else []
        self._finished = True
        if self._refined is not None:
            pieces.append(self._refined.finish())
        samples = self._joined(pieces)
        return samples if self._clean is None else np.concatenate([samples, self._clean.finish()])

    def _check_open(self) -> None:
        if self._finished:
            raise MelError("this stream has ended; reset it or start another one")

    def _refine(self, samples: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
        return samples if self._refined is None else self._refined.push(samples, mel)

    def _joined(self, pieces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        samples = np.concatenate(pieces) if pieces else np.empty(0, np.float32)
        return samples if self._clean is None else self._clean.push(samples)
