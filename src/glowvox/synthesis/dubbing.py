"""Subtitles spoken into their time slots: one track, and how every cue came out."""

import html
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import ConfigError, DataError, TextError
from glowvox.synthesis.options import OptionOverrides
from glowvox.synthesis.script import Lexicon, Warn
from glowvox.synthesis.voice import Voice
from glowvox.text.marked_text import find_pause_tags

# Subtitles as files: SubRip (.srt) and WebVTT (.vtt), read strictly, each mistake named by its line.


_MOST_BYTES = 32 << 20
_MOST_CUES = 100_000
_MOST_SECONDS = 24 * 3600.0
_ARROW = "-->"
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<\d{1,2}:[^<>]{0,20}>|\{\\[^{}]{0,200}\}")
_DESCRIPTION = re.compile(r"(?<!\[)\[(?!\[|(?i:pause):)[^\[\]]{0,200}\](?!\])")
_MUSIC = re.compile("[♪♫♬]")
_DASH = re.compile(r"^\s*[-–—‐]\s*")


@dataclass(frozen=True)
class Subtitle:
    """A cue of a file of subtitles."""

    number: int
    """Counted from 1 in the order of time."""
    start: float
    """Seconds."""
    end: float
    """Seconds, after the start."""
    text: str
    """What is to be said, without markup; empty where nothing is."""
    line: int
    """Where it stands in the file."""


def read_subtitles(path: Path) -> list[Subtitle]:
    """Return the cues of a SubRip or WebVTT file, sorted by time.

    Tags, positions, descriptions of sounds in brackets, notes of music and the dashes of dialogues are left out of the
    texts; `[[ phonemes ]]` stay.

    Raises:
        DataError: it cannot be read, is not UTF-8, holds no cue, or a time is wrong; the message names the line.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path}: more than {_MOST_BYTES >> 20} MiB; cut it into several")
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (near byte {error.start}); save it as UTF-8") from error
    return parse_subtitles(content, str(path))


def parse_subtitles(content: str, name: str) -> list[Subtitle]:
    """Return the cues of a file's content; see `read_subtitles`.

    Raises:
        DataError: see there.
    """
    found: list[tuple[float, float, int, str]] = []
    for start_line, block in _blocks(content):
        place = next((index for index, line in enumerate(block) if _ARROW in line), None)
        if place is None:
            if _is_no_cue(block):
                continue
            raise DataError(f"{name}, line {start_line}: expected a number and 'start --> end', got '{block[0][:60]}'")
        start, end = _times(block[place], f"{name}, line {start_line + place}")
        found.append((start, end, start_line + place, plain_text("\n".join(block[place + 1 :]))))
        if len(found) > _MOST_CUES:
            raise DataError(f"{name}: more than {_MOST_CUES} cues; cut it into several files")
    if not found:
        raise DataError(f"{name}: holds no cue ('00:00:01,000 --> 00:00:02,500' and a text)")
    found.sort(key=lambda cue: (cue[0], cue[2]))
    return [Subtitle(number, start, end, text, line) for number, (start, end, line, text) in enumerate(found, 1)]


def plain_text(marked: str) -> str:
    """Return what is to be said in a cue's text, on one line."""
    lines = (_DASH.sub("", line) for line in _TAG.sub("", marked).splitlines())
    text = html.unescape(" ".join(lines))
    return " ".join(_MUSIC.sub(" ", _DESCRIPTION.sub(" ", text)).split())


def _blocks(content: str) -> Iterator[tuple[int, list[str]]]:
    """Yield runs of lines that are not blank, each with the number of its first line."""
    block: list[str] = []
    lines = content.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _is_no_cue(block: list[str]) -> bool:
    """Whether a block without times is one that WebVTT allows, or the empty remains of a cue."""
    first = block[0].split()[0]
    return first in ("WEBVTT", "NOTE", "STYLE", "REGION") or (len(block) == 1 and first.isdigit())


def _times(line: str, where: str) -> tuple[float, float]:
    before, _, after = line.partition(_ARROW)
    # WebVTT and some programs write settings behind the times.
    start, end = (_seconds(text.strip(), where) for text in (before, (after.split() or [""])[0]))
    if end <= start:
        raise DataError(f"{where}: the cue ends at {end:g} s, which is not after its start at {start:g} s")
    if end > _MOST_SECONDS:
        raise DataError(f"{where}: the cue ends after {end / 3600:.1f} hours; a track has at most 24")
    return start, end


def _seconds(text: str, where: str) -> float:
    match = _CLOCK.fullmatch(text)
    if match is None or int(match[2]) > 59 or int(match[3]) > 59:
        raise DataError(f"{where}: '{text[:40]}' is no time; write hours:minutes:seconds,milliseconds (00:01:02,345)")
    hours, minutes, seconds, fraction = match.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


HURRIED = 1.3
"""Pace, relative to the natural one, above which a cue is reported."""
_SILENCE_BLOCK = 1 << 16


@dataclass(frozen=True)
class Fit:
    """How cues may be fitted."""

    slowest: float = 0.8
    """The least pace, relative to the natural one; where a slot is longer, the rest of it is silent."""
    overrun: float = 0.0
    """Seconds that a hurried cue may go on after its slot, where the next one has not begun."""

    def __post_init__(self) -> None:
        if not 0.25 <= self.slowest <= 1.0:
            raise ConfigError(f"the slowest pace must lie between 0.25 and 1, got {self.slowest}")
        if not 0.0 <= self.overrun <= 60.0:
            raise ConfigError(f"a cue may overrun by 0 to 60 seconds, got {self.overrun}")


@dataclass(frozen=True)
class SpokenCue:
    """How a cue came out."""

    subtitle: Subtitle
    natural: float
    """Seconds that the text takes at the voice's own pace; 0: nothing to say."""
    spoken: float
    """Seconds that it takes in the track."""
    overlap: float = 0.0
    """Seconds at its end during which the next cue is spoken too."""
    problem: str = ""
    """Why it is silent."""

    @property
    def pace(self) -> float:
        """How much faster than naturally it is spoken; 1 where nothing is."""
        return self.natural / self.spoken if self.spoken else 1.0

    @property
    def hurried(self) -> bool:
        """Whether it needed more than 1.3 times the natural pace."""
        return self.pace > HURRIED


class Dubber:
    """Speaks cues with one voice."""

    def __init__(self, voice: Voice, fit: Fit | None = None) -> None:
        self._voice = voice
        self._fit = fit or Fit()

    def track(
        self,
        cues: Sequence[Subtitle],
        *,
        lexicon: Lexicon | None = None,
        on_warning: Warn | None = None,
        **overrides: Unpack[OptionOverrides],
    ) -> Iterator[tuple[NDArray[np.float32], SpokenCue | None]]:
        """Yield the track in pieces, from its beginning: samples [S], and the cue that was spoken just before, if any.

        Cues that overlap are heard together. Memory does not grow with the track.

        Args:
            cues: sorted by time.
            lexicon: see `Voice.say`.
            on_warning: see `Voice.say`.
            **overrides: see `Voice.say`; `speed` changes what the natural pace is.

        Raises:
            GlowvoxError: see `Voice.say`; a text without words is no error but a silent cue.
        """
        rate = self._voice.sample_rate
        waiting = np.zeros(0, np.float32)
        written = 0
        for cue, following in zip(cues, [*cues[1:], None], strict=True):
            first = round(cue.start * rate)
            # What lies before this cue is final: later cues begin later.
            ready = min(len(waiting), first - written)
            if ready:
                yield waiting[:ready], None
                waiting, written = waiting[ready:], written + ready
            while written < first:
                size = min(_SILENCE_BLOCK, first - written)
                yield np.zeros(size, np.float32), None
                written += size
            samples, spoken = self._speak(cue, following, lexicon, on_warning, overrides)
            if len(samples) > len(waiting):
                waiting = np.pad(waiting, (0, len(samples) - len(waiting)))
            waiting[: len(samples)] += samples
            yield waiting[:0], spoken
        end = max(round(cue.end * rate) for cue in cues)
        yield np.pad(waiting, (0, max(0, end - written - len(waiting)))), None

    def _speak(
        self,
        cue: Subtitle,
        following: Subtitle | None,
        lexicon: Lexicon | None,
        on_warning: Warn | None,
        overrides: OptionOverrides,
    ) -> tuple[NDArray[np.float32], SpokenCue]:
        nothing = np.zeros(0, np.float32)
        if not cue.text:
            return nothing, SpokenCue(cue, 0.0, 0.0, problem="nothing to say: the cue has no text")
        voice = self._voice
        try:
            rows = voice.durations(cue.text, lexicon=lexicon, on_warning=on_warning, **overrides)
        except TextError as error:
            return nothing, SpokenCue(cue, 0.0, 0.0, problem=str(error))
        frame_rate = voice.card.mel.frame_rate
        options = voice.options(**overrides)
        asked = [tag.seconds for tag in find_pause_tags(cue.text)] if options.pause_tags else []
        pauses = options.sentence_pause * max(0, len(rows) - 1 - len(asked)) + sum(asked)
        natural = float(sum(int(row.sum()) for row in rows)) / frame_rate + pauses
        # A token lasts a frame at least; nothing can be spoken faster than that.
        least = (sum(map(len, rows)) + 1) / frame_rate
        wanted = max(self._seconds(cue, following, natural), least)
        audio = voice.say(cue.text, slot=wanted, lexicon=lexicon, on_warning=_silent, **overrides)
        overlap = 0.0 if following is None else max(0.0, cue.start + audio.duration - following.start)
        return audio.samples, SpokenCue(cue, natural, audio.duration, overlap)

    def _seconds(self, cue: Subtitle, following: Subtitle | None, natural: float) -> float:
        """Return how long a cue shall last: its slot, unless that is too long, or too short and silence follows."""
        slot = cue.end - cue.start
        if natural <= slot:
            return min(slot, natural / self._fit.slowest)
        free = math.inf if following is None else max(0.0, following.start - cue.end)
        return min(natural, slot + min(self._fit.overrun, free))


def _silent(message: str) -> None:
    """Leave out warnings that were given already."""
