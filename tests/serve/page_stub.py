"""A service that follows a script: for the states of the page that a healthy server does not show at will."""

import base64
import io
import json
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

import glowvox

PAGE = Path(glowvox.__file__).parent / "serve" / "page"
RATE = 22050
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
}
_VOICE = {
    "id": "kathleen",
    "name": "kathleen",
    "language": "en-us",
    "speakers": ["kathleen"],
    "languages": ["en-us"],
    "sample_rate": RATE,
    "licence": "CC0-1.0",
    "description": "",
    "melody": True,
    "default": True,
}
OTHER_VOICE = {
    **_VOICE,
    "id": "hibari",
    "name": "hibari",
    "speakers": ["ann", "bob"],
    "melody": False,
    "default": False,
}
_FIELDS = ("input", "temperature", "pitch_shift", "pitch_range", "sentence_pause", "paragraph_pause", "lexicon")
_DESCRIPTION = {"components": {"schemas": {"SpeechRequest": {"properties": {name: {} for name in _FIELDS}}}}}
_POLICY = "default-src 'self'; media-src 'self' blob:; img-src 'self' data: blob:; frame-ancestors 'none'"
_CORE = ".,;:!?“”\"'"


@dataclass
class Script:
    """What the service does; tests change it while it runs."""

    status: int = 200
    message: str = ""
    retry_after: int | None = None
    refusals: int = -1
    """Requests that get `status`; -1: all of them."""
    key: str | None = None
    pace: float = 0.0
    """Seconds of waiting in front of each piece."""
    cut_after: int | None = None
    """Events after which the connection is closed."""
    error_after: int | None = None
    """Events after which there is an error event."""
    voices: list[dict] = field(default_factory=lambda: [_VOICE])
    bodies: list[dict] = field(default_factory=list)
    """Of the requests for speech so far."""
    files: list[dict] = field(default_factory=list)
    """Bodies of the requests for sound files."""
    explained: list[dict] = field(default_factory=list)
    """Bodies of the requests to explain a text."""
    sampled: list[str] = field(default_factory=list)
    """Addresses of the samples that were asked for."""
    keys: list[str | None] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    """Whether a client has gone away in the middle of a speech."""


def spoken(text: str, rate: int = RATE) -> tuple[np.ndarray, list[dict]]:
    """Return samples, int16 [S], and words: a voiced sound for each word with a silence after it."""
    rng = np.random.default_rng(1)
    pieces, words, position = [np.zeros(rate // 20)], [], 0.05
    for written in text.split():
        seconds = 0.12 + 0.045 * len(written)
        time_axis = np.arange(int(seconds * rate)) / rate
        pitch = 2 * np.pi * np.cumsum(170 - 40 * time_axis + 20 * np.sin(9 * time_axis)) / rate
        formants = rng.uniform((300, 900, 2300), (800, 2000, 3200))
        sound = sum(
            np.sin(k * pitch) * sum(np.exp(-(((k * 160 - f) / 260) ** 2)) for f in formants) for k in range(1, 40)
        )
        sound = sound + 0.5 * np.exp(-time_axis * 40) * rng.standard_normal(len(time_axis))
        pieces += [sound * np.sin(np.pi * time_axis / seconds) ** 0.5, np.zeros(rate // 25)]
        core = written.strip(_CORE)
        before, _, after = written.partition(core) if core else ("", "", written)
        words.append(
            {
                "text": core or written,
                "start": round(position, 4),
                "end": round(position + seconds, 4),
                "before": before,
                "after": after + " ",
                "ends_sentence": written.rstrip("”\"'")[-1:] in ".!?",
            }
        )
        position += len(time_axis) / rate + (rate // 25) / rate
    whole = np.concatenate(pieces)
    return np.round(whole / max(1.0, np.abs(whole).max()) * 0.6 * 32767).astype("<i2"), words


def explained(body: dict) -> dict:
    """Return how a text is read: words with a z are not in the lexicon, those with a digit are two."""
    text, words, place = body["input"], [], 0
    given = dict(line.split(" = ") for line in body.get("lexicon", "").splitlines())
    for written in text.split():
        core = written.strip(_CORE)
        place = text.index(core, place)
        start, place = place, place + len(core)
        unknown = "z" in core.lower() and core not in given
        spoken = [{"text": core, "phonemes": given.get(core, " ".join(core.lower())), "source": "lexicon"}]
        if core in given:
            spoken[0]["source"] = "user lexicon"
        elif unknown:
            spoken[0]["source"] = "rules"
        if any(map(str.isdigit, core)):
            spoken = [{"text": part, "phonemes": "t", "source": "lexicon"} for part in ("number", "one")]
        if body.get("readings"):
            spoken[0]["readings"] = [
                {"phonemes": spoken[0]["phonemes"], "source": "lexicon"},
                {"phonemes": "ɹ ˈɛ d", "source": "rules"},
            ]
        warnings = [f"'{core}' is not in the lexicon: said by rules"] if unknown else []
        ends = written.rstrip("”\"'")[-1:] in ".!?"
        words.append(
            {"text": core, "start": start, "end": place, "ends_sentence": ends, "warnings": warnings, "spoken": spoken}
        )
    form = "markup" if text.startswith("#") else "plain"
    return {"form": form, "normalized": text, "words": words, "warnings": []}


def wav_file(samples: np.ndarray, rate: int = RATE) -> bytes:
    """Return 16-bit samples [S] as a WAV file."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return stream.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def log_message(self, *_: object) -> None: ...

    def _answer(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _refused(self) -> bool:
        script = self.server.script
        if script.key is not None and self.headers.get("Authorization") != f"Bearer {script.key}":
            self._error(401, "this server needs a valid API key")
            return True
        return False

    def _error(self, status: int, message: str, **headers: str) -> None:
        body = {"error": {"message": message, "type": "server_error", "param": None, "code": None}}
        self._answer(status, json.dumps(body).encode(), "application/json", **headers)

    def do_GET(self) -> None:
        if self.path == "/v1/audio/voices":
            if not self._refused():
                body = json.dumps({"voices": self.server.script.voices}).encode()
                self._answer(200, body, "application/json")
            return
        if self.path.startswith("/v1/audio/voices/"):
            if not self._refused():
                self.server.script.sampled.append(self.path)
                self._answer(200, wav_file(spoken("A sample of it")[0]), "audio/wav")
            return
        if self.path == "/openapi.json":
            self._answer(200, json.dumps(_DESCRIPTION).encode(), "application/json")
            return
        file = PAGE / (self.path.lstrip("/") or "index.html")
        if file.parent == PAGE and file.is_file():
            self._answer(200, file.read_bytes(), _TYPES[file.suffix])
        else:
            self._error(404, "no such thing")

    def do_POST(self) -> None:
        script = self.server.script
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/explain":
            script.explained.append(body)
            if not self._refused():
                if "bad" in body.get("lexicon", ""):
                    self._error(400, "lexicon: line 1: no phone for bad")
                else:
                    self._answer(200, json.dumps(explained(body)).encode(), "application/json")
            return
        script.keys.append(self.headers.get("Authorization"))
        if "stream_format" not in body:
            script.files.append(body)
            if not self._refused():
                content = wav_file(spoken(body["input"])[0]) if body["response_format"] == "wav" else b"sound"
                self._answer(200, content, f"audio/{body['response_format']}")
            return
        script.bodies.append(body)
        if self._refused():
            return
        if script.status != 200 and script.refusals != 0:
            script.refusals -= 1
            after = {} if script.retry_after is None else {"Retry_After": str(script.retry_after)}
            self._error(script.status, script.message, **after)
            return
        try:
            self._speak(body)
        except (BrokenPipeError, ConnectionResetError):
            script.stopped.set()
        self.close_connection = True

    def _speak(self, body: dict) -> None:
        script = self.server.script
        rate = body["sample_rate"]
        samples, words = spoken(body["input"], rate)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        # an odd number of bytes, so that samples are cut in two
        step = int(rate * 0.25) * 2 + 1
        stream = samples.tobytes()
        self._event(type="speech.audio.words", words=[], sample_rate=rate, audio_seconds=0.0)
        sent = 0
        for count, start in enumerate(range(0, len(stream), step)):
            time.sleep(script.pace)
            if count == script.cut_after:
                return
            if count == script.error_after:
                self._event(type="error", error={"message": "the engine failed"})
                return
            until = (start + step) / 2 / rate
            new = [word for word in words[sent:] if word["start"] < until]
            if new:
                self._event(type="speech.audio.words", words=new, sample_rate=rate, audio_seconds=start / 2 / rate)
            sent += len(new)
            self._event(type="speech.audio.delta", audio=base64.b64encode(stream[start : start + step]).decode())
        self._event(type="speech.audio.done", usage={}, duration=len(samples) / rate, sample_rate=rate)

    def _event(self, **event: object) -> None:
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """Serve the page and the script; gives the address."""
    server = _Server(script)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
