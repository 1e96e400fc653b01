"""Reading the arguments of pickle instructions: bounded, and an error instead of a short read."""

import struct
from typing import final

from glowvox.errors import CheckpointError

_UNSIGNED = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}
_MAX_NAME = 256


@final
class PickleBytes:
    """A place in a file's bytes that moves forward.

    Attributes:
        at: the position of the next byte.
    """

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self.at = start

    def next_code(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def take(self, n_bytes: int) -> bytes:
        """Return the next `n_bytes`.

        Raises:
            CheckpointError: there are fewer.
        """
        end = self.at + n_bytes
        if end > len(self._data):
            raise CheckpointError("its pickle ends early; the file is truncated or damaged")
        piece = self._data[self.at : end]
        self.at = end
        return piece

    def unsigned(self, width: int) -> int:
        """Return an unsigned number of 1, 2, 4 or 8 bytes."""
        return int(struct.unpack(_UNSIGNED[width], self.take(width))[0])

    def signed(self, width: int) -> int:
        """Return a signed number of at most 16 bytes.

        Raises:
            CheckpointError: it is longer, as no number in a checkpoint is.
        """
        if width > 16:
            raise CheckpointError("its pickle has an integer of more than 16 bytes; the file may be hostile")
        return int.from_bytes(self.take(width), "little", signed=True)

    def double(self) -> float:
        """Return a big-endian double."""
        return float(struct.unpack(">d", self.take(8))[0])

    def sized(self, width: int) -> bytes:
        """Return bytes preceded by their count, a number of `width` bytes."""
        return self.take(self.unsigned(width))

    def line(self) -> str:
        """Return the text up to the next line feed.

        Raises:
            CheckpointError: there is none nearby.
        """
        end = self._data.find(b"\n", self.at, self.at + _MAX_NAME)
        if end < 0:
            raise CheckpointError("its pickle has a name without an end; the file is damaged")
        text = self._data[self.at : end].decode("utf-8")
        self.at = end + 1
        return text
