"""Duration control: a text fitted into a slot of time, or spoken with given lengths of its words or tokens."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from glowvox.align.prior import LONGEST_TOKEN, Frames
from glowvox.errors import TextError, counted
from glowvox.synthesis.options import DurationControl
from glowvox.synthesis.script import Part
from glowvox.synthesis.sentence_mels import (
    MelSynthesizer,
    Statistics,
    written_text,
    written_word_of_token,
    written_words,
)


def with_durations(parts: Iterable[Part], control: DurationControl, mels: MelSynthesizer) -> Iterator[Part]:
    """Apply duration control to the parts of a text, all of which is measured before the first is yielded.

    Args:
        parts: all lines of the text.
        control: how long the text, its words or its tokens shall last.
        mels: of the voice.

    Raises:
        TextError: the durations do not fit the text.
        VoiceError, EngineError: see `MelSynthesizer.statistics`.
    """
    whole, frame_rate = list(parts), mels.engine.audio.frame_rate
    statistics = [measured(part, mels) for part in whole]
    if control.token_durations is not None:
        yield from _by_tokens(whole, control.token_durations)
    elif control.word_durations is not None:
        yield from _by_words(whole, statistics, control.word_durations, frame_rate)
    elif control.slot is not None:
        yield from _by_slot(whole, statistics, control.slot, frame_rate)


def measured(part: Part, mels: MelSynthesizer) -> Statistics | None:
    """Return the durations of a part, None for silence; what else the encoder said is not kept.

    Raises:
        TextError, VoiceError, EngineError: see `MelSynthesizer.statistics`.
    """
    if part.request is None:
        return None
    [known] = mels.statistics([part.request])
    nothing = np.empty((0, 0), np.float32)
    return replace(known, mean=nothing, log_std=nothing)


def _by_tokens(parts: Sequence[Part], durations: Sequence[Frames]) -> list[Part]:
    spoken = sum(part.request is not None for part in parts)
    if spoken != len(durations):
        told = counted(len(durations), "row")
        raise TextError(f"{told} of durations given, the text has {counted(spoken, 'sentence')}")
    rows = iter(durations)
    return [part if part.request is None else replace(part, frames=next(rows)) for part in parts]


def _by_words(
    parts: Sequence[Part],
    statistics: Sequence[Statistics | None],
    seconds: Sequence[float | None],
    frame_rate: float,
) -> list[Part]:
    groups = [[] if part.request is None else written_words(part.request.sentence) for part in parts]
    count = sum(map(len, groups))
    if count != len(seconds):
        raise TextError(f"{counted(len(seconds), 'duration')} given, the text has {counted(count, 'word')}")
    result, place = [], 0
    for part, known, words in zip(parts, statistics, groups, strict=True):
        wished, place = seconds[place : place + len(words)], place + len(words)
        if part.request is None or known is None:
            result.append(part)
            continue
        sentence = part.request.sentence
        names = [written_text(sentence, group) for group in words]
        owner = written_word_of_token(sentence, part.request.tokens)
        result.append(replace(part, frames=frames_of_words(known.frames, owner, wished, frame_rate, names)))
    return result


def _by_slot(
    parts: Sequence[Part], statistics: Sequence[Statistics | None], slot: float, frame_rate: float
) -> list[Part]:
    """Let sentences and pauses shrink and grow together, as far as tokens can."""
    if not 0 < slot < math.inf:
        raise TextError(f"a slot of time must be a positive number of seconds, got {slot}")
    natural = [int(known.frames.sum()) for known in statistics if known is not None]
    tokens = [len(known.frames) for known in statistics if known is not None]
    if not tokens:
        raise TextError("a text without words cannot be fitted into a slot of time")
    # Compared before it is rounded, which a number beyond all frames cannot be.
    if not sum(tokens) <= slot * frame_rate < LONGEST_TOKEN * sum(tokens) + 1:
        raise TextError(
            f"the text does not fit into {slot:g} s: it takes {sum(tokens) / frame_rate:.2f} s at least"
            f" and {LONGEST_TOKEN * sum(tokens) / frame_rate:.0f} s at most"
        )
    total = int(slot * frame_rate)
    # What the text asks for stays as long as it is, where there is room for it.
    asked = sum(part.line.pause_before for part in parts if part.line.asked)
    exact = math.ceil(asked * frame_rate) <= total - sum(tokens)
    total -= math.ceil(asked * frame_rate) if exact else 0
    silence = sum(part.line.pause_before for part in parts if not (exact and part.line.asked)) * frame_rate
    pauses = min(int(total * silence / (sum(natural) + silence)), total - sum(tokens))
    stretch = pauses / silence if silence else 0.0
    shares = iter(shared_slot(natural, tokens, total - pauses))
    result = []
    for part, known in zip(parts, statistics, strict=True):
        kept = 1.0 if exact and part.line.asked else stretch
        line = replace(part.line, pause_before=part.line.pause_before * kept)
        frames = None if known is None else fitted_frames(known.weights, next(shares))
        result.append(Part(line, part.request, frames))
    return result


def fitted_frames(weights: NDArray[np.floating] | Frames, total: int) -> Frames:
    """Share `total` frames among tokens in proportion to their weights, at least one for each.

    Rounded by the largest remainder: no token is a whole frame away from its share, and the sum is exact.

    Args:
        weights: [L], not negative.
        total: frames in all, at least L.

    Raises:
        TextError: there are fewer frames than tokens.
    """
    count = len(weights)
    if total < count:
        raise TextError(f"{total} frames are too few for {count} tokens, which need at least one each")
    sizes = np.maximum(np.asarray(weights, np.float64), 1e-9)
    frames = np.ones(count, np.int64)
    free = np.ones(count, np.bool_)
    while True:
        share = sizes[free] / sizes[free].sum() * (total - (count - free.sum()))
        small = share < 1
        if not small.any():
            break
        free[np.flatnonzero(free)[small]] = False
    whole = np.floor(share).astype(np.int64)
    missing = int(total - (count - free.sum()) - whole.sum())
    whole[np.argsort(whole - share, kind="stable")[:missing]] += 1
    frames[free] = whole
    return frames


def frames_of_words(
    predicted: Frames,
    word_of_token: Sequence[int],
    seconds: Sequence[float | None],
    frame_rate: float,
    names: Sequence[str],
) -> Frames:
    """Return durations in which words last as long as asked for, their tokens in proportion to the prediction.

    Args:
        predicted: [L] frames per token.
        word_of_token: [L], index of the word that a token belongs to, -1 for none.
        seconds: one for each word; None: as predicted.
        frame_rate: frames per second.
        names: the words, for messages.

    Raises:
        TextError: a duration is no positive number, or too short or too long for its word; the message names it.
    """
    frames = predicted.copy()
    owner = np.asarray(word_of_token)
    for word, wished in enumerate(seconds):
        if wished is None:
            continue
        tokens = np.flatnonzero(owner == word)
        # Compared before it is rounded, which NaN and numbers beyond all frames cannot be.
        most = LONGEST_TOKEN * len(tokens)
        if not 0 < wished * frame_rate < most + 1 or not len(tokens) <= round(wished * frame_rate) <= most:
            raise TextError(
                f"the word '{names[word]}' cannot last {wished} s: it takes {len(tokens) / frame_rate:.3f} s at least"
                f" and {most / frame_rate:.0f} s at most"
            )
        frames[tokens] = fitted_frames(predicted[tokens], round(wished * frame_rate))
    return frames


def shared_slot(counts: Sequence[int], tokens: Sequence[int], total: int) -> list[int]:
    """Share `total` frames among sentences in proportion to their predicted frames, at least one frame per token.

    Args:
        counts: predicted frames of each sentence.
        tokens: tokens of each sentence.
        total: frames in all.

    Raises:
        TextError: too few frames for the tokens, or more than tokens may last.
    """
    least = sum(tokens)
    if not least <= total <= LONGEST_TOKEN * least:
        raise TextError(f"{total} frames do not fit {least} tokens")
    extra = np.asarray(counts, np.float64)
    # Every sentence is given its least; the rest is shared by what it wants beyond that.
    beyond = np.maximum(extra - tokens, 0.0) + 1e-6 * extra
    ideal = beyond / beyond.sum() * (total - least)
    whole = np.floor(ideal).astype(np.int64)
    missing = int(total - least - whole.sum())
    whole[np.argsort(whole - ideal, kind="stable")[:missing]] += 1
    return [int(more) + own for more, own in zip(whole, tokens, strict=True)]
