"""What the page keeps: takes side by side, their files, a link, the text and the settings over a reload."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from page_browser import opened, ready, spoken_whole, wait_for_state
from page_stub import OTHER_VOICE, RATE, Script, serving, spoken

from glowvox.audio.sound import TimedWord
from glowvox.synthesis.timestamps import Timeline, vtt

TEXT = "One two. Three, two one!"


def speak(page: Any) -> None:
    page.click("#speak")
    wait_for_state(page, "playing")
    page.keyboard.press("Escape")
    wait_for_state(page, "done")


def downloaded(page: Any, button: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.click(button)
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_takes_are_kept_side_by_side_and_put_away(page: Any) -> None:
    spoken_whole(page)
    page.locator("#speed").fill("1.5")
    spoken_whole(page)
    cards = page.locator("#takes li")
    assert [cards.nth(i).locator(".take-head").inner_text().split("\n") for i in range(2)] == [
        ["Take 2", "Kathleen · 1.5×"],
        ["Take 1", "Kathleen"],
    ]
    newest, first = cards.evaluate_all("cards => cards.map(card => card.offsetTop)")  # at once: the page may scroll
    assert newest == first, "side by side"
    assert cards.nth(0).get_attribute("aria-current") == "true"
    page.click("text=Take 1 >> xpath=ancestor::li >> button.hear")
    wait_for_state(page, "playing")
    assert cards.nth(1).get_attribute("aria-current") == "true"
    page.click("[aria-label='Put take 1 away']")
    assert cards.count() == 1
    assert cards.nth(0).get_attribute("aria-current") == "true"
    page.click("[aria-label='Put take 2 away']")
    assert page.is_hidden("#takes")
    wait_for_state(page, "idle")


def test_compares_takes_sentence_by_sentence(page: Any) -> None:
    spoken_whole(page)
    assert page.is_hidden("#compare"), "one take has nothing to be compared with"
    page.locator("#speed").fill("1.5")
    spoken_whole(page)
    page.evaluate(
        """() => {
            window.heard = [];
            document.getElementById("stage").addEventListener("drawn", () => {
                const take = document.querySelector("#takes [aria-current] b").textContent;
                if (window.heard.at(-1) !== take) window.heard.push(take);
            });
        }"""
    )
    page.click("#compare")
    wait_for_state(page, "playing")
    wait_for_state(page, "done")
    assert page.evaluate("window.heard.slice(-4)") == ["Take 1", "Take 2", "Take 1", "Take 2"]


def test_switching_takes_goes_on_at_the_same_word(page: Any, script: Script) -> None:
    for _ in range(2):
        spoken_whole(page)
    page.click("#play")
    wait_for_state(page, "playing")
    page.focus("#picture")
    page.keyboard.press("PageDown")
    three = spoken(TEXT)[1][2]["start"]
    page.wait_for_function(f"() => Number(document.getElementById('now').textContent.slice(2)) > {three:.1f}")
    page.click("[aria-label='Play take 1']")
    page.wait_for_function("() => document.querySelector('#takes [aria-current] b').textContent === 'Take 1'")
    assert float(page.inner_text("#now")[2:]) >= three - 0.1
    assert len(script.bodies) == 2, "nothing is spoken again"


def test_files_of_a_take_are_its_own(page: Any, script: Script) -> None:
    page.click("#more-toggle")
    page.fill("#seed", "5")
    spoken_whole(page)
    page.fill("#seed", "6")
    page.fill("#text", "Something else.")
    page.click("#takes summary")
    name, content = downloaded(page, "#takes [data-file=mp3]")
    assert (name, content) == ("take-1.mp3", b"sound")
    assert script.files == [
        {"model": "glowvox", "voice": "kathleen", "input": TEXT, "seed": 5, "response_format": "mp3"}
    ]
    assert downloaded(page, "#takes [data-file=opus]")[0] == "take-1.ogg"
    assert downloaded(page, "#takes [data-file=flac]")[0] == "take-1.flac"
    words = spoken(TEXT)[1]
    timed = tuple(TimedWord(phonemes=(), **word) for word in words)
    assert downloaded(page, "#takes [data-file=vtt]")[1].decode() == vtt(Timeline(timed, (), words[-1]["end"]))
    times = json.loads(downloaded(page, "#takes [data-file=json]")[1])
    assert [(word["text"], word["start"]) for word in times["words"]] == [(one["text"], one["start"]) for one in words]
    assert times["duration"] == pytest.approx(len(spoken(TEXT)[0]) / RATE, abs=1e-3)


def test_a_take_that_was_stopped_has_no_files_of_the_whole(page: Any, script: Script) -> None:
    script.pace = 0.3
    page.fill("#text", TEXT * 5)
    speak(page)
    for name, enabled in (("wav", True), ("srt", True), ("mp3", False), ("opus", False), ("flac", False)):
        assert page.is_enabled(f"#files [data-file={name}]") == enabled, name


def test_an_editing_change_marks_the_speech_as_old(page: Any) -> None:
    spoken_whole(page)
    assert page.inner_text("#old") == ""
    page.locator("#speed").fill("1.5")
    assert page.inner_text("#old") == "The settings have changed since"
    page.click("#more-toggle")
    page.click("#reset")
    assert page.inner_text("#old") == ""
    page.focus("#text")
    page.keyboard.type("More. ")
    assert page.inner_text("#old") == "The text has changed since"
    assert page.get_attribute("#stage", "data-old") == ""
    spoken_whole(page)
    assert page.get_attribute("#stage", "data-old") is None


def test_text_and_settings_survive_a_reload(browser: Any) -> None:
    script = Script()
    script.voices = [*script.voices, OTHER_VOICE]
    with serving(script) as url, opened(browser, url) as page:
        ready(page, TEXT).click("text=Hibari")
        page.locator("#speed").fill("0.75")
        page.click("#more-toggle")
        page.select_option("#speaker", "bob")
        page.locator("#sentence-pause").fill("1.2")
        page.fill("#seed", "9")
        page.reload()
        ready(page)
        assert page.input_value("#text") == TEXT
        speak(page)
        expected = {"voice": "hibari", "speaker": "bob", "input": TEXT, "speed": 0.75, "sentence_pause": 1.2, "seed": 9}
        assert expected.items() <= script.bodies[0].items()


def test_a_link_carries_text_and_settings(browser: Any, url: str, script: Script) -> None:
    text = "Ünder & over # 100 % +1\nnew line"
    with opened(browser, url, permissions=["clipboard-read", "clipboard-write"]) as page:
        ready(page, text).click("#more-toggle")
        page.locator("#pitch-shift").fill("-2.5")
        page.fill("#seed", "4")
        page.click("#link")
        page.wait_for_selector("#link:text-is('Copied')")
        address = page.evaluate("navigator.clipboard.readText()")
    assert address.startswith(f"{url}#")
    with opened(browser, url) as page:
        page.goto(address)
        page.reload()
        ready(page)
        assert page.input_value("#text") == text
        assert "#" not in page.url, "a reload shall find what is written later"
        speak(page)
        assert {"input": text, "pitch_shift": -2.5, "seed": 4}.items() <= script.bodies[-1].items()
        page.evaluate("location.hash = '#text=Two&speed=nonsense&voice=nobody'")
        page.wait_for_function("() => document.getElementById('text').value === 'Two'")
        assert page.inner_text("#speed-value") == "1.00×"
        assert page.is_checked("input[value=kathleen]")


def test_voices_are_cards_and_can_be_heard(browser: Any) -> None:
    script = Script()
    script.voices = [*script.voices, OTHER_VOICE]
    with serving(script) as url, opened(browser, url) as page:
        ready(page, TEXT)
        cards = page.locator(".voice")
        assert cards.all_inner_texts() == [
            "Kathleen\nAmerican English · CC0-1.0",
            "Hibari\nAmerican English · 2 speakers · CC0-1.0",
        ]
        hear = page.locator("[aria-label='Hear Hibari']")
        hear.click()
        page.wait_for_selector("[aria-label='Hear Hibari'][data-playing]")
        page.wait_for_selector("[aria-label='Hear Hibari']:not([data-playing])")
        hear.click()
        page.wait_for_selector("[aria-label='Hear Hibari'][data-playing]")
        hear.click()
        page.wait_for_selector("[aria-label='Hear Hibari']:not([data-playing])")
        assert script.sampled == ["/v1/audio/voices/hibari/sample"], "once, then it is kept"
        page.focus("input[value=kathleen]")
        page.keyboard.press("ArrowDown")
        assert page.is_checked("input[value=hibari]")
        page.click("#more-toggle")
        assert page.is_hidden("#pitch-shift"), "this voice has no melody"
        assert page.is_visible("#sentence-pause")


def test_a_text_by_chance_is_another_one(page: Any) -> None:
    seen = set()
    for _ in range(4):
        before = page.input_value("#text")
        page.click("text=a text by chance")
        assert page.input_value("#text") != before
        seen.add(page.input_value("#text"))
    assert len(seen) > 1


def test_javascript_snippet_says_the_same(page: Any, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    text = 'It\'s "quoted" `id` ${HOME} \\ \u00fc \U0001f3b5\nnew line'
    page.fill("#text", text)
    page.click("#more-toggle")
    page.fill("#seed", "3")
    page.click("#tab-javascript")
    fake = "globalThis.fetch = async (url, { body }) => new Response(JSON.stringify([url, JSON.parse(body)]));\n"
    (tmp_path / "speech.mjs").write_text(fake + page.inner_text("#snippet-code"), encoding="utf-8")
    subprocess.run([node, "speech.mjs"], cwd=tmp_path, check=True)
    url, body = json.loads((tmp_path / "speech.wav").read_text(encoding="utf-8"))
    assert re.fullmatch(r"http://.*/v1/audio/speech", url)
    assert body == {"model": "glowvox", "voice": "kathleen", "input": text, "seed": 3, "response_format": "wav"}
