"""Whom the server answers for, and how much speech one text may be."""

import json

import httpx
import pytest
from loopback import running
from tiny_voice import fake_voice
from websocket_client import conversation, heard, tell

from glowvox.errors import ConfigError
from glowvox.serve.settings import Limits, ServerSettings
from glowvox.serve.speech_stream import least_seconds


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:9", 200),
        ("127.9.9.9", 200),
        ("localhost", 200),
        ("LocalHost.:8080", 200),
        ("page.localhost", 200),
        ("[::1]:8080", 200),
        ("[::ffff:127.0.0.1]", 200),
        ("evil.example", 421),
        ("evil.example:8080", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("localhost@evil.example", 421),
        ("evil.example@localhost", 421),
        ("127.0.0.1:80:80", 421),
        ("192.168.0.1", 421),
        ("", 421),
        ("[::2]", 421),
    ],
)
def test_only_names_of_this_machine_are_answered_at_loopback(server, host, status):
    for path in ("/health", "/", "/v1/audio/voices"):
        answer = server.client.get(f"{server.url}{path}", headers={"Host": host})
        assert answer.status_code == status
        if status == 421:
            assert answer.json()["error"]["code"] == "host_not_allowed"


def test_names_that_the_operator_gives_are_answered_too():
    with running([fake_voice()], ServerSettings(server_names=("Voice.Example",))) as server:
        for host, status in (
            ("voice.example", 200),
            ("VOICE.example:443", 200),
            ("localhost", 200),
            ("a.example", 421),
        ):
            assert server.client.get(f"{server.url}/health", headers={"Host": host}).status_code == status
    with running([fake_voice()], ServerSettings(server_names=("*",))) as server:
        assert server.client.get(f"{server.url}/health", headers={"Host": "a.example"}).status_code == 200
    for wrong in ("", "https://voice.example", "voice.example/path", "a b", "user@host"):
        with pytest.raises(ConfigError, match="no name of a host"):
            ServerSettings(server_names=(wrong,))


def test_a_page_that_gave_its_name_a_new_address_is_not_let_in(server):
    page = f"http://evil.example:{httpx.URL(server.url).port}"
    with conversation(server, host="evil.example", origin=page, status=421):
        pass


def test_a_text_that_is_too_much_speech_is_refused_before_it_begins(server):
    answer = server.post("9" * 9_999)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "speech_too_long"
    assert server.post("word " * 1_999, speed=0.25).status_code == 413
    assert least_seconds("word " * 2_000, 1.0) < 1200
    assert least_seconds("<speak time='99'>Hi 5</speak>", 0.5) == pytest.approx(0.45)


def test_speech_ends_where_it_is_too_long():
    text = "This is a sentence. " * 20
    whole = fake_voice().say(text)
    with running([fake_voice()], ServerSettings(Limits(speech_seconds=whole.duration / 2))) as server:
        assert server.post("This is a sentence.").status_code == 200
        assert server.post(text, stream_format="json").status_code == 413
        events = [json.loads(line[6:]) for line in server.post(text, stream_format="sse").text.split("\n\n") if line]
        assert events[0]["type"] == "speech.audio.delta"
        assert events[-1]["error"]["code"] == "speech_too_long"
        with pytest.raises(httpx.RemoteProtocolError):
            server.post(text)
        with conversation(server) as client:
            tell(client, "text", text=text)
            tell(client, "flush")
            tell(client, "text", text="This is a sentence.")
            tell(client, "end")
            audio, messages = heard(client)
        kinds = [message["type"] for message in messages]
        assert kinds == ["started", "error", "done"]
        assert messages[1]["error"]["code"] == "speech_too_long"
        assert 0 < len(audio) < 2 * 24_000 * whole.duration
    with running([fake_voice()], ServerSettings(Limits(speech_seconds=whole.duration + 0.01))) as server:
        assert server.post(text).status_code == 200
