"""The page in a real browser: it plays, shows, and gives away what it has."""

import io
import json
import subprocess
import wave
from typing import Any

import numpy as np
import pytest
from page_browser import opened, ready, wait_for_state
from page_stub import RATE, Script, spoken

from glowvox.audio.sound import TimedWord
from glowvox.synthesis.timestamps import Timeline, srt

TEXT = "One two. Three, two one!"


def slide(page: Any, slider: str, value: float) -> None:
    page.locator(slider).fill(str(value))


def downloaded(page: Any, button: str) -> bytes:
    with page.expect_download() as download:
        page.click(button)
    return download.value.path().read_bytes()


def test_speaks_lights_every_word_in_turn_and_ends(page: Any, script: Script) -> None:
    page.evaluate(
        """() => {
            window.lit = [];
            window.labels = new Set();
            document.getElementById("stage").addEventListener("drawn", () => {
                const word = document.querySelector(".mirror .now")?.textContent;
                if (word !== undefined && window.lit.at(-1) !== word) window.lit.push(word);
                window.labels.add(document.getElementById("speak-label").textContent);
            });
        }"""
    )
    # words long enough for a machine that is too busy to draw often
    text = "Unquestionably extraordinary. Notwithstanding!"
    page.fill("#text", text)
    page.click("#speak")
    wait_for_state(page, "done")
    assert page.evaluate("window.labels.has('Stop')")
    assert page.evaluate("window.lit") == ["Unquestionably", "extraordinary", "Notwithstanding"]
    assert page.inner_text("#speak-label") == "Speak"
    [body] = script.bodies
    assert body == {
        "model": "glowvox",
        "voice": "kathleen",
        "input": text,
        "sample_rate": RATE,
        "response_format": "pcm",
        "stream_format": "sse",
        "timestamps": True,
    }
    seconds = len(spoken(text)[0]) / RATE
    assert page.inner_text("#length").strip() == f"/ 0:{seconds:04.1f}"
    assert page.inner_text("#said") == f"Ended after {seconds:.1f} seconds."


def test_sound_starts_before_the_speech_is_finished(page: Any, script: Script) -> None:
    script.pace = 0.4
    page.fill("#text", TEXT * 3)
    page.click("#speak")
    wait_for_state(page, "playing")
    assert page.is_disabled("#files [data-file=wav]"), "the stream is still arriving"
    grown = []
    for _ in range(2):
        grown.append(float(page.get_attribute("#picture", "aria-valuemax")))
        page.wait_for_timeout(900)
    assert 0 <= grown[0] < grown[1] < len(spoken(TEXT * 3)[0]) / RATE


def test_stop_ends_the_synthesis_and_keeps_what_was_spoken(page: Any, script: Script) -> None:
    script.pace = 0.3
    page.fill("#text", TEXT * 10)
    page.click("#speak")
    wait_for_state(page, "playing")
    page.keyboard.press("Escape")
    wait_for_state(page, "done")
    assert script.stopped.wait(5), "the server must notice that nobody listens any more"
    with wave.open(io.BytesIO(downloaded(page, "#files [data-file=wav]"))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    whole = spoken(TEXT * 10)[0]
    assert 0 < len(samples) < len(whole)
    np.testing.assert_array_equal(samples, whole[: len(samples)])


def test_files_have_the_samples_and_the_sentences_of_the_server(page: Any) -> None:
    page.click("#speak")
    wait_for_state(page, "done")
    with wave.open(io.BytesIO(downloaded(page, "#files [data-file=wav]"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    np.testing.assert_array_equal(samples, spoken(TEXT)[0])
    blocks = downloaded(page, "#files [data-file=srt]").decode().split("\n\n")
    assert [block.split("\n", 2)[2].strip() for block in blocks] == ["One two.", "Three, two one!"]


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "“Well,” he said, “it is (as they say) over... Is it?” " * 2 + "And no end",
        "a word more than that and " * 12 + "the end.",
    ],
)
def test_subtitles_are_those_of_the_package(page: Any, text: str) -> None:
    words = spoken(text)[1]
    made = page.evaluate("async (words) => (await import('/timestamps.js')).srtFile(words)", words)
    timed = [TimedWord(phonemes=(), **word) for word in words]
    assert made == srt(Timeline(tuple(timed), (), words[-1]["end"]))


def test_playing_again_needs_no_server(page: Any, script: Script) -> None:
    page.click("#speak")
    wait_for_state(page, "done")
    page.click("#play")
    wait_for_state(page, "playing")
    assert page.get_attribute("#play", "aria-label") == "Pause"
    page.click("#play")
    wait_for_state(page, "paused")
    before = page.inner_text("#now")
    page.wait_for_timeout(300)
    assert page.inner_text("#now") == before
    page.click("#play")
    wait_for_state(page, "done")
    assert len(script.bodies) == 1


def test_settings_are_sent_and_written_into_the_commands(page: Any, script: Script) -> None:
    slide(page, "#speed", 1.5)
    page.click("#more-toggle")
    page.fill("#seed", "7")
    page.fill("#temperature", "0.4")
    page.keyboard.press("Control+Enter")
    wait_for_state(page, "playing")
    assert {"speed": 1.5, "seed": 7, "temperature": 0.4}.items() <= script.bodies[0].items()
    assert '"seed": 7' in page.inner_text("#snippet")


HOSTILE = "It's \"quoted\" \\ $HOME `id` !! \u00fc \u4e16\u754c \U0001f3b5\nnew\tline 'end'"


def test_curl_command_says_the_same(page: Any) -> None:
    page.fill("#text", HOSTILE)
    command = page.inner_text("#snippet-code")
    body = subprocess.run(["bash", "-c", f"curl() {{ printf '%s\\0' \"$@\"; }}\n{command}"], capture_output=True)
    arguments = body.stdout.decode().split("\0")
    sent = json.loads(arguments[arguments.index("-d") + 1])
    assert sent == {"model": "glowvox", "voice": "kathleen", "input": HOSTILE, "response_format": "wav"}
    assert arguments[1].endswith("/v1/audio/speech")


def test_python_call_says_the_same(page: Any) -> None:
    page.fill("#text", HOSTILE)
    page.click("#more-toggle")
    page.fill("#seed", "3")
    page.click("#tab-python")
    code = page.inner_text("#snippet-code")
    calls: list[dict] = []
    client = _FakeClient(calls)
    exec(code.replace("from openai import OpenAI", ""), {"OpenAI": client.made})
    assert calls[0]["base_url"].endswith("/v1")
    assert calls[1] == {
        "model": "glowvox",
        "voice": "kathleen",
        "input": HOSTILE,
        "response_format": "wav",
        "extra_body": {"seed": 3},
    }
    assert calls[2] == {"file": "speech.wav"}


class _FakeClient:
    """Takes the calls that the snippet makes of the OpenAI client."""

    def __init__(self, calls: list[dict]) -> None:
        self.calls = calls
        self.audio = self.speech = self.with_streaming_response = self

    def made(self, **options: object) -> "_FakeClient":
        self.calls.append(options)
        return self

    create = made

    def __enter__(self) -> "_FakeClient":
        return self

    def __exit__(self, *_: object) -> None: ...

    def stream_to_file(self, file: str) -> None:
        self.calls.append({"file": file})


def test_copies(browser: Any, url: str) -> None:
    with opened(browser, url, permissions=["clipboard-read", "clipboard-write"]) as page:
        ready(page, TEXT).click("#copy")
        page.wait_for_selector("#copy:text-is('Copied')")
        assert page.evaluate("navigator.clipboard.readText()") == page.inner_text("#snippet-code")
