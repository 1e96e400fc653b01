"""Files of subtitles: SubRip (.srt), WebVTT (.vtt) and SubStation Alpha (.ass, .ssa), and what is to be said in them.

A wrong time is an error that names its line. What files as they lie about have besides is read, with a warning: blank
lines inside a cue, cues of no length, captions that roll, other encodings. What nobody says is left out: markup, who
speaks, sounds, adverts.
"""

import bisect
import html
import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from glowvox.errors import ConfigError, DataError
from glowvox.storage.text_files import read_text

_MOST_BYTES = 32 << 20
_MOST_CUES = 100_000
_MOST_SECONDS = 24 * 3600.0
_ARROW = "-->"
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})")
_TIMING = re.compile(rf"\s*{_CLOCK.pattern}\s*{_ARROW}\s*{_CLOCK.pattern}(?:\s.*)?")
_LIKE_A_TIME = re.compile(r"\s*\d{1,3}:\d{1,2}.*->|\s*\d{1,2}:\d{1,2}:\d{1,2}[,.]\d")

LEFT_OUT = ("labels", "sounds", "adverts", "repeats")
"""What is left out unless it is kept: who speaks, `(sighs)` and `[music]`, adverts, lines of rolling captions again."""


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


@dataclass(frozen=True)
class SubtitleFile:
    """What a file of subtitles holds."""

    cues: list[Subtitle]
    """Sorted by time."""
    form: str
    """SubRip, WebVTT or SubStation Alpha."""
    encoding: str = "UTF-8"
    left_out: dict[str, int] = field(default_factory=dict)
    """How often something was left out, by the names of `LEFT_OUT`."""
    warnings: list[str] = field(default_factory=list)
    """What was read though it is not as it should be, a line each."""


def read_subtitle_file(path: Path, keep: Collection[str] = ()) -> SubtitleFile:
    """Return what a file of subtitles holds.

    Args:
        path: the file, in UTF-8, UTF-16 with a mark, or cp1252.
        keep: names of `LEFT_OUT` that are spoken all the same.

    Raises:
        DataError: it cannot be read, holds no cue, or a time is wrong; the message names the line.
        ConfigError: an unknown name in `keep`.
    """
    content, encoding = read_text(path, _MOST_BYTES)
    found = parse_subtitle_file(content, str(path), keep)
    guessed = [f"{path} is read as {encoding.name}, since it is not UTF-8; listen for wrong letters"]
    warnings = (guessed if encoding.is_guessed else []) + found.warnings
    return replace(found, encoding=encoding.name, warnings=warnings)


def read_subtitles(path: Path, keep: Collection[str] = ()) -> list[Subtitle]:
    """Return the cues of a SubRip, WebVTT or SubStation Alpha file, sorted by time.

    Tags, positions, who speaks, descriptions of sounds, notes of music, adverts and the dashes of dialogues are left
    out of the texts; `[[ phonemes ]]` stay. `read_subtitle_file` also tells what was found.

    Args:
        path: see `read_subtitle_file`.
        keep: see there.

    Raises:
        DataError: see there.
        ConfigError: see there.
    """
    return read_subtitle_file(path, keep).cues


def parse_subtitles(content: str, name: str, keep: Collection[str] = ()) -> list[Subtitle]:
    """Return the cues of a file's content; see `read_subtitles`.

    Raises:
        DataError: see there.
        ConfigError: see there.
    """
    return parse_subtitle_file(content, name, keep).cues


def parse_subtitle_file(content: str, name: str, keep: Collection[str] = ()) -> SubtitleFile:
    """Return what a file's content holds; see `read_subtitle_file`.

    Raises:
        DataError: see there.
        ConfigError: see there.
    """
    unknown = sorted(set(keep) - set(LEFT_OUT))
    if unknown:
        raise ConfigError(f"'{unknown[0]}' cannot be kept; there are {', '.join(LEFT_OUT)}")
    lines = content.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    beginning = next((line.strip().lstrip("\ufeff") for line in lines if line.strip()), "")
    warnings: list[str] = []
    if beginning.startswith("[") and any(line.strip().lower() == "[events]" for line in lines):
        form, cues = "SubStation Alpha", _substation_cues(lines, name)
    else:
        webvtt = beginning.split()[:1] == ["WEBVTT"] or name.lower().endswith(".vtt")
        form, cues = "WebVTT" if webvtt else "SubRip", _timed_cues(lines, name, warnings, webvtt=webvtt)
    if not cues:
        raise DataError(f"{name}: holds no cue ('00:00:01,000 --> 00:00:02,500' and a text)")
    if len(cues) > _MOST_CUES:
        raise DataError(f"{name}: more than {_MOST_CUES} cues; cut it into several files")
    cues.sort(key=lambda cue: (cue.start, cue.line))
    left_out: Counter[str] = Counter()
    spoken = _cleaned(cues, set(keep), left_out)
    if "repeats" not in keep:
        spoken = _spoken_once(spoken, name, left_out, warnings)
    subtitles = _with_lengths(spoken, name, warnings)
    counted = {name: left_out[name] for name in LEFT_OUT if left_out[name]}
    return SubtitleFile(subtitles, form, left_out=counted, warnings=warnings)


@dataclass(frozen=True)
class _Cue:
    """A cue as it stands in the file."""

    start: float
    end: float
    lines: list[str]
    line: int


def _timed_cues(lines: list[str], name: str, warnings: list[str], *, webvtt: bool) -> list[_Cue]:
    """Return the cues of SubRip and WebVTT."""
    cues: list[_Cue] = []
    number = 0  # of the cue before, where cues are numbered
    for first, block in _blocks(lines, webvtt=webvtt):
        places = [index for index, line in enumerate(block) if _ARROW in line][:1]
        if not places:
            if not _is_no_cue(block, webvtt=webvtt):
                _continue_cue(cues, block, number, name, first, warnings)
            continue
        places += [index for index in range(places[0] + 1, len(block)) if _TIMING.fullmatch(block[index])]
        for place, following in zip(places, [*places[1:], len(block)], strict=True):
            start, end = _times(block[place], f"{name}, line {first + place}")
            above = block[place - 1].strip() if place else ""
            number = int(above) if _is_number(above) else number
            # Where no blank line parts two cues, the number of the second stands below the text of the first.
            stop = following - (following < len(block) and _is_number(block[following - 1]))
            cues.append(_Cue(start, end, block[place + 1 : max(place + 1, stop)], first + place))
    return cues


def _blocks(lines: list[str], *, webvtt: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield runs of lines that are not blank, each with the number of its first line.

    A line of blanks alone is a blank line in SubRip, and none in WebVTT.
    """
    block: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        if line if webvtt else line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _is_no_cue(block: list[str], *, webvtt: bool) -> bool:
    """Whether a block without times is one that WebVTT allows."""
    words = block[0].lstrip("\ufeff").split()
    return not words or (webvtt and words[0] in ("WEBVTT", "NOTE", "STYLE", "REGION"))


def _is_number(line: str) -> bool:
    """Whether a line is the number of a cue; no file has so many cues that it has more than nine digits."""
    return line.strip().isdecimal() and len(line.strip()) < 10


def _continue_cue(cues: list[_Cue], block: list[str], number: int, name: str, first: int, warnings: list[str]) -> None:
    """Add a block without times to the text of the cue before, from which a blank line parts it."""
    alone = len(block) == 1 and _is_number(block[0])
    broken = (_is_number(block[0]) and not alone) or any(_LIKE_A_TIME.match(line) for line in block)
    if broken or (not cues and not alone):
        # Behind a number it is the line below that should be the times.
        place = next((place for place, line in enumerate(block) if _LIKE_A_TIME.match(line)), 0)
        place = place or int(_is_number(block[0]) and len(block) > 1)
        raise DataError(
            f"{name}, line {first + place}: expected 'start --> end' (00:00:01,000 --> 00:00:02,500), got "
            f"'{block[place][:60]}'"
        )
    if alone and (not cues or int(block[0]) == number + 1):
        return  # the empty remains of a cue
    cues[-1] = replace(cues[-1], lines=[*cues[-1].lines, *block])
    warnings.append(
        f"{name}, line {first}: a blank line in the cue of line {cues[-1].line}; what follows it is spoken too"
    )


def _times(line: str, where: str) -> tuple[float, float]:
    before, _, after = line.partition(_ARROW)
    # WebVTT and some programs write settings behind the times.
    start, end = (_seconds(text.strip(), where) for text in (before, (after.split() or [""])[0]))
    return _checked(start, end, where)


def _checked(start: float, end: float, where: str) -> tuple[float, float]:
    if end < start:
        raise DataError(f"{where}: the cue ends at {end:g} s, before its start at {start:g} s; correct its times")
    if end > _MOST_SECONDS:
        raise DataError(f"{where}: the cue ends after {end / 3600:.1f} hours; a track has at most 24")
    return start, end


def _seconds(text: str, where: str) -> float:
    match = _CLOCK.fullmatch(text)
    if match is None or int(match[2]) > 59 or int(match[3]) > 59:
        raise DataError(f"{where}: '{text[:40]}' is no time; write hours:minutes:seconds,milliseconds (00:01:02,345)")
    hours, minutes, seconds, fraction = match.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


_SUBSTATION_COLUMNS = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}.*?(?:\{[^{}]*\\p0[^{}]*\}|$)", re.DOTALL)
_OVERRIDE = re.compile(r"\{[^{}]*\}")


def _substation_cues(lines: list[str], name: str) -> list[_Cue]:
    """Return the cues of SubStation Alpha: the lines `Dialogue:` of its events, drawings and overrides left out."""
    cues: list[_Cue] = []
    columns, inside = _SUBSTATION_COLUMNS, False
    for number, line in enumerate(lines, 1):
        if line.strip().startswith("[") and line.strip().endswith("]"):
            inside = line.strip().lower() == "[events]"
        kind, colon, rest = line.partition(":")
        if not inside or not colon or kind.strip().lower() not in ("format", "dialogue"):
            continue
        if kind.strip().lower() == "format":
            columns = [column.strip().lower() for column in rest.split(",")]
            continue
        where = f"{name}, line {number}"
        fields = dict(zip(columns, rest.split(",", len(columns) - 1), strict=False))
        if not {"start", "end", "text"} <= set(fields):
            raise DataError(f"{where}: a line 'Dialogue:' without start, end and text")
        start, end = _seconds(fields["start"].strip(), where), _seconds(fields["end"].strip(), where)
        _checked(start, end, where)
        text = _OVERRIDE.sub("", _DRAWING.sub("", fields["text"]))
        cues.append(_Cue(start, end, re.split(r"\\[Nn]", text), number))
    return cues


_TAG = re.compile(
    r"<rt>[^<>]{0,200}(?:</rt>|(?=</ruby>)|$)|</?[A-Za-z][^<>]{0,200}>|<\d{1,2}:[^<>]{0,20}>|\{\\[^{}]{0,200}\}|\{/?[biu]\}"
    r"|\{[yYfFsScCpPoH]:[^{}]{1,40}\}"
)
"""Markup of WebVTT (what stands over ruby among it), of SubRip, and of MicroDVD and SubStation Alpha in it."""
_DESCRIPTION = re.compile(r"(?<!\[)\[(?!\[|(?i:pause):)[^\[\]]{0,200}\](?!\])")
_SOUND = re.compile(r"(?<!\w)[(（](?=[^()（）]*[^\W\d])[^()（）]{1,80}[)）](?!\w)")
"""Words in round brackets that stand alone: not `item(s)`, nor a year."""
_MUSIC = re.compile("[♪♫♬]")
_DASH = re.compile(r"^\s*(?:[-–—‐]\s*)?(?:>{2,3}\s*)?(?:[-–—‐]\s*)?")
_LABEL = re.compile(r"(?P<name>[^\W\d_][\w .'’&#/-]{0,30}?)\s*(?:\([^()]{1,40}\)\s*)?:(?=\s|$)")
_OTHER_WORDS = """
warning note attention caution danger remember question answer example tip step breaking news update ps today tomorrow
yesterday first second third finally result results problem fact rule total time date chapter part look listen wait okay
ok yes no well so see watch think consider imagine conclusion summary also but and because next now here there this that
achtung hinweis frage antwort beispiel tipp schritt ja nein also
"""
_NO_LABELS = frozenset(_OTHER_WORDS.split())
"""Words before a colon that are said."""
_SHARE_OF_LABELS = 4


def plain_text(marked: str, keep: Collection[str] = ()) -> str:
    """Return what is to be said in a cue's text, on one line.

    Args:
        marked: the text, perhaps of several lines.
        keep: names of `LEFT_OUT` that are spoken all the same.
    """
    lines = marked.split("\n")
    return " ".join(_plain_lines(lines, set(keep), Counter(), any_label=_have_labels([lines])))


def _plain_lines(lines: list[str], keep: set[str], left_out: Counter[str], *, any_label: bool) -> list[str]:
    """Return the lines of a cue as they are said, those with nothing to say left out."""
    text = html.unescape(_TAG.sub("", "\n".join(lines)).replace("\\N", "\n").replace("\\h", " "))
    sounds = 0
    for pattern in () if "sounds" in keep else (_DESCRIPTION, _SOUND):
        text, count = pattern.subn(" ", text)
        sounds += count
    left_out["sounds"] += sounds
    result = []
    for line in text.split("\n"):
        bare = _DASH.sub("", line)
        turn = ">>" in line[: len(line) - len(bare)]
        if sounds:
            bare = bare.lstrip(": ")  # of "[TOM]: Hello."
        label = None if "labels" in keep else _label(bare, any_label=any_label or turn)
        if label is not None:
            left_out["labels"] += 1
            bare = bare[label:]
        said = " ".join(_MUSIC.sub(" ", bare).split())
        if said:
            result.append(said)
    return result


def _label(line: str, *, any_label: bool) -> int | None:
    """Return how many letters of a line say who speaks: a name in capitals, or any capitalised one, before a colon."""
    match = _LABEL.match(line)
    if match is None:
        return None
    words = match["name"].split()
    if not words or len(words) > 4 or words[0].lower() in _NO_LABELS:
        return None
    if match["name"].isupper() and len(match["name"]) > 1:
        return match.end()
    rest = line[match.end() :].lstrip(" \"'“‘«¿¡[(")
    sentence = not rest or not rest[0].islower()
    named = all(word[0].isupper() or word[0].isdigit() or word in ("and", "&", "und") for word in words)
    return match.end() if any_label and sentence and named else None


def _have_labels(cues: Sequence[Sequence[str]]) -> bool:
    """Whether a capitalised name before a colon says who speaks, in a file: where a quarter of its cues have one.

    So "Tom: Hello." is left without the name in a dialogue, and "Bread: Flour and water." as it is in a talk.
    """
    named = sum(
        any(_label(_DASH.sub("", _TAG.sub("", line)), any_label=True) is not None for line in lines) for lines in cues
    )
    return named > 0 and _SHARE_OF_LABELS * named >= len(cues)


_ADVERT = re.compile(
    r"""
    opensubtitles | addic7ed | podnapisi | subscene | yifysubtitles | \byts\.\w\w\b | subdl | tvsubtitles | amara\.org
    | advertise\s+your\s+product | become\s+(?:a\s+)?vip\s+member | rate\s+this\s+subtitle
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""In a cue that is one wherever it stands."""
_WORK = (
    r"(?:sub(?:title)?[sd]?|subtitling|(?:closed\s+)?caption(?:s|ed|ing)?|(?:re)?sync(?:ed|hroni[sz]ed)?|corrected|"
    r"correction|transcri(?:pt|bed|ption)|translat(?:ed|ion)|timed|timing|edited|encoded|ripped|uploaded|downloaded|"
    r"untertitel(?:ung)?|übersetzung|sous-titres|sous-titrage|subtítulos|traducción)"
)
_CREDIT = re.compile(
    rf"\W*{_WORK}(?:(?:\W+and)?\W+{_WORK})*\s*(?:\b(?:by|from|at|von|des|der|im\s+auftrag|par|por|per)\b|:|@|\.\s)"
    rf"|{_WORK}\W+(?:https?:|www\.)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\W*(?:https?://|www\.)\S+\W*|[^\w\s]\W*[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|tv|de|info)\W+", re.IGNORECASE
)
"""A cue that is nothing but an address is an advert where it has `www`, or signs around it."""
_AT_AN_END = 3
"""Cues from the beginning and the end of a file in which credits are adverts."""


def _cleaned(cues: list[_Cue], keep: set[str], left_out: Counter[str]) -> list[_Cue]:
    """Return the cues with what is said in their lines."""
    any_label = _have_labels([cue.lines for cue in cues])
    result = []
    for place, cue in enumerate(cues):
        lines = _plain_lines(cue.lines, keep, left_out, any_label=any_label)
        at_an_end = min(place, len(cues) - 1 - place) < _AT_AN_END
        if "adverts" not in keep and lines and _is_advert(lines, at_an_end=at_an_end):
            left_out["adverts"] += 1
            lines = []
        result.append(replace(cue, lines=lines))
    return result


def _is_advert(lines: list[str], *, at_an_end: bool) -> bool:
    text = " ".join(lines)
    return bool(
        _ADVERT.search(text)
        or _ADDRESS.fullmatch(text)
        or (at_an_end and len(text.split()) <= 20 and _CREDIT.match(text))
    )


_CONTIGUOUS = 0.05
_NEAR = 1.0
"""Seconds between a cue and one that begins with its last lines."""


def _spoken_once(cues: list[_Cue], name: str, left_out: Counter[str], warnings: list[str]) -> list[_Cue]:
    """Return the cues, each line of rolling captions in the first that has it.

    Captions roll where cues begin with the last lines of the cue before, or with all that it says and more. That is so
    in every file now and then, when somebody says something twice; it counts where a quarter of the cues do it.
    """
    seen: dict[tuple[object, ...], _Cue] = {}
    for cue in cues:
        if cue.lines:
            seen.setdefault((cue.start, cue.end, *cue.lines), cue)
    distinct, silent = list(seen.values()), [cue for cue in cues if not cue.lines]
    left_out["repeats"] += len(cues) - len(distinct) - len(silent)
    pairs = list(itertools.pairwise(distinct))
    remains = [_remains(one, other) for one, other in pairs]
    rolling = [lines for lines in remains if lines is not None]
    grown = any(rolling)
    if not pairs or len(rolling) * (4 if grown else 3) < len(pairs):
        return _in_time([*distinct, *silent])
    result = distinct[:1]
    for (_, cue), lines in zip(pairs, remains, strict=True):
        if lines is None:
            result.append(cue)
            continue
        left_out["repeats"] += 1
        if lines:
            result.append(replace(cue, lines=lines))
        else:
            result[-1] = replace(result[-1], end=max(result[-1].end, cue.end))
    warnings.append(
        f"{name}: captions that roll; {len(rolling)} of {len(distinct)} cues repeat what the cue before says, which is "
        "spoken once"
    )
    return _in_time([*result, *silent])


def _in_time(cues: list[_Cue]) -> list[_Cue]:
    return sorted(cues, key=lambda cue: (cue.start, cue.line))


def _remains(before: _Cue, cue: _Cue) -> list[str] | None:
    """Return what a cue says besides the end of the cue before; None where it does not begin with that."""
    gap = cue.start - before.end
    if gap > _NEAR:
        return None
    for count in range(min(len(before.lines), len(cue.lines)), 0, -1):
        if before.lines[-count:] == cue.lines[:count]:
            rest = cue.lines[count:]
            return rest if rest or gap <= _CONTIGUOUS else None
    last, first = before.lines[-1], cue.lines[0]
    if first.startswith(f"{last} ") and gap <= _CONTIGUOUS:
        return [first[len(last) + 1 :], *cue.lines[1:]]
    return None


_LETTERS_PER_SECOND = 15.0
"""Of reading aloud, for cues that do not say how long they are."""


def _with_lengths(cues: list[_Cue], name: str, warnings: list[str]) -> list[Subtitle]:
    """Return numbered subtitles; a cue of no length lasts as its text takes, until the next begins at most."""
    starts = sorted({cue.start for cue in cues})
    result = []
    for number, cue in enumerate(cues, 1):
        text, end = " ".join(cue.lines), cue.end
        if end <= cue.start:
            later = bisect.bisect_right(starts, cue.start)
            wished = cue.start + max(0.5, len(text) / _LETTERS_PER_SECOND)
            end = max(min([wished, *starts[later : later + 1]]), cue.start + 0.1)
            warnings.append(f"{name}, line {cue.line}: a cue of no length; it is given {end - cue.start:.1f} s")
        result.append(Subtitle(number, cue.start, end, text, cue.line))
    return result
