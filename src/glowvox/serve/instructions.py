"""Instructions: what a request says in words about how it is spoken, as far as a voice can follow it.

OpenAI's newer models take such texts ("Speak slowly, in a low voice"). Here speed, pitch and pauses are understood,
clause by clause and in English; the client is told what is not.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from glowvox.synthesis.options import SpeechOptions

LONGEST = 4096
"""Characters."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
"""Control signs but for white space, which say nothing and would be quoted."""
_PART = re.compile(r"\n+|(?<=[.;!?])\s+")
_LABEL = re.compile(r"\W*([A-Za-z][A-Za-z /&-]{0,30}?)\W*:(?!\d)\s*(.*)", re.DOTALL)
"""What a part is about, as people write such texts: "Pacing: slow"."""
_ABOUT = {
    "pace": re.compile(r"\b(?:pace|pacing|speed|rate|tempo|speaking rate)\b", re.IGNORECASE),
    "pauses": re.compile(r"\b(?:pauses?|pausing)\b", re.IGNORECASE),
    "pitch": re.compile(r"\b(?:pitch|register|voice)\b", re.IGNORECASE),
}
_CLAUSE = re.compile(r"[.,;:!?\n]+(?!\d)|\b(?:and|but|while|yet)\b", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|don'?t|never|avoid|isn'?t|without|no|none|neither|nor)\b", re.IGNORECASE)
_VERY = re.compile(r"\b(?:very|extremely|really|much|super|so|far)\b", re.IGNORECASE)
_SLIGHTLY = re.compile(r"\b(?:slightly|a (?:little|bit|touch)|somewhat|a little bit|rather)\b", re.IGNORECASE)
_FACTOR = re.compile(r"\b(\d+(?:\.\d+)?)\s*(?:x\b|times\b|(%|percent\b))", re.IGNORECASE)
_SPEAKING = re.compile(r"\b(?:speed|pace|rate|tempo|fast|faster|quick|quicker|slow|slower)\b", re.IGNORECASE)
_HALF = re.compile(r"\bhalf (?:the |your )?(?:normal |usual )?(?:speed|pace)\b", re.IGNORECASE)
_DOUBLE = re.compile(r"\b(?:double|twice) (?:the |your |as )?(?:normal |usual )?(?:speed|fast)\b", re.IGNORECASE)
_SLOW = re.compile(r"\b(?:slow|slower|slowly|unhurried|leisurely|slow-paced)\b", re.IGNORECASE)
_FAST = re.compile(
    r"\b(?:fast|faster|quick|quicker|quickly|rapid|rapidly|brisk|briskly|fast-paced|speed (?:\w+ )?up|hurry)\b",
    re.IGNORECASE,
)
_SOUND = re.compile(r"\b(?:voice|pitch|pitched|tone|register|sound)\b", re.IGNORECASE)
_HIGH = re.compile(r"\b(?:high|higher|raised?|pitch(?:ed)? (?:\w+ )?up)\b", re.IGNORECASE)
_LOW = re.compile(r"\b(?:low|lower|lowered|pitch(?:ed)? (?:\w+ )?down)\b", re.IGNORECASE)
_DEEP = re.compile(r"\b(?:deep|deeper|deeply pitched)\b", re.IGNORECASE)
_FLAT = re.compile(r"\b(?:monotone|monotonous|monotonously|flat|robotic)\b", re.IGNORECASE)
_LIVELY = re.compile(r"\b(?:expressive|expressively|lively|animated|sing-?song|melodic)\b", re.IGNORECASE)
_PAUSE = re.compile(r"\bpaus(?:e|es|ing)\b", re.IGNORECASE)
_SHORT = re.compile(r"\b(?:short|shorter|brief|briefer|few|fewer|little|minimal)\b", re.IGNORECASE)
_LONG = re.compile(r"\b(?:long|longer|extended|frequent|generous|dramatic|many|more)\b", re.IGNORECASE)
_LONGEST_LABEL = 2
"""Words; what is longer before a colon is no heading."""
_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Reading:
    """What instructions ask for: factors and sums on what the voice would do."""

    speed: float = 1.0
    """Factor."""
    semitones: float = 0.0
    """Added to the pitch."""
    pitch_range: float = 1.0
    """Factor."""
    pauses: float = 1.0
    """Factor."""
    ignored: tuple[str, ...] = field(default=())
    """Clauses that ask for something else."""

    @property
    def pitch(self) -> bool:
        """Whether the pitch is asked to be another one."""
        return bool(self.semitones) or self.pitch_range != 1.0


def read_instructions(text: str) -> Reading:
    """Return what a text asks for, in the order of its clauses."""
    speed, semitones, pitch_range, pauses = 1.0, 0.0, 1.0, 1.0
    ignored: list[str] = []
    for shown, clause in _clauses(text):
        strength = 2.0 if _VERY.search(clause) else 0.5 if _SLIGHTLY.search(clause) else 1.0
        denied = bool(_NOT.search(clause))
        factor = _FACTOR.search(clause)
        if _PAUSE.search(clause):
            pauses = 0.25 if denied else 0.5**strength if _SHORT.search(clause) else 1 + 1.5 * strength
        elif denied:
            ignored.append(shown)
        elif factor is not None and _SPEAKING.search(clause):
            speed = float(factor[1]) / (100 if factor[2] else 1)
        elif _HALF.search(clause):
            speed = 0.5
        elif _DOUBLE.search(clause):
            speed = 2.0
        elif _FLAT.search(clause):
            pitch_range = 0.3
        elif _DEEP.search(clause) or (_LOW.search(clause) and _SOUND.search(clause)):
            semitones = -2.5 * strength
        elif _HIGH.search(clause) and _SOUND.search(clause):
            semitones = 2.5 * strength
        elif _SLOW.search(clause):
            speed = 0.8**strength
        elif _FAST.search(clause):
            speed = 1.25**strength
        elif _LIVELY.search(clause):
            pitch_range = 1.3
        else:
            ignored.append(shown)
    return Reading(speed if speed > 0 else 1.0, semitones, pitch_range, pauses, tuple(ignored))


def _clauses(text: str) -> Iterator[tuple[str, str]]:
    """Yield the clauses of a text as they are written, and with what their label says that they are about."""
    for part in _PART.split(_CONTROL.sub("", text)):
        label = _LABEL.fullmatch(part)
        heading = label is not None and len(label[1].split()) <= _LONGEST_LABEL
        about = next((name for name, said in _ABOUT.items() if heading and label and said.search(label[1])), "")
        for found in _CLAUSE.split(label[2] if heading and label else part):
            clause = " ".join(found.split()).strip(" -*\"'()")
            if any(map(str.isalnum, clause)):
                # under "Pauses", "after a question" does not ask for more of them
                says_which = about != "pauses" or any(one.search(clause) for one in (_SHORT, _LONG, _NOT))
                yield clause, f"{clause} {about}" if says_which else clause


def followed(
    text: str, overrides: Mapping[str, Any], defaults: SpeechOptions, *, melody: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return a voice's overrides under instructions, and notes on what is not followed.

    Args:
        text: the instructions.
        overrides: what the request says in its fields, which counts first; its speed is multiplied.
        defaults: the voice's own options.
        melody: whether the voice's pitch can be changed.
    """
    reading = read_instructions(text)
    told = dict(overrides)
    told["speed"] = min(4.0, max(0.25, told.get("speed", 1.0) * reading.speed))
    notes = list(reading.ignored)
    if melody and reading.pitch:
        if reading.semitones:
            told.setdefault("pitch_shift", reading.semitones)
        if reading.pitch_range != 1.0:
            told.setdefault("pitch_range", min(4.0, defaults.pitch_range * reading.pitch_range))
    elif reading.pitch:
        notes.append("another pitch, which this voice cannot have")
    if reading.pauses != 1.0:
        for name in ("sentence_pause", "paragraph_pause"):
            told.setdefault(name, min(60.0, getattr(defaults, name) * reading.pauses))
    shown = [f"'{note[:_LONGEST_SHOWN]}'" for note in notes[:5]] + ["more"] * (len(notes) > 5)
    note = f"instructions are followed as far as speed, pitch and pauses go; ignored: {', '.join(shown)}"
    return told, [note] if notes else []
