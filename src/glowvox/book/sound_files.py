"""Sound files of a book: AAC, MP3 and FLAC with tags and cover, and the M4B that chapters are joined to (PyAV)."""

import contextlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.audio.files import ENCODINGS, StreamingResampler, quantise
from glowvox.book.source import Cover
from glowvox.errors import DataError, MissingExtraError, one_line

AAC_FRAME = 1024
"""Samples in a packet of AAC; as many are silence before the first sample of a file (its edit list skips them)."""
_CODECS = {
    "m4a": ("aac", "mp4", {"aac_coder": "fast"}, {"brand": "M4A "}),
    "mp3": ("libmp3lame", "mp3", {"compression_level": "7"}, {"id3v2_version": "3"}),
    "flac": ("flac", "flac", {}, {}),
}
"""Codec, container and options of each; the quickest search of an encoder that does not sound worse for speech."""
FORMATS = tuple(_CODECS)
_RATES = {"m4a": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000), "mp3": ENCODINGS["mp3"].rates}
_BLOCK = 1 << 14


def import_av() -> Any:
    """Return PyAV.

    Raises:
        MissingExtraError: it is not installed, or too old to write chapters.
    """
    try:
        import av
        import av.container

        av.container.OutputContainer.set_chapters  # noqa: B018
    except (ImportError, AttributeError) as error:
        raise MissingExtraError("av>=16", "book", "writing audiobooks") from error
    return av


@dataclass(frozen=True)
class SoundFile:
    """What was written."""

    samples: int
    """At `sample_rate`."""
    sample_rate: int
    packets: int
    """Of the codec; of AAC each is `AAC_FRAME` samples."""


def write_sound(
    path: Path,
    format: str,
    blocks: Iterable[NDArray[np.int16]],
    sample_rate: int,
    *,
    bit_rate: int,
    tags: Mapping[str, str],
    cover: Cover | None = None,
) -> SoundFile:
    """Write a sound file from blocks of samples [S]; it is there whole or not at all.

    Args:
        path: the file.
        format: one of `FORMATS`.
        blocks: 16-bit samples.
        sample_rate: of the samples; a format that does not have it gets the next higher one.
        bit_rate: bits per second of AAC and MP3.
        tags: title, artist, album, track and so on.
        cover: a picture inside; None: none.

    Raises:
        DataError: it cannot be written.
        MissingExtraError: PyAV is not installed.
    """
    codec, container, codec_options, options = _CODECS[format]
    rate = next((one for one in _RATES.get(format, ()) if one >= sample_rate), sample_rate)
    resampler = None if rate == sample_rate else StreamingResampler(sample_rate, rate)
    av = import_av()
    samples = packets = 0
    with _output(path, container, options) as output:
        output.metadata.update({key: value for key, value in tags.items() if value})
        stream = output.add_stream(codec, rate=rate, layout="mono", options=codec_options)
        if format != "flac":
            stream.bit_rate = bit_rate
        picture = _add_picture(av, output, cover)
        if picture is not None:
            output.start_encoding()
            picture.put()
        for block in _resampled(blocks, resampler):
            for start in range(0, len(block), _BLOCK):
                piece = block[None, start : start + _BLOCK]
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="s16", layout="mono")
                frame.sample_rate, frame.pts = rate, samples
                samples += piece.shape[1]
                found = stream.encode(frame)
                packets += len(found)
                output.mux(found)
        found = stream.encode(None)
        packets += len(found)
        output.mux(found)
    return SoundFile(samples, rate, packets)


@dataclass(frozen=True)
class ChapterSound:
    """A chapter that was written as M4A."""

    path: Path
    title: str
    packets: int


def join_m4b(
    path: Path, chapters: Sequence[ChapterSound], sample_rate: int, *, tags: Mapping[str, str], cover: Cover | None
) -> float:
    """Join chapters to an M4B with chapter marks, without encoding again.

    Each chapter ends in silence, so that what the encoder knows of the one before it does not matter.

    Args:
        path: the file.
        chapters: in order, all of them mono AAC of one rate.
        sample_rate: theirs.
        tags: title, artist and so on.
        cover: the picture inside; None: none.

    Returns:
        Seconds of the whole.

    Raises:
        DataError: it cannot be written.
    """
    av = import_av()
    base = Fraction(1, sample_rate)
    with _output(path, "mp4", {"brand": "M4B "}) as output, contextlib.ExitStack() as exits:
        output.metadata.update({key: value for key, value in tags.items() if value})
        first = exits.enter_context(av.open(str(chapters[0].path)))
        stream = output.add_stream_from_template(first.streams.audio[0])
        picture = _add_picture(av, output, cover)
        marks, begin = [], 0
        for number, chapter in enumerate(chapters, 1):
            end = begin + chapter.packets * AAC_FRAME
            marks.append(
                {"id": number, "start": begin, "end": end, "time_base": base, "metadata": {"title": chapter.title}}
            )
            begin = end
        output.set_chapters(marks)
        place = -AAC_FRAME
        for chapter in chapters:
            with av.open(str(chapter.path)) as sound:
                for packet in sound.demux(sound.streams.audio[0]):
                    if not packet.size:
                        continue
                    packet.stream = stream
                    packet.time_base, packet.pts, packet.dts, packet.duration = base, place, place, AAC_FRAME
                    place += AAC_FRAME
                    output.mux(packet)
        if picture is not None:
            picture.put()
    return begin / sample_rate


class _Picture:
    """A cover on its way into a file."""

    def __init__(self, av: Any, output: Any, cover: Cover) -> None:
        self._output = output
        form = "jpeg_pipe" if cover.media_type == "image/jpeg" else "png_pipe"
        self._input = av.open(io.BytesIO(cover.content), format=form)
        self._stream = output.add_stream_from_template(self._input.streams.video[0])
        self._stream.disposition = av.stream.Disposition.attached_pic

    def put(self) -> None:
        """Write it."""
        for packet in self._input.demux(self._input.streams.video[0]):
            if packet.size:
                packet.stream, packet.pts, packet.dts = self._stream, 0, 0
                self._output.mux(packet)
        self._input.close()


def _add_picture(av: Any, output: Any, cover: Cover | None) -> _Picture | None:
    """Add a cover; one that no player could show is left out."""
    if cover is None:
        return None
    try:
        form = "jpeg_pipe" if cover.media_type == "image/jpeg" else "png_pipe"
        with av.open(io.BytesIO(cover.content), format=form) as tried:
            if not tried.streams.video or not tried.streams.video[0].width:
                return None
            next(iter(tried.decode(video=0)))
    except (av.error.FFmpegError, ValueError, StopIteration):
        return None
    return _Picture(av, output, cover)


def _resampled(
    blocks: Iterable[NDArray[np.int16]], resampler: StreamingResampler | None
) -> Iterator[NDArray[np.int16]]:
    if resampler is None:
        yield from blocks
        return
    for block in blocks:
        yield _numbers(resampler.push(block.astype(np.float32) / 32768.0))
    yield _numbers(resampler.finish())


def _numbers(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.asarray(quantise(np.clip(samples, -1.0, 1.0), "PCM_16"), np.int16)


class _Sink:
    """A file that remembers why it could not be written: FFmpeg forgets it at the end of a file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write bytes."""
        try:
            return self._stream.write(data)
        except OSError as error:
            self.error = self.error or error
            raise

    def read(self, size: int = -1) -> bytes:
        """Read bytes."""
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._stream.tell()


@contextlib.contextmanager
def _output(path: Path, container: str, options: Mapping[str, str]) -> Iterator[Any]:
    """Open a container that takes its name when the block ends well."""
    av = import_av()
    with replacing(path, DataError) as stream:
        sink = _Sink(stream)
        try:
            with av.open(sink, "w", format=container, options=dict(options)) as output:
                yield output
            stream.flush()
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise sink.error or DataError(f"cannot write {path}: {one_line(error)}") from error
        if sink.error is not None:
            raise sink.error
