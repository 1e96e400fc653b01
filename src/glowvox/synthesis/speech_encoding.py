"""Speech as the bytes of a sound file, piece by piece as it is spoken."""

import struct
from types import TracebackType
from typing import Any, Self

import numpy as np
import soundfile
from numpy.typing import NDArray

from glowvox.audio.checks import checked_rate
from glowvox.audio.files import ENCODINGS, Encoding, StreamingResampler, quantise
from glowvox.errors import AudioError, ConfigError, MissingExtraError

AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_BITS_PER_SECOND = 64_000
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""The formats that speech can be sent in, each with its media type."""
_UNKNOWN_LENGTH = 0xFFFFFFFF
_CONSTANT_BITRATE = {"bitrate_mode": "CONSTANT", "compression_level": 0.6}
"""Without a header that tells the length, players reckon it from the bit rate; 64 kbit/s up to 24 kHz."""
_BLOCK = 1 << 16
_WAV_HEADER = 44
"""Bytes."""
_ENCODINGS = {
    "pcm": ENCODINGS["wav"],
    "opus": ENCODINGS["ogg"],
    "aac": Encoding("ADTS", ("PCM_16",), (".aac",), AAC_RATES),
    **{name: ENCODINGS[name] for name in ("wav", "flac", "mp3")},
}


class SpeechEncoder:
    """Turns samples into the bytes of one format.

    WAV, PCM, MP3, AAC and Opus come as the samples do; the header of a WAV then says that its length is unknown. FLAC
    comes at the end, since its header tells the length.

    Args:
        format: "wav", "pcm" (16-bit little-endian samples without a header), "mp3", "aac", "opus" (in Ogg) or
            "flac".
        sample_rate: of the samples to come, in Hz.
        target_rate: of the bytes, in Hz; None: the sample rate, or the next one that the format has.

    Raises:
        ConfigError: there is no such format.
        AudioError: the format does not have that rate.
        MissingExtraError: AAC without the extra `aac`.
    """

    def __init__(self, format: str, sample_rate: int, target_rate: int | None = None) -> None:
        encoding = _ENCODINGS.get(format)
        if encoding is None:
            known = ", ".join(MEDIA_TYPES)
            raise ConfigError(f"'{format[:40]}' is not a format that speech can be sent in; use one of {known}")
        wished = checked_rate(sample_rate if target_rate is None else target_rate)
        if target_rate is not None and encoding.rates and target_rate not in encoding.rates:
            known = ", ".join(map(str, encoding.rates))
            raise AudioError(f"{format} does not have the sample rate {target_rate}; use one of {known}")
        self.format = format
        self.rate = encoding.rate_for(wished)
        """Sample rate of the bytes, in Hz."""
        self._subtype = encoding.subtypes[0]
        self._resampler = StreamingResampler(sample_rate, self.rate)
        self._begun = False
        self._growing = GrowingFile()
        self._file: soundfile.SoundFile | AacFile | None = None
        if format == "aac":
            self._file = AacFile(self._growing, self.rate)
        elif format not in ("wav", "pcm"):
            extra: dict[str, Any] = _CONSTANT_BITRATE if format == "mp3" else {}
            self._file = soundfile.SoundFile(
                self._growing, "w", self.rate, 1, subtype=self._subtype, format=encoding.container, **extra
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def push(self, samples: NDArray[np.float32]) -> bytes:
        """Return the bytes that are ready after samples [S] more; beyond -1..1 they are cut off."""
        return self._put(self._resampler.push(samples), last=False)

    def finish(self) -> bytes:
        """Return the bytes that end the file."""
        return self._put(self._resampler.finish(), last=True)

    def _put(self, samples: NDArray[np.float32], *, last: bool) -> bytes:
        numbers = quantise(np.clip(samples, -1.0, 1.0), self._subtype)
        if self._file is None:
            header = _endless_wav_header(self.rate) if self.format == "wav" and not self._begun else b""
            self._begun = True
            return header + numbers.astype("<i2").tobytes()
        for start in range(0, len(numbers), _BLOCK):
            self._file.write(numbers[start : start + _BLOCK])
        if last:
            self._file.close()
        if self.format == "flac" and not last:
            return b""
        return self._growing.taken()


def completed(content: bytes, format: str) -> bytes:
    """Return a file whose pieces came from a `SpeechEncoder`; the header of a WAV now tells its length."""
    if format != "wav":
        return content
    size = len(content) - _WAV_HEADER
    return b"".join(
        [
            b"RIFF",
            struct.pack("<I", size + _WAV_HEADER - 8),
            content[8:40],
            struct.pack("<I", size),
            content[_WAV_HEADER:],
        ]
    )


class GrowingFile:
    """In-memory file that an encoder writes to, and whose bytes are taken while it grows.

    What is written again after it was taken is left out: of MP3, the first frame, which tells the length.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._taken = 0
        self._position = 0

    def taken(self) -> bytes:
        """Return the bytes written since the last call."""
        content = bytes(self._bytes)
        self._taken += len(content)
        self._bytes.clear()
        return content

    def write(self, data: Any) -> int:
        """Write bytes at the position; return how many."""
        content = bytes(data)
        place = self._position - self._taken
        if place >= 0:
            self._bytes[place : place + len(content)] = content
        self._position += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position, counted from the beginning (0), itself (1) or the end (2)."""
        self._position = offset + (0, self._position, self._taken + len(self._bytes))[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return nothing: it is open for writing; libraries ask for the method all the same."""
        return b""

    def flush(self) -> None:
        """Do nothing: nothing is held back."""


class AacFile:
    """AAC encoder, which libsndfile lacks: 16-bit mono samples into ADTS, by FFmpeg through PyAV (extra `aac`).

    An ADTS stream has no header and can be cut anywhere.

    Raises:
        MissingExtraError: PyAV is not installed.
    """

    def __init__(self, target: GrowingFile, sample_rate: int) -> None:
        try:
            import av
        except ModuleNotFoundError as error:
            raise MissingExtraError("av", "aac", "speech as AAC") from error
        self._av = av
        self._rate = sample_rate
        self._position = 0
        self._container: Any = av.open(target, "w", format="adts")
        self._stream = self._container.add_stream("aac", rate=sample_rate, layout="mono", bit_rate=_BITS_PER_SECOND)

    def write(self, numbers: NDArray[np.generic]) -> None:
        """Append samples [S]."""
        if not len(numbers):
            return
        frame = self._av.AudioFrame.from_ndarray(np.asarray(numbers[None], np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = self._rate, self._position
        self._position += len(numbers)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds; a second call does nothing."""
        if self._container is not None:
            container, self._container = self._container, None
            if self._position:
                container.mux(self._stream.encode(None))
            container.close()


def _endless_wav_header(rate: int) -> bytes:
    """Return the header of a WAV of 16-bit mono samples whose length nobody knows yet."""
    layout = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    size = struct.pack("<I", _UNKNOWN_LENGTH)
    return b"RIFF" + size + b"WAVEfmt " + layout + b"data" + size
