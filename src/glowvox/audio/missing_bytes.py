"""How much of a sound file is missing at its end, by what its header says: decoders read half a file as a short one."""

import struct

_NO_LENGTH = 1 << 28
"""Bytes, more than what is asked about can have: a length in a header from there on stands for an unknown one.

Programs that pipe a WAV write 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF and the like.
"""
_W64 = b"riff\x2e\x91\xcf\x11"


def missing_bytes(content: bytes) -> int:
    """Return how many bytes of a sound file are missing, at least.

    WAV (RIFF, RF64), W64, AIFF and AU state the length of their samples, pages of an Ogg their own. Other files, and
    those whose header states none or one above 256 MiB, are not judged: 0.

    Args:
        content: a file of at most 256 MiB, or its beginning.
    """
    kind, form = content[:4], content[8:12]
    if kind in (b"RIFF", b"RF64") and form == b"WAVE":
        missing = _of_chunks(content, "<I", b"data", None if kind == b"RIFF" else b"ds64")
    elif kind == b"FORM" and form in (b"AIFF", b"AIFC"):
        missing = _of_chunks(content, ">I", b"SSND", None)
    elif content[:8] == _W64 and len(content) >= 24:
        missing = _missing(int.from_bytes(content[16:24], "little"), 0, content)
    elif kind == b".snd" and len(content) >= 12:
        begin, size = struct.unpack(">II", content[4:12])
        missing = _missing(size, begin, content)
    elif kind == b"OggS":
        missing = _of_pages(content)
    else:
        missing = 0
    return missing


def _missing(size: int, begin: int, content: bytes) -> int:
    return max(0, begin + size - len(content)) if 0 < size <= _NO_LENGTH else 0


def _of_chunks(content: bytes, form: str, samples: bytes, lengths: bytes | None) -> int:
    place, long_size = 12, 0
    while place + 8 <= len(content):
        (size,) = struct.unpack(form, content[place + 4 : place + 8])
        name = content[place : place + 4]
        if name == lengths:
            long_size = int.from_bytes(content[place + 16 : place + 24], "little")
        if name == samples:
            return _missing(long_size or size, place + 8, content)
        place += 8 + size + size % 2
    return 0


def _of_pages(content: bytes) -> int:
    place = content.rfind(b"OggS")
    segments = content[place + 26 : place + 27]
    if not segments:
        return max(1, place + 27 - len(content))
    end = place + 27 + segments[0]
    return max(0, end + sum(content[place + 27 : end]) - len(content))
