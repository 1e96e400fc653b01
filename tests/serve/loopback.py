"""A server on a loopback port, in a thread, with voices that speak in no time or as slowly as a test asks."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from tiny_voice import FakeAcoustic, FakeVocoder, card

from glowvox.serve.application import create_app
from glowvox.serve.server import GracefulServer, bound_socket
from glowvox.serve.service import Service
from glowvox.serve.settings import Address, ServerSettings
from glowvox.serve.wyoming_server import WyomingServer
from glowvox.synthesis.voice import Voice


class SlowVocoder(FakeVocoder):
    """Takes a while for each window, and adds up what it has computed."""

    def __init__(self, delay: float) -> None:
        super().__init__()
        self.wait = delay
        self.samples = 0
        """Computed so far."""
        self.running = self.most_running = 0
        self._lock = threading.Lock()

    def _run(self, latent, mel):
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        time.sleep(self.wait)
        try:
            samples = super()._run(latent, mel)
            with self._lock:
                self.samples += samples.size
            return samples
        finally:
            with self._lock:
                self.running -= 1


def slow_voice(delay: float = 0.0, name: str = "tiny", speakers=("ann",)) -> tuple[Voice, SlowVocoder]:
    vocoder = SlowVocoder(delay)
    own = card(name=name, speakers=speakers, n_group=256, receptive_field=2, denoise=0.0)
    return Voice(own, FakeAcoustic(n_speakers=len(speakers), audio=own.mel), vocoder), vocoder


@dataclass
class Running:
    """A server that runs."""

    url: str
    service: Service
    wyoming_port: int
    server: GracefulServer
    loop: asyncio.AbstractEventLoop
    client: httpx.Client
    """One for all requests of a test, since it takes longer to make one than to answer."""

    def post(self, text: str = "Hello, world.", *, timeout: float = 20.0, headers=None, **fields) -> httpx.Response:
        body = {"input": text, "response_format": "pcm", **fields}
        return self.client.post(f"{self.url}/v1/audio/speech", json=body, timeout=timeout, headers=headers)

    def stop(self) -> None:
        """Do what SIGTERM does."""
        self.loop.call_soon_threadsafe(self.server.stop)


@contextmanager
def running(voices, settings: ServerSettings | None = None, aligners=None, **address) -> Iterator[Running]:
    app = create_app(voices, settings, aligners)
    own = bound_socket("127.0.0.1", 0)
    server = GracefulServer(app, Address(**address))
    started: list[Running] = []
    ready = threading.Event()
    client = httpx.Client(verify=False)

    async def serve() -> None:
        wyoming = WyomingServer(app.state.service, "tcp://127.0.0.1:0")
        await wyoming.start()
        url = f"http://127.0.0.1:{own.getsockname()[1]}"
        started.append(Running(url, app.state.service, wyoming.port, server, asyncio.get_running_loop(), client))
        ready.set()
        await server.serve(sockets=[own])
        await wyoming.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        assert eventually(lambda: server.started and app.state.service.warm, 60)
        yield started[0]
    finally:
        client.close()
        server.should_exit = True
        thread.join(20)
        own.close()
        assert not thread.is_alive()


def eventually(condition, seconds: float = 10.0) -> bool:
    """Return whether a condition comes true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False
