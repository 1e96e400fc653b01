"""A vocoder as a stream: mel frames are pushed, samples come out, and joined they are those of the whole.

Three conditions make this exact. The noise of a position depends on the seed and the position only; every window sees
the whole receptive field of what it speaks, on both sides; and zero padding happens at the true ends only. There is no
cross-fading: a seam has nothing to hide.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.denoiser import BiasDenoiser, DenoiserStream
from glowvox.audio.mel import checked_mel
from glowvox.audio.mel_refinement import MelRefinement
from glowvox.engines.base import VocoderEngine
from glowvox.errors import MelError
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.vocoder_latent import Frames, LatentStream

_GROWTH = 4
"""A chunk has that many times the frames of the one before, up to the longest."""


class StreamingVocoder:
    """One stream over an engine, which other streams may share. Made by `Vocoder.stream`.

    Its state is the mel frames that later windows still need, the denoiser's tail, and where it is. A frame is spoken
    when `look_ahead` frames after it are known.
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
                early, and little is computed twice later. None: `chunk_frames`.
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
        return self._latents.look_ahead + self._engine.receptive_field + self._refinement.context

    @property
    def frames_spoken(self) -> int:
        """Mel frames whose samples were computed."""
        return self._spoken

    def reset(self) -> None:
        """Forget everything; the next frame is the first of a new signal."""
        self._latents = LatentStream(self._engine, self._options)
        self._latent = np.empty((self._engine.n_group, 0), np.float32)
        self._mel = np.empty((self._engine.audio.n_mels, 0), np.float32)
        """Both from the frame `_first` on: the left context of the next window, and what is not spoken yet."""
        self._first = 0
        self._spoken = 0
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
            self._take(self._latents.push(frames))
        pieces = []
        while self._received - self._spoken >= self._chunk + self._engine.receptive_field:
            pieces.append(self._speak(self._spoken + self._chunk))
            self._chunk = min(_GROWTH * self._chunk, self._longest_chunk)
        return self._joined(pieces)

    def finish(self) -> NDArray[np.float32]:
        """End the stream and return the samples that were still on their way; none where no frame was pushed.

        Raises:
            MelError: the stream has ended before.
            EngineError: the engine failed.
        """
        self._check_open()
        self._take(self._latents.finish())
        # Fewer frames than a chunk and its look-ahead are left: one window, no larger than the others, reaches the end.
        pieces = [self._speak(self._received)] if self._received > self._spoken else []
        self._finished = True
        if self._refined is not None:
            pieces.append(self._refined.finish())
        samples = self._joined(pieces)
        return samples if self._clean is None else np.concatenate([samples, self._clean.finish()])

    @property
    def _received(self) -> int:
        return self._first + self._mel.shape[1]

    def _take(self, frames: Frames) -> None:
        self._latent = np.concatenate([self._latent, frames[0]], 1)
        self._mel = np.concatenate([self._mel, frames[1]], 1)

    def _check_open(self) -> None:
        if self._finished:
            raise MelError("this stream has ended; reset it or start another one")

    def _speak(self, end: int) -> NDArray[np.float32]:
        """Return the samples of the frames from the last one spoken to `end`, and let go of what is needed no more."""
        engine, context = self._engine, self._engine.receptive_field
        last = min(self._received, end + context)
        window = self._mel[None, :, : last - self._first]
        columns = engine.groups_per_frame
        samples = engine.run(self._latent[None, :, : window.shape[2] * columns], window)[0]
        hop = engine.audio.hop_length
        begin, stop = self._spoken - self._first, end - self._first
        spoken = samples[begin * hop : stop * hop]
        if self._refined is not None:
            spoken = self._refined.push(spoken, window[0, :, begin:stop])
        first = max(0, end - context)
        self._latent = self._latent[:, (first - self._first) * columns :].copy()
        self._mel = self._mel[:, first - self._first :].copy()
        self._first, self._spoken = first, end
        return spoken

    def _joined(self, pieces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        samples = np.concatenate(pieces) if pieces else np.empty(0, np.float32)
        return samples if self._clean is None else self._clean.push(samples)
