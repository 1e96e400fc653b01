"""The server as a process: it ends well when it is told to, and comes back when it is killed."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

LONG = "This is a sentence that takes its time to be spoken. " * 12


@contextmanager
def process(port: int, delay: float) -> Iterator[tuple[subprocess.Popen, str]]:
    script = Path(__file__).with_name("served_process.py")
    server = subprocess.Popen([sys.executable, script, str(port), str(delay)], stderr=subprocess.PIPE, text=True)
    try:
        for line in server.stderr:
            if '"event": "listening"' in line:
                yield server, json.loads(line)["url"]
                break
        else:
            pytest.fail("the server did not start")
    finally:
        server.kill()
        server.wait(10)
        server.stderr.close()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(verify=False, timeout=30) as one:
        yield one


def speak(client: httpx.Client, url: str, text: str) -> httpx.Response:
    return client.post(f"{url}/v1/audio/speech", json={"input": text, "response_format": "pcm"})


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def speaking(client: httpx.Client, url: str) -> int:
    lines = client.get(f"{url}/metrics").text.splitlines()
    return int(float(next(line.split()[1] for line in lines if line.startswith("glowvox_speaking "))))


def wait_for(client: httpx.Client, url: str, count: int) -> None:
    end = time.monotonic() + 20
    while speaking(client, url) < count:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_sigterm_lets_what_was_begun_be_finished(client):
    with process(0, 0.03) as (server, url), ThreadPoolExecutor(3) as threads:
        alone = speak(client, url, LONG).content
        pending = [threads.submit(speak, client, url, LONG) for _ in range(3)]
        wait_for(client, url, 3)
        server.send_signal(signal.SIGTERM)
        assert [future.result().content for future in pending] == [alone] * 3
        assert server.wait(20) == 0
        with pytest.raises(httpx.ConnectError):
            client.get(f"{url}/health")


def test_a_second_signal_does_not_wait(client):
    body = {"input": LONG, "response_format": "pcm"}
    with (
        process(0, 0.5) as (server, url),
        client.stream("POST", f"{url}/v1/audio/speech", json=body, timeout=30) as response,
    ):
        pieces = response.iter_raw()
        assert next(pieces)
        server.send_signal(signal.SIGINT)
        time.sleep(0.2)
        server.send_signal(signal.SIGINT)
        with pytest.raises(httpx.HTTPError):
            list(pieces)
        assert server.wait(15) is not None


def test_after_a_kill_it_serves_again(client):
    port = free_port()
    with process(port, 0.05) as (server, url), ThreadPoolExecutor(3) as threads:
        alone = speak(client, url, "Hello.").content
        pending = [threads.submit(speak, client, url, LONG) for _ in range(3)]
        wait_for(client, url, 3)
        server.kill()
        for future in pending:
            with pytest.raises(httpx.HTTPError):
                future.result()
    # at the same port at the first try; nothing of what was begun is left, and whoever asks at once is answered
    with process(port, 0.0) as (_, again):
        assert again == url
        answer = speak(client, url, "Hello.")
        assert (answer.status_code, answer.content) == (200, alone)
        assert speaking(client, url) == 0
