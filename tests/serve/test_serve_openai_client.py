"""The official client of OpenAI's interface, unchanged."""

import base64
import io

import pytest
import soundfile
from loopback import running
from tiny_voice import fake_voice

from glowvox.serve.settings import ServerSettings

openai = pytest.importorskip("openai")


@pytest.fixture
def client(server):
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as one:
        yield one


def test_create_gives_a_file(client, tmp_path):
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input="Hello, world.")
    speech.write_to_file(tmp_path / "hello.mp3")
    samples, rate = soundfile.read(tmp_path / "hello.mp3")
    assert len(samples) > rate / 2


def test_streaming_gives_the_same_bytes(client, voice):
    overrides = {"model": "gpt-4o-mini-tts", "voice": "tiny", "input": "Hello, world.", "speed": 1.5}
    with client.audio.speech.with_streaming_response.create(**overrides, response_format="pcm") as response:
        streamed = b"".join(response.iter_bytes())
    assert streamed == client.audio.speech.create(**overrides, response_format="pcm").read()
    assert len(streamed) / 2 / 24_000 == pytest.approx(voice.say("Hello, world.", speed=1.5).duration, abs=1e-3)


def test_events_pass_through(client):
    speech = client.audio.speech.create(
        model="tts-1", voice="alloy", input="Hello.", response_format="wav", stream_format="sse"
    )
    assert b"speech.audio.done" in speech.read()


def test_models_are_listed(client):
    names = [model.id for model in client.models.list()]
    assert names[0] == "glowvox"
    assert client.models.retrieve("glowvox").id == "glowvox"


def test_extra_fields_reach_the_server(client):
    speech = client.audio.speech.create(
        model="glowvox", voice="tiny", input="Hello.", response_format="wav", extra_body={"stream_format": "json"}
    )
    answer = speech.response.json()
    assert soundfile.info(io.BytesIO(base64.b64decode(answer["audio"]))).samplerate == 22_050
    assert [word["text"] for word in answer["words"]] == ["Hello"]


def test_errors_are_the_clients_own(client):
    with pytest.raises(openai.NotFoundError, match="no voice 'nobody'"):
        client.audio.speech.create(model="tts-1", voice="nobody", input="Hello.")
    with pytest.raises(openai.BadRequestError, match="speed"):
        client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.", speed=7)


def test_keys(monkeypatch):
    settings = ServerSettings(keys=("first-secret", "second-secret"))
    with running([fake_voice()], settings) as server:
        for key in ("first-secret", "second-secret"):
            with openai.OpenAI(base_url=f"{server.url}/v1", api_key=key) as client:
                assert client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.").read()
        with (
            openai.OpenAI(base_url=f"{server.url}/v1", api_key="first-secre", max_retries=0) as client,
            pytest.raises(openai.AuthenticationError, match="not valid"),
        ):
            client.models.list()
