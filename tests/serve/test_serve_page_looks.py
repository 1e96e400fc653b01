"""The page for everybody: by keyboard, by ear, on a phone, in the dark; and its pictures against the package's own."""

import itertools
import re
from typing import Any

import numpy as np
import pytest
from page_browser import opened, ready, wait_for_state
from page_stub import PAGE, RATE, Script, serving, spoken

from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig

TEXT = "One two three."
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


def test_mel_in_any_pieces_is_that_of_the_package(quiet_page: Any) -> None:
    samples = spoken(TEXT)[0].astype(np.float32) / 32768
    frames = quiet_page.evaluate(
        """async ([samples, sizes, rate]) => {
            const { MelStream } = await import("/mel.js");
            const stream = new MelStream(rate);
            const found = [];
            let start = 0;
            for (let i = 0; start < samples.length; i++) {
                const size = sizes[i % sizes.length];
                found.push(...stream.push(Float32Array.from(samples.slice(start, start + size))));
                start += size;
            }
            found.push(...stream.finish());
            return found;
        }""",
        [samples.tolist(), [1, 300, 5000, 17, 0, 2048], RATE],
    )
    expected = MelTransform(AudioConfig())(samples)
    found = np.array(frames).reshape(-1, 80).T
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("length", [0, 1, 512])
def test_mel_of_what_is_shorter_than_half_a_window_is_nothing(quiet_page: Any, length: int) -> None:
    count = quiet_page.evaluate(
        """async ([length, rate]) => {
            const { MelStream } = await import("/mel.js");
            const stream = new MelStream(rate);
            return stream.push(new Float32Array(length)).length + stream.finish().length;
        }""",
        [length, RATE],
    )
    assert count == 0


def test_forced_colours_leave_the_word_that_is_said_readable(browser: Any) -> None:
    with serving(Script()) as url, opened(browser, url, forced_colors="active") as page:
        ready(page, TEXT)
        page.click("#speak")
        word = page.wait_for_selector("#lane .now")
        colours = word.evaluate("(one) => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]")
        assert colours[0] != colours[1]
        assert "rgba(0, 0, 0, 0)" not in colours


@pytest.mark.parametrize("dark", [False, True])
def test_colours_of_the_spectrogram_are_evenly_lighter_or_darker(quiet_page: Any, dark: bool) -> None:
    table = quiet_page.evaluate("async (dark) => [...(await import('/colour_map.js')).colourMap(dark)]", dark)
    linear = np.array(table).reshape(-1, 4)[:, :3] / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    lightness = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
    steps = np.diff(lightness) * (1 if dark else -1)
    assert steps.min() > -0.5
    assert np.ptp(lightness) > 70
    assert np.abs(steps - steps.mean()).max() < 1.2


def test_words_are_found_where_they_stand(quiet_page: Any) -> None:
    text = "The cat, the cat's hat; $3 and the end."
    words = ["The", "cat", "the", "cat's", "hat", "three", "$3", "and", "the", "end"]
    placed = quiet_page.evaluate(
        "async ([text, words]) => (await import('/words.js')).placeWords(text, words.map((text) => ({ text })), 0)",
        [text, words],
    )
    assert [word["from"] for word in placed] == [0, 4, 9, 13, 19, None, 24, 27, 31, 35]


def test_buffers_meet_on_the_sample(quiet_page: Any) -> None:
    spans = quiet_page.evaluate(
        """async (rate) => {
            const { Player } = await import("/player.js");
            const { Recording } = await import("/recording.js");
            const [player, recording] = [new Player(), new Recording("", rate)];
            recording.add(new Uint8Array(3001));
            player.start(recording, 0.01);
            for (const bytes of [1, 999, 2000, 5001]) {
                recording.add(new Uint8Array(bytes));
                player.feed();
            }
            const spans = player.spans.map(({ at, from, length }) => [at * rate, from * rate, length * rate]);
            player.stop();
            return spans;
        }""",
        RATE,
    )
    at, start, length = np.array(spans).T
    np.testing.assert_allclose(at, np.round(at), atol=1e-4)
    np.testing.assert_allclose(at[:-1] + length[:-1], at[1:], atol=1e-4)
    np.testing.assert_allclose(start[:-1] + length[:-1], start[1:], atol=1e-4)
    assert length.sum() == pytest.approx(5501 - 0.01 * RATE, abs=1)


_NAME = """() => {
    const { id, value, ariaLabel, textContent, type } = document.activeElement;
    return id || (type === "radio" && value) || ariaLabel || textContent;
}"""


def test_by_keyboard_alone(browser: Any, url: str) -> None:
    with opened(browser, url) as page:
        ready(page)
        reached = []
        for _ in range(18):
            page.keyboard.press("Tab")
            reached.append(page.evaluate(_NAME))
        assert reached == [
            *("Skip to the text", "text", "kathleen", "Hear Kathleen", "speed", "more-toggle", "speak"),
            *("a text by chance", "numbers", "a dialogue", "a tongue twister", "link"),
            *("picture", "tab-curl", "copy", "snippet"),
            *("The interface, as OpenAPI", "Letters: Newsreader"),
        ]
        page.fill("#text", TEXT * 4)
        page.keyboard.press("Control+Enter")
        wait_for_state(page, "playing")
        page.focus("#picture")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Home")
        wait_for_state(page, "playing")
        page.keyboard.press("Space")
        wait_for_state(page, "paused")
        page.keyboard.press("End")
        wait_for_state(page, "done")
        page.focus("#tab-curl")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.id") == "tab-python"
        assert page.inner_text("#snippet-code").startswith("from openai")


def test_every_control_has_a_name(browser: Any, url: str) -> None:
    with opened(browser, url) as page:
        ready(page).click("#more-toggle")
        tree = page.locator("body").aria_snapshot()
        controls = re.findall(r"^\s*- (button|textbox|combobox|slider|spinbutton|tab|link|img)\b(.*)$", tree, re.M)
        assert len(controls) >= 15
        assert [control for control in controls if not re.match(r' "[^"]+"', control[1])] == []
        assert page.get_attribute("html", "lang") == "en"
        assert page.locator("h1").count() == 1
        assert page.get_attribute("#said", "aria-live") == "polite"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_stand_out_from_their_ground(browser: Any, url: str, scheme: str) -> None:
    with opened(browser, url, color_scheme=scheme) as page:
        names = ["ink", "soft", "accent", "ground", "panel", "on-accent", "unsaid", "wash", "faint"]
        read = "names => names.map(name => getComputedStyle(document.documentElement).getPropertyValue('--' + name))"
        colour = dict(zip(names, page.evaluate(read, names), strict=True))
        for front, back in itertools.product(("ink", "soft", "accent"), ("ground", "panel")):
            assert contrast(colour[front], colour[back]) >= 4.5, (front, back)
        assert contrast(colour["on-accent"], colour["accent"]) >= 4.5
        # large letters: at least 24 pixels high
        assert contrast(colour["accent"], colour["wash"]) >= 3
        assert contrast(colour["unsaid"], colour["ground"]) >= 3


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = np.array([int(colour.strip()[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_fits_a_phone(browser: Any, url: str) -> None:
    with opened(browser, url, **PHONE) as page:
        ready(page, "Averyveryveryverylongwordthatdoesnotfitonanyphoneatall " * 3).click("#more-toggle")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for control in ("#speak", ".voice", "#seed", "#files [data-file=wav]", "#play", ".hear"):
            assert page.locator(control).bounding_box()["height"] >= 42, control
        page.tap("#speak")
        wait_for_state(page, "playing")
        field, mirror = (page.locator(name).bounding_box() for name in ("#text", "#mirror"))
        assert field == mirror, "the words are lit where they stand"


def test_pictures_change_with_day_and_night(browser: Any, url: str) -> None:
    with opened(browser, url, color_scheme="light") as page:
        ready(page, TEXT).click("#speak")
        wait_for_state(page, "done")
        corner = """() => {
            const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
            copy.drawImage(document.getElementById("mel"), 0, 0);
            return [...copy.getImageData(2, 2, 1, 1).data];
        }"""
        day = page.evaluate(corner)
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(300)
        night = page.evaluate(corner)
        assert min(day[:3]) > 200
        assert max(night[:3]) < 80


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_by_itself_where_that_is_not_wished(browser: Any, motion: str) -> None:
    with serving(Script(pace=3)) as url, opened(browser, url, reduced_motion=motion) as page:
        ready(page, TEXT).click("#speak")
        wait_for_state(page, "waiting")
        page.wait_for_timeout(300)
        seen = set()
        for _ in range(3):
            seen.add(page.evaluate("() => document.getElementById('waveform').toDataURL()"))
            page.wait_for_timeout(250)
        assert (len(seen) == 1) == (motion == "reduce")


def test_the_files_are_small_and_ask_no_other_host() -> None:
    files = sorted(PAGE.iterdir())
    assert sum(file.stat().st_size for file in files) < 300_000
    assert {"index.html", "main.js", "theme.css"} <= {file.name for file in files}
    for file in files:
        if file.suffix == ".woff2":
            assert file.stat().st_size < 30_000, file.name
            continue
        text = file.read_text(encoding="utf-8")
        if file.name.endswith("OFL.txt"):
            assert "SIL OPEN FONT LICENSE" in text
            continue
        assert text.count("\n") < 250, file.name
        addresses = set(re.findall(r"(?:https?:)?//[\w.]+\.\w+[^\s\"']*", text.replace("\n", " \n")))
        assert addresses <= {"http://www.w3.org/2000/svg"}, file.name
        assert not re.search(r"\beval\(|innerHTML|insertAdjacentHTML|\bstyle=\"", text), file.name
