"""The page with the service itself and a voice that speaks in no time."""

import io
import json
import re
import urllib.request
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import soundfile
from loopback import running
from page_browser import opened, ready, wait_for_state
from tiny_voice import fake_voice

from glowvox.serve.settings import Limits, ServerSettings
from glowvox.synthesis.timestamps import Timeline, srt

TEXT = "He paid $3 for it. “Did he?” she said, and nobody knew."


@contextmanager
def service(**settings: Any) -> Iterator[str]:
    """Serve a voice with two speakers; gives the address of the page."""
    with running([fake_voice(speakers=("ann", "bob"))], ServerSettings(**settings)) as server:
        yield f"{server.url}/"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with service() as address:
        yield address


def test_every_file_and_link_of_the_page_is_served(url: str) -> None:
    with urllib.request.urlopen(url) as answer:
        page = answer.read().decode()
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
    for name in re.findall(r'(?:href|src)="([^"#]+)"', page):
        with urllib.request.urlopen(url + name) as answer:
            assert answer.status == 200, name


def test_what_is_heard_saved_and_timed_is_what_the_voice_says(browser: Any, url: str) -> None:
    expected = fake_voice(speakers=("ann", "bob")).say(TEXT, speed=1.25, seed=5, speaker="bob")
    with opened(browser, url) as page:
        ready(page, TEXT)
        page.locator("#speed").fill("1.25")
        page.click("#more-toggle")
        page.select_option("#speaker", "bob")
        page.fill("#seed", "5")
        page.click("#speak")
        wait_for_state(page, "done")
        with page.expect_download() as download:
            page.click("#files [data-file=wav]")
        with wave.open(io.BytesIO(download.value.path().read_bytes())) as file:
            assert file.getframerate() == expected.sample_rate
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        with page.expect_download() as download:
            page.click("#files [data-file=srt]")
        subtitles = download.value.path().read_text(encoding="utf-8")
    assert len(samples) == len(expected.samples)
    np.testing.assert_allclose(samples, expected.samples, atol=2 / 32768)
    assert subtitles == srt(Timeline(expected.words, (), expected.duration))


def test_offers_a_temperature_exactly_where_the_service_knows_one(browser: Any, url: str) -> None:
    with urllib.request.urlopen(f"{url}openapi.json") as answer:
        fields = json.load(answer)["components"]["schemas"]["SpeechRequest"]["properties"]
    assert {"input", "voice", "speed", "seed", "speaker", "sample_rate", "timestamps", "stream_format"} <= fields.keys()
    with opened(browser, url) as page:
        ready(page).click("#more-toggle")
        assert page.is_visible("#seed")
        assert page.is_visible("#temperature") == ("temperature" in fields)


def test_too_long(browser: Any) -> None:
    with service(limits=Limits(characters=20)) as url, opened(browser, url) as page:
        ready(page, TEXT).click("#speak")
        page.wait_for_selector(".notice-title")
        assert page.inner_text(".notice-title") == "This text is too long"
        assert "at most 20 are spoken" in page.inner_text(".notice-detail")


def test_key(browser: Any) -> None:
    with service(keys=("open-sesame",)) as url, opened(browser, url) as page:
        page.wait_for_selector("#health[data-state=locked]")
        page.fill("#text", TEXT)
        page.fill("#key", "open-sesame")
        page.keyboard.press("Enter")
        ready(page).click("#speak")
        wait_for_state(page, "playing")


def test_a_voice_is_heard_before_it_is_chosen(browser: Any, url: str) -> None:
    with opened(browser, url) as page:
        ready(page).click("[aria-label='Hear Tiny']")
        page.wait_for_selector("[aria-label='Hear Tiny'][data-playing]")
        page.wait_for_function("() => document.querySelector('.hear').hasAttribute('data-playing') === false")
        assert page.inner_text("#notice") == ""


def test_a_word_is_read_as_the_voice_reads_it_and_corrected(browser: Any, url: str) -> None:
    with opened(browser, url) as page:
        ready(page, "Zyxlor read it.")
        page.click("#warnings button")
        assert "z ˈɪ k s l ɚ" in page.inner_text("#word-said")
        page.fill("#word-field", "/q7/")
        page.click("text=Say it so")
        page.wait_for_selector("#word-field[aria-invalid=true]")
        assert "no phone" in page.inner_text("#word-warning")
        page.fill("#word-field", "z ˈɪ k s")
        page.click("text=Say it so")
        page.wait_for_selector("#warnings", state="hidden")
        page.click("#speak")
        page.wait_for_selector("#files [data-file=json]:enabled")
        page.keyboard.press("Escape")
        with page.expect_download() as download:
            page.click("#files [data-file=json]")
        times = json.loads(download.value.path().read_text(encoding="utf-8"))
        with page.expect_download() as download:
            page.click("#files [data-file=flac]")
        samples, rate = soundfile.read(download.value.path())
    assert [one["text"] for one in times["words"][0]["phonemes"]] == ["z", "ˈɪ", "k", "s"]
    assert len(samples) / rate == pytest.approx(times["duration"], abs=1e-3), "the file is of the same speech"


def test_ssml_is_spoken_and_lit_between_its_tags(browser: Any, url: str) -> None:
    with opened(browser, url) as page:
        ready(page, "<speak>One <break time='300ms'/> time.</speak>").click("#speak")
        page.wait_for_selector("#lane >> text=time")
        assert page.locator("#lane button").all_inner_texts() == ["One", "time"]
        assert page.inner_text("#markup") == "SSML"
