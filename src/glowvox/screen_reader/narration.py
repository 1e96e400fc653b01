"""Messages as sound: samples and marks in their order, with what follows from the settings of a screen reader."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.time_stretch import TimeStretch
from glowvox.errors import TextError
from glowvox.screen_reader.module_log import log
from glowvox.screen_reader.reading import ICON_MARK, Reading, marks_of
from glowvox.screen_reader.resident_voices import ChosenVoice
from glowvox.screen_reader.settings import Settings
from glowvox.synthesis.options import OptionOverrides

Samples = NDArray[np.float32]
Heard = Samples | str
"""Samples [S], or the name of a mark that is reached before what follows."""
_QUIET = 0.003
"""Level below which the edges of a message are cut off."""
_LEAD_SECONDS, _TAIL_SECONDS = 0.003, 0.03
"""Of an edge that stay."""
_KEPT_SECONDS = 3.0
"""Of a message that is remembered, at most."""
_REMEMBERED = 256
_ICON_SECONDS, _ICON_HERTZ, _ICON_LEVEL = 0.03, 1320.0, 0.15


class Narrator:
    """Speaks messages with resident voices; what is short, a letter say, is remembered. Used by several threads."""

    def __init__(self) -> None:
        self._remembered: OrderedDict[object, list[Heard]] = OrderedDict()
        self._lock = threading.Lock()

    def heard(
        self, readings: Iterable[Reading], chosen: ChosenVoice, settings: Settings, *, short: bool = False
    ) -> Iterator[Heard]:
        """Yield a message's samples and marks as they become ready.

        Args:
            readings: its pieces.
            chosen: the voice.
            settings: rate, pitch, pitch range and volume.
            short: whether the message is a single reading that comes again, and is worth remembering.

        Raises:
            GlowvoxError: the voice failed. What cannot be spoken is silent.
        """
        gain = np.float32(settings.gain)
        for one in self._remembering(readings, chosen, settings) if short else _heard(readings, chosen, settings):
            yield one if isinstance(one, str) or gain == 1.0 else one * gain

    def _remembering(self, readings: Iterable[Reading], chosen: ChosenVoice, settings: Settings) -> Iterator[Heard]:
        known = tuple(readings)
        speaking = (settings.rate, settings.pitch, settings.pitch_range)
        key = (chosen.voice.name, chosen.speaker, chosen.language, known, speaking)
        with self._lock:
            made = self._remembered.get(key)
            if made is not None:
                self._remembered.move_to_end(key)
        if made is not None:
            yield from made
            return
        made, length = [], 0
        for one in _heard(known, chosen, settings):
            made.append(one)
            length += 0 if isinstance(one, str) else len(one)
            yield one
        if length <= _KEPT_SECONDS * chosen.voice.sample_rate:
            with self._lock:
                self._remembered[key] = made
                while len(self._remembered) > _REMEMBERED:
                    self._remembered.popitem(last=False)


def _heard(readings: Iterable[Reading], chosen: ChosenVoice, settings: Settings) -> Iterator[Heard]:
    rate = chosen.voice.sample_rate
    edges = Edges(rate)
    timing = _Timing(rate, max(1.0, settings.speed), edges.push)
    pause = chosen.voice.card.defaults.sentence_pause
    for number, reading in enumerate(readings):
        if number:
            yield from timing.push(np.zeros(round(pause * rate), np.float32), ())
        begin = timing.taken
        try:
            for samples, marks in _spoken(reading, chosen, settings):
                yield from timing.push(samples, [(begin + place, name) for place, name in marks])
        except TextError as error:
            log().info("not spoken: %s", error)
            yield from timing.push(
                np.empty(0, np.float32), [(timing.taken, name) for name in marks_of(reading.document)]
            )
    yield from timing.finish()
    yield from edges.finish()


def _spoken(
    reading: Reading, chosen: ChosenVoice, settings: Settings
) -> Iterator[tuple[Samples, list[tuple[int, str]]]]:
    """Yield the samples of a reading, each with the marks reached in them and their places in the reading.

    Raises:
        TextError: neither the document nor its text holds anything that can be spoken.
    """
    voice, rate = chosen.voice, chosen.voice.sample_rate
    # Faster than it was taught, a voice loses whole phonemes; so speech is shortened afterwards.
    speed = min(1.0, settings.speed)
    wished: OptionOverrides = {
        "speed": speed, "speaker": chosen.speaker, "language": chosen.language, "pause_tags": False,
        "markup": "plain",
        "sentence_pause": voice.card.defaults.sentence_pause / speed,
    }  # fmt: skip
    if voice.has_melody:
        wished["pitch_shift"] = settings.semitones
        wished["pitch_range"] = settings.spread
    begun = False
    try:
        for chunk in voice.stream(reading.document, ssml=True, on_warning=log().debug, **wished):
            begun = True
            yield chunk.samples, [(round(mark.time * rate), mark.name) for mark in chunk.marks]
    except TextError as error:
        if begun:
            raise
        log().info("read as a plain text: %s", error)
        for chunk in voice.stream(reading.plain, on_warning=log().debug, **wished):
            yield chunk.samples, []
        yield np.empty(0, np.float32), [(0, name) for name in marks_of(reading.document)]


class _Timing:
    """Time stretch of a message with marks, which stay where they are in the speech."""

    def __init__(self, sample_rate: int, factor: float, give: Callable[[Heard], Iterator[Heard]]) -> None:
        self._stretch = TimeStretch(sample_rate, factor)
        self._give = give
        self._marks: deque[tuple[int, str]] = deque()
        self._given = 0
        self.taken = 0
        """Samples that came in."""

    def push(self, samples: Samples, marks: Iterable[tuple[int, str]]) -> Iterator[Heard]:
        self._marks.extend(marks)
        self.taken += len(samples)
        if len(samples):
            yield from self._placed(self._stretch.push(samples))

    def finish(self) -> Iterator[Heard]:
        yield from self._placed(self._stretch.finish())
        for _, name in self._marks:
            yield from self._give(name)

    def _placed(self, samples: Samples) -> Iterator[Heard]:
        while self._marks:
            place = round(self._marks[0][0] / self._stretch.factor) - self._given
            if place >= len(samples):
                break
            if place > 0:
                yield from self._give(samples[:place])
                samples = samples[place:]
                self._given += place
            yield from self._give(self._marks.popleft()[1])
        if len(samples):
            self._given += len(samples)
            yield from self._give(samples)


class Edges:
    """Cuts the silence off both ends of a message, and puts the sounds of capital letters where their marks are."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._held: list[Heard] = []
        """Quiet so far: it stays if sound follows."""
        self._begun = False

    def push(self, one: Heard) -> Iterator[Heard]:
        """Take the next samples or mark; yield what is known to stay."""
        if isinstance(one, str):
            if one == ICON_MARK:
                yield from self._released()
                yield capital_icon(self._rate)
            elif self._held:
                self._held.append(one)
            else:
                yield one
            return
        loud = np.flatnonzero(np.abs(one) > _QUIET)
        if not len(loud):
            self._held.append(one)
            return
        first, last = int(loud[0]), int(loud[-1]) + 1
        if first:
            self._held.append(one[:first])
        yield from self._released()
        yield one[first:last]
        if last < len(one):
            self._held.append(one[last:])

    def finish(self) -> Iterator[Heard]:
        """Yield the rest: marks, and a little of the silence at the end."""
        left = round(_TAIL_SECONDS * self._rate) if self._begun else 0
        for one in self._held:
            if isinstance(one, str):
                yield one
            elif left:
                yield one[:left]
                left -= min(left, len(one))
        self._held = []

    def _released(self) -> Iterator[Heard]:
        held, self._held = self._held, []
        if self._begun:
            yield from held
            return
        self._begun = True
        yield from (one for one in held if isinstance(one, str))
        quiet = [one for one in held if not isinstance(one, str)]
        if quiet:
            yield quiet[-1][-round(_LEAD_SECONDS * self._rate) :]


def capital_icon(sample_rate: int) -> Samples:
    """Return the sound that tells a capital letter [S]: a short high tone."""
    time = np.arange(round(_ICON_SECONDS * sample_rate)) / sample_rate
    shape = np.sin(np.pi * time / _ICON_SECONDS) ** 2
    return (_ICON_LEVEL * shape * np.sin(2 * np.pi * _ICON_HERTZ * time)).astype(np.float32)
