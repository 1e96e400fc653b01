"""Writing a sound file piece by piece, so that long audio need not be in memory."""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.audio.checks import checked_rate
from glowvox.audio.encoding import find_encoding, quantise
from glowvox.audio.resample import StreamingResampler
from glowvox.errors import AudioError

_SPOOL_BYTES = 32 << 20
"""A sound file for a stream that cannot seek is held in memory up to this size, on disk above it."""
_FLOATS = frozenset({"FLOAT", "DOUBLE"})


@dataclass(frozen=True)
class ClippingReport:
    """How much of the audio was cut off on writing because it exceeded full scale."""

    clipped: int
    """Samples beyond -1..1 that were cut to full scale; floats are never cut."""
    peak: float
    """The largest absolute sample, 1.0 being full scale."""


class AudioWriter:
    """A sound file that grows piece by piece; made by `audio_writer`."""

    def __init__(self, file: soundfile.SoundFile, sample_rate: int, name: str) -> None:
        self.sample_rate = sample_rate
        """Of the samples to come, in Hz; the file may have another."""
        self._file = file
        self._name = name
        self._resampler = StreamingResampler(sample_rate, file.samplerate)
        self._clipped = 0
        self._peak = 0.0
        self._written = 0

    @property
    def file_rate(self) -> int:
        """The sample rate in the file, in Hz."""
        return self._resampler.target_rate

    @property
    def report(self) -> ClippingReport:
        """What was cut off so far."""
        return ClippingReport(self._clipped, self._peak)

    def write(self, samples: Any) -> None:
        """Append samples [S], -1 to 1; beyond that they are cut off and counted (not in float formats).

        Raises:
            AudioError: NaN or infinite samples, the wrong type or rank, or the disk is full.
        """
        self._put(self._resampler.push(samples))

    def finish(self) -> None:
        """Write what the resampler still holds; `audio_writer` calls it at the end of its block.

        Raises:
            AudioError: no sample was written.
        """
        self._put(self._resampler.finish())
        if not self._written:
            raise AudioError(f"cannot write {self._name}: the audio has no samples")

    def _put(self, samples: NDArray[np.float32]) -> None:
        if not samples.size:
            return
        self._written += samples.size
        magnitude = np.abs(samples)
        self._peak = max(self._peak, float(magnitude.max()))
        if self._file.subtype not in _FLOATS:
            self._clipped += int(np.count_nonzero(magnitude > 1.0))
            samples = np.clip(samples, -1.0, 1.0)
        try:
            self._file.write(quantise(samples, self._file.subtype))
        except (soundfile.SoundFileError, AssertionError, OSError) as problem:
            # soundfile asserts that everything was written; a full disk is where it was not.
            raise AudioError(f"cannot write {self._name}: {_line(problem) or 'the disk is full'}") from problem


@contextlib.contextmanager
def audio_writer(
    destination: str | os.PathLike[str] | BinaryIO,
    sample_rate: int,
    *,
    format: str | None = None,
    subtype: str | None = None,
) -> Iterator[AudioWriter]:
    """Open a sound file for writing piece by piece.

    A path is written aside and takes its name when the block ends well; on an error what was there before stays.
    Encodings that do not know the sample rate (Opus, MP3) get the audio resampled on the way.

    Args:
        destination: a path or a binary file object (which need not be seekable and stays open).
        sample_rate: of the samples to come, in Hz.
        format: "wav", "flac", "ogg" (Opus) or "mp3"; None: by the file name.
        subtype: the sample format ("PCM_16", "PCM_24", "FLOAT"), any case; None: the format's default.

    Raises:
        AudioError: the format or rate cannot be written, the destination cannot, or nothing was written.
    """
    sample_rate = checked_rate(sample_rate)
    if isinstance(destination, str | os.PathLike):
        name, suffix = str(destination), Path(destination).suffix
    else:
        name, suffix = "the stream", ""
        if format is None:
            raise AudioError("a file object has no name to take the format from; give the format, such as 'wav'")
    encoding, chosen = find_encoding(format, suffix, subtype)
    with contextlib.ExitStack() as exits:
        if isinstance(destination, str | os.PathLike):
            stream = exits.enter_context(replacing(destination))
            regular = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
        else:
            stream, regular = destination, False
        if not regular:
            stream = exits.enter_context(_copied_to(stream, name))
        # A descriptor, where there is one: errors in the callbacks of a Python file are lost inside libsndfile.
        target = stream.fileno() if regular else stream
        rate = encoding.rate_for(sample_rate)
        try:
            file = soundfile.SoundFile(
                target, "w", rate, 1, subtype=chosen, format=encoding.container, closefd=not regular
            )
        except (soundfile.SoundFileError, TypeError, ValueError) as problem:
            raise AudioError(f"cannot write {name}: {_line(problem)}") from problem
        with file:
            writer = AudioWriter(file, sample_rate, name)
            yield writer
            writer.finish()


@contextlib.contextmanager
def _copied_to(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Give a seekable file (a header is completed at the end) and copy it to `stream` when the block ends well."""
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        yield spool  # type: ignore[misc]
        spool.seek(0)
        try:
            shutil.copyfileobj(spool, stream, 1 << 20)
            stream.flush()
        except (OSError, ValueError) as problem:
            raise AudioError(f"cannot write {name}: {_line(problem)}") from problem


def _line(problem: BaseException) -> str:
    return " ".join(str(problem).split())
