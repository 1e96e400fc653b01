"""Clients of a speech server over the loopback, and what they see: for `serve.py`."""

import asyncio
import hashlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field

TEXTS = (
    "Good morning.",
    "The door is open.",
    "The quick brown fox jumps over the lazy dog, and runs away.",
    "It will rain in the afternoon, and the wind will come from the west.",
    "Turn left after two hundred metres. Then keep right, and take the second exit.",
    "She sells sea shells by the sea shore. The shells that she sells are surely from the sea, and nobody knows why.",
)
_WIDTH = 2
"""Bytes of a sample."""


@dataclass
class Figures:
    """What some clients saw together."""

    seconds: float = 0.0
    speech: float = 0.0
    """Seconds of speech received."""
    first: list[float] = field(default_factory=list)
    """Seconds to the first audio of each answer."""
    counts: Counter[str] = field(default_factory=Counter)
    mixed_up: int = 0
    """Answers that differ from those made alone."""


@dataclass(frozen=True)
class SpeechPort:
    """Where a server listens on this machine, and at how many Hz it is asked to speak."""

    port: int
    rate: int

    async def asked(self, text: str) -> tuple[int, float, bytes, float]:
        """Return the status of an answer, the seconds to its first audio, the audio, and Retry-After."""
        body = json.dumps({"input": text, "response_format": "pcm", "sample_rate": self.rate}).encode()
        head = "POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            status = int(lines[0].split()[1])
            headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            if headers.get("transfer-encoding") != "chunked":
                return (
                    status,
                    0.0,
                    await reader.readexactly(int(headers["content-length"])),
                    float(headers.get("retry-after", 0)),
                )
            pieces, first = [], 0.0
            while size := int(await reader.readline(), 16):
                first = first or time.perf_counter() - began
                pieces.append((await reader.readexactly(size + 2))[:-2])
            return status, first, b"".join(pieces), 0.0
        finally:
            writer.close()

    async def load(
        self, clients: int, seconds: float, alone: dict[str, bytes], requests: float = float("inf")
    ) -> Figures:
        """Let clients ask for so long, or so often, and compare their audio with the digests of that made alone."""
        figures, began, left = Figures(), time.perf_counter(), requests

        async def client(number: int) -> None:
            nonlocal left
            while time.perf_counter() - began < seconds and left > 0:
                left -= 1
                text = TEXTS[number % len(TEXTS)]
                number += 1
                try:
                    status, first, audio, later = await asyncio.wait_for(self.asked(text), 120)
                except TimeoutError:
                    figures.counts["timeout"] += 1
                    continue
                except (OSError, EOFError, ValueError):
                    figures.counts["broken"] += 1
                    continue
                figures.counts[str(status)] += 1
                if status == 200:
                    figures.first.append(first)
                    figures.speech += len(audio) / _WIDTH / self.rate
                    figures.mixed_up += hashlib.sha256(audio).digest() != alone[text]
                elif status == 503:
                    await asyncio.sleep(min(later, 1.0))

        await asyncio.gather(*(client(number) for number in range(clients)))
        figures.seconds = time.perf_counter() - began
        return figures
