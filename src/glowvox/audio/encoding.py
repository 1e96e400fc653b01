"""Which sound file formats can be written, at which rates, and how float samples become integers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.checks import HIGHEST_RATE
from glowvox.errors import AudioError

_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True)
class Encoding:
    """One way of writing audio to a file."""

    container: str
    """libsndfile's name of the container."""
    subtypes: tuple[str, ...]
    """The sample formats it can hold, the default first."""
    suffixes: tuple[str, ...]
    """The file names it is chosen for."""
    rates: tuple[int, ...] = ()
    """The sample rates it can hold in Hz; empty: any."""

    def rate_for(self, sample_rate: int) -> int:
        """Return the lowest rate this encoding holds that loses nothing, or its highest one."""
        if not self.rates:
            return min(sample_rate, HIGHEST_RATE)
        return next((rate for rate in self.rates if rate >= sample_rate), self.rates[-1])


ENCODINGS = {
    "wav": Encoding("WAV", ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"), (".wav", ".wave")),
    "flac": Encoding("FLAC", ("PCM_16", "PCM_24"), (".flac",)),
    "ogg": Encoding("OGG", ("OPUS",), (".ogg", ".opus", ".oga"), _OPUS_RATES),
    "mp3": Encoding("MP3", ("MPEG_LAYER_III",), (".mp3",), _MP3_RATES),
}
"""The formats that can be written."""

_ALIASES = {"opus": "ogg", "wave": "wav"}


def find_encoding(format: str | None, suffix: str, subtype: str | None) -> tuple[Encoding, str]:
    """Return the encoding and sample format to write.

    Args:
        format: "wav", "flac", "ogg" or "opus" (Ogg Opus), "mp3"; None: by `suffix`.
        suffix: of the file name, with the dot.
        subtype: the sample format as libsndfile names it ("PCM_16", "FLOAT"), any case; None: the format's default.

    Raises:
        AudioError: no such format, or the format does not hold such samples.
    """
    known = ", ".join(ENCODINGS)
    if format is None:
        name = next((name for name, entry in ENCODINGS.items() if suffix.lower() in entry.suffixes), None)
        if name is None:
            named = f"the file name ends in '{suffix}'" if suffix else "the file name has no ending"
            raise AudioError(f"{named}, which names no format that can be written; use one of {known}")
    else:
        name = _ALIASES.get(format.lower(), format.lower())
        if name not in ENCODINGS:
            raise AudioError(f"'{format}' is not a format that can be written; use one of {known}")
    encoding = ENCODINGS[name]
    chosen = encoding.subtypes[0] if subtype is None else subtype.upper()
    if chosen not in encoding.subtypes:
        raise AudioError(f"{name} files cannot hold '{subtype}' samples; use one of {', '.join(encoding.subtypes)}")
    return encoding, chosen


def quantise(samples: NDArray[np.float32], subtype: str) -> NDArray[np.generic]:
    """Return samples [S] in -1..1 as the numbers to hand to libsndfile for `subtype`.

    16 bits are rounded here by the factor that reading divides by, 32768 (libsndfile's own conversion multiplies by
    32767), so that a file that is read and written again is the same file; likewise 24 bits, in the upper bits of 32.
    """
    if subtype == "PCM_16":
        return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    if subtype == "PCM_24":
        return np.clip(np.rint(samples.astype(np.float64) * 2**23), -(2**23), 2**23 - 1).astype(np.int32) << 8
    return samples
