"""Visemes: the shapes of the mouth over the time of a speech, in the set of fifteen that Oculus' lip sync defined.

Faces that are animated by three.js, Ready Player Me, Unity or Unreal have a morph target for each of them. The track is
contiguous: one viseme ends where the next begins, from the beginning to the end, with `sil` wherever nothing is said.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from glowvox.audio.sound import TimedPhoneme, TimedWord

SILENCE = "sil"
VISEMES = (SILENCE, "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
"""Of the set (Oculus Lipsync): lips closed, lip and teeth, tongue and teeth, and so on to the vowels."""
_SHORTEST_SILENCE = 0.04
"""Seconds; a mouth does not close for less."""
_LETTERS = {
    "PP": "pbmɓʙʘ",
    "FF": "fvɸβʋⱱɱ",
    "TH": "θð",
    "DD": "tdʈɖɗɾ",
    "kk": "kɡgqɢxɣχʁʀħʕhɦʔʡʜʢɠʛcɟʄǀǁǂǃ",
    "CH": "ʃʒʂʐɕʑçʝɧ",
    "SS": "szɬɮ",
    "nn": "nlɫɲɳŋɴɭʎʟ",
    "RR": "rɹɻɽɺɚɝ",
    "aa": "aɑɐʌæɶ",
    "E": "eɛəɘɜɤ",
    "ih": "iɪɨᵻjɰ",
    "oh": "oɔɒɞɵœ",
    "ou": "uʊɯyʏʉøwʍɥ",
}
_VISEME_OF = {letter: viseme for viseme, letters in _LETTERS.items() for letter in letters}
_PAIRS = {"tʃ": "CH", "dʒ": "CH", "tɕ": "CH", "dʑ": "CH", "ts": "SS", "dz": "SS"}
"""Affricates have the shape of their second half."""
_CEDILLA = "ç"
"""A letter of its own, not a c with a mark."""


@dataclass(frozen=True)
class TimedViseme:
    """A shape of the mouth and when it is held."""

    viseme: str
    """One of `VISEMES`."""
    start: float
    """Seconds."""
    end: float
    """Seconds; the start of the next one."""


class VisemeTrack:
    """The visemes of a speech whose words come as they are spoken, each piece continuing the one before."""

    def __init__(self) -> None:
        self._position = 0.0

    def push(self, words: Iterable[TimedWord], origin: float = 0.0) -> list[TimedViseme]:
        """Return the visemes up to the end of more words.

        Args:
            words: in the order spoken.
            origin: seconds of speech before the place that their times count from.
        """
        spoken = [
            TimedPhoneme(phoneme.text, origin + phoneme.start, origin + phoneme.end)
            for word in words
            for phoneme in word.phonemes
        ]
        found: list[TimedViseme] = []
        for phoneme, following in pairwise([*spoken, None]):
            assert phoneme is not None
            found += self._up_to(phoneme.start, found)
            end = phoneme.end
            if following is not None and 0 < following.start - end < _SHORTEST_SILENCE:
                end = following.start
            found += self._phoneme(phoneme, end)
        return found

    def finish(self, duration: float) -> list[TimedViseme]:
        """Return the silence that is left at the end of a speech of so many seconds."""
        if duration <= self._position:
            return []
        rest = TimedViseme(SILENCE, self._position, duration)
        self._position = duration
        return [rest]

    def _up_to(self, start: float, found: list[TimedViseme]) -> list[TimedViseme]:
        """Fill the time before a phoneme: with silence, or with the viseme before where there is hardly any."""
        gap = start - self._position
        if gap <= 0:
            return []
        if gap < _SHORTEST_SILENCE and found:
            last = found.pop()
            self._position = start
            return [TimedViseme(last.viseme, last.start, start)]
        silence = TimedViseme(SILENCE, self._position, start)
        self._position = start
        return [silence]

    def _phoneme(self, phoneme: TimedPhoneme, end: float) -> Iterator[TimedViseme]:
        start = self._position
        shapes = visemes_of(phoneme.text)
        if end <= start:
            return
        for number, viseme in enumerate(shapes, 1):
            stop = end if number == len(shapes) else start + (end - start) * number / len(shapes)
            yield TimedViseme(viseme, self._position, stop)
            self._position = stop


def visemes_of(phone: str) -> tuple[str, ...]:
    """Return the visemes of a phone in IPA: one, or the two of a diphthong; of what is no phone, none but `E`."""
    letters = "".join(
        sign
        for part in phone
        for sign in (part if part == _CEDILLA else unicodedata.normalize("NFD", part))
        if sign in _VISEME_OF
    )
    if letters in _PAIRS:
        return (_PAIRS[letters],)
    shapes = [_VISEME_OF[letter] for letter in letters] or ["E"]
    return tuple(shape for number, shape in enumerate(shapes) if number == 0 or shape != shapes[number - 1])
