"""Sound files that libsndfile does not read: what telephones and browsers write (PyAV, extra `aac`), headless lengths.

PyAV is handed an open file and the name of one format, never an address: a file cannot make it open another one.
"""

import io
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import AudioError, MissingExtraError

_MARKS = {(4, b"ftyp"): "mp4", (0, b"\x1a\x45\xdf\xa3"): "matroska", (0, b"\x30\x26\xb2\x75"): "asf"}
"""What stands at which place at the start of a file, and FFmpeg's name of the format."""
_NAMES = {"mp4": "MP4 (m4a)", "matroska": "Matroska (webm)", "asf": "Windows Media", "aac": "AAC"}
_HEADER_BYTES = 1 << 16
_CHUNKS = frozenset({b"LIST", b"bext", b"cue ", b"fact", b"id3 ", b"ID3 ", b"PEAK", b"smpl", b"JUNK", b"afsp", b"inst"})


def foreign_format(start: bytes) -> str | None:
    """Return FFmpeg's name of the format that a file's first bytes (at least 12) show, None for others."""
    for (place, mark), name in _MARKS.items():
        if start[place : place + len(mark)] == mark:
            return name
    # AAC in ADTS: a sync word of twelve ones, layer 0. An MP3 has layer 1 to 3 there.
    return "aac" if len(start) > 1 and start[0] == 0xFF and start[1] & 0xF6 == 0xF0 else None


class ForeignAudio:
    """The first audio stream of a container that libsndfile does not read.

    Args:
        file: opened, seekable.
        format: what `foreign_format` returned.
        name: of the file, for messages.

    Raises:
        MissingExtraError: the package `av` is not installed.
        AudioError: damaged, or without sound.
    """

    def __init__(self, file: BinaryIO, format: str, name: str) -> None:
        try:
            import av
        except ImportError as error:
            raise MissingExtraError("av", "aac", f"reading {name} ({_NAMES[format]})") from error
        self._av: Any = av
        self._file, self._name = file, name
        try:
            self._container: Any = av.open(file, "r", format=format)
        except (av.error.FFmpegError, ValueError) as error:
            raise AudioError(f"cannot read {name} as audio: {error}") from error
        if not self._container.streams.audio:
            self.close()
            raise AudioError(f"cannot read {name} as audio: it holds no sound")
        self._stream: Any = self._container.streams.audio[0]
        self.samplerate = int(self._stream.rate or 0)
        self.channels = int(self._stream.layout.nb_channels)

    @property
    def seconds(self) -> float | None:
        """Length that the container states, None where it does not."""
        stream = self._stream
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        return self._container.duration / self._av.time_base if self._container.duration else None

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield the samples as `[frames, channels]`.

        Raises:
            AudioError: the stream is damaged.
        """
        resampler = self._av.AudioResampler(format="fltp", layout=self._stream.layout, rate=self.samplerate)
        try:
            for frame in self._container.decode(self._stream):
                for part in resampler.resample(frame):
                    yield np.ascontiguousarray(part.to_ndarray().T, dtype=np.float32)
            for part in resampler.resample(None):
                yield np.ascontiguousarray(part.to_ndarray().T, dtype=np.float32)
        except (self._av.error.FFmpegError, ValueError) as error:
            raise AudioError(f"cannot read {self._name} as audio: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()
        self._file.close()

    def __enter__(self) -> "ForeignAudio":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def completed_wav(file: BinaryIO) -> BinaryIO | None:
    """Return a WAV with its true length where the header says 0 because the writer could not seek; None for others.

    A writer that pipes its output cannot go back to the header when it knows the length.

    Args:
        file: opened, seekable; left at its start.
    """
    start = file.read(_HEADER_BYTES)
    length = file.seek(0, io.SEEK_END)
    file.seek(0)
    if start[:4] != b"RIFF" or start[8:12] != b"WAVE":
        return None
    place = 12
    while place + 8 <= len(start):
        size = struct.unpack("<I", start[place + 4 : place + 8])[0]
        if start[place : place + 4] == b"data":
            rest = length - place - 8
            # Nothing, or another chunk, after a length of 0 is a file that is empty indeed.
            if size or rest <= 0 or start[place + 8 : place + 12] in _CHUNKS:
                return None
            sizes = {4: min(length - 8, 0xFFFFFFFE), place + 4: min(rest, 0xFFFFFFFE)}
            return cast(BinaryIO, _Overlaid(file, {at: struct.pack("<I", size) for at, size in sizes.items()}))
        place += 8 + size + size % 2
    return None


class _Overlaid(io.RawIOBase):
    """A file of which a few bytes read otherwise."""

    def __init__(self, file: BinaryIO, contents: dict[int, bytes]) -> None:
        self._file, self._contents = file, contents

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        begin = self._file.tell()
        found = bytearray(self._file.read(len(buffer)))
        for place, content in self._contents.items():
            first, last = max(begin, place), min(begin + len(found), place + len(content))
            if first < last:
                found[first - begin : last - begin] = content[first - place : last - place]
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()
