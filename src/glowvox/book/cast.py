"""Who speaks in a book: the speakers of quotations, by what stands beside them, and the voices that they are given.

The rules are plain: a name beside a verb of speaking, next to the quotation (*said Alice*); one paragraph, one speaker,
unless another is named; two who talk in turns go on in turns. A pronoun (*he said*) names nobody. Who is not found out
is nobody: such quotations have the voice of all dialogue.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glowvox.book.dialogue import DIALOGUE, NARRATION, dialogue_parts, goes_on
from glowvox.errors import ConfigError
from glowvox.text.normalise.scanner import word_set

_VERBS = (
    "said|says|asked|asks|replied|replies|answered|answers|cried|cries|exclaimed|exclaims|shouted|shouts|whispered|"
    "whispers|murmured|murmurs|muttered|mutters|called|calls|added|adds|continued|continues|repeated|repeats|returned|"
    "remarked|remarks|observed|observes|began|begins|went on|interrupted|interrupts|demanded|demands|declared|declares|"
    "screamed|yelled|growled|groaned|sighed|laughed|snapped|inquired|enquired|suggested|insisted|begged|pleaded|"
    "protested|agreed|explained|announced|responded|retorted|rejoined|pursued|roared|sobbed|gasped|panted|thought|"
    "ventured|urged|put in|broke in|told|tells|ordered|warned|admitted|confessed|promised|wondered|hissed|grunted"
)
_TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Sir|Lady|Lord|Aunt|Uncle|Captain|Colonel|Major|Father|Mother|Madame|Monsieur|St)\.?"
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w’'-]*"
_NAME = rf"(?:{_TITLE}\s)?{_CAPITAL}(?:\s(?:(?:de|van|von|of)\s)?{_CAPITAL}){{0,2}}"
_KIND = r"(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Mm]y)\s(?:[\w’'-]+\s){0,2}[\w’'-]+"
_WHO = rf"(?P<who>{_NAME}|{_KIND})"
_HOW = r"(?:\s(?:had|then|now|only|just|[a-z]+ly))?"
_START = r"(?:^|[.!?;:,—]\s+)"
_AFTER = re.compile(rf"^[\s,—–-]*(?:(?:then|[a-z]+ly)\s)?(?:{_VERBS})\s{_WHO}(?=\W|$)")
_NAMED_AFTER = re.compile(rf"^[\s,—–-]*{_WHO}{_HOW}\s(?:{_VERBS})\b")
_BEFORE = re.compile(
    rf"(?:{_START}|\b(?:and|but|then|Then|And|But|when|as)\s){_WHO}{_HOW}\s(?:{_VERBS})\b[^.!?]*[:,—]\s*$"
)
_TURNED = re.compile(rf"{_START}(?:{_VERBS})\s{_WHO}[^.!?]*[:,—]\s*$")
_NOBODY = word_set(
    "he she it they i we you who this that there then so and but what when if as one no yes oh well not in at on his"
    " her their now here all nothing everybody somebody nobody another others both each"
)
_CUT = re.compile(
    r"\s(?:in|to|with|at|on|as|and|who|from|after|when|for|by|without|again|very|but|of the|[a-z]+ly|[a-z]+ing)\b.*$"
)
_SEVERAL = re.compile(
    rf"^[\s,—–-]*(?:(?:they|both|all|we|everybody)(?:\s\w+)?\s(?:{_VERBS})|(?:{_VERBS})\s(?:they|both|all))\b"
)
_TURNS = 16
"""Paragraphs for which turns are believed, after the last speaker who was named."""
_ENTRY = re.compile(r"^\s*(?P<who>[^=#]+?)\s*=\s*(?P<what>.+?)\s*$")
_NUMBERS = ("pitch_shift", "speed", "pitch_range", "temperature")

Part = tuple[int, int, str]
"""First character, end, and who speaks: `NARRATION`, `DIALOGUE`, or the name of a speaker."""


def spoken_parts(paragraphs: Sequence[str]) -> list[list[Part]]:
    """Return for each paragraph what its narrator says and what its speakers say, in parts that cover it.

    Args:
        paragraphs: of a chapter, in order; an empty one ends a conversation.
    """
    found: list[list[Part]] = []
    turns: list[str] = []
    """Speakers of the paragraphs of this conversation, the last one last."""
    unnamed = 0
    continued = ""
    for text in paragraphs:
        parts = dialogue_parts(text)
        if not any(role == DIALOGUE for _, _, role in parts):
            if not any(character.isalnum() for character in text) or len(text) > 400:
                turns = []
            continued = ""
            found.append(parts)
            continue
        names = _named(text, parts)
        first = next((name for name in names if name not in ("", DIALOGUE)), "")
        if continued:
            first = first or continued
        elif not first and len(turns) >= 2 and turns[-1] and turns[-2] and turns[-1] != turns[-2] and unnamed < _TURNS:
            first = turns[-2]
            unnamed += 1
        else:
            unnamed = 0
        speaker, given = first, []
        for (start, end, role), name in zip(parts, names, strict=True):
            if role == DIALOGUE:
                speaker = speaker if name == DIALOGUE else name or speaker
                role = DIALOGUE if name == DIALOGUE else speaker or DIALOGUE
            given.append((start, end, role))
        found.append(given)
        if not continued:
            turns.append(speaker)
        continued = speaker if goes_on(text) else ""
    return found


def _named(text: str, parts: Sequence[Part]) -> list[str]:
    """Return for each part the speaker whom the narration beside it names, `DIALOGUE` where it is said by several."""
    names = ["" for _ in parts]
    for place, (start, end, role) in enumerate(parts):
        if role != DIALOGUE:
            continue
        if place + 1 < len(parts) and parts[place + 1][2] == NARRATION:
            narration = text[parts[place + 1][0] : parts[place + 1][1]]
            if _SEVERAL.search(narration):
                names[place] = DIALOGUE
            closed = text[start:end].rstrip(' ”"’»“')[-1:] not in (".", ":", ";")
            for pattern in (_AFTER, _NAMED_AFTER):
                if not names[place] and closed and (match := pattern.search(narration)):
                    names[place] = speaker_name(match["who"])
        if not names[place] and place and parts[place - 1][2] == NARRATION:
            narration = text[parts[place - 1][0] : parts[place - 1][1]]
            for pattern in (_BEFORE, _TURNED):
                if not names[place] and (match := pattern.search(narration)):
                    names[place] = speaker_name(match["who"])
    return names


def speaker_name(written: str) -> str:
    """Return the name that stands for a speaker, or nothing where the words name nobody."""
    name = _CUT.sub("", " ".join(written.split()))
    name = re.sub(r"^(?:the|an?|his|her|my)\s", "", name, flags=re.IGNORECASE).strip(" ’'-")
    return "" if not name or name.split()[0].lower() in _NOBODY else name


def count_speakers(every: Iterable[Sequence[Part]]) -> list[tuple[str, int]]:
    """Return who speaks how many quotations, the most frequent first; `DIALOGUE` stands for nobody known."""
    counted = Counter(role for parts in every for _, _, role in parts if role != NARRATION)
    return sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))


@dataclass(frozen=True)
class CastVoice:
    """The voice of one speaker."""

    voice: str | None
    """See `load_voice`; None: the narrator's."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What differs from the narrator's options."""


def read_cast(entries: Sequence[str]) -> dict[str, CastVoice]:
    """Return the voices of speakers, by `cast_key` of their names.

    Args:
        entries: each `NAME=VOICE`, or a file with such lines; behind the voice, with commas, `speaker=`, `speed=`,
            `pitch-shift=`, `pitch-range=` and `temperature=`. Without a voice they change the narrator's.

    Raises:
        ConfigError: an entry is wrong, or a file cannot be read.
    """
    cast: dict[str, CastVoice] = {}
    for entry in entries:
        lines = [entry]
        if "=" not in entry:
            try:
                lines = Path(entry).read_text(encoding="utf-8-sig").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"--cast takes NAME=VOICE, or a file of such lines; '{entry}' is neither") from error
        for line in lines:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            match = _ENTRY.match(line)
            if match is None:
                raise ConfigError(f"--cast: a line is 'NAME = VOICE', not '{line.strip()[:60]}'")
            cast[cast_key(match["who"])] = _cast_voice(match["what"])
    return cast


def _cast_voice(written: str) -> CastVoice:
    voice: str | None = None
    options: dict[str, Any] = {}
    for number, part in enumerate(each.strip() for each in written.split(",")):
        name, sign, value = part.partition("=")
        name = name.strip().replace("-", "_")
        if not sign and number == 0:
            voice = part or None
        elif name == "speaker" and value.strip():
            options["speaker"] = value.strip()
        elif name in _NUMBERS:
            try:
                options[name] = float(value)
            except ValueError as error:
                raise ConfigError(f"--cast: {part.split('=')[0]} is a number, not '{value.strip()}'") from error
        else:
            known = ", ".join(("speaker", *_NUMBERS)).replace("_", "-")
            raise ConfigError(f"--cast: '{part}' is unknown; after the voice there may be {known}")
    return CastVoice(voice, options)


def cast_key(name: str) -> str:
    """Return what a speaker's name is compared by: without article, in small letters."""
    return (speaker_name(name) or name).casefold()
