"""When the words, phonemes and marks of a sentence are spoken, from the frames of its tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.sound import TimedMark, TimedPhoneme, TimedWord
from glowvox.text.tokenizer import TokenSequence
from glowvox.text.utterance import Sentence, Word


@dataclass(frozen=True)
class Clock:
    """Turns frames of a sentence into seconds of the whole audio."""

    start: float
    """Seconds of audio before the sentence."""
    frame_rate: float
    """Mel frames per second."""

    def seconds(self, frames: int) -> float:
        """Return when a number of frames has passed."""
        return self.start + frames / self.frame_rate


def written_words(sentence: Sentence) -> list[list[int]]:
    """Return, for each word as written, the indices of the words that it is spoken as: `$3` is three dollars."""
    words = sentence.words
    return [[*group] for _, group in groupby(range(len(words)), key=lambda index: _place(words, index))]


def written_word_of_token(sentence: Sentence, tokens: TokenSequence) -> list[int]:
    """Return the index of the written word that each token belongs to, -1 for none.

    What stands between two spoken words of one written word belongs to it.
    """
    number_of = {index: number for number, group in enumerate(written_words(sentence)) for index in group}
    owner = [number_of.get(word, -1) for word in tokens.words]
    last: dict[int, int] = {number: place for place, number in enumerate(owner) if number >= 0}
    current = -1
    for place, number in enumerate(owner):
        current = number if number >= 0 else current
        if number < 0 <= current and place < last[current]:
            owner[place] = current
    return owner


def written_text(sentence: Sentence, group: Sequence[int]) -> str:
    """Return a word as it was written; as it is spoken where nothing was (a substitution)."""
    words = sentence.words
    start, end = words[group[0]].span
    return sentence.text[start - sentence.span[0] : end - sentence.span[0]].strip() or words[group[0]].text


def timed_words(
    sentence: Sentence, tokens: TokenSequence, frames: NDArray[np.int64], clock: Clock
) -> tuple[TimedWord, ...]:
    """Return the words, as written, with their times and phonemes.

    Args:
        sentence: what is spoken.
        tokens: its tokens (L).
        frames: [L], how long each lasts.
        clock: tells the seconds.
    """
    ends = np.cumsum(frames)
    borders = np.concatenate([[0], ends])
    places: dict[tuple[int, int], tuple[int, int]] = {}
    for token, key in enumerate(zip(tokens.words, tokens.phonemes, strict=True)):
        first = places.get(key, (int(borders[token]), 0))[0]
        places[key] = (first, int(borders[token + 1]))
    spans = _gaps(sentence)
    words = sentence.words
    result = []
    groups = written_words(sentence)
    for number, group in enumerate(groups):
        phonemes = tuple(
            TimedPhoneme(phoneme, clock.seconds(places[index, place][0]), clock.seconds(places[index, place][1]))
            for index in group
            for place, phoneme in enumerate(words[index].phonemes)
        )
        result.append(
            TimedWord(
                written_text(sentence, group),
                phonemes[0].start,
                phonemes[-1].end,
                phonemes,
                before=spans[0] if number == 0 else "",
                after=spans[number + 1],
                ends_sentence=number == len(groups) - 1,
            )
        )
    return tuple(result)


def timed_marks(sentence: Sentence, tokens: TokenSequence, frames: NDArray[np.int64], clock: Clock) -> list[TimedMark]:
    """Return the marks of a sentence: each is reached when the word after it begins, or at the sentence's end."""
    borders = np.concatenate([[0], np.cumsum(frames)])
    starts: dict[int, int] = {}
    for token, word in enumerate(tokens.words):
        starts.setdefault(word, int(borders[token]))
    return [
        TimedMark(mark.name, clock.seconds(starts.get(mark.word_index, int(borders[-1])))) for mark in sentence.marks
    ]


def _place(words: Sequence[Word], index: int) -> tuple[int, int] | int:
    """Return what words of one written word have in common; words without a place of their own stand alone."""
    start, end = words[index].span
    return (start, end) if start < end else -index - 1


def _gaps(sentence: Sentence) -> list[str]:
    """Return what is written before the first word, between words, and after the last one."""
    offset, text = sentence.span[0], sentence.text
    groups = written_words(sentence)
    gaps, place = [], 0
    for group in groups:
        start, end = sentence.words[group[0]].span
        gaps.append(text[place : max(place, start - offset)])
        place = max(place, end - offset)
    last = text[place:]
    return [*gaps, last if last[-1:].isspace() else last + " "]
