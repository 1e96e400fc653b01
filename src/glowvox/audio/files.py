"""Reading and writing sound files: any container that libsndfile opens, mono float32 inside."""

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from glowvox.audio.checks import checked_rate, checked_samples
from glowvox.audio.resample import resample
from glowvox.audio.writer import ClippingReport, audio_writer
from glowvox.errors import AudioError

_BLOCK_SAMPLES = 1 << 18
_UNKNOWN_FRAMES = 2**63 - 1
"""What libsndfile says of a FLAC whose header has no length."""
_SEEK_FAILED = 39
"""libsndfile's error number."""


def read_audio(
    source: str | os.PathLike[str] | BinaryIO, sample_rate: int | None = None
) -> tuple[NDArray[np.float32], int]:
    """Read a sound file as mono.

    The file is read in blocks until it ends: a header may give no length (a FLAC that was streamed) or a wrong one.

    Args:
        source: a path, or a binary file object (which need not be seekable).
        sample_rate: resample to this rate in Hz; None: keep the file's.

    Returns:
        Samples float32 [S], the mean of the channels, and their sample rate in Hz.

    Raises:
        AudioError: missing, a folder, not readable, empty, not audio, without samples, or with NaN or infinite ones.
    """
    if sample_rate is not None:
        checked_rate(sample_rate)
    name = _name(source)
    with audio_blocks(source) as (rate, found):
        blocks = list(found)
    if not blocks:
        raise AudioError(f"{name} holds no samples")
    samples = np.concatenate(blocks)
    if sample_rate is None:
        return samples, rate
    return resample(samples, rate, sample_rate), sample_rate


@contextlib.contextmanager
def audio_blocks(
    source: str | os.PathLike[str] | BinaryIO,
) -> Iterator[tuple[int, Iterator[NDArray[np.float32]]]]:
    """Open a sound file to be read as mono in pieces, so that a long one need not be in memory.

    Args:
        source: a path, or a binary file object (which need not be seekable).

    Yields:
        The sample rate in Hz, and an iterator of samples float32 [S], the mean of the channels; none for a file
        without samples.

    Raises:
        AudioError: missing, a folder, not readable, empty, not audio, or with NaN or infinite samples.
    """
    name = _name(source)
    with _reading(name):
        file = _opened(source, name)
    with file:
        rate = checked_rate(file.samplerate, f"sample rate of {name}")
        yield rate, _mono(file, name)


def _mono(file: soundfile.SoundFile, name: str) -> Iterator[NDArray[np.float32]]:
    blocks, first = _blocks(file), 0
    while True:
        with _reading(name):
            block = next(blocks, None)
        if block is None:
            return
        if not block.size:
            continue
        samples = block[:, 0] if file.channels == 1 else block.mean(axis=1, dtype=np.float32)
        try:
            checked_samples(samples)
        except AudioError as problem:
            where = f", from sample {first}" if first else ""
            raise AudioError(f"{name}{where}: {problem}") from problem
        yield samples
        first += len(samples)


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except (soundfile.SoundFileError, OSError, TypeError, ValueError) as problem:
        line = re.sub(r"<_io\.\w+ object at 0x\w+>", name, " ".join(str(problem).split()))
        raise AudioError(f"cannot read {name} as audio: {line or type(problem).__name__}") from problem


def _name(source: str | os.PathLike[str] | BinaryIO) -> str:
    return str(source) if isinstance(source, str | os.PathLike) else "the stream"


def write_audio(
    destination: str | os.PathLike[str] | BinaryIO,
    samples: Any,
    sample_rate: int,
    *,
    format: str | None = None,
    subtype: str | None = None,
) -> ClippingReport:
    """Write mono samples [S] to a sound file; see `audio_writer` for long audio in pieces.

    Args:
        destination: a path (written aside and renamed) or a binary file object, which needs `format`.
        samples: -1 to 1; beyond that they are cut off and counted, except in float formats.
        sample_rate: in Hz.
        format: "wav", "flac", "ogg" (Opus, at 8, 12, 16, 24 or 48 kHz) or "mp3"; None: by the file name.
        subtype: the sample format ("PCM_16", "PCM_24", "FLOAT"); None: 16 bits where there is a choice.

    Raises:
        AudioError: NaN or infinite samples, none, the wrong shape, an unknown format, or an unwritable destination.
    """
    signal = checked_samples(samples)
    with audio_writer(destination, sample_rate, format=format, subtype=subtype) as writer:
        for start in range(0, len(signal), _BLOCK_SAMPLES):
            writer.write(signal[start : start + _BLOCK_SAMPLES])
    return writer.report


def _blocks(file: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
    """Yield what is left of a file as [frames, channels], to its end and not to the length in its header."""
    size = max(1, min(_BLOCK_SAMPLES // file.channels, file.frames))
    while True:
        # A FLAC holds integers, so a NaN that is still there afterwards is where its decoder stopped.
        buffer = np.full((size, file.channels), np.nan, dtype=np.float32)
        try:
            block = file.read(out=buffer)
        except soundfile.LibsndfileError as problem:
            # soundfile seeks to where the block should have ended; without a length that fails in the last one.
            if file.frames < _UNKNOWN_FRAMES or problem.code != _SEEK_FAILED:
                raise
            yield buffer[~np.isnan(buffer[:, 0])]
            return
        if not len(block):
            return
        yield block


def _opened(source: str | os.PathLike[str] | BinaryIO, name: str) -> soundfile.SoundFile:
    if not isinstance(source, str | os.PathLike):
        stream = source if source.seekable() else io.BytesIO(source.read())
        return soundfile.SoundFile(stream)
    path = Path(source)
    if path.is_dir():
        raise AudioError(f"{name} is a folder; name a sound file in it")
    if not path.exists():
        raise AudioError(f"there is no file {name}")
    if path.is_file():
        if path.stat().st_size == 0:
            raise AudioError(f"{name} is empty")
        if path.suffix.lower() == ".raw":
            raise AudioError(f"{name} is raw audio without a header; convert it to WAV first")
        return soundfile.SoundFile(os.fspath(path))
    with path.open("rb") as pipe:
        return soundfile.SoundFile(io.BytesIO(pipe.read()))
