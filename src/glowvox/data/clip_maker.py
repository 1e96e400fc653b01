"""Making one clip: read, check, resample, trim, normalise the loudness, transform, write. Runs in a worker process."""

import hashlib
import json
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from glowvox.audio.loudness import active_speech_level, normalise_loudness
from glowvox.audio.mel import MelTransform
from glowvox.audio.resample import resample
from glowvox.audio.trim import trim_silence
from glowvox.config.audio import AudioConfig
from glowvox.config.schema import from_dict
from glowvox.data.checks import SMALLEST_OFFSET, Limits, check_length, check_recording
from glowvox.data.clip_file import read_record, write_clip
from glowvox.data.corpora.utterance import UNREAD_SUFFIXES
from glowvox.data.findings import Finding, left_out, warning
from glowvox.data.recording import Measurements, measure_recording, probe_recording, to_int16
from glowvox.errors import ConfigError, DataError, GlowvoxError

_PROCESSING_VERSION = 1
"""Part of every clip's key: raised when the processing below changes what comes out."""
_LEVEL_TOLERANCE_DB = 3.0


@dataclass(frozen=True)
class ClipSettings:
    """What decides a clip's samples and mel, and which recordings become clips."""

    audio: AudioConfig
    """The mel contract."""
    loudness_db: float
    """Target active speech level in dB of full scale."""
    trim: bool
    """Whether silence is trimmed at both ends."""
    limits: Limits
    """Lengths between which a recording is used."""

    def __post_init__(self) -> None:
        if not self.audio.center:
            raise DataError("prepared data needs a mel contract with audio.center = true (frame t on sample t * hop)")
        if not -70 <= self.loudness_db <= -5:
            raise ConfigError(f"the loudness must lie between -70 and -5 dB, got {self.loudness_db:g}")

    def fingerprint(self) -> str:
        """Return a hash of what decides a clip's content."""
        content = [_PROCESSING_VERSION, self.audio.fingerprint(), self.loudness_db, self.trim]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ClipTask:
    """One recording and the clip to make of it."""

    audio: Path
    subject: str
    """The recording as findings name it."""
    target: Path
    settings: ClipSettings


@dataclass(frozen=True)
class ClipRecord:
    """What is known of a clip: measurements on the recording, and the result."""

    measured: Measurements
    gain: float
    """Factor that reached the target loudness."""
    level_db: float
    """Active speech level reached, in dB of full scale; below the target where a peak forbids more."""
    samples: int
    """S, a multiple of the hop length."""


@dataclass(frozen=True)
class ClipResult:
    """What became of a task: a clip, unless a finding leaves it out."""

    record: ClipRecord | None
    findings: tuple[Finding, ...]
    reused: bool = False


def make_clip(task: ClipTask) -> ClipResult:
    """Make the clip of a task, or reuse it where it was made from the same file with the same settings.

    A recording that cannot be used gives a finding, never an error.
    """
    try:
        return _make_clip(task)
    except (GlowvoxError, ValueError, MemoryError) as error:
        reason = str(error).replace(str(task.audio), task.audio.name) or type(error).__name__
        if task.audio.suffix.lower() in UNREAD_SUFFIXES:
            reason += " Convert it to WAV or FLAC first."
        return ClipResult(None, (left_out("unreadable", task.subject, reason),))


def _make_clip(task: ClipTask) -> ClipResult:
    settings = task.settings
    key = _key(task)
    record = _known(task.target, key)
    if record is not None:
        findings = check_recording(task.subject, record.measured, settings.limits, settings.audio)
        return _result(record, [*findings, *_check_level(task, record)], reused=True)
    header = probe_recording(task.audio)
    if header.seconds is not None and header.seconds > settings.limits.max_seconds:
        return _result(None, check_length(task.subject, header.seconds, settings.limits, settings.audio))
    samples, measured = measure_recording(task.audio, header)
    findings = check_recording(task.subject, measured, settings.limits, settings.audio)
    if any(finding.severity == "left out" for finding in findings):
        return _result(None, findings)
    if abs(measured.offset) >= SMALLEST_OFFSET:
        samples = samples - samples.dtype.type(measured.offset)
    rate = settings.audio.sample_rate
    samples = resample(samples, measured.source_rate, rate)
    if settings.trim:
        start, end = trim_silence(samples, rate)
        samples = samples[start:end]
    samples, gain = normalise_loudness(samples, rate, settings.loudness_db)
    usable = len(samples) // settings.audio.hop_length * settings.audio.hop_length
    if usable < settings.audio.n_fft:
        reason = f"{len(samples) / rate:.2f} s are left of {measured.seconds:.2f} s without silence"
        return _result(None, [*findings, left_out("too short", task.subject, reason)])
    whole = to_int16(samples[:usable])
    # The mel belongs to the stored 16-bit samples; its last centred frame lies on the end, beyond the last sample.
    mel = MelTransform(settings.audio)(whole.astype("float32") / 32768.0)[:, : usable // settings.audio.hop_length]
    level = active_speech_level(samples, rate)
    record = ClipRecord(measured, gain=float(gain), level_db=level, samples=usable)
    write_clip(task.target, whole, mel, key, asdict(record))
    return _result(record, [*findings, *_check_level(task, record)])


def crashed(task: ClipTask) -> ClipResult:
    """Return the result of a task whose process died while reading the recording."""
    return ClipResult(None, (left_out("unreadable", task.subject, "the audio library crashed while reading it"),))


def _check_level(task: ClipTask, record: ClipRecord) -> list[Finding]:
    if record.level_db >= task.settings.loudness_db - _LEVEL_TOLERANCE_DB:
        return []
    reason = f"a peak (a click?) keeps the speech at {record.level_db:.0f} dB; wanted {task.settings.loudness_db:g} dB"
    return [warning("loudness not reached", task.subject, reason)]


def _result(record: ClipRecord | None, findings: list[Finding], *, reused: bool = False) -> ClipResult:
    bad = any(finding.severity == "left out" for finding in findings)
    return ClipResult(None if bad else record, tuple(findings), reused=reused and not bad)


def _key(task: ClipTask) -> str:
    try:
        status = task.audio.stat()
    except OSError as error:
        raise DataError(f"cannot be opened ({error.strerror})") from error
    if not stat.S_ISREG(status.st_mode):
        raise DataError("is not a regular file")
    content = [task.subject, status.st_size, status.st_mtime_ns, task.settings.fingerprint()]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _known(target: Path, key: str) -> ClipRecord | None:
    stored = read_record(target, key)
    if stored is None:
        return None
    try:
        return from_dict(ClipRecord, stored)
    except ConfigError:
        return None
