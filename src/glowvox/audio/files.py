"""Reading and writing sound files, mono float32 inside: what libsndfile opens, and with PyAV what telephones write."""

import contextlib
import io
import math
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.audio.checks import HIGHEST_RATE, checked_rate, checked_samples
from glowvox.audio.containers import ForeignAudio, completed_wav, foreign_format
from glowvox.errors import AudioError, one_line

_T = TypeVar("_T")

_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True)
class Encoding:
    """Audio format that can be written: container, sample formats and sample rates."""

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
            named = f"the file name ends in {suffix!r}" if suffix else "the file name has no ending"
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
        result: NDArray[np.generic] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
        return result
    if subtype == "PCM_24":
        return np.clip(np.rint(samples.astype(np.float64) * 2**23), -(2**23), 2**23 - 1).astype(np.int32) << 8
    return samples


def bits_per_dimension(nats_per_sample: float, bits: int = 16) -> float:
    """Return the bits that an ideal coder needs for a sample of `bits` bits, from the negative log-likelihood in nats.

    A sample in [-1, 1) of 16 bits stands for an interval of 2^-15, whose probability is the density times its width.
    Stated for each sample, it does not depend on how a signal was cut into groups, frames or segments.
    """
    return nats_per_sample / math.log(2.0) + bits - 1


def resample(samples: Any, source_rate: int, target_rate: int) -> NDArray[np.float32]:
    """Resample a signal [S] with the SoX resampler, float32 [S * target / source].

    Raises:
        AudioError: the rates are not rates, or the samples not samples.
    """
    source_rate, target_rate = checked_rate(source_rate), checked_rate(target_rate)
    signal = checked_samples(samples).astype(np.float32, copy=False)
    if source_rate == target_rate:
        return signal
    return np.asarray(soxr.resample(signal, source_rate, target_rate, quality="HQ"), dtype=np.float32)


class StreamingResampler:
    """Streaming resampler: a signal that arrives in pieces gives the samples of `resample` for the whole."""

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self.source_rate = checked_rate(source_rate)
        self.target_rate = checked_rate(target_rate)
        self._finished = False
        self._stream = (
            None
            if self.source_rate == self.target_rate
            else soxr.ResampleStream(self.source_rate, self.target_rate, 1, dtype="float32", quality="HQ")
        )

    def push(self, samples: Any) -> NDArray[np.float32]:
        """Take samples [S] (none is allowed) and return those that are ready.

        Raises:
            AudioError: the samples are not samples, or the stream has ended.
        """
        return self._run(samples, last=False)

    def finish(self) -> NDArray[np.float32]:
        """End the stream and return the samples that were still on their way."""
        return self._run(np.empty(0, np.float32), last=True)

    def _run(self, samples: Any, *, last: bool) -> NDArray[np.float32]:
        if self._finished:
            raise AudioError("this resampler has finished its stream; make a new one")
        self._finished = last
        signal = np.asarray(samples)
        signal = checked_samples(signal).astype(np.float32, copy=False) if signal.size else np.empty(0, np.float32)
        if self._stream is None:
            return signal
        return np.asarray(self._stream.resample_chunk(signal, last=last), dtype=np.float32)


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
    """Sound file writer for audio that comes in pieces and need not be in memory; made by `audio_writer`."""

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
            raise AudioError(f"cannot write {self._name}: {one_line(problem, empty='the disk is full')}") from problem


class _Target:
    """A file for libsndfile to write, which keeps the first error: libsndfile loses its reason, and some at the end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._error: OSError | None = None

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """Raise what went wrong with the file, rather than what libsndfile made of it.

        Raises:
            AudioError: something in the block, or in writing what was left in a buffer, did go wrong.
        """
        try:
            yield
            self._tried(self._stream.flush, None)
        except AudioError as problem:
            if self._error is None:
                raise
            raise self._failed(name) from problem
        if self._error is not None:
            raise self._failed(name) from self._error

    def write(self, content: bytes) -> int:
        """Write, or return 0."""
        return self._tried(lambda: self._stream.write(content), 0)

    def read(self, size: int = -1) -> bytes:
        """Read."""
        return self._tried(lambda: self._stream.read(size), b"")

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place and return it."""
        return self._tried(lambda: self._stream.seek(offset, whence), 0)

    def tell(self) -> int:
        """Return the place."""
        return self._tried(self._stream.tell, 0)

    def _failed(self, name: str) -> AudioError:
        assert self._error is not None
        return AudioError(f"cannot write {name}: {self._error.strerror or self._error}")

    def _tried(self, action: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return action()
        except OSError as error:
            self._error = self._error or error
            return otherwise


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
        target = _Target(stream)
        exits.enter_context(target.writing(name))
        rate = encoding.rate_for(sample_rate)
        try:
            file = soundfile.SoundFile(target, "w", rate, 1, subtype=chosen, format=encoding.container)
        except (soundfile.SoundFileError, TypeError, ValueError) as problem:
            raise AudioError(f"cannot write {name}: {one_line(problem)}") from problem
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
            raise AudioError(f"cannot write {name}: {one_line(problem)}") from problem


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
        AudioError: missing, a folder, not readable, empty, not audio, without samples, with NaN or infinite ones, or
            with channels that cancel each other.
        MissingExtraError: an m4a, aac, webm or wma, and the package that decodes it is not installed.
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


@dataclass(frozen=True)
class AudioHeader:
    """What a sound file says about itself."""

    sample_rate: int
    """In Hz, as it stands there."""
    seconds: float | None
    """Length; None where a file that was streamed does not say."""
    channels: int
    """Channels."""


def audio_header(path: str | os.PathLike[str]) -> AudioHeader:
    """Return what a file's header tells, decoding nothing.

    Raises:
        AudioError: not a file that can be opened.
        MissingExtraError: as `read_audio`.
    """
    name = _name(path)
    with _reading(name):
        file = _opened(path, name)
    with file:
        if isinstance(file, ForeignAudio):
            return AudioHeader(file.samplerate, file.seconds, file.channels)
        known = 0 < file.frames < _UNKNOWN_FRAMES and file.samplerate > 0
        return AudioHeader(file.samplerate, file.frames / file.samplerate if known else None, file.channels)


_CANCELLED = 1e-3
"""Channels whose mean has less than this share of their power cancel each other: 30 dB."""


def _mono(file: "soundfile.SoundFile | ForeignAudio", name: str) -> Iterator[NDArray[np.float32]]:
    blocks = file.blocks() if isinstance(file, ForeignAudio) else _blocks(file)
    first, apart, mixed = 0, 0.0, 0.0
    while True:
        with _reading(name):
            block = next(blocks, None)
        if block is None:
            if mixed < _CANCELLED * apart:
                raise AudioError(
                    f"{name}: its {file.channels} channels are in opposite phase, and mixed to one they cancel each "
                    "other; keep one channel, or turn the other one round"
                )
            return
        if not block.size:
            continue
        samples = block[:, 0] if file.channels == 1 else block.mean(axis=1, dtype=np.float32)
        try:
            checked_samples(samples)
        except AudioError as problem:
            where = f", from sample {first}" if first else ""
            raise AudioError(f"{name}{where}: {problem}") from problem
        if file.channels > 1:
            apart += float(np.square(block, dtype=np.float64).mean(1).sum())
            mixed += float(np.square(samples, dtype=np.float64).sum())
        yield samples
        first += len(samples)


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except (soundfile.SoundFileError, OSError, TypeError, ValueError) as problem:
        line = re.sub(r"<_io\.\w+ object at 0x\w+>", name, one_line(problem))
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


def _opened(source: str | os.PathLike[str] | BinaryIO, name: str) -> "soundfile.SoundFile | ForeignAudio":
    if not isinstance(source, str | os.PathLike):
        return _decoder(source if source.seekable() else io.BytesIO(source.read()), name)
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
        return _decoder(path.open("rb"), name, path)
    with path.open("rb") as pipe:
        return _decoder(io.BytesIO(pipe.read()), name)


def _decoder(stream: BinaryIO, name: str, path: Path | None = None) -> "soundfile.SoundFile | ForeignAudio":
    """Return what decodes an opened file, which is closed again where libsndfile opens it by its path."""
    with contextlib.ExitStack() as failing:
        if path is not None:
            failing.callback(stream.close)
        begin = stream.tell()
        start = stream.read(12)
        stream.seek(begin)
        format = foreign_format(start)
        opened: soundfile.SoundFile | ForeignAudio | None = None
        if format is not None:
            opened = ForeignAudio(stream, format, name)
        elif begin == 0 and (completed := completed_wav(stream)) is not None:
            opened = soundfile.SoundFile(completed)
        elif path is None:
            opened = soundfile.SoundFile(stream)
        if opened is not None:
            failing.pop_all()
            return opened
    assert path is not None
    plain = os.fspath(path)
    # soundfile encodes a str strictly, and a file's name may be any bytes.
    return soundfile.SoundFile(plain if plain.isascii() else os.fsencode(plain))
