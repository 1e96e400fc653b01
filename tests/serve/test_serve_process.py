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
from datetime import datetime
from pathlib import Path

import httpx
import pytest

LONG = "This is a sentence that takes its time to be spoken. " * 12


@contextmanager
def process(port: int, delay: float, files: int = 0, drain: float = 30.0) -> Iterator[tuple[subprocess.Popen, str]]:
    script = Path(__file__).with_name("served_process.py")
    limited = ["prlimit", f"--nofile={files}:{files}"] if files else []
    command = [*limited, sys.executable, script, str(port), str(delay), str(drain)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
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


@pytest.mark.parametrize(("drain", "signals"), [(1.0, 1), (30.0, 2), (0.0, 1)])
def test_what_is_not_finished_in_time_is_cut_off_and_told_of_in_a_line(client, drain, signals):
    body = {"input": LONG, "response_format": "pcm"}
    with process(0, 0.5, drain=drain) as (server, url):
        with client.stream("POST", f"{url}/v1/audio/speech", json=body, timeout=60) as response:
            pieces = response.iter_raw()
            assert next(pieces)
            for _ in range(signals):
                server.send_signal(signal.SIGINT)
                time.sleep(0.2)
            with pytest.raises(httpx.HTTPError):
                list(pieces)
        lines = [json.loads(line) for line in server.stderr]
        assert server.wait(60) == 0
    assert all(line["level"] != "error" and "trace" not in line for line in lines), lines
    events = {line["event"]: line for line in lines}
    assert list(events) == ["stopping", "not everything was finished", "speech", "request"]
    assert (events["speech"]["code"], events["request"]["broken_off"]) == ("stopping", True)
    began, ended = (datetime.fromisoformat(events[name]["time"]) for name in ("stopping", "request"))
    took = (ended - began).total_seconds()
    assert signals == 2 or drain <= took
    assert took < (0.0 if signals == 2 else drain) + 4.0  # and not the 5 s more that a framework waits


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
