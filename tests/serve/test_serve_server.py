"""What surrounds the speech: lists, health, metrics, logs, keys, pages of other hosts, alignment."""

import io
import json
import logging
import re

import numpy as np
import pytest
import soundfile
from loopback import eventually, running
from tiny_voice import FakeAcoustic, FakeVocoder, card, fake_voice

from glowvox.errors import ConfigError, MissingExtraError, SilentTextError, VoiceError
from glowvox.serve.access import KEYS_VARIABLE, read_keys
from glowvox.serve.access_log import JsonLines
from glowvox.serve.application import create_app
from glowvox.serve.server import bound_socket
from glowvox.serve.server import run as serve
from glowvox.serve.settings import Address, Limits, ServerSettings
from glowvox.synthesis.voice import Voice


def test_voices_and_models_are_listed(server):
    voices = server.client.get(f"{server.url}/v1/audio/voices").json()["voices"]
    assert [voice["id"] for voice in voices] == ["tiny", "duo"]
    assert [voice["default"] for voice in voices] == [True, False]
    assert voices[1]["speakers"] == ["ann", "bob"]
    assert voices[0]["sample_rate"] == 22_050
    assert server.client.get(f"{server.url}/v1/models/tts-1").json()["id"] == "tts-1"
    assert server.client.get(f"{server.url}/v1/models/other").json()["error"]["code"] == "model_not_found"


def test_health_and_what_is_not_there(server):
    assert server.client.get(f"{server.url}/health").json() == {"status": "ok"}
    assert server.client.get(f"{server.url}/ready").json()["voices"] == ["tiny", "duo"]
    for path in ("/nowhere", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/page/index.html", "/docs"):
        response = server.client.get(f"{server.url}{path}")
        assert response.status_code == 404
        assert response.json()["error"]["type"] == "not_found_error"
    assert server.client.get(f"{server.url}/v1/audio/speech").status_code == 405


def test_the_page_asks_no_other_host(server):
    response = server.client.get(f"{server.url}/")
    assert response.status_code == 200
    assert "default-src 'self'" in response.headers["content-security-policy"]
    again = server.client.get(f"{server.url}/", headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304


def test_metrics_count_what_happened(server):
    server.post("Hello.", voice="duo")
    server.post("Hello.", voice="duo", language="xx")
    text = server.client.get(f"{server.url}/metrics").text
    for line in (
        'glowvox_speeches_total{voice="duo"}',
        'glowvox_errors_total{code="status_400",voice="duo"}',
        'glowvox_first_audio_seconds_count{voice="duo"}',
        'glowvox_real_time_factor_count{voice="duo"}',
        'glowvox_speech_seconds_total{voice="duo"}',
        'glowvox_requests_total{path="/v1/audio/speech",status="200"}',
        "glowvox_waiting 0.0",
        "glowvox_speaking 0.0",
    ):
        assert line in text


def test_unknown_paths_do_not_fill_the_metrics(server):
    for number in range(5):
        server.client.get(f"{server.url}/nowhere/{number}")
    text = server.client.get(f"{server.url}/metrics").text
    assert "/nowhere/" not in text
    assert 'path="other",status="404"' in text


@pytest.mark.parametrize("log_text", [False, True])
def test_texts_are_logged_only_where_it_is_wished(caplog, log_text):
    secret = "Zanzibar"
    with caplog.at_level(logging.DEBUG), running([fake_voice()], ServerSettings(log_text=log_text)) as server:
        server.post(f"The word is {secret} qqqxyzzy.")
        server.post(f"{secret}.", language="xx")
        assert eventually(lambda: sum(record.getMessage() == "request" for record in caplog.records) == 2)
    lines = [JsonLines().format(record) for record in caplog.records]
    assert all(json.loads(line)["time"] for line in lines)
    own = [line for line in lines if "asyncio" not in line]
    assert any(secret in line for line in own) == log_text
    spoken = next(json.loads(line) for line in lines if '"event": "speech"' in line)
    assert spoken["voice"] == "tiny"
    assert spoken["speech_seconds"] > 0


def test_keys_are_asked_for_everywhere_but_for_health():
    with running([fake_voice()], ServerSettings(keys=("a-long-secret",))) as server:
        for path in ("/v1/models", "/v1/audio/voices", "/metrics"):
            response = server.client.get(f"{server.url}{path}")
            assert response.status_code == 401
            assert response.headers["www-authenticate"] == "Bearer"
            for wrong in ("Bearer a-long-secre", "Basic a-long-secret", "Bearer \xe4", "Bearer"):
                headers = {"Authorization": wrong.encode("latin-1")}
                assert server.client.get(f"{server.url}{path}", headers=headers).status_code == 401
            headers = {"Authorization": "bearer a-long-secret"}
            assert server.client.get(f"{server.url}{path}", headers=headers).status_code == 200
        assert server.post().status_code == 401
        for path in ("/health", "/ready", "/"):
            assert server.client.get(f"{server.url}{path}").status_code == 200


def test_keys_come_from_a_file_and_the_environment(tmp_path, monkeypatch):
    path = tmp_path / "keys"
    path.write_text("# ours\nthe-first-key  # of the kitchen\n\nthe-second-key\nthe-first-key\n")
    monkeypatch.setenv(KEYS_VARIABLE, "the-third-key, the-fourth-key")
    assert set(read_keys(path)) == {"the-first-key", "the-second-key", "the-third-key", "the-fourth-key"}
    monkeypatch.delenv(KEYS_VARIABLE)
    assert read_keys(None) == ()
    for content in (b"", b"# none\n", b"short\n", b"two words\n", b"\xff\xfe\n", b"k" * ((1 << 20) + 1)):
        path.write_bytes(content)
        with pytest.raises(ConfigError):
            read_keys(path)
    with pytest.raises(ConfigError, match="cannot read"):
        read_keys(tmp_path / "none")


def test_pages_of_other_hosts_are_allowed_by_name_only():
    origin = {"Origin": "http://elsewhere.example"}
    with running([fake_voice()]) as server:
        assert "access-control-allow-origin" not in server.client.get(f"{server.url}/v1/models", headers=origin).headers
    with running([fake_voice()], ServerSettings(origins=(origin["Origin"],))) as server:
        headers = server.client.get(f"{server.url}/v1/models", headers=origin).headers
        assert headers["access-control-allow-origin"] == origin["Origin"]
        other = server.client.get(f"{server.url}/v1/models", headers={"Origin": "http://third.example"}).headers
        assert "access-control-allow-origin" not in other


def test_addresses_and_settings_that_cannot_be_used():
    with bound_socket("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(ConfigError, match="cannot listen"):
            serve(create_app([fake_voice()]), Address(port=taken.getsockname()[1]))
    for host, port in (
        *(("nowhere.invalid", 0), ("127.0.0.1", 70_000), ("127.0.0..1", 0)),
        *((f"{'a' * 64}.example", 0), ("a\0b", 0)),
    ):
        with pytest.raises(ConfigError, match="cannot listen"):
            bound_socket(host, port)
    for uri in ("tcp://a..b:1", f"tcp://{'a' * 64}.example:1"):
        with pytest.raises(ConfigError, match="cannot listen at tcp://a"):
            serve(create_app([fake_voice()]), Address(port=0, wyoming=uri))
    for limits in ({"streams": 0}, {"seconds": 0.0}, {"waiting": -1}, {"seconds": float("nan")}):
        with pytest.raises(ConfigError):
            Limits(**limits)
    with pytest.raises(ConfigError):
        ServerSettings(workers=-1)
    with pytest.raises(VoiceError, match="two voices"):
        create_app([fake_voice(), fake_voice()])
    with pytest.raises(VoiceError, match="needs a voice"):
        create_app([])


def test_a_request_passes_every_layer_once():
    layers = [layer.cls for layer in create_app([fake_voice()], ServerSettings(origins=("*",))).user_middleware]
    assert len(set(layers)) == len(layers) == 4


class _Aligned:
    """What an aligner gives back, of the length of the recording."""

    def __init__(self, voice, text):
        from glowvox.synthesis.timestamps import Timeline

        self.timeline = Timeline.of([voice.say(text)])


class _Aligner:
    def __init__(self, voice):
        self._voice = voice
        self.heard = []

    def align(self, samples, sample_rate, text, **options):
        self.heard.append((len(samples), sample_rate, options.get("speaker")))
        return _Aligned(self._voice, text)


def recording(seconds=1.0, format="WAV"):
    target = io.BytesIO()
    soundfile.write(target, np.random.default_rng(0).normal(0, 0.1, int(16_000 * seconds)), 16_000, format=format)
    return target.getvalue()


def aligned(server, content, **fields):
    return server.client.post(
        f"{server.url}/v1/align", files={"file": ("a.wav", content)}, data={"text": "Hello.", **fields}
    )


def test_recordings_are_aligned_where_a_voice_can(voice):
    aligner = _Aligner(voice)
    with running([voice], ServerSettings(Limits(recording_seconds=2.0)), {"tiny": lambda: aligner}) as server:
        answer = aligned(server, recording()).json()
        assert [word["text"] for word in answer["words"]] == ["Hello"]
        assert aligner.heard == [(16_000, 16_000, None)]
        assert "-->" in aligned(server, recording(format="FLAC"), response_format="srt").text
        for content, why in ((b"", "cannot read"), (b"RIFF", ""), (recording(3.0), "longer than the 2 s")):
            answer = aligned(server, content)
            assert answer.status_code == 400
            assert why in answer.json()["error"]["message"]
        assert aligned(server, recording(), text="").status_code == 400
        assert aligned(server, recording(), text="x" * 20_000).status_code == 413
        assert aligned(server, recording(), voice="../x").status_code == 404


def test_a_form_that_is_none_is_told_what_to_do(voice):
    class Silent(_Aligner):
        def align(self, samples, rate, text, **options):
            raise SilentTextError("nothing to say")

    with running([voice], None, {"tiny": lambda: Silent(voice)}) as server:
        file, url = ("a.wav", recording()), f"{server.url}/v1/align"
        for parts, status, param, said in (
            (
                {"file": (None, "hello.wav"), "text": (None, "Hello.")},
                400,
                "file",
                "with curl write -F file=@hello.wav",
            ),
            ({"file": file, "text": (None, "x" * 1_200_000)}, 413, "text", "10000"),
            ({"file": file, "text": (None, "Hello."), "language": (None, "zz")}, 400, "language", "'zz'"),
            ({"file": file, "text": (None, "...")}, 400, "text", "nothing to say"),
            ({"file": ("a.wav", b"x"), "text": (None, "Hello.")}, 400, "file", "cannot read"),
        ):
            answer = server.client.post(url, files=parts)
            error = answer.json()["error"]
            assert answer.status_code == status
            # The form's reader, where it bounds a part itself, does not say which one was too long.
            assert error["param"] == param or (status == 413 and error["param"] is None)
            assert said in error["message"]
        for given, content, said in (
            ("", b"x", "needs a Content-Type with its boundary"),
            ("; boundary=a", b"nonsense", "not (the form that its Content-Type says|a form)"),
            ("; boundary=a", b"--a\r\nContent-Disposition: form-data\r\n\r\nb\r\n--a--\r\n", "has no name"),
        ):
            headers = {"Content-Type": f"multipart/form-data{given}"}
            answer = server.client.post(url, content=content, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
            assert re.search(said, answer.json()["error"]["message"])


def test_a_voice_that_cannot_align_says_so(voice):
    def missing():
        raise MissingExtraError("torch", "train", "aligning a recording")

    for aligners, why in (({}, "does not align"), ({"tiny": missing}, "glowvox[train]")):
        with running([voice], None, aligners) as server:
            answer = aligned(server, recording())
            assert answer.status_code == 501
            assert why in answer.json()["error"]["message"]


def test_a_defect_of_ours_is_not_told_to_the_client():
    class Broken(FakeAcoustic):
        def _encode(self, tokens, lengths, speaker):
            raise RuntimeError("the secret inside")

    own = card(name="broken", n_group=256, receptive_field=2, denoise=0.0)
    with running([fake_voice(), Voice(own, Broken(audio=own.mel), FakeVocoder())]) as server:
        answer = server.post("Hello.", voice="broken")
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert answer.json()["error"]["code"] == "internal_error"
        assert server.post("Hello.").status_code == 200
