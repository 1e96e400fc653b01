"""Hostile and slow clients: whoever does not send, does not read, or comes in a crowd, keeps nobody else waiting."""

import json
import logging
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from loopback import eventually, running, slow_voice
from test_serve_process import process
from tiny_voice import fake_voice
from websocket_client import conversation, heard, tell

from glowvox.serve.connections import LoopErrors, Slots
from glowvox.serve.scheduler import has_room
from glowvox.serve.settings import Limits, ServerSettings

KEYS = ("the-first-key", "the-second-key")
LONG = "This is a sentence that takes its time to be spoken. " * 40


@contextmanager
def plain(server, receive_buffer=None):
    url = httpx.URL(server.url)
    with socket.socket() as client:
        if receive_buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(60)
        client.connect((url.host, url.port))
        yield client


def ask(client, text=LONG, headers=()):
    body = json.dumps({"input": text, "response_format": "wav", "sample_rate": 48_000}).encode()
    head = ["POST /v1/audio/speech HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *headers]
    client.sendall("\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body)


def read_all(client):
    content = b""
    while piece := client.recv(1 << 20):
        content += piece
    return content


def health(server):
    with httpx.Client(timeout=10) as client:
        return client.get(f"{server.url}/health").status_code


def test_readers_that_stop_reading_give_their_places_back():
    settings = ServerSettings(Limits(streams=2, write_seconds=60.0, characters=100_000), workers=1)
    with running([fake_voice()], settings) as server, ExitStack() as open_ones:
        for _ in range(5):
            ask(open_ones.enter_context(plain(server, 4096)))
        assert eventually(lambda: server.service.pool.stalled == 5)
        assert server.service.pool.admission.speaking == 0
        assert server.post("Hello.").status_code == 200
        assert "glowvox_stalled 5.0" in server.client.get(f"{server.url}/metrics").text
    assert eventually(lambda: threading.active_count() < 50)


def test_a_reader_that_goes_on_gets_every_sample():
    settings = ServerSettings(Limits(streams=1, characters=100_000), workers=1)
    with running([fake_voice()], settings) as server:
        expected = server.post(LONG, response_format="wav", sample_rate=48_000).content
        with plain(server, 1 << 15) as first, plain(server, 1 << 15) as second:
            for client in (first, second):
                ask(client, headers=["Connection: close"])
            assert eventually(lambda: server.service.pool.stalled == 2)
            with ThreadPoolExecutor(2) as threads:
                for content in threads.map(read_all, (first, second)):
                    pieces, rest = [], content.partition(b"\r\n\r\n")[2]
                    while rest:
                        size, _, rest = rest.partition(b"\r\n")
                        pieces.append(rest[: int(size, 16)])
                        rest = rest[int(size, 16) + 2 :]
                    assert b"".join(pieces) == expected
        assert eventually(lambda: not server.service.busy and not server.service.pool.stalled)
        assert server.service.pool.admission.speaking == 0


def test_readers_that_never_read_again_are_ended():
    settings = ServerSettings(Limits(streams=2, write_seconds=0.5, characters=100_000), workers=1)
    with running([fake_voice()], settings) as server, plain(server, 4096) as client, conversation(server) as other:
        ask(client)
        assert eventually(lambda: server.service.active_speeches == 1)
        assert eventually(lambda: not server.service.busy)
        assert not read_all(client).endswith(b"0\r\n\r\n")
        assert not server.service.pool.stalled
        tell(other, "end")  # whose client reads: nothing happened to it
        assert heard(other)[1][-1]["type"] == "done"


def test_of_too_many_that_do_not_read_the_first_is_ended():
    settings = ServerSettings(Limits(streams=1, characters=100_000), workers=1)
    with running([fake_voice()], settings) as server, ExitStack() as open_ones:
        for number in range(4):  # three may wait aside for one place
            ask(open_ones.enter_context(plain(server, 4096)))
            assert eventually(lambda number=number: server.service.pool.stalled == min(3, number + 1))
            time.sleep(0.05)
        assert eventually(lambda: server.service.pool.stalled == 3)
        assert server.post("Hello.").status_code == 200


@pytest.mark.parametrize(
    ("held", "room"),
    [
        ({}, True),
        ({"a": 1}, True),
        ({"a": 2}, True),
        ({"a": 1, "b": 1}, False),
        ({"a": 2, "b": 1}, False),
        ({"a": 2, "new": 1}, False),
        ({"a": 3}, True),
    ],
)
def test_no_client_holds_all_places(held, room):
    assert has_room(held, "new", 2) == room
    assert not has_room({"new": 1}, "new", 1)
    assert not has_room({"a": 1}, "new", 1)


def test_a_client_that_has_every_place_and_the_queue_keeps_no_other_out():
    slow, _ = slow_voice(0.2)
    settings = ServerSettings(Limits(streams=2, waiting=2), workers=1, keys=KEYS)
    greedy, modest = ({"Authorization": f"Bearer {key}"} for key in KEYS)
    with running([slow], settings) as server, ThreadPoolExecutor(4) as threads:
        text = "This is a sentence that takes its time. " * 4
        pending = [threads.submit(server.post, text, headers=greedy) for _ in range(4)]
        assert eventually(
            lambda: (server.service.pool.admission.speaking, server.service.pool.admission.waiting) == (2, 2)
        )
        assert server.post("Hello.", headers=greedy).status_code == 503
        assert server.post("Hello.", headers=modest).status_code == 200
        assert not all(future.done() for future in pending)
        assert [future.result().status_code for future in pending] == [200] * 4


@pytest.mark.parametrize("begun", [b"", b"G", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: "])
@pytest.mark.parametrize("drip", [False, True])
def test_a_header_that_does_not_come_is_not_waited_for(begun, drip):
    with running([fake_voice()], ServerSettings(Limits(receive_seconds=0.6))) as server, plain(server) as client:
        if begun:
            client.sendall(begun)
        client.setblocking(False)
        answer, ended = b"", False

        def done():
            nonlocal answer, ended
            try:
                if drip and begun.endswith(b" "):
                    client.send(b"x")
                piece = client.recv(1 << 16)
            except BlockingIOError:
                return False
            except ConnectionError:
                piece = b""
            answer += piece
            return not piece

        assert eventually(done)
        if begun and not drip:
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_timeout"
        assert health(server) == 200
        assert len(server.service.connections) == 1 or eventually(lambda: len(server.service.connections) <= 1)


def test_a_body_that_nobody_waits_for_is_not_taken_for_ever():
    with running([fake_voice()], ServerSettings(Limits(receive_seconds=0.5))) as server, plain(server) as client:
        client.sendall(b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nxx")
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 404 ")
        assert eventually(lambda: len(server.service.connections) == 0)


def test_too_many_connections_cost_those_that_say_nothing():
    with running([fake_voice()], ServerSettings(Limits(connections=3))) as server, ExitStack() as open_ones:
        silent = [open_ones.enter_context(plain(server)) for _ in range(12)]
        for _ in range(3):
            assert health(server) == 200
        assert len(server.service.connections) <= 3
        assert silent[0].recv(1) == b""


def test_too_many_that_are_answered_are_told_so():
    settings = ServerSettings(Limits(connections=2, characters=100_000))
    with running([fake_voice()], settings) as server, plain(server, 4096) as first, plain(server, 4096) as second:
        for client in (first, second):
            ask(client)
        assert eventually(lambda: server.service.active_speeches == 2)
        with httpx.Client() as client:
            answer = client.get(f"{server.url}/health")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "overloaded"


def test_few_file_descriptors_are_enough_for_a_crowd():
    with process(0, 0.0, files=96) as (server, url), ExitStack() as open_ones, httpx.Client(timeout=10) as client:
        lines: list[str] = []
        reading = threading.Thread(target=lambda: lines.extend(server.stderr))
        reading.start()
        for _ in range(3):
            for _ in range(100):
                one = open_ones.enter_context(socket.socket())
                one.setblocking(False)
                one.connect_ex((httpx.URL(url).host, httpx.URL(url).port))
            with httpx.Client(timeout=10) as fresh:
                assert fresh.get(f"{url}/health").status_code == 200
        answer = client.post(f"{url}/v1/audio/speech", json={"input": "Hello.", "response_format": "pcm"})
        assert answer.status_code == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        reading.join(10)
    assert not any("Traceback" in line or "out of system resource" in line for line in lines)
    assert sum("file descriptor" in line for line in lines) <= 10


def test_a_full_table_of_files_is_told_once_a_second(caplog):
    now = 0.0
    told = LoopErrors(lambda: now)
    context = {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many open files")}
    with caplog.at_level(logging.WARNING):
        for _ in range(3000):
            told(None, context)
            now += 1 / 1024
    assert len(caplog.records) == 3
    assert [record.__dict__["told"]["times"] for record in caplog.records] == [1, 1024, 1024]
    assert not any(record.exc_info for record in caplog.records)


def test_those_without_a_key_take_no_slot_of_a_websocket():
    settings = ServerSettings(Limits(sockets=1, key_seconds=0.5), keys=KEYS)
    key = {"Authorization": f"Bearer {KEYS[0]}"}
    with running([fake_voice()], settings) as server, ExitStack() as open_ones:
        silent = [open_ones.enter_context(conversation(server)) for _ in range(3)]
        wrong = open_ones.enter_context(conversation(server, headers={"Authorization": "Bearer wrong-key"}))
        with conversation(server, headers=key) as socket:
            tell(socket, "text", text="Hello.")
            assert server.service.websockets.count <= 1
            with conversation(server) as late:
                tell(late, "start", api_key=KEYS[0])
                assert "no room" in heard(late)[1][-1]["error"]["message"]
            tell(socket, "end")
            assert heard(socket)[1][-1]["type"] == "done"
        for one in (*silent, wrong):
            assert heard(one)[1][-1]["error"]["code"] == "idle"
        assert server.service.websockets.count == 0


def test_slots_of_one_client_are_never_all():
    slots = Slots(2)
    assert [slots.enter("a"), slots.enter("a"), slots.enter("a")] == [True, True, False]
    assert [slots.enter("b"), slots.enter("c")] == [True, False]
    for client in ("a", "a", "b"):
        slots.leave(client)
    assert slots.count == 0


def test_wyoming_connections_that_say_nothing_make_room():
    settings = ServerSettings(Limits(sockets=1))
    with running([fake_voice()], settings) as server, ExitStack() as open_ones:
        silent = [
            open_ones.enter_context(socket.create_connection(("127.0.0.1", server.wyoming_port), timeout=10))
            for _ in range(3)
        ]
        with conversation(server) as other:  # their slots are their own
            tell(other, "end")
            assert heard(other)[1][-1]["type"] == "done"
        silent[-1].sendall(b'{"type": "describe"}\n')
        assert b'"info"' in silent[-1].recv(1 << 16)
        assert silent[0].recv(1) == b""
        assert server.service.wyoming.count == 1


def test_a_wyoming_client_that_does_not_read_is_ended():
    settings = ServerSettings(Limits(write_seconds=0.5, characters=100_000))
    with running([fake_voice()], settings) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.wyoming_port))
        client.sendall(json.dumps({"type": "synthesize", "data": {"text": LONG}}).encode() + b"\n")
        assert eventually(lambda: server.service.active_speeches == 1)
        assert eventually(lambda: not server.service.busy and server.service.wyoming.count == 0)


def test_a_websocket_client_that_does_not_read_is_ended():
    settings = ServerSettings(Limits(write_seconds=0.5, characters=100_000))
    with running([fake_voice()], settings) as server, plain(server, 4096) as client:
        head = ["GET /v1/audio/stream HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade"]
        key = ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13", "", ""]
        client.sendall("\r\n".join(head + key).encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 101 ")
        for message in ({"type": "text", "text": LONG}, {"type": "end"}):
            content = json.dumps(message).encode().ljust(200)  # a length that is told in two bytes
            client.sendall(b"\x81\xfe" + len(content).to_bytes(2, "big") + bytes(4) + content)
        assert eventually(lambda: server.service.active_speeches == 1)
        assert eventually(lambda: not server.service.busy and server.service.websockets.count == 0)
        assert eventually(lambda: len(server.service.connections) == 0)
