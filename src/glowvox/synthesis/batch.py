"""Batched synthesis, for engines that gain from it, such as those on a GPU: many sentences are computed together.

Each comes out with the samples that it has alone.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glowvox.align.prior import Frames
from glowvox.audio.mel import checked_mel
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.sentence_mels import MelSynthesizer, Request, SentenceMel
from glowvox.synthesis.vocoder import Vocoder, whole_latent

_BATCH_TOKENS = 4000
_BATCH_FRAMES = 8000
_CONTEXTS = 6
"""A window has this many receptive fields, so that at most a third of it is computed twice."""
_SHORTEST_WINDOW = 256
_BATCH_COLUMNS = 12_288
"""Latent columns in a batch at most: a network's activations take memory in proportion to them."""


def synthesize_batch(
    maker: MelSynthesizer, requests: Sequence[Request], given: Sequence[Frames | None]
) -> list[SentenceMel]:
    """Return the mels of sentences in their order; those of like length are encoded, and decoded, together.

    Args:
        maker: makes the mels.
        requests: the sentences.
        given: durations of the tokens of each, see `MelSynthesizer.mels`.

    Raises:
        TextError, VoiceError, EngineError: see `MelSynthesizer`.
    """
    made: dict[int, SentenceMel] = {}
    for alike in _groups([len(request.context) for request in requests], _BATCH_TOKENS):
        some = [requests[place] for place in alike]
        statistics = maker.statistics(some)
        frames = [
            known.frames if own is None else own
            for own, known in zip((given[place] for place in alike), statistics, strict=True)
        ]
        for group in _groups([int(np.sum(row)) for row in frames], _BATCH_FRAMES):
            mels = maker.mels(
                [some[place] for place in group],
                [statistics[place] for place in group],
                [frames[place] for place in group],
            )
            made.update(zip((alike[place] for place in group), mels, strict=True))
    return [made[place] for place in range(len(requests))]


def vocode_batch(
    vocoder: Vocoder, mels: Sequence[NDArray[np.floating]], options: Sequence[VocoderOptions]
) -> list[NDArray[np.float32]]:
    """Return the samples [T * hop_length] of each mel [M, T], those of `Vocoder.__call__`.

    Padding would change what is heard near the end of a mel. So nothing is padded: every mel is cut into windows of one
    length that overlap by the receptive field, the last one reaching back as far as it must; windows of equal length,
    from whatever mels, go through the engine together.

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


def _groups(sizes: Sequence[int], limit: int) -> Iterator[list[int]]:
    """Yield places in the order of their sizes, in groups whose padded size does not exceed a limit, one at least."""
    group: list[int] = []
    for place in sorted(range(len(sizes)), key=lambda place: sizes[place]):
        if group and sizes[place] * (len(group) + 1) > limit:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


@dataclass(frozen=True)
class _Window:
    item: int
    first: int
    """First mel frame of the window."""
    start: int
    """First mel frame spoken."""
    end: int


def _windows(item: int, frames: int, length: int, context: int) -> list[_Window]:
    """Return windows of one length, which an engine takes together; those of a stream grow with what is known."""
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
