"""The checks of a corpus: what is left out, what is doubtful, what was dealt with."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.files import AudioHeader, audio_header, quantise, read_audio
from glowvox.audio.loudness import trim_silence
from glowvox.config.audio import AudioConfig
from glowvox.data.corpora import Finding, left_out, note, warning
from glowvox.errors import AudioError, ConfigError

QUIETEST_PEAK = 0.003
"""A recording whose loudest sample lies below this (-50 dB of full scale) holds no speech."""
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


def probe_recording(path: Path) -> AudioHeader:
    """Return what a file's header tells, decoding nothing.

    Raises:
        AudioError: not a file that can be opened.
    """
    header = audio_header(path)
    if header.sample_rate < 1:
        raise AudioError(f"{path.name}: the header gives a sample rate of {header.sample_rate} Hz")
    return header


def measure_recording(path: Path, header: AudioHeader) -> tuple[NDArray[np.float32], Measurements]:
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
        digest=hashlib.sha256(f"{rate} ".encode() + quantise(samples, "PCM_16").tobytes()).hexdigest(),
    )


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


QUIETEST_LEVEL_DB = -65.0
MOST_CLIPPED = 1e-3
"""Share of cut-off samples above which a recording is left out: a crackle every second or so."""
SMALLEST_OFFSET = 0.005
"""DC offset from which on it is removed and noted."""
_LARGE_OFFSET = 0.05
_FEWEST_FOR_STATISTICS = 10
_SLOWEST, _FASTEST = 0.5, 60.0
"""Letters a second that no reader of any script reaches."""


@dataclass(frozen=True)
class Limits:
    """Lengths in seconds between which a recording is used."""

    min_seconds: float = 0.3
    max_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_seconds < self.max_seconds < math.inf:
            raise ConfigError(
                f"lengths allowed must satisfy 0 <= shortest < longest, got {self.min_seconds} and {self.max_seconds} s"
            )


@dataclass(frozen=True)
class MeasuredUtterance:
    """An utterance with its measurements: what the checks over the whole corpus compare."""

    subject: str
    text: str
    language: str
    measured: Measurements


def check_length(subject: str, seconds: float, limits: Limits, audio: AudioConfig) -> list[Finding]:
    """Judge a recording's length in seconds."""
    shortest = max(limits.min_seconds, audio.n_fft / audio.sample_rate)
    if seconds < shortest:
        return [left_out("too short", subject, f"{seconds:.2f} s, the shortest allowed is {shortest:.2f} s")]
    if seconds > limits.max_seconds:
        return [left_out("too long", subject, f"{seconds:.1f} s, the longest allowed is {limits.max_seconds:g} s")]
    return []


def check_recording(subject: str, measured: Measurements, limits: Limits, audio: AudioConfig) -> list[Finding]:
    """Judge one recording by what was measured on it."""
    findings = check_length(subject, measured.seconds, limits, audio)
    if measured.peak == 0:
        findings.append(left_out("all zero", subject, "every sample is zero"))
    elif measured.peak < QUIETEST_PEAK or measured.level_db < QUIETEST_LEVEL_DB:
        reason = f"its loudest sample is {measured.peak:.5f} of full scale, its level {measured.level_db:.0f} dB"
        findings.append(left_out("silent", subject, reason))
    elif measured.speech_seconds <= 0:
        findings.append(left_out("silent", subject, "nothing rises above its noise"))
    if measured.clipped > MOST_CLIPPED:
        findings.append(left_out("clipped", subject, f"{measured.clipped:.2%} of the samples are cut off"))
    elif measured.clipped > 0:
        reason = f"{round(measured.clipped * measured.seconds * measured.source_rate)} samples are cut off; kept"
        findings.append(warning("slightly clipped", subject, reason))
    if abs(measured.offset) >= SMALLEST_OFFSET:
        make = warning if abs(measured.offset) >= _LARGE_OFFSET else note
        findings.append(make("DC offset", subject, f"a mean of {measured.offset:+.3f} was removed"))
    if measured.channels > 1:
        findings.append(note("several channels", subject, f"{measured.channels} channels were mixed to one"))
    if measured.source_rate < audio.sample_rate:
        reason = (
            f"{measured.source_rate} Hz was resampled to {audio.sample_rate} Hz; "
            f"there is nothing above {measured.source_rate // 2} Hz"
        )
        findings.append(warning("low sample rate", subject, reason))
    elif measured.source_rate > audio.sample_rate:
        reason = f"{measured.source_rate} Hz was resampled to {audio.sample_rate} Hz"
        findings.append(note("other sample rate", subject, reason))
    return findings


def check_text(subject: str, text: str | None, *, without_text: bool) -> list[Finding]:
    """Judge an utterance's text.

    Args:
        subject: the recording.
        text: cleaned text; None where there is none.
        without_text: whether recordings without a text are wanted.
    """
    kind, severity = ("note", note) if without_text else ("left out", left_out)
    if text is None:
        return [severity("audio without text", subject, f"no text for it; {'kept' if kind == 'note' else 'left out'}")]
    if not any(character.isalnum() for character in text):
        return [severity("empty text", subject, f"no letter or digit in '{text[:40]}'")]
    return []


def check_duplicates(spoken: Iterable[MeasuredUtterance]) -> list[Finding]:
    """List recordings with the same samples as an earlier one; the first of them stays."""
    first: dict[str, MeasuredUtterance] = {}
    findings = []
    for item in spoken:
        original = first.setdefault(item.measured.digest, item)
        if original is not item:
            texts = "with the same text" if original.text == item.text else "with ANOTHER text: one of them is wrong"
            reason = f"the same audio as {original.subject}, {texts}"
            findings.append(left_out("duplicate audio", item.subject, reason))
    return findings


def check_speaking_rates(spoken: Iterable[MeasuredUtterance]) -> list[Finding]:
    """List recordings too long or too short for their text.

    A robust test on the logarithm of letters a second, within each language: a factor of 3 and five standard deviations
    (by the median absolute deviation) from the median are left out, a factor of 1.8 and four deviations are doubtful.
    """
    groups: dict[str, list[MeasuredUtterance]] = defaultdict(list)
    for item in spoken:
        if item.text and item.measured.speech_seconds > 0:
            groups[item.language].append(item)
    findings = []
    for group in groups.values():
        findings += _rate_outliers(group) if len(group) >= _FEWEST_FOR_STATISTICS else _impossible_rates(group)
    return findings


def letters_per_second(text: str, speech_seconds: float) -> float:
    """Return letters and digits per second of speech; 0 where there is no speech."""
    return _letters(text) / speech_seconds if speech_seconds > 0 else 0.0


def group_by_kind(findings: Iterable[Finding]) -> Mapping[str, list[Finding]]:
    """Return findings sorted and grouped by kind, those that leave something out first."""
    order = {"left out": 0, "warning": 1, "note": 2}
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in sorted(findings, key=lambda item: (order[item.severity], item)):
        groups[finding.kind].append(finding)
    return groups


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)


def _impossible_rates(group: list[MeasuredUtterance]) -> list[Finding]:
    findings = []
    for item in group:
        rate = letters_per_second(item.text, item.measured.speech_seconds)
        if not _SLOWEST <= rate <= _FASTEST:
            reason = f"{rate:.1f} letters a second of speech: the text is not what is said"
            findings.append(left_out("text does not fit", item.subject, reason))
    return findings


def _rate_outliers(group: list[MeasuredUtterance]) -> list[Finding]:
    # Constants of a few letters and a fraction of a second keep one-word recordings, whose rate varies most, inside.
    rates = [math.log((_letters(item.text) + 3) / (item.measured.speech_seconds + 0.2)) for item in group]
    middle = median(rates)
    deviation = 1.4826 * median(abs(rate - middle) for rate in rates)
    usual = median(letters_per_second(item.text, item.measured.speech_seconds) for item in group)
    findings = []
    for item, rate in zip(group, rates, strict=True):
        distance = abs(rate - middle)
        own = letters_per_second(item.text, item.measured.speech_seconds)
        reason = f"{own:.1f} letters a second of speech, {usual:.1f} are usual here"
        if distance > max(math.log(3.0), 5 * deviation):
            findings.append(left_out("text does not fit", item.subject, reason))
        elif distance > max(math.log(1.8), 4 * deviation):
            findings.append(warning("text may not fit", item.subject, reason))
    return findings
