"""A text that is still being written, on its way from the event loop to the thread that speaks it."""

import queue
import re
from collections.abc import Iterator

from glowvox.serve.turnstile import Turn

_CLAUSE_END = re.compile(r"[,;:—–](?=\s)")
_SHORTEST_CLAUSE = 24
"""Characters; less is not worth a cut."""


class TextFeed:
    """Pieces of one utterance: put in the event loop, read by a thread that lets others compute while it waits."""

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.characters = 0
        """Written so far."""
        self.unread = 0
        """Characters that the thread has not come to."""
        self.dropped = False
        """Whether what is left shall not be spoken."""

    def put(self, text: str) -> None:
        """Append a piece."""
        self.characters += len(text)
        self.unread += len(text)
        self._pieces.put(text)

    def end(self) -> None:
        """Say that no piece follows; a second call does nothing more."""
        self._pieces.put(None)

    def drop(self) -> None:
        """End it without what is left."""
        self.dropped = True
        self.end()

    def pieces(self, turn: Turn) -> Iterator[str]:
        """Yield the pieces; a turn is given back while there is none."""
        while True:
            try:
                piece = self._pieces.get_nowait()
            except queue.Empty:
                with turn.paused():
                    piece = self._pieces.get()
            if piece is None or self.dropped:
                return
            self.unread -= len(piece)
            yield piece


class ClauseCutter:
    """Finds the places in a text that is being written where a clause ends that is long enough to be spoken alone."""

    def __init__(self) -> None:
        self._since = ""

    def cut(self, text: str) -> Iterator[tuple[str, bool]]:
        """Yield the text in pieces, each with whether a clause ends after it."""
        begin = len(self._since)
        self._since += text
        place = 0
        for found in _CLAUSE_END.finditer(self._since):
            end = found.end()
            if end - place >= _SHORTEST_CLAUSE and end >= begin:
                yield self._since[max(place, begin) : end], True
                place = end
        yield self._since[max(place, begin) :], False
        self._since = self._since[place:]

    def restart(self) -> None:
        """Forget the clause that was begun."""
        self._since = ""
