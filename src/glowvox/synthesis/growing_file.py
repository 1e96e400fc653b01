"""A file in memory that an encoder writes to and whose bytes are taken while it grows."""

from typing import Any


class GrowingFile:
    """A binary file, open for writing, for libraries that want one.

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
