"""Agents' frameworks and OpenAI's JavaScript client, unchanged, where they are installed: they get their frames."""

import asyncio
import json
import os
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from loopback import running
from page_browser import headless
from tiny_voice import fake_voice

from glowvox.serve.settings import ServerSettings

TEXT = "Hello there, world. This is good."
NODE_MODULES = "GLOWVOX_NODE_MODULES"
"""Environment variable with a folder `node_modules` that holds `openai`."""


@pytest.mark.parametrize("model", ["tts-1", "gpt-4o-mini-tts", "glowvox"])
@pytest.mark.parametrize("format", ["mp3", "pcm", "wav", "opus", "flac"])
def test_livekit_gets_frames(server, voice, model, format):
    livekit = pytest.importorskip("livekit.plugins.openai")

    async def talk():
        tts = livekit.TTS(
            model=model, voice="alloy", base_url=f"{server.url}/v1", api_key="none", response_format=format
        )
        async with tts.synthesize(TEXT) as stream:
            frames = [event.frame async for event in stream]
        await tts.aclose()
        return frames

    frames = asyncio.run(talk())
    assert {frame.sample_rate for frame in frames} == {24_000}
    seconds = sum(frame.samples_per_channel for frame in frames) / 24_000
    assert seconds == pytest.approx(voice.say(TEXT).duration, abs=0.25)


@pytest.mark.parametrize("model", ["tts-1", "glowvox"])
def test_pipecat_gets_frames(server, voice, model):
    service = pytest.importorskip("pipecat.services.openai.tts")

    async def talk():
        settings = service.OpenAITTSService.Settings(model=model, voice="nova")
        tts = service.OpenAITTSService(api_key="none", base_url=f"{server.url}/v1", settings=settings)
        tts._sample_rate = 24_000  # what a pipeline sets when it starts
        return [frame async for frame in tts.run_tts(TEXT, "context")]

    frames = asyncio.run(talk())
    assert {type(frame).__name__ for frame in frames} == {"TTSAudioRawFrame"}
    seconds = sum(len(frame.audio) for frame in frames) / 2 / 24_000
    assert seconds == pytest.approx(voice.say(TEXT).duration, abs=0.01)


_PROGRAM = """
import OpenAI from "openai";
const client = new OpenAI({ baseURL: process.argv[2] + "/v1", apiKey: "none", maxRetries: 0 });
const told = { models: (await client.models.list()).data.map((model) => model.id) };
for (const input of ["Hello, world.", "."]) {
  const answer = await client.audio.speech.create({ model: "tts-1", voice: "alloy", input, response_format: "pcm" });
  told[input] = (await answer.arrayBuffer()).byteLength;
}
const events = await client.audio.speech.create({
  model: "glowvox", voice: "default", input: "Hello.", stream_format: "sse", response_format: "pcm",
});
told.done = (await events.text()).includes("speech.audio.done");
try {
  await client.audio.speech.create({ model: "other", voice: "alloy", input: "Hello." });
} catch (error) {
  told.error = [error.constructor.name, error.status, error.param];
}
console.log(JSON.stringify(told));
"""


def test_openais_javascript_client(server, voice, tmp_path):
    modules, node = os.environ.get(NODE_MODULES, ""), shutil.which("node")
    if not node or not (Path(modules) / "openai").is_dir():
        pytest.skip(f"there is no node, or {NODE_MODULES} names no folder that holds openai")
    (tmp_path / "node_modules").symlink_to(modules, target_is_directory=True)
    (tmp_path / "talk.mjs").write_text(_PROGRAM)
    made = subprocess.run(
        [node, "talk.mjs", server.url], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["models"][0] == "glowvox"
    assert told["Hello, world."] / 2 / 24_000 == pytest.approx(voice.say("Hello, world.").duration, abs=0.01)
    assert told["."] / 2 / 24_000 == pytest.approx(0.2, abs=0.01)
    assert told["done"]
    assert told["error"] == ["NotFoundError", 404, "model"]


@pytest.mark.parametrize(
    "body",
    [
        # Home Assistant's integration of OpenAI
        {"model": "gpt-4o-mini-tts", "voice": "Marin", "input": TEXT, "instructions": "", "response_format": "mp3"},
        # Open WebUI
        {"model": "tts-1", "voice": "alloy", "input": TEXT, "speed": None},
        # LiveKit
        {"input": TEXT, "model": "glowvox", "voice": "ash", "response_format": "mp3", "speed": 1.0},
        # Pipecat
        {"input": TEXT, "model": "gpt-4o-mini-tts", "voice": "alloy", "response_format": "pcm"},
        # Dify and others
        {"model": "tts-1-1106", "voice": "Alloy", "input": TEXT, "response_format": None, "user": "abc"},
    ],
)
def test_requests_as_programs_send_them(server, body):
    answer = server.client.post(f"{server.url}/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) > 1000
    named = body | {"voice": "tiny", "model": "glowvox"}
    assert server.client.post(f"{server.url}/v1/audio/speech", json=named).content == answer.content


_PAGE = """<!doctype html><script type="module">
import OpenAI from "/openai/index.mjs";
const parts = new URLSearchParams(location.search);
const client = new OpenAI({
  baseURL: parts.get("server") + "/v1", apiKey: "a-long-secret", dangerouslyAllowBrowser: true, maxRetries: 0,
});
try {
  const answer = await client.audio.speech.create({
    model: "tts-1", voice: "alloy", input: "Hello, world.", response_format: "pcm",
  });
  document.title = String((await answer.arrayBuffer()).byteLength);
} catch (error) {
  document.title = error.constructor.name;
}
</script>"""


def test_openais_javascript_client_in_a_browser(voice, tmp_path):
    modules = os.environ.get(NODE_MODULES, "")
    if not (Path(modules) / "openai").is_dir():
        pytest.skip(f"{NODE_MODULES} names no folder that holds openai")
    (tmp_path / "openai").symlink_to(Path(modules) / "openai", target_is_directory=True)
    (tmp_path / "index.html").write_text(_PAGE)
    handler = partial(_Files, directory=str(tmp_path))
    with headless() as browser, ThreadingHTTPServer(("127.0.0.1", 0), handler) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{files.server_port}"
        for origins, expected in (((origin,), None), ((), "APIConnectionError")):
            with running([fake_voice()], ServerSettings(origins=origins, keys=("a-long-secret",))) as own:
                page = browser.new_page()
                page.goto(f"{origin}/?server={own.url}")
                page.wait_for_function("document.title !== ''", timeout=60_000)
                told = page.title()
                page.close()
            if expected is None:
                assert int(told) / 2 / 24_000 == pytest.approx(voice.say("Hello, world.").duration, abs=0.01)
            else:
                assert told == expected
        files.shutdown()


class _Files(SimpleHTTPRequestHandler):
    """Serves files, modules with the type that browsers ask for, and logs nothing."""

    extensions_map: ClassVar[dict[str, str]] = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def log_message(self, format, *arguments):
        pass
