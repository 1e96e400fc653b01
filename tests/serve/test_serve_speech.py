"""POST /v1/audio/speech: what comes back is the voice's speech, in every format, as events and as JSON."""

import base64
import io
import json

import numpy as np
import pytest
import soundfile
from loopback import running
from tiny_voice import fake_voice

from glowvox.audio.files import quantise, resample
from glowvox.serve.settings import ServerSettings

TEXT = "Hello there, world. This is good."


def pcm_of(audio, rate=24_000):
    return quantise(resample(audio.samples, audio.sample_rate, rate).clip(-1, 1), "PCM_16").astype("<i2").tobytes()


def events_of(response):
    return [json.loads(line[6:]) for line in response.text.split("\n\n") if line]


def test_pcm_is_what_the_voice_says_at_24_khz(server, voice):
    response = server.post(TEXT)
    assert response.status_code == 200
    assert response.headers["x-sample-rate"] == "24000"
    assert response.content == pcm_of(voice.say(TEXT))


def test_pcm_at_the_voices_own_rate_is_its_samples(server, voice):
    response = server.post(TEXT, sample_rate=voice.sample_rate, speed=1.3, seed=4)
    assert response.content == pcm_of(voice.say(TEXT, speed=1.3, seed=4), voice.sample_rate)


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_lossless_files_hold_the_samples(server, voice, format):
    response = server.post(TEXT, response_format=format)
    samples, rate = soundfile.read(io.BytesIO(response.content), dtype="int16")
    assert rate == voice.sample_rate
    assert samples.tobytes() == pcm_of(voice.say(TEXT), rate)


@pytest.mark.parametrize(("format", "rate"), [("mp3", 22_050), ("opus", 24_000)])
def test_lossy_files_hold_the_speech(server, voice, format, rate):
    response = server.post(TEXT, response_format=format)
    samples, found = soundfile.read(io.BytesIO(response.content))
    assert found == rate
    assert len(samples) / found == pytest.approx(voice.say(TEXT).duration, abs=0.15)
    assert np.abs(samples).max() > 0.05


def test_aac_holds_the_speech(server, voice):
    av = pytest.importorskip("av")
    response = server.post(TEXT, response_format="aac")
    assert response.headers["content-type"] == "audio/aac"
    with av.open(io.BytesIO(response.content)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / voice.sample_rate == pytest.approx(voice.say(TEXT).duration, abs=0.15)


def test_events_are_those_of_openai(server, voice):
    response = server.post(TEXT, stream_format="sse")
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response)
    assert [event["type"] for event in events[:-1]] == ["speech.audio.delta"] * (len(events) - 1)
    assert len(events) > 2
    assert b"".join(base64.b64decode(event["audio"]) for event in events[:-1]) == pcm_of(voice.say(TEXT))
    assert events[-1]["type"] == "speech.audio.done"
    usage = events[-1]["usage"]
    assert usage["input_tokens"] == len(TEXT)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_events_with_timestamps_tell_words_before_they_sound(server, voice):
    events = events_of(server.post(TEXT, stream_format="sse", timestamps=True))
    assert events[0]["type"] == "speech.audio.words"
    heard, words = 0.0, []
    for event in events:
        if event["type"] == "speech.audio.words":
            assert event["sample_rate"] == 24_000
            assert all(word["start"] >= event["audio_seconds"] - 1e-3 >= heard - 0.1 for word in event["words"])
            words += event["words"]
        if event["type"] == "speech.audio.delta":
            heard += len(base64.b64decode(event["audio"])) / 2 / 24_000
    said = voice.say(TEXT)
    assert [(word["text"], word["start"]) for word in words] == [
        (word.text, pytest.approx(word.start, abs=1e-4)) for word in said.words
    ]
    assert "".join(word["before"] + word["text"] + word["after"] for word in words).strip() == TEXT
    assert events[-1]["duration"] == pytest.approx(said.duration, abs=1e-3)


def test_json_holds_a_whole_file_and_the_words(server, voice):
    answer = server.post(TEXT, response_format="wav", stream_format="json").json()
    content = base64.b64decode(answer["audio"])
    assert int.from_bytes(content[40:44], "little") == len(content) - 44
    assert content[44:] == pcm_of(voice.say(TEXT), voice.sample_rate)
    assert answer["duration"] == pytest.approx(voice.say(TEXT).duration, abs=1e-3)
    assert [word["text"] for word in answer["words"]] == ["Hello", "there", "world", "This", "is", "good"]


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"speed": 9}, 400, "speed"),
        ({"speed": "fast"}, 400, "speed"),
        ({"response_format": "exe"}, 400, "response_format"),
        ({"voice": "nobody"}, 404, "voice"),
        ({"voice": "../../etc/passwd"}, 404, "voice"),
        ({"voice": "duo/eve"}, 404, "voice"),
        ({"speaker": "eve"}, 404, "speaker"),
        ({"model": "gpt-9"}, 404, "model"),
        ({"input": None}, 400, "input"),
        ({"input": "x" * 10_001}, 413, "input"),
        ({"language": "xx"}, 400, "language"),
        ({"seed": -1}, 400, "seed"),
        ({"sample_rate": 12_345, "response_format": "mp3"}, 400, None),
    ],
)
def test_bad_requests_get_one_line(server, fields, status, param):
    response = server.post(**({"text": fields.pop("input")} if "input" in fields else {}), **fields)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["param"] == param
    assert error["message"]
    assert "\n" not in error["message"]


def test_bodies_that_are_no_requests(server):
    url = f"{server.url}/v1/audio/speech"
    for content in (b"", b"{", b"[]", b"null", b'{"input": "\xff"}', b"\x00" * 100, b'{"input": {"a": 1}}'):
        response = server.client.post(url, content=content, headers={"Content-Type": "application/json"})
        assert response.status_code == 400, content
        assert response.json()["error"]["type"] == "invalid_request_error"


def test_bodies_that_are_too_large_are_not_read(server):
    url = f"{server.url}/v1/audio/speech"
    headers = {"Content-Type": "application/json"}
    assert server.client.post(url, content=b"x" * (1 << 20) + b"x", headers=headers).status_code == 413

    def endless():
        for _ in range(40):
            yield b"x" * (1 << 16)

    assert server.client.post(url, content=endless(), headers=headers).status_code == 413


def test_speakers_are_chosen_by_name(server):
    bob = server.post(TEXT, voice="duo/bob").content
    assert bob == server.post(TEXT, voice="duo", speaker="bob").content
    assert bob == server.post(TEXT, voice={"id": "duo/bob"}).content
    assert bob != server.post(TEXT, voice="duo").content


def test_an_address_speaks_only_where_the_operator_says_so(server, voice):
    url = f"{server.url}/v1/audio/speech"
    assert server.client.get(url, params={"text": "Hello."}).status_code == 405
    assert server.client.head(url, params={"text": "Hello."}).status_code == 405
    assert "get" not in server.client.get(f"{server.url}/openapi.json").json()["paths"]["/v1/audio/speech"]


def test_a_player_can_open_an_address():
    with running([fake_voice()], ServerSettings(get_speech=True, keys=("a-long-secret",))) as own:
        url = f"{own.url}/v1/audio/speech"
        key = {"Authorization": "Bearer a-long-secret"}
        posted = own.post(TEXT, speed=1.5, response_format="mp3", voice="tiny", headers=key)
        query = {"text": TEXT, "speed": "1.5", "voice": "tiny", "api_key": "a-long-secret", "seed": ""}
        got = own.client.get(url, params=query)
        assert got.content == posted.content
        assert got.headers["content-type"] == "audio/mpeg"
        twice = 'glowvox_speeches_total{voice="tiny"} 2.0'
        assert twice in own.client.get(f"{own.url}/metrics", headers=key).text
        head = own.client.head(url, params=query | {"response_format": "wav"})
        assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "audio/wav")
        assert "content-length" not in head.headers  # it is not known before it is spoken
        assert twice in own.client.get(f"{own.url}/metrics", headers=key).text
        for changed, status in (
            ({"api_key": ""}, 401),
            ({"api_key": "another-secret"}, 401),
            ({"text": "x" * 10_001}, 413),
            ({"voice": "nobody"}, 404),
            ({"speed": "fast"}, 400),
            ({"response_format": "exe"}, 400),
            ({"language": "zz"}, 400),
            ({"lexicon": "nonsense"}, 400),
            ({"pitch_shift": "3"}, 400),
            ({"text": "<speak>Hello"}, 400),
            ({"text": "Hello.", "input_format": "ssml"}, 400),
            ({"text": "<speak>.</speak>"}, 200),
        ):
            for method in ("GET", "HEAD"):
                assert own.client.request(method, url, params=query | changed).status_code == status, changed
        document = own.client.get(f"{own.url}/openapi.json", headers=key).json()
        described = document["paths"]["/v1/audio/speech"]["get"]
        assert {"text", "voice", "speed", "api_key"} <= {one["name"] for one in described["parameters"]}
