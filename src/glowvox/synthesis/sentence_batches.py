"""Many sentences in batches: those of like length are encoded, and decoded, together.

Each comes out with the samples that it has alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from glowvox.synthesis.batch_vocoding import vocode_batch
from glowvox.synthesis.plan import Part
from glowvox.synthesis.sentence_mels import MelMaker, SentenceMel
from glowvox.synthesis.sentence_speech import Samples, SentenceSpeech, options_of, request_of
from glowvox.synthesis.timing import Frames

_BATCH_TOKENS = 4000
_BATCH_FRAMES = 8000


def spoken_together(speech: SentenceSpeech, parts: Sequence[Part]) -> Iterator[tuple[Frames, Samples]]:
    """Yield the frames of the tokens [L] and the samples of sentences, in their order.

    Args:
        speech: what speaks.
        parts: the sentences, no silence among them.

    Raises:
        TextError, VoiceError, EngineError: see `MelMaker` and `Vocoder`.
    """
    lengths = [len(request_of(part).context) for part in parts]
    mels: dict[int, SentenceMel] = {}
    for group in _groups(lengths, _BATCH_TOKENS):
        mels.update(zip(group, _mels(speech.mels, [parts[place] for place in group]), strict=True))
    made = [mels[place] for place in range(len(parts))]
    wishes = [options_of(request_of(part)) for part in parts]
    samples = vocode_batch(speech.vocoder, [speech.bridged(mel.mel) for mel in made], wishes)
    yield from zip((mel.frames for mel in made), samples, strict=True)


def _mels(maker: MelMaker, parts: Sequence[Part]) -> list[SentenceMel]:
    requests = [request_of(part) for part in parts]
    statistics = maker.statistics(requests)
    frames = [
        known.frames if part.frames is None else part.frames for part, known in zip(parts, statistics, strict=True)
    ]
    made: dict[int, SentenceMel] = {}
    for group in _groups([int(np.sum(row)) for row in frames], _BATCH_FRAMES):
        chosen = [[row[place] for place in group] for row in (requests, statistics, frames)]
        made.update(zip(group, maker.mels(*chosen), strict=True))  # type: ignore[arg-type]
    return [made[place] for place in range(len(parts))]


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
