"""Notes in a header, which quote what clients send; and speeches whose answer cannot be begun."""

import logging

import pytest
from loopback import eventually, running
from tiny_voice import fake_voice

from glowvox.serve import routes
from glowvox.serve.notes_header import notes_header

CONTROLS = "".join(map(chr, [*range(32), 127, *range(128, 160)]))


def test_a_header_is_one_line_of_ascii():
    assert notes_header(["a\r\nb", "c \N{EURO SIGN}"]) == "a b; c ?"
    assert notes_header([f"x{CONTROLS}y"]).replace("?", "").replace(" ", "") == "xy"
    assert notes_header([]) == ""


@pytest.mark.parametrize("length", [1, 100, 449, 450, 451, 5000])
@pytest.mark.parametrize("count", [1, 2, 40, 1000])
def test_a_header_is_bounded_and_tells_how_many_are_left(length, count):
    told = notes_header(["n" * length] * count)
    assert len(told) < 700
    shown = told.split("; ")
    left = int(shown.pop().split()[1]) if shown[-1].startswith("and ") else 0
    assert len(shown) + left == count
    assert (count * (length + 2) <= 600) == (left == 0 and "..." not in told) or count == 1


@pytest.mark.parametrize("stream_format", ["audio", "sse", "json"])
@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x7f", "\r", "\x85", "\x9b"])
def test_control_signs_are_left_out_of_what_is_quoted(server, caplog, stream_format, sign):
    with caplog.at_level(logging.WARNING):
        answer = server.post("Hello.", instructions=f"Speak {sign}like a pirate", stream_format=stream_format)
    assert answer.status_code == 200
    assert answer.headers["x-notes"].endswith("'Speak like a pirate'")
    assert not any(record.exc_info for record in caplog.records)
    assert eventually(lambda: server.service.active_speeches == 0)


def test_a_text_that_cannot_be_read_has_a_short_header(server, monkeypatch):
    monkeypatch.setenv("PATH", "")  # without espeak-ng, which reads Chinese
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 2500)))
    told = server.post(text).headers["x-notes"]
    assert len(told) < 700
    assert told.endswith(" more")


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
def test_a_speech_is_counted_out_though_its_answer_cannot_be_begun(monkeypatch, stream_format):
    monkeypatch.setattr(routes, "notes_header", lambda _: "a \0 header")
    with running([fake_voice()]) as server:
        body = {"input": "Hello. " * 50, "instructions": "Like a pirate", "stream_format": stream_format}
        with pytest.raises(Exception, match="disconnected"):
            server.client.post(f"{server.url}/v1/audio/speech", json=body)
        assert eventually(lambda: server.service.active_speeches == 0 and not server.service.busy)
        assert server.service.pool.admission.speaking == 0
