"""The vocoder: mel spectrograms to samples over any engine, in windows, so that memory does not grow with length."""

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.denoiser import BiasDenoiser
from glowvox.audio.mel import checked_mel, silent_mel
from glowvox.audio.mel_refinement import MelRefinement
from glowvox.engines.base import VocoderEngine
from glowvox.errors import MelError
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.streaming import StreamingVocoder

_BIAS_FRAMES = 88
"""Frames of the silent mel that the bias is measured on, as the published denoiser has it."""
_CHUNK_SECONDS = 30.0
_CHUNK_CONTEXTS = 4
"""A chunk of this many receptive fields, if that is longer: what is computed twice is then at most a half."""
_CHUNK_COLUMNS = 12_288
"""Latent columns in a chunk at most: a network's activations take memory in proportion to them."""
_DEFAULTS = VocoderOptions()


class Vocoder:
    """Mel-to-audio synthesis over any vocoder engine, with mel refinement and denoiser."""

    def __init__(self, engine: VocoderEngine) -> None:
        self.engine = engine

    @property
    def chunk_frames(self) -> int:
        """Mel frames of a chunk where the caller does not say: long beside the receptive field, small in memory."""
        engine = self.engine
        wanted = max(int(_CHUNK_SECONDS * engine.audio.frame_rate), _CHUNK_CONTEXTS * engine.receptive_field)
        return max(1, min(wanted, _CHUNK_COLUMNS // max(1, engine.groups_per_frame)))

    @functools.cached_property
    def denoiser(self) -> BiasDenoiser:
        """Takes the model's own tone out: its output for a quiet mel and no noise. Measured once.

        The published program's quiet mel is one of zeros. To a model that speaks whole frames at once, at the level
        that the mel says, zeros are a shout: it is told of silence.
        """
        engine = self.engine
        quiet = silent_mel(engine.audio) if engine.groups_per_frame == 1 else 0.0
        mel = np.full((1, engine.audio.n_mels, _BIAS_FRAMES), quiet, np.float32)
        latent = np.zeros((1, engine.n_group, _BIAS_FRAMES * engine.groups_per_frame), np.float32)
        quarter = max(1, engine.audio.n_fft // 4)
        return BiasDenoiser(engine.run(latent, mel)[0], n_fft=4 * quarter, hop_length=quarter)

    def denoiser_for(self, options: VocoderOptions) -> BiasDenoiser | None:
        """Return what takes the model's own tone out; None where that is not wished, or the model draws on no noise."""
        return self.denoiser if options.denoise and self.engine.n_group else None

    def refinement_for(self, options: VocoderOptions) -> MelRefinement:
        """Return what gives the samples their mel; by default as many passes as the model is meant for."""
        return MelRefinement(self.engine.audio, self.engine.refine if options.refine is None else options.refine)

    def stream(self, options: VocoderOptions = _DEFAULTS, *, first_chunk: int | None = None) -> StreamingVocoder:
        """Return a stream: mel frames in, samples out. Many streams may run at the same time.

        Args:
            options: what is wished of the vocoder.
            first_chunk: mel frames spoken at first; see `StreamingVocoder`.
        """
        return StreamingVocoder(
            self.engine,
            options,
            chunk_frames=options.chunk_frames or self.chunk_frames,
            refinement=self.refinement_for(options),
            denoiser=self.denoiser_for(options),
            first_chunk=first_chunk,
        )

    def blocks(
        self, mels: Iterable[NDArray[np.floating]], options: VocoderOptions = _DEFAULTS
    ) -> Iterator[NDArray[np.float32]]:
        """Yield samples [S] while mel frames [M, t] arrive in pieces of any size; no piece is held for long.

        Raises:
            MelError: a piece does not fit the contract or is not finite, or there were no frames at all.
            EngineError: the engine failed.
        """
        stream = self.stream(options)
        chunk = options.chunk_frames or self.chunk_frames
        frames = 0
        for mel in mels:
            for start in range(0, mel.shape[-1], chunk):
                samples = stream.push(mel[..., start : start + chunk])
                if samples.size:
                    yield samples
            frames += mel.shape[-1]
        if not frames:
            raise MelError("the mel spectrogram has no frames")
        yield stream.finish()

    def __call__(self, mel: Any, options: VocoderOptions = _DEFAULTS) -> NDArray[np.float32]:
        """Return the samples [T * hop_length] of a mel spectrogram [M, T].

        Raises:
            MelError: the mel does not fit the contract or is not finite.
            EngineError: the engine failed.
        """
        return np.concatenate(list(self.blocks([checked_mel(mel, self.engine.audio)], options)))
