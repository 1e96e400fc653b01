"""Finite-state transducers that rewrite texts byte by byte, as sherpa-onnx takes them (`rule_fsts`).

A text is a path through the arcs; of all paths the one with the least sum of weights counts, and what its arcs write is
the new text. The file is OpenFst's: type `vector`, arcs `standard` (tropical weights), arcs sorted by what they read.
"""

import heapq
import math
import struct
from collections.abc import Iterable, Sequence

from glowvox.errors import TextError

EPSILON = 0
"""What an arc reads, or writes, that reads or writes nothing."""
READ = 0.5
"""What a byte costs inside a rule, so that the rules that cover most of a text win over copying it."""
COPIED = 1.0
"""What a byte costs that no rule reads."""

Step = tuple[Iterable[int], bytes | None]
"""The bytes of which one is read, and what is written for it; None: itself, ASCII capitals as small letters."""

_END = -1
_MAGIC = 2125659606
_VERSION = 2
# expanded, mutable, arcs sorted by input
_PROPERTIES = 0x1 | 0x2 | 0x10000000


class RewriteFst:
    """A transducer that is put together state by state."""

    def __init__(self) -> None:
        """Begin with the first state, at which texts start."""
        self.arcs: list[list[tuple[int, int, float, int]]] = [[]]
        """Of each state: byte read, byte written, weight, next state."""
        self.finals: list[float] = [math.inf]
        """What it costs to end in each state; infinity: a text cannot end there."""

    def state(self, *, final: bool = False) -> int:
        """Add a state."""
        self.arcs.append([])
        self.finals.append(0.0 if final else math.inf)
        return len(self.arcs) - 1

    def arc(self, source: int, read: int, written: int, target: int, weight: float = 0.0) -> None:
        """Add an arc."""
        self.arcs[source].append((read, written, weight, target))

    def write(self, source: int, written: bytes, target: int, weight: float = 0.0) -> None:
        """Add arcs that write, and read nothing."""
        for byte in written[:-1]:
            following = self.state()
            self.arc(source, EPSILON, byte, following, weight)
            source, weight = following, 0.0
        self.arc(source, EPSILON, written[-1] if written else EPSILON, target, weight)

    def path(self, source: int, steps: Sequence[Step], target: int | None = None, weight: float = 0.0) -> int:
        """Add a row of steps; each byte that is read costs `READ`.

        Returns:
            The state behind it, `target` where that is given.
        """
        for number, (reads, written) in enumerate(steps):
            last = number == len(steps) - 1
            following = target if last and target is not None else self.state()
            inner = following
            if written is not None and len(written) > 1:
                inner = self.state()
                self.write(inner, written[1:], following)
            for read in reads:
                out = small(read) if written is None else (written[0] if written else EPSILON)
                self.arc(source, read, out, inner, READ + weight)
            source, weight = following, 0.0
        return source

    def to_bytes(self) -> bytes:
        """Return the file."""
        kind, arc_kind = b"vector", b"standard"
        count = sum(map(len, self.arcs))
        parts = [
            struct.pack("<ii6si8s", _MAGIC, len(kind), kind, len(arc_kind), arc_kind),
            struct.pack("<iiQqqq", _VERSION, 0, _PROPERTIES, 0, len(self.arcs), count),
        ]
        for arcs, final in zip(self.arcs, self.finals, strict=True):
            parts.append(struct.pack("<fq", final, len(arcs)))
            parts += [struct.pack("<iifi", *arc) for arc in sorted(arcs)]
        return b"".join(parts)

    def rewrite(self, text: str) -> str:
        """Return what a text becomes.

        Raises:
            TextError: no path reads it.
        """
        given = text.encode()
        # place by place, for what is read may have weights below 0, what is not read has none
        queue: list[tuple[int, float, int, int]] = [(0, 0.0, 0, -1)]
        done: set[tuple[int, int]] = set()
        steps: list[tuple[int, int]] = []
        while queue:
            place, cost, state, step = heapq.heappop(queue)
            if (place, state) in done:
                continue
            done.add((place, state))
            if state == _END:
                return _written(steps, step).decode(errors="replace")
            if place == len(given) and self.finals[state] < math.inf:
                heapq.heappush(queue, (place + 1, cost + self.finals[state], _END, step))
            byte = given[place] if place < len(given) else _END
            for read, written, weight, target in self.arcs[state]:
                if read in (EPSILON, byte):
                    steps.append((step, written))
                    heapq.heappush(queue, (place + (read != EPSILON), cost + weight, target, len(steps) - 1))
        raise TextError(f"nothing reads the text {text!r}")


def _written(steps: list[tuple[int, int]], last: int) -> bytes:
    found = bytearray()
    while last >= 0:
        last, written = steps[last]
        if written != EPSILON:
            found.append(written)
    return bytes(reversed(found))


def small(byte: int) -> int:
    """Return the small letter of an ASCII capital, any other byte itself."""
    return byte + 32 if 65 <= byte <= 90 else byte


def either_case(text: str) -> list[Step]:
    """Return the steps that read a text in small or capital letters, and write nothing."""
    return [({byte, byte - 32} if 97 <= byte <= 122 else {byte}, b"") for byte in text.lower().encode()]


def exactly(text: str) -> list[Step]:
    """Return the steps that read a text as it stands, and write nothing."""
    return [({byte}, b"") for byte in text.encode()]
