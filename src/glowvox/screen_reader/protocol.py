"""Wire format of speech-dispatcher's output modules: lines in, replies and events out, and sound within events.

As the server of 0.11 and later speaks it over the standard streams. A command is a line, for some of them with a block
of lines behind it that ends with a full stop alone; a line of the block that begins with a full stop has one more. A
reply is `CODE text`, with lines `CODE-text` before it; events have codes from 700. Sound is an event whose bytes are
escaped as in HDLC, so that no line end is among them.
"""

import threading
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

BEGIN, END, STOPPED, PAUSED = "701 BEGIN", "702 END", "703 STOP", "704 PAUSE"
BAD_SYNTAX = "302 ERROR BAD SYNTAX"
BAD_PARAMETER = "303 ERROR INVALID PARAMETER OR VALUE"
CANNOT_SPEAK = "301 ERROR CANT SPEAK"
LONGEST_LINE = 1 << 20
"""Bytes; what is longer is several lines."""
LONGEST_BLOCK = 8 << 20
"""Bytes; of a longer block the rest is read and dropped."""
_ESCAPE, _INVERTED = 0x7D, 0x20
_SAMPLES_AT_ONCE = 1024
"""Of an event. The server reads byte by byte, and plays an event when it has the whole: the first sound must be short,
and a reply must not wait long behind one."""


class Wire:
    """Both directions of the protocol; whole messages may be written by several threads."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self.lock = threading.RLock()
        """Held while a message is written; hold it to decide and write at once."""

    def line(self) -> str | None:
        """Return the next line without its end; None: there are no more."""
        raw = self._incoming.readline(LONGEST_LINE)
        return raw.rstrip(b"\r\n").decode("utf-8", "replace") if raw else None

    def block(self) -> list[str] | None:
        """Return the lines of a block; None: the stream ended within it."""
        lines: list[str] = []
        size = 0
        while (line := self.line()) is not None:
            if line == ".":
                return lines
            size += len(line) + 1
            if size <= LONGEST_BLOCK:
                lines.append(line.removeprefix("."))
        return None

    def say(self, *lines: str) -> None:
        """Write a message of one or more lines.

        Raises:
            OSError: nobody reads any more.
        """
        self._write(b"".join(line.encode("utf-8", "replace") + b"\n" for line in lines))

    def sound(self, samples: NDArray[np.int16], sample_rate: int) -> None:
        """Write samples, int16 [S], as one event.

        Raises:
            OSError: nobody reads any more.
        """
        head = (
            f"705-bits=16\n705-num_channels=1\n705-sample_rate={sample_rate}\n705-num_samples={len(samples)}\n"
            "705-big_endian=0\n705-AUDIO"
        )
        self._write(head.encode() + b"\0" + escaped(samples.astype("<i2").tobytes()) + b"\n705 AUDIO\n")

    def _write(self, message: bytes) -> None:
        with self.lock:
            self._outgoing.write(message)
            self._outgoing.flush()


def escaped(data: bytes) -> bytes:
    """Return bytes without line ends: those, and the escape itself, are an escape and the byte with bit 5 inverted."""
    escape = bytes([_ESCAPE])
    for special in (_ESCAPE, 0x0A):
        data = data.replace(bytes([special]), escape + bytes([special ^ _INVERTED]))
    return data


class Turn:
    """One message being spoken: its events in order, and nothing after the last of them."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._over = threading.Event()
        self._begun = False
        self.pausing = False
        """Whether it shall end at the next place from which it can be resumed."""
        self.passed = 0
        """Such places so far."""

    @property
    def over(self) -> bool:
        """Whether its last event is written."""
        return self._over.is_set()

    def event(self, *lines: str) -> bool:
        """Write an event, unless the turn is over; return whether it was written."""
        with self._wire.lock:
            if not self.over:
                self._wire.say(*lines)
                return True
        return False

    def begin(self) -> None:
        """Write that the message begins, once."""
        with self._wire.lock:
            if not self._begun:
                self._begun = True
                self.event(BEGIN)

    def mark(self, name: str) -> bool:
        """Write that a mark is reached, see `event`."""
        return self.event(f"700-{' '.join(name.split())}", "700 INDEX MARK")

    def sound(self, samples: NDArray[np.int16], sample_rate: int) -> bool:
        """Write samples, int16 [S], in events short enough to stop between them, see `event`."""
        for start in range(0, len(samples), _SAMPLES_AT_ONCE):
            with self._wire.lock:
                if self.over:
                    return False
                self._wire.sound(samples[start : start + _SAMPLES_AT_ONCE], sample_rate)
        return not self.over

    def end(self, event: str) -> bool:
        """Write the last event, if it was not written before; return whether it was written now."""
        with self._wire.lock:
            if self.over:
                return False
            self._over.set()
            self._wire.say(event)
            return True
