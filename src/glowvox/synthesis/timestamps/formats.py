"""The formats themselves, each a function from a timeline to text."""

import json
from collections.abc import Iterator, Sequence

from glowvox.audio.sound import TimedPhoneme, TimedWord
from glowvox.synthesis.timestamps.cues import cues
from glowvox.synthesis.timestamps.timeline import Timeline


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
