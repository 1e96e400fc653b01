"""Subtitles as files: SubRip (.srt) and WebVTT (.vtt), read strictly, each mistake named by its line."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glowvox.errors import DataError

_MOST_BYTES = 32 << 20
_MOST_CUES = 100_000
_MOST_SECONDS = 24 * 3600.0
_ARROW = "-->"
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<\d{1,2}:[^<>]{0,20}>|\{\\[^{}]{0,200}\}")
_DESCRIPTION = re.compile(r"(?<!\[)\[(?!\[)[^\[\]]{0,200}\](?!\])")
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
