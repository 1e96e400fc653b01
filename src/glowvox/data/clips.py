"""One prepared clip: its file, and how it is made: read, check, resample, trim, normalise the loudness, transform.

The file is a safetensors container with the samples and the mel spectrogram. Its header also holds the key of the
source (size, time of change, settings) and what the checks measured, so that an interrupted preparation can go on
without reading the recording again. Clips are made in worker processes.
"""

import hashlib
import json
import re
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from glowvox.audio.atomic_file import replacing
from glowvox.audio.files import quantise, resample
from glowvox.audio.loudness import active_speech_level, normalise_loudness, trim_silence
from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig
from glowvox.config.schema import from_dict
from glowvox.data.checks import (
    SMALLEST_OFFSET,
    Limits,
    Measurements,
    check_length,
    check_recording,
    measure_recording,
    probe_recording,
)
from glowvox.data.corpora import UNREAD_SUFFIXES, Finding, left_out, warning
from glowvox.errors import ConfigError, DataError, GlowvoxError

SUFFIX = ".safetensors"
_LONGEST_NAME = 120
_ENTRY = "glowvox_clip"


def clip_file_name(identifier: str) -> str:
    """Return a file name for a clip that cannot leave its folder: distinct for distinct identifiers.

    Letters, digits, `_`, `-` and inner dots stay; every other byte of the UTF-8 form becomes `%XX`. A name that would
    be too long for a file system is cut and ends in a hash of the whole identifier.
    """
    raw = identifier.encode("utf-8", "surrogatepass")
    escaped = "".join(chr(byte) if re.match(rb"[A-Za-z0-9_.-]", bytes([byte])) else f"%{byte:02X}" for byte in raw)
    if not escaped or escaped.startswith("."):
        escaped = "%2E" + escaped[1:] if escaped else "%"
    if len(escaped) > _LONGEST_NAME:
        escaped = f"{escaped[: _LONGEST_NAME - 34]}%~{hashlib.sha256(raw).hexdigest()[:32]}"
    return escaped + SUFFIX


def write_clip(path: Path, samples: np.ndarray, mel: np.ndarray, key: str, record: dict[str, Any]) -> None:
    """Write a clip aside and rename it into place.

    Args:
        path: the file.
        samples: int16 [S].
        mel: float32 [M, T], T = S / hop length.
        key: what the clip was made from; `read_record` gives the record back to whoever has the same key.
        record: plain data measured on the recording.
    """
    tensors = {"samples": np.ascontiguousarray(samples), "mel": np.ascontiguousarray(mel)}
    # One entry: safetensors writes several in an order that changes from run to run.
    content = save(tensors, metadata={_ENTRY: json.dumps({"key": key, "record": record}, sort_keys=True)})
    with replacing(path, DataError) as file:
        file.write(content)


def read_record(path: Path, key: str) -> dict[str, Any] | None:
    """Return the record of an existing clip made with this key; None where there is none, or it is damaged."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            complete = {"samples", "mel"} <= set(file.keys())
        made = json.loads(metadata[_ENTRY])
        record = made["record"] if made["key"] == key and complete else None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def read_clip(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return `(samples int16 [S], mel float32 [M, T])` of a clip file.

    Raises:
        DataError: the file is missing, damaged, or holds something else.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            samples, mel = file.get_tensor("samples"), file.get_tensor("mel")
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error
    _check_types(path, samples, mel)
    return samples, mel


def read_clip_part(path: Path, start: int, frames: int, hop_length: int, n_mels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `(samples int16 [frames * hop_length], mel float32 [M, frames])` of a clip file, reading only that part.

    Args:
        path: the file.
        start: first frame.
        frames: number of frames.
        hop_length: samples in a frame.
        n_mels: mel bins M.

    Raises:
        DataError: the file is missing, damaged, shorter than that, or holds something else.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            samples = file.get_slice("samples")[start * hop_length : (start + frames) * hop_length]
            mel = file.get_slice("mel")[:, start : start + frames]
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error
    _check_types(path, samples, mel)
    if samples.shape != (frames * hop_length,) or mel.shape != (n_mels, frames):
        raise DataError(f"{path}: does not hold the frames {start} to {start + frames}; run 'glowvox prepare' again")
    return samples, mel


def _check_types(path: Path, samples: np.ndarray, mel: np.ndarray) -> None:
    if samples.dtype != np.int16 or samples.ndim != 1 or mel.dtype != np.float32 or mel.ndim != 2:
        raise DataError(
            f"{path}: expected samples int16 [S] and mel float32 [M, T], found {samples.dtype} {list(samples.shape)} "
            f"and {mel.dtype} {list(mel.shape)}; run 'glowvox prepare' again"
        )


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: cannot be read as a prepared clip ({error}); run 'glowvox prepare' again")


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
    whole = quantise(samples[:usable], "PCM_16")
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
