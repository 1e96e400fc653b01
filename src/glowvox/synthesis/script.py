"""From a text, whole or in pieces, to the lines of a script: sentences with the silences before them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glowvox.errors import ConfigError, TextError
from glowvox.synthesis.duration_control import LONGEST_TOKEN, Frames, fitted_frames, frames_of_words, shared_slot
from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.sentence_mels import MelSynthesizer, Request, Statistics
from glowvox.synthesis.timestamps import written_text, written_word_of_token, written_words
from glowvox.text.front_end import FrontEnd
from glowvox.text.sentences import SentenceLimits, SentenceStream
from glowvox.text.utterance import Pause, PauseLengths, Sentence, Word

_PIECE = 2000
"""Characters of a whole text that are split at once."""
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_NOTHING = "nothing to say"
_LIMITS = SentenceLimits()

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Line:
    """A sentence, and the silence before it. One without items is silence (and marks) only."""

    sentence: Sentence
    """Its span counts characters of the whole text (of SSML: without the tags)."""
    pause_before: float = 0.0
    """Seconds."""


def plain_lines(pieces: Iterable[str], front_end: FrontEnd, options: SpeechOptions, warn: Warn) -> Iterator[Line]:
    """Yield the lines of a plain text as soon as its pieces allow; memory does not grow with the text.

    Args:
        pieces: the text, cut anywhere.
        front_end: of the text's language.
        options: the pauses.
        warn: told of everything that was guessed, replaced or left out, each once.

    Raises:
        TextError: a piece is no text, or nothing in all of them can be spoken.
    """
    known: set[str] = set()
    spoken, paragraph = False, False
    for text, place, after_blank_line in _sentences(pieces):
        paragraph = paragraph or after_blank_line
        utterance = front_end.process(text, pauses=PauseLengths(0.0, 0.0), limits=_LIMITS)
        for warning in utterance.warnings:
            if not warning.startswith(_NOTHING) and warning not in known:
                known.add(warning)
                warn(warning)
        pause = options.paragraph_pause if paragraph else options.sentence_pause
        pause = pause if spoken else 0.0
        for sentence in utterance.sentences:
            yield Line(moved(sentence, place), pause)
            pause, spoken, paragraph = 0.0, True, False
    if not spoken:
        raise TextError(f"{_NOTHING}: the text holds no word that can be spoken")


def ssml_lines(document: str, front_end: FrontEnd, options: SpeechOptions, warn: Warn) -> Iterator[Line]:
    """Yield the lines of an SSML document; the last one may be silence.

    Raises:
        TextError: the document is not of the subset that is read, or holds neither a word nor a silence.
    """
    pauses = PauseLengths(options.sentence_pause, options.paragraph_pause)
    utterance = front_end.process_ssml(document, pauses=pauses, limits=_LIMITS)
    for warning in utterance.warnings:
        if not warning.startswith(_NOTHING):
            warn(warning)
    silence = 0.0
    if not any(sentence.items or sentence.pause_after for sentence in utterance.sentences):
        raise TextError(f"{_NOTHING}: the SSML document holds no word that can be spoken")
    for sentence in utterance.sentences:
        yield Line(sentence, silence)
        silence = sentence.pause_after
    if silence:
        yield Line(Sentence("", (), (0, 0)), silence)


def pieces_of(text: str | Iterable[str]) -> Iterator[str]:
    """Yield a text in pieces of a moderate length.

    Raises:
        TextError: it is no text, or a piece of it is none.
    """
    if not isinstance(text, str | Iterable) or isinstance(text, bytes):
        raise TextError(f"a text is a string or an iterator of strings, got a {type(text).__name__}")
    for piece in [text] if isinstance(text, str) else text:
        if not isinstance(piece, str):
            raise TextError(f"a text comes in pieces of text, got a {type(piece).__name__}")
        yield from (piece[start : start + _PIECE] for start in range(0, len(piece), _PIECE))


def _sentences(pieces: Iterable[str]) -> Iterator[tuple[str, int, bool]]:
    """Yield sentences, each with its place in the text and whether a blank line stands before it.

    Inline phonemes, which may hold full stops, are put together again where the splitter cut them.
    """
    stream = SentenceStream(_LIMITS.max_characters)
    pending, offset = "", 0

    def located(sentence: str) -> tuple[str, int, bool]:
        nonlocal pending, offset
        rest = pending.lstrip()
        gap = pending[: len(pending) - len(rest)]
        place = offset + len(gap)
        pending, offset = rest[len(sentence) :], place + len(sentence)
        return sentence, place, _BLANK_LINE.search(gap) is not None

    def found() -> Iterator[tuple[str, int, bool]]:
        nonlocal pending
        for piece in pieces:
            pending += piece
            yield from map(located, stream.push(piece))
        yield from map(located, stream.flush())

    open_one: tuple[str, int, bool] | None = None
    for sentence, place, after_blank_line in found():
        if open_one is not None:
            text, start, blank = open_one
            joined = text + " " * (place - start - len(text)) + sentence
            if len(joined) <= _LIMITS.max_characters and not after_blank_line:
                open_one = (joined, start, blank)
            else:
                yield open_one
                open_one = (sentence, place, after_blank_line)
        else:
            open_one = (sentence, place, after_blank_line)
        if open_one[0].count("[[") <= open_one[0].count("]]"):
            yield open_one
            open_one = None
    if open_one is not None:
        yield open_one


def moved(sentence: Sentence, places: int) -> Sentence:
    """Return a sentence whose spans are moved by a number of characters."""
    if not places:
        return sentence

    def later(item: Word | Pause) -> Word | Pause:
        return replace(item, span=(item.span[0] + places, item.span[1] + places))

    items = tuple(later(item) for item in sentence.items)
    return replace(sentence, items=items, span=(sentence.span[0] + places, sentence.span[1] + places))


@dataclass(frozen=True)
class DurationControl:
    """Duration control: how long a whole text shall take; at most one of the three is set."""

    slot: float | None = None
    """Seconds of the whole audio, pauses included."""
    word_durations: Sequence[float | None] | None = None
    """Seconds of each word as written, in the order of `Audio.words`; None: as the voice speaks it."""
    token_durations: Sequence[Frames] | None = None
    """Frames [L] of the tokens of each sentence, as `Voice.durations` gives them."""

    def __post_init__(self) -> None:
        given = [control for control in (self.slot, self.word_durations, self.token_durations) if control is not None]
        if len(given) > 1:
            raise ConfigError("give one of slot, word_durations and token_durations")

    @property
    def empty(self) -> bool:
        """Whether the voice decides."""
        return self.slot is None and self.word_durations is None and self.token_durations is None

    def samples(self, sample_rate: int) -> int | None:
        """Return the samples of the whole audio; None: as many as it has."""
        return None if self.slot is None or not np.isfinite(self.slot) else round(self.slot * sample_rate)


@dataclass(frozen=True, eq=False)
class Part:
    """A line of the script on its way to be spoken."""

    line: Line
    request: Request | None
    """None: the line is silence only."""
    frames: Frames | None = None
    """How long each token [L] lasts; None: as predicted."""


def with_durations(parts: Iterable[Part], control: DurationControl, mels: MelSynthesizer) -> Iterator[Part]:
    """Apply duration control to the parts of a text; where any is asked for, all of it is measured before the first.

    Args:
        parts: all lines of the text.
        control: how long the text, its words or its tokens shall last.
        mels: of the voice.

    Raises:
        TextError: the durations do not fit the text.
        VoiceError, EngineError: see `MelSynthesizer.statistics`.
    """
    if control.empty:
        yield from parts
        return
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
        raise TextError(f"{len(durations)} rows of durations are given, the text has {spoken} sentences")
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
        raise TextError(f"{len(seconds)} durations are given, the text has {count} words")
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
    if not np.isfinite(slot) or slot <= 0:
        raise TextError(f"a slot of time must be a positive number of seconds, got {slot}")
    natural = [int(known.frames.sum()) for known in statistics if known is not None]
    tokens = [len(known.frames) for known in statistics if known is not None]
    if not tokens:
        raise TextError("a text without words cannot be fitted into a slot of time")
    total = int(slot * frame_rate)
    if not sum(tokens) <= total <= LONGEST_TOKEN * sum(tokens):
        raise TextError(
            f"the text does not fit into {slot:g} s: it takes {sum(tokens) / frame_rate:.2f} s at least"
            f" and {LONGEST_TOKEN * sum(tokens) / frame_rate:.0f} s at most"
        )
    silence = sum(part.line.pause_before for part in parts) * frame_rate
    pauses = min(int(total * silence / (sum(natural) + silence)), total - sum(tokens))
    stretch = pauses / silence if silence else 0.0
    shares = iter(shared_slot(natural, tokens, total - pauses))
    result = []
    for part, known in zip(parts, statistics, strict=True):
        line = replace(part.line, pause_before=part.line.pause_before * stretch)
        frames = None if known is None else fitted_frames(known.weights, next(shares))
        result.append(Part(line, part.request, frames))
    return result
