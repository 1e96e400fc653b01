"""Reading one recording and measuring what the checks judge."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from glowvox.audio.files import read_audio
from glowvox.audio.trim import trim_silence
from glowvox.errors import AudioError

QUIETEST_PEAK = 0.003
"""A recording whose loudest sample lies below this (-50 dB of full scale) holds no speech."""
_UNKNOWN_FRAMES = 1 << 62
"""From here on a header's number of frames means that it was not known when the file was written."""
_FLAT_TOP_RUN = 4
"""So many neighbouring samples at the recording's own extreme are a cut-off peak, not a rounded one."""
_FLAT_TOP_WIDTH = 5e-5
"""How far from the extreme a sample still counts as at it: a step and a half of 16 bits."""


@dataclass(frozen=True)
class Measurements:
    """What was measured on a recording at its own sample rate, mixed to mono."""

    seconds: float
    """Length."""
    source_rate: int
    """Sample rate of the file in Hz."""
    channels: int
    """Channels of the file."""
    peak: float
    """Largest magnitude, 1 being full scale; 0 for an empty recording."""
    level_db: float
    """Root mean square in dB of full scale, at least -120."""
    clipped: float
    """Share of the samples that lie in cut-off peaks."""
    offset: float
    """Mean of the samples (a DC offset), 1 being full scale."""
    speech_seconds: float
    """Length without the silence at both ends."""
    digest: str
    """Hash of the samples: equal for the same audio in another lossless container."""


@dataclass(frozen=True)
class Header:
    """What a file says about itself."""

    seconds: float | None
    """Length; None where a file that was streamed does not say."""
    channels: int
    """Channels."""


def probe_recording(path: Path) -> Header:
    """Return what a file's header tells, decoding nothing.

    Raises:
        AudioError: not a file that can be opened.
    """
    try:
        information = soundfile.info(str(path))
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        raise AudioError(f"{path.name}: {error}") from error
    if information.samplerate < 1:
        raise AudioError(f"{path.name}: the header gives a sample rate of {information.samplerate} Hz")
    known = 0 < information.frames < _UNKNOWN_FRAMES
    return Header(information.frames / information.samplerate if known else None, information.channels)


def measure_recording(path: Path, header: Header) -> tuple[NDArray[np.float32], Measurements]:
    """Return `(samples float32 [S] at the file's own rate, what was measured)`.

    Raises:
        AudioError: the file cannot be opened or decoded, or holds NaN or infinite samples.
    """
    samples, rate = read_audio(path)
    if not np.isfinite(samples).all():
        raise AudioError(f"{path.name}: {np.count_nonzero(~np.isfinite(samples))} samples are NaN or infinite")
    peak = float(np.abs(samples).max(initial=0.0))
    speech = 0.0
    if peak >= QUIETEST_PEAK:
        start, end = trim_silence(samples, rate, padding_seconds=0.0)
        speech = (end - start) / rate
    return samples, Measurements(
        seconds=len(samples) / rate,
        source_rate=rate,
        channels=header.channels,
        peak=peak,
        level_db=_level_db(samples),
        clipped=clipped_share(samples),
        offset=float(samples.mean(dtype=np.float64)) if len(samples) else 0.0,
        speech_seconds=speech,
        digest=hashlib.sha256(f"{rate} ".encode() + to_int16(samples).tobytes()).hexdigest(),
    )


def to_int16(samples: NDArray[np.floating]) -> NDArray[np.int16]:
    """Return samples of -1..1 as 16-bit integers, limited to their range."""
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)


def clipped_share(samples: NDArray[np.floating]) -> float:
    """Return the share of samples [S] in flat tops: runs at the signal's own highest or lowest value.

    The recording's own extremes are used, so that clipping is also found in a file that was made quieter afterwards.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < QUIETEST_PEAK:
        return 0.0
    return (_flat_samples(samples, peak) + _flat_samples(-samples, peak)) / len(samples)


def _flat_samples(samples: NDArray[np.floating], peak: float) -> int:
    highest = float(samples.max())
    if highest < 0.5 * peak:
        return 0
    flat = np.concatenate(([0], (samples >= highest - _FLAT_TOP_WIDTH).astype(np.int8), [0]))
    edges = np.diff(flat)
    lengths = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return int(lengths[lengths >= _FLAT_TOP_RUN].sum())


def _level_db(samples: NDArray[np.float32]) -> float:
    power = float(np.square(samples, dtype=np.float64).mean()) if len(samples) else 0.0
    return max(-120.0, 10.0 * math.log10(power)) if power else -120.0
