"""The log and the metrics: one id for a request everywhere, the same fields for every protocol."""

import io
import json
import logging
import re
from contextlib import suppress

import httpx
import pytest
from loopback import eventually, running, slow_voice
from test_serve_wyoming import spoken_to
from tiny_voice import fake_voice
from websocket_client import conversation, heard, tell
from wyoming.audio import AudioStop
from wyoming.tts import Synthesize

from glowvox.serve.access_log import JsonLines, TextLines, log_to_stderr, request_id
from glowvox.serve.settings import Limits, ServerSettings


def told(caplog, event, count=1):
    def lines():
        return [record.__dict__["told"] for record in caplog.records if record.getMessage() == event]

    assert eventually(lambda: len(lines()) >= count)
    return lines()


@pytest.mark.parametrize("given", ["", "own-id_1.2:3/4=5@6", "a" * 128, "a" * 129, "two words", "a\tb", "\xe4", '"'])
def test_a_request_has_one_id_in_both_lines_and_in_the_answer(caplog, given):
    usable = re.fullmatch(r"[A-Za-z0-9._:/+=@-]{1,128}", given)
    with caplog.at_level(logging.INFO), running([fake_voice()]) as server:
        answer = server.post("Hello.", headers={"X-Request-Id": given.encode("latin-1")})
        own = answer.headers["x-request-id"]
        assert own == given if usable else re.fullmatch(r"[0-9a-f]{32}", own)
        [request], [speech] = told(caplog, "request"), told(caplog, "speech")
    assert (request["request_id"], speech["request_id"]) == (own, own)


def test_refusals_and_defects_have_an_id_too(server):
    for answer in (
        server.post("", voice="nobody"),
        server.client.get(f"{server.url}/nowhere"),
        server.post(voice="none"),
    ):
        assert answer.status_code >= 400
        assert answer.headers["x-request-id"]
    first, second = (server.client.get(f"{server.url}/health").headers["x-request-id"] for _ in range(2))
    assert first != second


def test_every_protocol_is_told_of_with_the_same_fields(caplog):
    with caplog.at_level(logging.INFO), running([fake_voice()]) as server:
        server.post("Hello.")
        with conversation(server, headers={"X-Request-Id": "of-a-websocket"}) as socket:
            assert socket.headers["x-request-id"] == "of-a-websocket"
            tell(socket, "text", text="Hello.")
            tell(socket, "end")
            audio, _ = heard(socket)
        spoken_to(server, [Synthesize(text="Hello.")], AudioStop)
        requests, speeches = told(caplog, "request", 3), told(caplog, "speech", 3)
        text = server.client.get(f"{server.url}/metrics").text
    assert [line["protocol"] for line in requests] == ["http", "websocket", "wyoming"]
    assert [line["status"] for line in requests] == [200, 101, 200]
    assert len({tuple(line) for line in requests}) == 1
    assert len({frozenset(line) for line in speeches}) == 1
    assert [line["request_id"] for line in requests] == [line["request_id"] for line in speeches]
    assert requests[1]["bytes"] > len(audio) > 1000
    assert not any(line["broken_off"] for line in requests)
    for path in ("/v1/audio/speech", "/v1/audio/stream", "wyoming"):
        assert f'glowvox_request_seconds_count{{path="{path}"}} 1.0' in text
    for name in (
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "glowvox_connections",
        "glowvox_ready 1.0",
    ):
        assert name in text
    assert 'glowvox_first_audio_seconds_count{voice="tiny"} 3.0' in text
    assert re.search(r'glowvox_build_info\{python="3\.\d+\.\d+",version="\d[^"]*"\} 1\.0', text)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "form", "people"),
    [
        (Terminal, "auto", True),
        (io.StringIO, "auto", False),
        (Terminal, "json", False),
        (io.StringIO, "text", True),
    ],
)
def test_people_read_lines_and_programs_json(monkeypatch, stream, form, people):
    written = stream()
    monkeypatch.setattr("sys.stderr", written)
    with log_to_stderr("info", form):
        fields = {"path": "/v1/models", "status": 200, "why": 'a "b" c', "hostile": "\x1b[2J\nnext"}
        logging.getLogger("glowvox.serve").info("request", extra={"told": fields})
        logging.getLogger("uvicorn.error").info("of no use")
        logging.getLogger("uvicorn.error").warning("of use")
        logging.getLogger("glowvox.serve").debug("too small")
    lines = written.getvalue().splitlines()
    assert len(lines) == 2
    if people:
        assert re.fullmatch(
            r'\d\d:\d\d:\d\d request path=/v1/models status=200 why="a \\"b\\" c" hostile=\\x1b\[2J\\nnext', lines[0]
        )
        assert re.fullmatch(r"\d\d:\d\d:\d\d warning: of use", lines[1])
    else:
        assert json.loads(lines[0]) | fields == json.loads(lines[0])


def test_traces_are_in_both_forms():
    try:
        raise ValueError("inside")
    except ValueError as error:
        record = logging.LogRecord("a", logging.ERROR, "", 0, "defect", (), (ValueError, error, error.__traceback__))
    assert TextLines().format(record).splitlines()[0].endswith("error: defect")
    assert "ValueError: inside" in TextLines().format(record)
    assert "ValueError: inside" in json.loads(JsonLines().format(record))["trace"]


def test_ids_are_new_where_none_came():
    assert len({request_id("") for _ in range(100)}) == 100


@pytest.mark.parametrize("stream_format", ["audio", "sse", "json"])
def test_a_request_that_takes_too_long_is_a_line_and_no_defect(caplog, stream_format):
    slow, _ = slow_voice(0.3)
    with caplog.at_level(logging.INFO), running([slow], ServerSettings(Limits(seconds=1.0), workers=1)) as server:
        with suppress(httpx.RemoteProtocolError):
            server.post("This is a sentence that takes its time. " * 9, stream_format=stream_format)
        [request], [speech] = told(caplog, "request"), told(caplog, "speech")
    assert speech["code"] == "timeout"
    assert request["broken_off"] == (stream_format == "audio")
    assert not [record for record in caplog.records if record.exc_info or record.getMessage() == "defect"]


def test_a_client_that_goes_is_a_line_and_no_defect(caplog):
    slow, _ = slow_voice(0.1)
    with caplog.at_level(logging.INFO), running([slow], ServerSettings(workers=1)) as server:
        body = {"input": "This is a sentence that takes its time. " * 9, "response_format": "pcm"}
        with server.client.stream("POST", f"{server.url}/v1/audio/speech", json=body) as response:
            next(response.iter_raw())
        [request], [speech] = told(caplog, "request"), told(caplog, "speech")
    assert (speech["code"], request["broken_off"]) == ("client_gone", True)
    assert not [record for record in caplog.records if record.exc_info or record.getMessage() == "defect"]
