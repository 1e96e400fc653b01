"""Subtitles spoken into their time slots: one track, and how every cue came out."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.sound import TimedWord
from glowvox.errors import ConfigError, TextError
from glowvox.synthesis.options import OptionOverrides
from glowvox.synthesis.script import Lexicon, Warn
from glowvox.synthesis.subtitles import Subtitle as Subtitle
from glowvox.synthesis.subtitles import parse_subtitles as parse_subtitles
from glowvox.synthesis.subtitles import plain_text as plain_text
from glowvox.synthesis.subtitles import read_subtitles as read_subtitles
from glowvox.synthesis.voice import Voice
from glowvox.text.marked_text import find_pause_tags

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
    words: tuple[TimedWord, ...] = ()
    """Its words, whose times count from the beginning of the track."""

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
        words = tuple(_later(word, round(cue.start * voice.sample_rate) / voice.sample_rate) for word in audio.words)
        return audio.samples, SpokenCue(cue, natural, audio.duration, overlap, words=words)

    def _seconds(self, cue: Subtitle, following: Subtitle | None, natural: float) -> float:
        """Return how long a cue shall last: its slot, unless that is too long, or too short and silence follows."""
        slot = cue.end - cue.start
        if natural <= slot:
            return min(slot, natural / self._fit.slowest)
        free = math.inf if following is None else max(0.0, following.start - cue.end)
        return min(natural, slot + min(self._fit.overrun, free))


def _later(word: TimedWord, seconds: float) -> TimedWord:
    phonemes = tuple(replace(one, start=one.start + seconds, end=one.end + seconds) for one in word.phonemes)
    return replace(word, start=word.start + seconds, end=word.end + seconds, phonemes=phonemes)


def _silent(message: str) -> None:
    """Leave out warnings that were given already."""
