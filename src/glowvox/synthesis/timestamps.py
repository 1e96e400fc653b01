"""Subtitles and timestamps: times of words as files that other programs read (SubRip, WebVTT, TextGrid, CTM, JSON)."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from glowvox.audio.atomic_file import replacing
from glowvox.audio.sound import Audio, AudioChunk, TimedMark, TimedPhoneme, TimedWord
from glowvox.errors import AudioError

_MOST_CHARACTERS = 84
"""Two lines of 42, what subtitles have."""
_MOST_SECONDS = 7.0


@dataclass(frozen=True)
class Timeline:
    """Times of the words and marks in an audio, without its samples."""

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


@dataclass(frozen=True)
class Cue:
    """A subtitle cue: words put together that a reader can follow."""

    text: str
    """One line."""
    start: float
    """Seconds."""
    end: float
    """Seconds."""


def write_timestamps(timeline: Timeline, path: str | os.PathLike[str]) -> None:
    """Write the times of words; what was there before stays until it is complete.

    Raises:
        AudioError: the name does not end in .srt, .vtt, .TextGrid, .json or .ctm, or it cannot be written.
    """
    content = timestamp_format(path)(timeline).encode("utf-8")
    with replacing(path) as stream:
        stream.write(content)


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


FORMATS: dict[str, Callable[[Timeline], str]] = {".srt": srt, ".vtt": vtt, ".textgrid": textgrid, ".json": as_json}


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
