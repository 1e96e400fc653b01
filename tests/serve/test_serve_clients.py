"""Requests as other programs send them: Open WebUI, Home Assistant's integrations, OpenAI's JavaScript client."""

import io

import numpy as np
import pytest
import soundfile
from loopback import running, slow_voice
from tiny_voice import fake_voice

from glowvox.errors import ConfigError
from glowvox.serve.settings import ServerSettings, parse_aliases

STAINLESS = (
    "authorization,content-type,user-agent,x-stainless-arch,x-stainless-lang,x-stainless-os,x-stainless-retry-count"
)
"""Headers that OpenAI's JavaScript client asks for in a browser."""


@pytest.mark.parametrize("text", ["", ".", "...", "---", "?!", " ", "\n", "\u2026", "\u200d", "\U00013000"])
@pytest.mark.parametrize("format", ["pcm", "mp3", "wav", "opus", "flac"])
def test_a_text_with_nothing_to_say_is_a_short_silence(server, text, format):
    response = server.post(text, response_format=format)
    assert response.status_code == 200, response.text
    if format == "pcm":
        samples, rate = np.frombuffer(response.content, "<i2"), 24_000
    else:
        samples, rate = soundfile.read(io.BytesIO(response.content))
    assert 0.1 < len(samples) / rate < 0.5
    assert np.abs(samples).max() < 0.001
    assert "nothing to say" in response.headers["x-notes"]


def test_an_emoji_alone_is_taken(server):
    for text in ("\N{GRINNING FACE}", "\N{HEAVY BLACK HEART}\ufe0f", "\N{GRINNING FACE} \N{PARTY POPPER}!"):
        assert server.post(text).status_code == 200


def test_a_silence_is_told_as_any_speech(server):
    answer = server.post("...", response_format="wav", stream_format="json").json()
    assert answer["words"] == []
    assert answer["duration"] == pytest.approx(0.2)
    assert answer["warnings"] == ["nothing to say: the text holds no word that can be spoken"]
    assert '"speech.audio.done"' in server.post("...", stream_format="sse").text


def test_null_and_empty_fields_are_absent_ones(server):
    plain = server.post("Hello.", response_format="mp3").content
    names = ["model", "voice", "response_format", "speed", "stream_format", "timestamps", "sample_rate", "seed"]
    names += ["pitch_shift", "pitch_range", "temperature", "pause_tags", "speaker", "language", "instructions"]
    for empty in (None, ""):
        assert server.post("Hello.", **dict.fromkeys(names, empty)).content == plain
    for missing in ({"input": None}, {}):
        answer = server.client.post(f"{server.url}/v1/audio/speech", json=missing)
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "input"


@pytest.mark.parametrize(
    "model",
    ["tts-1-1106", "tts-1-hd-1106", "gpt-4o-mini-tts-2025-03-20", "gpt-4o-mini-tts-2025-12-15", "TTS-1", "", "glowvox"],
)
@pytest.mark.parametrize("voice", ["alloy", "Alloy", "NOVA", "", "default"])
def test_names_of_openai_mean_the_default_voice(server, model, voice):
    assert server.post("Hello.", model=model, voice=voice).content == server.post("Hello.").content


@pytest.mark.parametrize("model", ["tts-1-", "tts-1-11", "tts-2", "gpt-4o-mini-tts-latest", "tts-1-1106-1106"])
def test_other_models_are_not_ours(server, model):
    assert server.post("Hello.", model=model).status_code == 404


def test_the_operator_says_which_voice_an_alias_means(server):
    voices = [fake_voice(), slow_voice(name="duo", speakers=("ann", "bob"))[0]]
    with running(voices, ServerSettings(aliases=parse_aliases(["alloy=duo/bob", "Mum = tiny", "nova=duo"]))) as own:
        bob, ann = (server.post("Hello.", voice=f"duo/{name}").content for name in ("bob", "ann"))
        for name, speech in (("alloy", bob), ("Alloy", bob), ("nova", ann), ("mum", server.post("Hello.").content)):
            assert own.post("Hello.", voice=name).content == speech
        assert own.post("Hello.", voice="alloy", speaker="ann").content == ann
        assert own.post("Hello.", voice="nova", speaker="bob").content == bob
        assert own.post("Hello.", voice="echo").content == server.post("Hello.").content


def test_aliases_that_mean_nothing_are_refused():
    for aliases in ({"alloy": "nobody"}, {"alloy": "duo/eve"}, {"alloy": "../x"}):
        with (
            pytest.raises(ConfigError, match="alias 'alloy'"),
            running([fake_voice()], ServerSettings(aliases=aliases)),
        ):
            pass
    for written in ("alloy", "=x", "alloy=", ""):
        with pytest.raises(ConfigError, match="ALIAS=VOICE"):
            parse_aliases([written])
    with pytest.raises(ConfigError, match="twice"):
        parse_aliases(["alloy=a", "Alloy=b"])


def test_open_webui_lists_models_and_voices(server):
    models = server.client.get(f"{server.url}/v1/audio/models").json()["models"]
    assert [model["id"] for model in models][:2] == ["glowvox", "tts-1"]
    voices = server.client.get(f"{server.url}/v1/audio/voices").json()["voices"]
    assert {voice["id"]: voice["name"] for voice in voices} == {"tiny": "tiny", "duo": "duo"}


def test_voices_are_bare_names_where_a_client_wants_them():
    voices = [fake_voice(), slow_voice(name="duo", speakers=("ann", "bob"))[0]]
    with running(voices, ServerSettings(aliases={"alloy": "duo/bob"})) as own:
        names = own.client.get(f"{own.url}/v1/audio/voices", params={"format": "names"}).json()["voices"]
        assert names == ["tiny", "duo", "duo/ann", "duo/bob", "alloy"]
        assert all(own.post("Hello.", voice=name).status_code == 200 for name in names)
        assert own.client.get(f"{own.url}/v1/audio/voices", params={"format": "other"}).status_code == 400


def test_voices_are_listed_without_a_key_if_the_operator_says_so():
    paths = ("/v1/audio/voices", "/v1/audio/models", "/v1/models", "/v1/models/tts-1")
    for public, status in ((False, 401), (True, 200)):
        with running([fake_voice()], ServerSettings(keys=("a-long-secret",), public_voices=public)) as own:
            assert [own.client.get(f"{own.url}{path}").status_code for path in paths] == [status] * len(paths)
            assert own.client.get(f"{own.url}/metrics").status_code == 401
            assert own.post("Hello.").status_code == 401


def test_head_answers_wherever_get_does(server):
    document = server.client.get(f"{server.url}/openapi.json").json()
    paths = [path.replace("{model}", "tts-1") for path, item in document["paths"].items() if "get" in item]
    assert {"/v1/models/tts-1", "/v1/audio/voices", "/health", "/metrics"} <= set(paths)
    for path in [*paths, "/", "/openapi.json", "/main.js"]:
        got, head = (server.client.request(method, f"{server.url}{path}") for method in ("GET", "HEAD"))
        assert (head.status_code, head.content) == (got.status_code, b""), path
        if path != "/metrics":
            assert head.headers["content-length"] == got.headers["content-length"]
    assert server.client.head(f"{server.url}/v1/models/none").status_code == 404
    assert server.client.head(f"{server.url}/v1/align").status_code == 405
    assert 'path="/v1/models/{model}",status="404"' in server.client.get(f"{server.url}/metrics").text


def test_openai_in_a_browser_may_ask_from_a_permitted_page():
    page = "https://page.example"
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": STAINLESS}
    with running([fake_voice()], ServerSettings(origins=(page,), keys=("a-long-secret",))) as own:
        url = f"{own.url}/v1/audio/speech"
        allowed = own.client.options(url, headers={"Origin": page, **asks})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == page
        assert set(STAINLESS.split(",")) <= set(allowed.headers["access-control-allow-headers"].lower().split(","))
        # browsers ask, too, whether a page of the internet may come into the network that the server is in
        private = {"Origin": page, **asks, "Access-Control-Request-Private-Network": "true"}
        assert own.client.options(url, headers=private).status_code == 200
        refused = own.client.options(url, headers={"Origin": "https://other.example", **asks})
        assert "access-control-allow-origin" not in refused.headers
        headers = {"Origin": page, "Authorization": "Bearer a-long-secret", "X-Stainless-OS": "Unknown"}
        assert own.post("Hello.", headers=headers).headers["access-control-allow-origin"] == page
