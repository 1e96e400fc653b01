"""Instructions: followed as far as speed, pitch and pauses go; what is not is told."""

import json

import pytest
from websocket_client import conversation, heard

from glowvox.serve.instructions import followed, read_instructions
from glowvox.synthesis.options import SpeechOptions


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("Speak slowly.", {"speed": 0.8}),
        ("speak very slowly", {"speed": 0.64}),
        ("Talk a little faster", {"speed": 1.25**0.5}),
        ("Speak quickly, in a deep voice.", {"speed": 1.25, "semitones": -2.5}),
        ("Use a very high pitch", {"semitones": 5.0}),
        ("a slightly lower tone", {"semitones": -1.25}),
        ("Speak at 1.5x speed", {"speed": 1.5}),
        ("at 80% of the normal pace", {"speed": 0.8}),
        ("half speed", {"speed": 0.5}),
        ("twice as fast", {"speed": 2.0}),
        ("Long pauses between sentences", {"pauses": 2.5}),
        ("with short pauses", {"pauses": 0.5}),
        ("without pauses", {"pauses": 0.25}),
        ("Speed up a bit", {"speed": 1.25**0.5}),
        ("Pitch it up", {"semitones": 2.5}),
        ("Pacing: slow", {"speed": 0.8}),
        ("- **Voice:** deep\n- **Pauses:** brief", {"semitones": -2.5, "pauses": 0.5}),
        ("Speed: 1.5x. Pitch: very high. Pauses: none.", {"speed": 1.5, "semitones": 5.0, "pauses": 0.25}),
        ("Monotone", {"pitch_range": 0.3}),
        ("Be very expressive!", {"pitch_range": 1.3}),
    ],
)
def test_what_is_understood(text, changed):
    reading = read_instructions(text)
    plain = {"speed": 1.0, "semitones": 0.0, "pitch_range": 1.0, "pauses": 1.0}
    for name, value in (plain | changed).items():
        assert getattr(reading, name) == pytest.approx(value), name
    assert reading.ignored == ()


@pytest.mark.parametrize(
    "text", ["Like a pirate", "Don't speak too fast", "with high energy", "Whisper", "a low-key mood", "0% speed", ""]
)
def test_what_is_not_changes_nothing(text):
    reading = read_instructions(text)
    assert (reading.speed, reading.semitones, reading.pitch_range, reading.pauses) == (1.0, 0.0, 1.0, 1.0)
    assert list(reading.ignored) == ([text] if text and "0%" not in text else [])


def test_a_heading_is_no_wish_and_what_stands_below_it_is_told_as_written():
    reading = read_instructions("Affect: gentle.\nPauses: after each question\nLike a pirate: arr")
    assert reading.ignored == ("gentle", "after each question", "Like a pirate", "arr")
    assert reading.pauses == 1.0


def test_fields_count_before_instructions_and_speed_is_multiplied():
    told, notes = followed(
        "Speak slowly, in a deep voice, like a pirate, with long pauses",
        {"speed": 2.0, "pitch_shift": 1.0, "sentence_pause": 0.1},
        SpeechOptions(),
        melody=True,
    )
    assert told == {"speed": 1.6, "pitch_shift": 1.0, "sentence_pause": 0.1, "paragraph_pause": 1.5}
    assert len(notes) == 1
    assert "'like a pirate'" in notes[0]
    assert "deep" not in notes[0]
    assert followed("at 100x speed", {"speed": 4.0}, SpeechOptions(), melody=True)[0] == {"speed": 4.0}


def test_a_voice_without_a_melody_says_so():
    told, [note] = followed("in a deep voice", {}, SpeechOptions(), melody=False)
    assert told == {"speed": 1.0}
    assert "pitch" in note


def test_requests_follow_them_and_tell_what_is_ignored(server, voice):
    slow = server.post("Hello.", instructions="Speak slowly.")
    assert slow.content == server.post("Hello.", speed=0.8).content
    assert "x-notes" not in slow.headers
    pirate = server.post("Hello.", instructions="Like a pirate \N{GRINNING FACE}")
    assert pirate.content == server.post("Hello.").content
    assert "'Like a pirate" in pirate.headers["x-notes"]
    answer = server.post("Hello.", instructions="Like a pirate", stream_format="json").json()
    assert "'Like a pirate'" in answer["warnings"][0]
    assert server.post("Hello.", instructions="x" * 5000).status_code == 400


def test_pauses_are_longer_where_they_are_asked_for(server):
    text = "One. Two. Three."
    plain, long = (
        server.post(text, stream_format="json", instructions=asked).json()["duration"]
        for asked in (None, "Long pauses.")
    )
    assert long > plain + 0.3


def test_the_websockets_first_message_takes_instructions_and_a_lexicon(server):
    with conversation(server) as socket:
        start = {"type": "start", "instructions": "Slowly, like a pirate", "lexicon": "hello = h ə l oʊ"}
        for message in (start, {"type": "text", "text": "Hello."}, {"type": "end"}):
            socket.send(json.dumps(message))
        told = heard(socket)[1]
    assert told[-1]["type"] == "done"
    assert "'like a pirate'" in told[-1]["warnings"][0]
