"""The WebSocket: text in as it is written, the voice's speech out, cut at sentences or clauses."""

import json

import pytest
from loopback import eventually, running, slow_voice
from tiny_voice import fake_voice
from websocket_client import conversation, heard, tell

from glowvox.audio.files import quantise
from glowvox.serve.session import ClauseCutter
from glowvox.serve.settings import Limits, ServerSettings

TEXT = "Hello there, world. This is good. And this, my dear friends, is the end of it."


def samples_of(audio):
    return quantise(audio.samples.clip(-1, 1), "PCM_16").astype("<i2").tobytes()


def test_text_in_pieces_is_spoken_as_the_whole(server, voice):
    with conversation(server) as socket:
        tell(socket, "start", voice="tiny", sample_rate=voice.sample_rate, timestamps=True)
        for piece in TEXT.split(" "):
            tell(socket, "text", text=piece + " ")
        tell(socket, "end")
        audio, messages = heard(socket)
    said = voice.say(TEXT)
    assert audio == samples_of(said)
    started = {"type": "started", "voice": "tiny", "format": "pcm", "sample_rate": 22_050}
    assert messages[0] == started
    words = [word for message in messages if message["type"] == "words" for word in message["words"]]
    assert [word["text"] for word in words] == [word.text for word in said.words]
    assert words[-1]["end"] == pytest.approx(said.words[-1].end, abs=1e-3)
    assert messages[-1] == {"type": "done", "duration": pytest.approx(said.duration, abs=1e-3)}


def test_a_sentence_is_spoken_before_the_next_is_written(server):
    with conversation(server) as socket:
        tell(socket, "text", text="The first sentence is here. And then")
        assert json.loads(socket.recv(timeout=10))["type"] == "started"
        assert isinstance(socket.recv(timeout=10), bytes)


def test_flush_speaks_what_has_no_end(server, voice):
    with conversation(server) as socket:
        tell(socket, "start", sample_rate=22_050)
        tell(socket, "text", text="No end yet")
        tell(socket, "flush")
        socket.recv(timeout=10)
        first = socket.recv(timeout=10)
        tell(socket, "text", text=" ... ")  # nothing that could be spoken
        tell(socket, "flush")
        tell(socket, "text", text="Second part")
        tell(socket, "end")
        audio, messages = heard(socket)
    assert first + audio == samples_of(voice.say("No end yet")) + samples_of(voice.say("Second part"))
    assert [message["type"] for message in messages] == ["done"]


def test_clauses_are_spoken_on_their_own(server, voice):
    text = "When all of this is written down, somebody will read it, and be glad. Yes, truly."
    clauses = ["When all of this is written down,", " somebody will read it, and be glad. Yes,", " truly."]
    assert [piece for piece, ends in ClauseCutter().cut(text)] == clauses
    with conversation(server) as socket:
        tell(socket, "start", sample_rate=22_050, cut="clause")
        for sign in text:
            tell(socket, "text", text=sign)
        tell(socket, "end")
        audio, _ = heard(socket)
    assert audio == b"".join(samples_of(voice.say(clause)) for clause in clauses)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_where_a_clause_ends_does_not_depend_on_the_pieces(size):
    text = "A first clause of some length, a second clause; no, this: and a third one that is long, too: end"
    cutter, cuts, current = ClauseCutter(), [], ""
    for start in range(0, len(text), size):
        for piece, ends in cutter.cut(text[start : start + size]):
            current += piece
            if ends:
                cuts.append(current.strip())
                current = ""
    assert cuts == ["A first clause of some length,", "a second clause; no, this:", "and a third one that is long,"]
    assert current.strip() == "too: end"


def test_cancel_drops_what_was_not_spoken(voice):
    slow, vocoder = slow_voice(0.05)
    with running([slow]) as server, conversation(server) as socket:
        tell(socket, "start", sample_rate=22_050)
        tell(socket, "text", text="A sentence that is spoken. " * 40)
        socket.recv(timeout=10)
        socket.recv(timeout=10)
        tell(socket, "cancel")
        while not isinstance(message := socket.recv(timeout=10), str):
            pass
        assert json.loads(message)["type"] == "cancelled"
        assert eventually(lambda: not server.service.busy)
        assert vocoder.samples < 0.5 * len(voice.say("A sentence that is spoken. " * 40).samples)
        tell(socket, "text", text="Afterwards.")
        tell(socket, "end")
        audio, messages = heard(socket)
        assert audio.endswith(samples_of(voice.say("Afterwards.")))
        assert messages[-1]["type"] == "done"


def test_cancel_after_the_end_drops_the_rest_and_closes_as_usual():
    slow, vocoder = slow_voice(0.05)
    text = "A sentence that is spoken. " * 40
    with running([slow]) as server, conversation(server) as socket:
        tell(socket, "text", text=text)
        tell(socket, "end")
        tell(socket, "text", text="cancel")  # nothing follows an end, whatever stands in it
        tell(socket, "sing")
        while isinstance(socket.recv(timeout=10), str):
            pass
        tell(socket, "cancel")
        _, messages = heard(socket)
        assert [message["type"] for message in messages] == ["cancelled", "done"]
        assert 0 < messages[-1]["duration"] < 0.5 * fake_voice().say(text).duration
        assert socket.close_code == 1000
        assert eventually(lambda: not server.service.busy)
        assert vocoder.samples < 0.5 * len(fake_voice().say(text).samples)


def test_the_word_cancel_after_the_end_cancels_nothing(voice):
    slow, _ = slow_voice(0.02)
    with running([slow]) as server, conversation(server) as socket:
        tell(socket, "start", sample_rate=22_050)
        for kind, content in (("text", {"text": TEXT}), ("end", {}), ("text", {"text": "cancel"})):
            tell(socket, kind, **content)
        audio, messages = heard(socket)
    assert audio == samples_of(voice.say(TEXT))
    assert messages[-1]["type"] == "done"


def test_a_client_that_goes_away_stops_its_synthesis():
    slow, vocoder = slow_voice(0.05)
    with running([slow]) as server:
        with conversation(server) as socket:
            tell(socket, "text", text="A sentence that is spoken. " * 40)
            socket.recv(timeout=10)
            socket.recv(timeout=10)
        assert eventually(lambda: not server.service.busy)
        assert vocoder.samples < 0.5 * len(fake_voice().say("A sentence that is spoken. " * 40).samples)
        assert server.service.websockets.count == 0


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", "null", '"text"', '{"type": "sing"}', '{"type": "text"}', '{"type": "text", "text": 3}', b"\x00"],
)
def test_nonsense_is_answered_with_one_line(server, message):
    with conversation(server) as socket:
        socket.send(message)
        _, messages = heard(socket)
    assert messages[-1]["type"] == "error"
    assert "\n" not in messages[-1]["error"]["message"]


def test_start_twice_unknown_voices_and_too_much_text(server):
    for sent, why in (
        ([{"type": "start"}, {"type": "start"}], "first message"),
        ([{"type": "start", "voice": "../../etc"}], "no voice"),
        ([{"type": "text", "text": "word " * 3000}], "characters"),
        ([{"type": "start", "language": "xx"}], "xx"),
        ([{"type": "start", "pitch_shift": 3}], "no melody"),
    ):
        with conversation(server) as socket:
            for message in sent:
                socket.send(json.dumps(message))
            _, messages = heard(socket)
        assert why in messages[-1]["error"]["message"]


def test_web_pages_of_other_hosts_are_not_let_in(server):
    with conversation(server, origin="http://elsewhere.example", status=403):
        pass
    for origin in ("http://[", "http://[x]", "null", "http://"):  # no addresses at all
        with conversation(server, headers={"Origin": origin}, status=403):
            pass
    with conversation(server, origin=server.url) as socket:
        tell(socket, "end")
        assert heard(socket)[1][-1]["type"] == "done"


def test_keys_come_in_a_header_or_in_the_first_message():
    with running([fake_voice()], ServerSettings(keys=("a-long-secret",))) as server:
        with conversation(server) as socket:
            tell(socket, "text", text="Hello.")
            assert heard(socket)[1][-1]["error"]["code"] == "invalid_api_key"
        with conversation(server) as socket:
            tell(socket, "start", api_key="a-long-secret")
            tell(socket, "end")
            assert heard(socket)[1][-1]["type"] == "done"
        with conversation(server, headers={"Authorization": "Bearer a-long-secret"}) as socket:
            tell(socket, "text", text="Hello.")
            tell(socket, "end")
            assert heard(socket)[1][-1]["type"] == "done"


def test_silent_clients_are_sent_away():
    with running([fake_voice()], ServerSettings(Limits(idle_seconds=0.05))) as server:
        with conversation(server) as socket:
            assert heard(socket)[1][-1]["error"]["code"] == "idle"
        assert eventually(lambda: server.service.websockets.count == 0)


def test_one_too_many_is_sent_away():
    with running([fake_voice()], ServerSettings(Limits(sockets=1))) as server:
        with conversation(server) as socket:
            tell(socket, "start")
            assert json.loads(socket.recv(timeout=20))["type"] == "started"
            with conversation(server) as second:
                assert "no room" in heard(second)[1][-1]["error"]["message"]
            tell(socket, "end")
            assert heard(socket)[1][-1]["type"] == "done"
        assert eventually(lambda: server.service.websockets.count == 0)
