"""The vocoder: mel spectrograms to samples over any engine, in windows, so that memory does not grow with length."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.denoiser import BiasDenoiser
from glowvox.audio.mel import checked_mel, silent_mel
from glowvox.audio.mel_refinement import MelRefinement
from glowvox.engines.base import VocoderEngine
from glowvox.errors import MelError
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.streaming import StreamingVocoder, whole_latent

_BIAS_FRAMES = 88
"""Frames of the silent mel that the bias is measured on, as the published denoiser has it."""
_CHUNK_SECONDS = 30.0
_CHUNK_CONTEXTS = 4
"""A chunk of this many receptive fields, if that is longer: what is computed twice is then at most a half."""
_CHUNK_COLUMNS = 12_288
"""Latent columns in a chunk at most: a network's activations take memory in proportion to them."""
_DEFAULTS = VocoderOptions()


class Vocoder:
    """Speaks mel spectrograms over an engine."""

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


# Many mels through a vocoder together, with the samples that each gives alone.
# For engines that gain from batches, such as those on a GPU; for others see `text_pool`. Padding would change what
# is heard near the end of a mel. So nothing is padded: every mel is cut into windows of one length that overlap by
# the receptive field, the last one reaching back as far as it must; windows of equal length, from whatever mels, go
# through the engine together.


_CONTEXTS = 6
"""A window has this many receptive fields, so that at most a third of it is computed twice."""
_SHORTEST_WINDOW = 256
_BATCH_COLUMNS = 12_288
"""Latent columns in a batch at most: a network's activations take memory in proportion to them."""


@dataclass(frozen=True)
class _Window:
    item: int
    first: int
    """First mel frame of the window."""
    start: int
    """First mel frame spoken."""
    end: int


def vocode_batch(
    vocoder: Vocoder, mels: Sequence[NDArray[np.floating]], options: Sequence[VocoderOptions]
) -> list[NDArray[np.float32]]:
    """Return the samples [T * hop_length] of each mel [M, T], those of `Vocoder.__call__`.

    Args:
        vocoder: what speaks.
        mels: any lengths.
        options: sigma, denoiser strength and seed of each.

    Raises:
        MelError: a mel does not fit the contract or is not finite.
        EngineError: the engine failed.
    """
    engine = vocoder.engine
    hop = engine.audio.hop_length
    checked = [checked_mel(mel, engine.audio).astype(np.float32, copy=False) for mel in mels]
    longest = max(_CONTEXTS * engine.receptive_field, _SHORTEST_WINDOW)
    by_length: dict[int, list[_Window]] = defaultdict(list)
    for item, mel in enumerate(checked):
        length = min(longest, mel.shape[1])
        by_length[length].extend(_windows(item, mel.shape[1], length, engine.receptive_field))
    latents = [whole_latent(engine, wished, mel) for wished, mel in zip(options, checked, strict=True)]
    columns = engine.groups_per_frame
    samples = [np.empty(mel.shape[1] * hop, np.float32) for mel in checked]
    for length, windows in by_length.items():
        size = max(1, _BATCH_COLUMNS // (length * max(1, engine.groups_per_frame)))
        for begin in range(0, len(windows), size):
            batch = windows[begin : begin + size]
            frames = np.stack([checked[window.item][:, window.first : window.first + length] for window in batch])
            latent = np.stack(
                [
                    latents[window.item][:, window.first * columns : (window.first + length) * columns]
                    for window in batch
                ]
            )
            for window, spoken in zip(batch, engine.run(latent, frames), strict=True):
                kept = spoken[(window.start - window.first) * hop : (window.end - window.first) * hop]
                samples[window.item][window.start * hop : window.end * hop] = kept
    refined = [
        vocoder.refinement_for(wished)(one, mel) for one, mel, wished in zip(samples, checked, options, strict=True)
    ]
    return [_clean(vocoder, one, wished) for one, wished in zip(refined, options, strict=True)]


def _windows(item: int, frames: int, length: int, context: int) -> list[_Window]:
    windows, spoken = [], 0
    while spoken < frames:
        first = min(max(0, spoken - context), frames - length)
        end = frames if first + length == frames else first + length - context
        windows.append(_Window(item, first, spoken, end))
        spoken = end
    return windows


def _clean(vocoder: Vocoder, samples: NDArray[np.float32], options: VocoderOptions) -> NDArray[np.float32]:
    denoiser = vocoder.denoiser_for(options)
    return samples if denoiser is None else denoiser(samples, options.denoise)
