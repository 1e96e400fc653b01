"""Times of words as files that other programs read: SubRip, WebVTT, Praat's TextGrid, JSON."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.audio.sound import Audio, AudioChunk, TimedMark, TimedPhoneme, TimedWord
from glowvox.errors import AudioError
from glowvox.text.tokenizer import TokenSequence
from glowvox.text.utterance import Sentence, Word

# What is known of the times in an audio, without its samples.


@dataclass(frozen=True)
class Timeline:
    """Words and marks, and how long the audio is."""

    words: tuple[TimedWord, ...]
    marks: tuple[TimedMark, ...]
    duration: float
    """Seconds."""

    @classmethod
    def of(cls, sounds: Iterable[Audio | AudioChunk]) -> "Timeline":
        """Return the timeline of an audio, or of the chunks that it comes in."""
        words: list[TimedWord] = []
        marks: list[TimedMark] = []
        duration = 0.0
        for sound in sounds:
            words.extend(sound.words)
            marks.extend(sound.marks)
            duration += sound.duration
        return cls(tuple(words), tuple(marks), duration)


# Subtitles: words put together to cues that a reader can follow.


_MOST_CHARACTERS = 84
"""Two lines of 42, what subtitles have."""
_MOST_SECONDS = 7.0


@dataclass(frozen=True)
class Cue:
    """A subtitle."""

    text: str
    """One line."""
    start: float
    """Seconds."""
    end: float
    """Seconds."""


def cues(words: Sequence[TimedWord]) -> list[Cue]:
    """Return the subtitles of words: one for each sentence, more where it is too long to be read at once."""
    found: list[Cue] = []
    row: list[TimedWord] = []
    for word in words:
        if row and not _fits([*row, word]):
            found.append(_cue(row))
            row = []
        row.append(word)
        if word.ends_sentence:
            found.append(_cue(row))
            row = []
    return [*found, _cue(row)] if row else found


def _fits(row: Sequence[TimedWord]) -> bool:
    return len(_text(row)) <= _MOST_CHARACTERS and row[-1].end - row[0].start <= _MOST_SECONDS


def _cue(row: Sequence[TimedWord]) -> Cue:
    return Cue(_text(row), row[0].start, row[-1].end)


def _text(row: Sequence[TimedWord]) -> str:
    return " ".join("".join(word.before + word.text + word.after for word in row).split())


# The formats themselves, each a function from a timeline to text.


def srt(timeline: Timeline) -> str:
    """Return SubRip subtitles."""
    blocks = [
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues(timeline.words), 1)
    ]
    return "\n".join(blocks)


def vtt(timeline: Timeline) -> str:
    """Return WebVTT subtitles (W3C); `<` and `&` are written as entities."""
    blocks = ["WEBVTT\n"]
    for cue in cues(timeline.words):
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{text}\n")
    return "\n".join(blocks)


def textgrid(timeline: Timeline) -> str:
    """Return a TextGrid (Praat, long format) with the tiers `words` and `phones`; they cover all of it without gaps."""
    tiers = {
        "words": list(_covering(timeline.words, timeline.duration)),
        "phones": list(_covering([phone for word in timeline.words for phone in word.phonemes], timeline.duration)),
    }
    end = _number(timeline.duration)
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, intervals) in enumerate(tiers.items(), 1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {end}", f"        intervals: size = {len(intervals)}"]
        for place, (start, stop, text) in enumerate(intervals, 1):
            quoted = text.replace('"', '""')
            lines += [f"        intervals [{place}]:", f"            xmin = {_number(start)}"]
            lines += [f"            xmax = {_number(stop)}", f'            text = "{quoted}"']
    return "\n".join(lines) + "\n"


def as_json(timeline: Timeline) -> str:
    """Return words with their phonemes, and marks, as JSON; seconds."""
    content = {
        "duration": round(timeline.duration, 6),
        "words": [
            {
                "text": word.text,
                "start": round(word.start, 6),
                "end": round(word.end, 6),
                "ends_sentence": word.ends_sentence,
                "phonemes": [
                    {"text": phone.text, "start": round(phone.start, 6), "end": round(phone.end, 6)}
                    for phone in word.phonemes
                ],
            }
            for word in timeline.words
        ],
        "marks": [{"name": mark.name, "time": round(mark.time, 6)} for mark in timeline.marks],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def ctm(timeline: Timeline, name: str = "audio", *, phones: bool = False) -> str:
    """Return a CTM file (NIST, time-marked conversation): recording, channel, start, length and word in each row.

    Args:
        timeline: the words.
        name: of the recording.
        phones: whether the rows are phonemes instead of words.
    """
    spoken: Sequence[TimedWord] | Sequence[TimedPhoneme] = timeline.words
    if phones:
        spoken = [phone for word in timeline.words for phone in word.phonemes]
    recording = "_".join(name.split()) or "audio"
    rows = (
        f"{recording} 1 {one.start:.3f} {max(0.0, one.end - one.start):.3f} {'_'.join(one.text.split())}"
        for one in spoken
    )
    return "".join(f"{row}\n" for row in rows)


def _clock(seconds: float, separator: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{separator}{rest % 1000:03}"


def _number(seconds: float) -> str:
    return f"{seconds:.6f}"


def _covering(
    spoken: Sequence[TimedWord] | Sequence[TimedPhoneme], duration: float
) -> Iterator[tuple[float, float, str]]:
    """Yield intervals from 0 to the end, with empty ones where nothing is spoken."""
    place = 0.0
    for one in spoken:
        start, end = min(one.start, duration), min(one.end, duration)
        if start > place and _number(start) != _number(place):
            yield place, start, ""
        if end > start:
            yield start, end, " ".join(one.text.split())
            place = end
    if duration > place and _number(duration) != _number(place):
        yield place, duration, ""


# Writing the times of words to a file whose name says the format.


FORMATS: dict[str, Callable[[Timeline], str]] = {".srt": srt, ".vtt": vtt, ".textgrid": textgrid, ".json": as_json}


def timestamp_format(path: str | os.PathLike[str]) -> Callable[[Timeline], str]:
    """Return what makes the content of a file of that name.

    A `.ctm` file names its recording in every row: by its own name. One that ends in `.phones.ctm` holds phonemes.

    Raises:
        AudioError: the name does not end in one of the formats.
    """
    suffix = Path(path).suffix
    if suffix.lower() == ".ctm":
        stem = Path(path).stem
        phones = stem.lower().endswith(".phones")
        return partial(ctm, name=stem[: -len(".phones")] if phones else stem, phones=phones)
    if suffix.lower() not in FORMATS:
        raise AudioError(f"{path}: times of words are written as .srt, .vtt, .TextGrid, .json or .ctm, not '{suffix}'")
    return FORMATS[suffix.lower()]


def write_timestamps(timeline: Timeline, path: str | os.PathLike[str]) -> None:
    """Write the times of words; what was there before stays until it is complete.

    Raises:
        AudioError: the name does not end in .srt, .vtt, .TextGrid, .json or .ctm, or it cannot be written.
    """
    content = timestamp_format(path)(timeline).encode("utf-8")
    with replacing(path) as stream:
        stream.write(content)


# When the words, phonemes and marks of a sentence are spoken, from the frames of its tokens.


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
