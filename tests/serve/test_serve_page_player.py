"""How the page plays: faster at the same pitch, louder; and how it lies on its screens."""

from typing import Any

import numpy as np
import pytest
from page_browser import opened, ready, wait_for_state
from page_stub import OTHER_VOICE, RATE, Script, serving, spoken

TEXT = "One two. Three, two one!"


_STRETCHED = """async ([samples, sizes, factor, rate]) => {
    const { TimeStretch } = await import("/stretch.js");
    const stretch = new TimeStretch(factor, rate);
    const found = [];
    let start = 0;
    for (let i = 0; start < samples.length; i++) {
        const size = sizes[i % sizes.length];
        found.push(...stretch.push(Float32Array.from(samples.slice(start, start + size))));
        start += size;
    }
    found.push(...stretch.finish());
    return found;
}"""


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.25, 2])
def test_stretched_speech_has_the_length_asked_for_and_the_same_pitch(quiet_page: Any, factor: float) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)
    found = np.array(quiet_page.evaluate(_STRETCHED, [tone.tolist(), [4000], factor, RATE]))
    assert len(found) == round(RATE / factor)
    inner = found[2000:-2000]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(len(inner))))
    assert np.argmax(spectrum) * RATE / len(inner) == pytest.approx(220, abs=4)
    blocks = inner[: len(inner) // 500 * 500].reshape(-1, 500)
    level = np.sqrt((blocks**2).mean(axis=1))
    assert level.min() > 0.8 * level.max(), "no gaps where frames meet"


def test_stretching_does_not_depend_on_the_pieces(quiet_page: Any) -> None:
    samples = (spoken("One two")[0] / 32768).tolist()
    whole, cut = (
        quiet_page.evaluate(_STRETCHED, [samples, sizes, 1.5, RATE]) for sizes in ([len(samples)], [1, 300, 5000, 17])
    )
    assert whole == cut


@pytest.mark.parametrize("length", [0, 1, 400])
def test_what_is_shorter_than_a_frame_is_not_lost(quiet_page: Any, length: int) -> None:
    found = quiet_page.evaluate(_STRETCHED, [[0.1] * length, [100], 0.5, RATE])
    assert len(found) == 2 * length


def test_playback_is_faster_and_words_stay_in_time(browser: Any, url: str) -> None:
    with opened(browser, url) as page:
        ready(page, TEXT * 2).click("#speak")
        page.wait_for_selector("#files [data-file=mp3]:enabled")
        page.keyboard.press("Escape")
        wait_for_state(page, "done")
        took = {}
        for factor in ("1", "2"):
            page.select_option("#factor", factor)
            page.focus("#picture")
            took[factor] = page.evaluate(
                """() => new Promise((done) => {
                    const stage = document.getElementById("stage");
                    const picture = document.getElementById("picture");
                    picture.dispatchEvent(new KeyboardEvent("keydown", { key: "Home" }));
                    const began = performance.now();
                    stage.addEventListener("drawn", function look() {
                        if (stage.dataset.state !== "done") return;
                        stage.removeEventListener("drawn", look);
                        done(performance.now() - began);
                    });
                })"""
            )
        seconds = len(spoken(TEXT * 2)[0]) / RATE
        assert took["1"] / 1000 == pytest.approx(seconds, rel=0.25)
        assert took["2"] < 0.75 * took["1"]
        assert float(page.inner_text("#now")[2:]) == pytest.approx(seconds, abs=0.11)


def test_volume_is_set_and_kept(browser: Any, url: str) -> None:
    with opened(browser, url) as page:
        ready(page, TEXT).click("#speak")
        wait_for_state(page, "playing")
        page.locator("#volume").fill("40")
        assert page.get_attribute("#volume", "aria-valuetext") == "40 percent"
        page.reload()
        ready(page)
        assert page.input_value("#volume") == "40"
        gain = page.evaluate(
            """async () => {
                const { Player } = await import("/player.js");
                const player = new Player();
                player.setVolume(0.25);
                player.prepare(22050);
                return player.gain.gain.value;
            }"""
        )
        assert gain == 0.25


@pytest.mark.parametrize("size", [(1280, 800), (390, 844), (844, 390)])
def test_the_stage_begins_on_the_first_screen_and_comes_into_view(browser: Any, size: tuple[int, int]) -> None:
    options = {"viewport": {"width": size[0], "height": size[1]}, "has_touch": size[0] < 1000}
    many = Script(voices=[{**OTHER_VOICE, "id": name, "name": name} for name in ("ann", "bea", "cy", "dora")])
    with serving(many) as url, opened(browser, url, reduced_motion="reduce", **options) as page:
        ready(page, "Every voice begins as noise. A flow bends it, step by step, until it says what you wrote.")
        stage = "document.getElementById('stage').getBoundingClientRect()"
        assert page.evaluate(f"{stage}.top") < size[1] - 60
        assert page.evaluate(f"{stage}.height") < 150, "nothing empty before anything was spoken"
        page.click("#speak")
        wait_for_state(page, "playing")
        picture = page.locator("#picture").bounding_box()
        assert picture["y"] >= 0
        assert picture["y"] + picture["height"] <= size[1]
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_the_letters_come_with_the_page(quiet_page: Any) -> None:
    loaded = quiet_page.evaluate("document.fonts.ready.then(() => document.fonts.check('20px Newsreader', 'Äg'))")
    assert loaded
    family = quiet_page.evaluate("getComputedStyle(document.getElementById('text')).fontFamily")
    assert family.startswith("Newsreader")


def test_no_two_states_look_the_same(browser: Any) -> None:
    with serving(Script(pace=0.4)) as url, opened(browser, url, reduced_motion="reduce") as page:
        lamp = """() => ["borderTopColor", "backgroundColor", "backgroundImage", "borderRadius", "height"]
            .map((name) => getComputedStyle(document.querySelector(".lamp"))[name]).join()"""
        ready(page, TEXT * 2)
        lamps = []
        for state in ("", "ready", "busy", "down", "locked"):
            page.evaluate("(state) => (document.getElementById('health').dataset.state = state)", state)
            lamps.append(page.evaluate(lamp))
        assert len(set(lamps)) == 5
        looks = {}
        look = """() => ["state", "speak-label", "facts"].map((id) => document.getElementById(id).textContent).join()
            + document.getElementById("play").ariaLabel
            + getComputedStyle(document.querySelector(".icon-wait")).display"""
        looks["idle"] = page.evaluate(look)
        page.click("#speak")
        looks["waiting"] = page.evaluate(look)
        wait_for_state(page, "playing")
        looks["playing"] = page.evaluate(look)
        page.click("#play")
        wait_for_state(page, "paused")
        looks["paused"] = page.evaluate(look)
        page.keyboard.press("Escape")
        wait_for_state(page, "done")
        looks["done"] = page.evaluate(look)
        assert len(set(looks.values())) == 5, looks


def test_forced_colours_show_sliders_tabs_and_the_chosen_voice(browser: Any, url: str) -> None:
    with opened(browser, url, forced_colors="active") as page:
        ready(page, TEXT)
        style = "([id, name]) => getComputedStyle(document.querySelector(id))[name]"
        assert page.evaluate(style, ["#speed", "appearance"]) == "auto"
        tabs = [page.evaluate(style, [f"#tab-{name}", "borderBottomColor"]) for name in ("curl", "python")]
        assert tabs[0] != tabs[1]
        assert page.evaluate(style, [".voice", "outlineStyle"]) == "solid"
        highlight = page.evaluate(
            """() => {
                const probe = document.createElement("i");
                probe.style.color = "Highlight";
                document.body.append(probe);
                return getComputedStyle(probe).color;
            }"""
        )
        assert tabs[0] == highlight


def test_notices_go_with_their_reason(browser: Any) -> None:
    script = Script(status=413, message="at most 10 characters")
    with serving(script) as url, opened(browser, url) as page:
        ready(page, TEXT).click("#speak")
        page.wait_for_selector(".notice-title")
        page.locator("#speed").focus()
        page.keyboard.press("ArrowRight")
        page.fill("#text", "Short.")
        assert page.inner_text("#notice") == ""
        page.click("#more-toggle")
        page.fill("#seed", "-1")
        page.click("#speak")
        page.wait_for_selector("#seed[aria-invalid=true]")
        page.fill("#seed", "1")
        assert page.inner_text("#notice") == ""
        assert page.get_attribute("#seed", "aria-invalid") is None
