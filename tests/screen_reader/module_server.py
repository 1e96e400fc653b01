"""A server of speech-dispatcher for tests: it starts a module, sends lines and reads replies, events and sound."""

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tiny_voice import fake_voice

from glowvox.screen_reader.module_configuration import ModuleConfiguration
from glowvox.screen_reader.output_module import OutputModule
from glowvox.screen_reader.protocol import Wire
from glowvox.screen_reader.resident_voices import ResidentVoices, listed_voices


@dataclass
class Message:
    """A reply or an event, read by the rules of the server."""

    code: int
    text: str
    lines: list[bytes] = field(default_factory=list)
    samples: np.ndarray | None = None
    rate: int = 0


def read_message(stream) -> Message | None:
    lines = []
    while True:
        line = stream.readline()
        if not line:
            return None
        assert line.endswith(b"\n") and len(line) > 4, line
        if line[3:4] == b" ":
            break
        assert line[3:4] == b"-", line
        lines.append(line[4:-1])
    code, text = int(line[:3]), line[4:-1].decode()
    message = Message(code, text, lines)
    if code == 705:
        told = dict(one.decode().split("=") for one in lines[:5])
        name, zero, data = lines[5].partition(b"\0")
        assert (name, zero, len(lines)) == (b"AUDIO", b"\0", 6)
        assert (told["bits"], told["num_channels"], told["big_endian"]) == ("16", "1", "0")
        plain, invert = bytearray(), False
        for byte in data:
            if byte == 0x7D:
                invert = True
            else:
                plain.append(byte ^ 0x20 if invert else byte)
                invert = False
        message.samples = np.frombuffer(bytes(plain), "<i2")
        message.rate = int(told["sample_rate"])
        assert len(message.samples) == int(told["num_samples"]) > 0
    return message


class Server:
    """The other side of a module that runs in this process."""

    def __init__(self, voices: ResidentVoices, configuration: ModuleConfiguration | None = None) -> None:
        (their_in, self._out), (self._in, their_out) = os.pipe(), os.pipe()
        self._write, self._read = os.fdopen(self._out, "wb"), os.fdopen(self._in, "rb")
        self._theirs = os.fdopen(their_in, "rb"), os.fdopen(their_out, "wb")
        self.status: int | None = None
        self.module = OutputModule(Wire(*self._theirs), lambda: voices, configuration or ModuleConfiguration())
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.status = self.module.run()
        self._theirs[1].close()

    def send(self, *lines: str | bytes) -> None:
        for line in lines:
            self._write.write((line if isinstance(line, bytes) else line.encode()) + b"\n")
        self._write.flush()

    def next(self) -> Message | None:
        return read_message(self._read)

    def asks(self, *lines: str) -> list[str]:
        """Send a command; return its replies, up to the one that ends it."""
        self.send(*lines)
        count = 2 if "." in lines else 1
        return [f"{one.code} {one.text}" for one in (self.next() for _ in range(count))]

    def begin(self) -> None:
        assert self.asks("INIT") == ["299 OK LOADED SUCCESSFULLY"]
        asked = self.asks("AUDIO", "audio_output_method=server", ".")
        assert asked == ["207 OK RECEIVING AUDIO SETTINGS", "203 OK AUDIO INITIALIZED"]

    def set(self, **settings: object) -> None:
        asked = self.asks("SET", *(f"{name}={value}" for name, value in settings.items()), ".")
        assert asked == ["203 OK RECEIVING SETTINGS", "203 OK SETTINGS RECEIVED"]

    def speaks(self, command: str, *lines: str) -> "Spoken":
        """Have a message spoken, to its end."""
        assert self.asks(command, *lines, ".") == ["202 OK RECEIVING MESSAGE", "200 OK SPEAKING"]
        return self.rest()

    def rest(self) -> "Spoken":
        events = []
        while not events or events[-1].code not in (702, 703, 704):
            events.append(self.next())
        return Spoken(events)

    def close(self) -> None:
        self._write.close()
        while self.next() is not None:
            pass
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._read.close()
        self._theirs[0].close()


@dataclass
class Spoken:
    events: list[Message]

    @property
    def codes(self) -> list[int]:
        """Without repetitions of sound."""
        codes = [event.code for event in self.events]
        return [code for place, code in enumerate(codes) if place == 0 or code != 705 or codes[place - 1] != 705]

    @property
    def samples(self) -> np.ndarray:
        return np.concatenate([np.empty(0, np.int16)] + [event.samples for event in self.events if event.code == 705])

    @property
    def marks(self) -> list[str]:
        return [event.lines[0].decode() for event in self.events if event.code == 700]


def resident() -> ResidentVoices:
    """Fake voices: one speaker, and two."""
    one = fake_voice(name="ann")
    two = fake_voice(name="duo", speakers=("kim", "lea"))
    voices = {Path("ann"): one, Path("duo"): two}
    listed = [entry for path, voice in voices.items() for entry in listed_voices(path, voice.card)]
    return ResidentVoices(listed, voices.__getitem__)
