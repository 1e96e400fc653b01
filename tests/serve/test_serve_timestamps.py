"""Phonemes, visemes and warnings, in every answer that tells times: JSON, server-sent events, the WebSocket."""

import base64
import json
from itertools import pairwise

import pytest
from websocket_client import conversation, heard

from glowvox.synthesis.visemes import VISEMES

TEXT = "Hello there, world. This is qqqxyzzy, and good."


def events_of(response):
    return [json.loads(line[6:]) for line in response.text.split("\n\n") if line]


def contiguous(visemes, duration):
    assert visemes[0]["start"] == 0
    assert visemes[-1]["end"] == pytest.approx(duration, abs=1e-4)
    assert all(before["end"] == after["start"] for before, after in pairwise(visemes))
    assert {one["viseme"] for one in visemes} <= set(VISEMES)


def spoken(server, *messages):
    """Return the JSON messages of a WebSocket's answer."""
    with conversation(server) as socket:
        for message in messages:
            socket.send(json.dumps(message))
        return heard(socket)[1]


def test_json_has_phonemes_visemes_and_warnings(server, voice):
    warnings = []
    said = voice.say(TEXT, on_warning=warnings.append)
    answer = server.post(TEXT, stream_format="json").json()
    for word, own in zip(answer["words"], said.words, strict=True):
        assert [phoneme["text"] for phoneme in word["phonemes"]] == [phoneme.text for phoneme in own.phonemes]
        assert word["phonemes"][0]["start"] == word["start"]
        assert word["phonemes"][-1]["end"] == word["end"]
    contiguous(answer["visemes"], said.duration)
    assert warnings
    assert answer["warnings"] == warnings
    assert "qqqxyzzy" in "".join(warnings)


def test_events_have_them_piece_by_piece(server):
    whole = server.post(TEXT, stream_format="json").json()
    events = events_of(server.post(TEXT, stream_format="sse", timestamps=True))
    visemes = [one for event in events for one in event.get("visemes", ())]
    contiguous(visemes, whole["duration"])
    assert [one["viseme"] for one in visemes if one["viseme"] != "sil"] == [
        one["viseme"] for one in whole["visemes"] if one["viseme"] != "sil"
    ]
    words = [word for event in events for word in event.get("words", ())]
    assert [word["phonemes"] for word in words] == [word["phonemes"] for word in whole["words"]]
    told = [event for event in events if event["type"] == "speech.audio.warnings"]
    assert [warning for event in told for warning in event["warnings"]] == whole["warnings"]
    assert events[-1]["warnings"] == whole["warnings"]


def test_clients_that_ask_for_no_times_get_openais_events_only(server):
    events = events_of(server.post(TEXT, stream_format="sse"))
    assert {event["type"] for event in events} == {"speech.audio.delta", "speech.audio.done"}
    assert events[-1]["warnings"]
    assert set(events_of(server.post("Hello.", stream_format="sse"))[-1]) == {"type", "usage"}


@pytest.mark.parametrize("cut", ["sentence", "clause"])
def test_the_websocket_has_them_over_all_that_is_spoken(server, cut):
    pieces = [TEXT[start : start + 7] for start in range(0, len(TEXT), 7)]
    told = spoken(
        server,
        {"type": "start", "timestamps": True, "cut": cut},
        *({"type": "text", "text": piece} for piece in pieces),
        {"type": "flush"},
        {"type": "text", "text": "And once more: qqqxyzzy."},
        {"type": "end"},
    )
    visemes = [one for message in told for one in message.get("visemes", ())]
    contiguous(visemes, told[-1]["duration"])
    words = [word for message in told if message["type"] == "words" for word in message["words"]]
    assert all(
        word["start"] <= phoneme["start"] <= phoneme["end"] <= word["end"]
        for word in words
        for phoneme in word["phonemes"]
    )
    warnings = [warning for message in told if message["type"] == "warnings" for warning in message["warnings"]]
    assert told[-1]["type"] == "done"
    assert told[-1]["warnings"] == warnings == list(dict.fromkeys(warnings))


def test_a_silence_has_visemes_too(server):
    answer = server.post("...", stream_format="json").json()
    assert answer["visemes"] == [{"viseme": "sil", "start": 0.0, "end": 0.2}]
    assert base64.b64decode(answer["audio"])
