"""Requests that are none: what their senders are told, and that nobody is kept waiting for them."""

import json
import socket
import time
from http.client import HTTPResponse

import httpx
import pytest
from loopback import eventually, running
from tiny_voice import fake_voice
from websocket_client import conversation, heard

from glowvox.serve.invalid_request import invalid_request
from glowvox.serve.settings import Limits, ServerSettings

JSON = {"Content-Type": "application/json"}


def refused(server, content, headers=JSON):
    answer = server.client.post(f"{server.url}/v1/audio/speech", content=content, headers=headers)
    error = answer.json()["error"]
    assert answer.status_code >= 400
    assert set(error) == {"message", "type", "param", "code"}
    return answer.status_code, error["message"], error["param"]


@pytest.mark.parametrize(
    ("content", "message", "param"),
    [
        ("{", "the body is not valid JSON", None),
        ("", "the body is missing", None),
        ("\xff", "the body is not text in UTF-8", None),
        (f'{{"input": "x", "seed": {"9" * 5000}}}', "the body holds a number with too many digits", None),
        ("[]", "the body must be an object", None),
        ('"text"', "the body must be an object", None),
        ("{}", "'input' is missing", "input"),
        ('{"input": null}', "'input' is missing", "input"),
        ('{"input": 3}', "'input' must be a string", "input"),
        ('{"input": "\\ud800"}', "'input' must be a string of valid Unicode", "input"),
        ('{"input": "x", "voice": 3}', "'voice' must be a string or an object", "voice"),
        ('{"input": "x", "voice": {}}', "'voice.id' is missing", "voice.id"),
        ('{"input": "x", "voice": {"id": 3}}', "'voice' must be a string", "voice"),
        (f'{{"input": "x", "voice": "{"v" * 300}"}}', "'voice' must have at most 200 characters", "voice"),
        ('{"input": "x", "speed": 9}', "'speed' must be at most 4", "speed"),
        ('{"input": "x", "speed": 0.1}', "'speed' must be at least 0.25", "speed"),
        ('{"input": "x", "speed": "fast"}', "'speed' must be a number", "speed"),
        ('{"input": "x", "speed": NaN}', "'speed' must be a finite number", "speed"),
        ('{"input": "x", "speed": true}', "'speed' must be a number", "speed"),
        ('{"input": "x", "pitch_shift": false}', "'pitch_shift' must be a number", "pitch_shift"),
        ('{"input": "x", "seed": true}', "'seed' must be a whole number", "seed"),
        ('{"input": "x", "strict_ssml": 0}', "'strict_ssml' must be true or false", "strict_ssml"),
        ('{"input": "x", "pause_tags": 1.0}', "'pause_tags' must be true or false", "pause_tags"),
        ('{"input": "x", "language": "xx"}', "the voice tiny does not speak 'xx'; it speaks en-us", "language"),
        ('{"input": "x", "lexicon": "x"}', "lexicon: line 1: expected 'word = pronunciation', got 'x'", "lexicon"),
        ('{"input": "<speak>"}', "SSML line 1, column 8: not well-formed: no element found", "input"),
        ('{"input": "x", "timestamps": 1}', "'timestamps' must be true or false", "timestamps"),
        ('{"input": "x", "sample_rate": 16000.5}', "'sample_rate' must be a whole number", "sample_rate"),
        ('{"input": "x", "seed": 9223372036854775808}', "'seed' must be less than 9223372036854775808", "seed"),
        ('{"input": "x", "seed": 1e300}', "'seed' must be a whole number that is not so large", "seed"),
        (
            '{"input": "x", "stream_format": "x"}',
            "'stream_format' must be one of 'audio', 'sse', 'json'",
            "stream_format",
        ),
    ],
)
def test_errors_are_told_in_the_words_of_the_interface(server, content, message, param):
    assert refused(server, content.encode("latin-1")) == (400, message, param)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/audio/speech", "POST"),
        ("PUT", "/v1/audio/voices", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("GET", "/v1/explain", "POST"),
        ("HEAD", "/v1/explain", "POST"),
        ("OPTIONS", "/health", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_there_is_told_which_are(server, method, path, allowed):
    answer = server.client.request(method, server.url + path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "said"),
    [
        ("POST", "/audio/speech", 404, "not_found", "speech is at /v1/audio/speech"),
        ("POST", "/v1//audio/speech", 404, "not_found", "speech is at /v1/audio/speech"),
        ("POST", "/v1/v1/audio/speech", 404, "not_found", "speech is at /v1/audio/speech"),
        ("POST", "/v1/audio/speech/", 404, "not_found", "speech is at /v1/audio/speech"),
        ("POST", "/v1/audio/transcriptions", 404, "not_found", "speech is at /v1/audio/speech, and /openapi.json"),
        ("GET", "/models", 404, "not_found", "did you mean /v1/models?"),
        ("GET", "/health/", 404, "not_found", "did you mean /health?"),
        ("GET", "/audio/stream", 404, "not_found", "did you mean /v1/audio/stream?"),
        ("GET", "/" + "x" * 9000, 404, "not_found", "speech is at"),
        ("GET", "/v1/audio/stream", 426, "upgrade_required", "is opened as a WebSocket"),
        ("POST", "/v1/audio/stream", 426, "upgrade_required", "not asked with POST"),
        ("PUT", "/v1/audio/speech", 405, "method_not_allowed", "'/v1/audio/speech' takes POST, not PUT"),
    ],
)
def test_what_is_not_there_is_told_what_is(server, method, path, status, code, said):
    answer = server.client.request(method, server.url + path, json={"input": "Hello."})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert said in answer.json()["error"]["message"]
    assert len(answer.content) < 400


def test_nobody_is_sent_to_the_host_that_a_request_has_named(server):
    headers = {"Host": "localhost", "X-Forwarded-Host": "evil.example"}
    answer = server.client.post(f"{server.url}/v1/audio/speech/", json={"input": "Hello."}, headers=headers)
    assert (answer.status_code, "location" in answer.headers) == (404, False)


def test_of_an_address_with_two_methods_both_are_told():
    with running([fake_voice()], ServerSettings(get_speech=True)) as own:
        answer = own.client.put(f"{own.url}/v1/audio/speech")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


def test_a_body_that_is_nested_too_deeply_is_refused(server):
    status, message, _ = refused(server, b"[" * 100_000)
    assert (status, message) == (400, "the body is nested too deeply")


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ("{", "the message is not valid JSON"),
        ("3", "the message must be an object"),
        ("[" * 100_000, "the message is nested too deeply"),
        (f'{{"type": "start", "seed": {"9" * 5000}}}', "the message holds a number with too many digits"),
        ('{"type": "text", "text": "\\ud800"}', "'text' must be a string of valid Unicode"),
        ('{"type": "start", "voice": "\\ud800"}', "'voice' must be a string of valid Unicode or an object"),
        ("{}", "'type' is missing"),
        ('{"type": "sing"}', "'type' must be one of 'start', 'text', 'flush', 'cancel', 'end'"),
        ('{"type": "text"}', "'text' is missing"),
        ('{"type": "start", "speed": 9}', "'speed' must be at most 4"),
        ('{"type": "start", "voice": 3}', "'voice' must be a string or an object"),
    ],
)
def test_so_are_those_of_a_websocket(server, sent, message):
    with conversation(server) as socket:
        socket.send(sent)
        assert heard(socket)[1][-1]["error"]["message"] == message


def test_an_error_that_no_word_is_known_for_is_one_all_the_same():
    refusal = invalid_request(
        [{"type": "new_in_a_later_release", "loc": ("body", "speed"), "msg": "constrained-float"}]
    )
    assert (refusal.message, refusal.param) == ("'speed' is not what it may be", "speed")


@pytest.mark.parametrize("given", ["text/plain", "application/x-www-form-urlencoded", "application/json2", None])
def test_a_body_of_another_type_is_refused(server, given):
    content = b'{"input": "Hello.", "response_format": "pcm"}'
    status, message, _ = refused(server, content, {} if given is None else {"Content-Type": given})
    assert status == 415
    assert "application/json" in message
    for right in ("application/json", "Application/JSON; charset=utf-8", "application/vnd.own+json"):
        answer = server.client.post(f"{server.url}/v1/audio/speech", content=content, headers={"Content-Type": right})
        assert answer.status_code == 200
    assert server.client.post(f"{server.url}/v1/align", json={"text": "Hello."}).status_code == 415


@pytest.mark.parametrize("seed", [0, 1, 2**53 + 1, 2**62, 2**63 - 1, 2**63 - 1024])
def test_a_seed_survives_json(server, voice, seed):
    expected = server.post("Hello.", seed=seed).content
    assert server.post("Hello.", seed=str(seed)).content == expected
    assert server.post("Hello.", seed=seed - 1 if seed else 1).content != expected
    if float(seed) == seed:
        assert server.post("Hello.", seed=float(seed)).content == expected


@pytest.mark.parametrize("public", [False, True])
def test_the_document_asks_for_a_key_where_the_routes_do(server, public):
    document = server.client.get(f"{server.url}/openapi.json")
    assert '"exclusiveMaximum":9223372036854775808,' in document.text
    assert "securitySchemes" not in document.text
    with running([fake_voice()], ServerSettings(keys=("a-long-secret",), public_voices=public)) as closed:
        assert closed.client.get(f"{closed.url}/openapi.json").status_code == 401
        key = {"Authorization": "Bearer a-long-secret"}
        document = closed.client.get(f"{closed.url}/openapi.json", headers=key).json()
        for path, routes in document["paths"].items():
            for method, route in routes.items():
                answer = closed.client.request(method, f"{closed.url}{path.replace('{model}', 'tts-1')}", json={})
                assert (answer.status_code == 401) == (route.get("security", document["security"]) != []), path


def test_a_key_is_asked_for_before_the_body_is_taken():
    with running([fake_voice()], ServerSettings(keys=("a-long-secret",))) as server, plain(server) as client:
        client.sendall(b"POST /v1/align HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 30000000\r\n\r\n")
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 401 ")


def plain(server):
    url = httpx.URL(server.url)
    return socket.create_connection((url.host, url.port), timeout=20)


@pytest.mark.parametrize("drip", [False, True])
def test_a_body_that_does_not_come_is_not_waited_for(drip):
    limits = Limits(receive_seconds=0.5)
    with running([fake_voice()], ServerSettings(limits)) as server, plain(server) as client:
        head = b"POST /v1/audio/speech HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        client.sendall(head + b'Content-Length: 1000\r\n\r\n{"input": "')
        client.setblocking(False)
        answer = b""

        def answered():
            nonlocal answer
            if drip:
                client.send(b"x")
            try:
                answer += client.recv(1 << 16)
            except BlockingIOError:
                return False
            return b"}}" in answer

        assert eventually(answered)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert json.loads(body)["error"]["code"] == "request_timeout"
        assert server.post().status_code == 200


def test_a_body_that_comes_in_pieces_is_taken():
    content = b'{"input": "Hello.", "response_format": "pcm"}'

    def pieces():
        for start in range(0, len(content), 9):
            time.sleep(0.02)
            yield content[start : start + 9]

    with running([fake_voice()], ServerSettings(Limits(receive_seconds=5.0))) as server:
        answer = server.client.post(f"{server.url}/v1/audio/speech", content=pieces(), headers=JSON)
        assert (answer.status_code, answer.content) == (200, server.post("Hello.").content)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 404),
        ("POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        ("BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        ("GET /v1/audio/stream HTTP/1.1\r\nHost: localhost\r\n\r\n", 426),
        ("GET /v1/audio/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 400),
    ],
)
def test_requests_that_are_none_are_refused_in_json(server, sent, status):
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port), 20) as client:
        client.sendall(sent.encode())
        answer = HTTPResponse(client)
        answer.begin()
        body = json.loads(answer.read())
    assert (answer.status, answer.getheader("content-type")) == (status, "application/json")
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert "\n" not in body["error"]["message"]
