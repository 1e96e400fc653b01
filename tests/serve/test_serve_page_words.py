"""The words of the page: in the lane, in the text, on their cards; warnings, corrections, markup."""

from typing import Any

import pytest
from page_browser import opened, ready, spoken_whole, wait_for_state
from page_stub import Script, spoken

TEXT = "One two. Three, two Zyxlor!"
SAMPLE = "Every voice begins as noise. A flow bends it, step by step, until it says what you wrote."


def lane_boxes(page: Any) -> list[dict]:
    return page.evaluate(
        """() => [...document.querySelectorAll("#lane button")].map((button) => {
            const { left, right, top, bottom } = button.getBoundingClientRect();
            const lane = document.getElementById("lane").getBoundingClientRect();
            return { text: button.textContent, left: left - lane.left, right: right - lane.left, top, bottom,
                     width: lane.width, isInside: top >= lane.top && bottom <= lane.bottom + 0.5 };
        })"""
    )


@pytest.mark.parametrize("size", [(1280, 800), (390, 844), (844, 390)])
def test_every_word_is_in_the_lane_and_none_lies_on_another(browser: Any, url: str, size: tuple[int, int]) -> None:
    with opened(browser, url, viewport={"width": size[0], "height": size[1]}) as page:
        ready(page, SAMPLE)
        spoken_whole(page)
        page.wait_for_timeout(700)
        boxes = lane_boxes(page)
        assert [box["text"] for box in boxes] == [word["text"] for word in spoken(SAMPLE)[1]]
        for number, box in enumerate(boxes):
            assert box["isInside"] and box["left"] >= 0 and box["right"] <= box["width"] + 0.5, box
            for other in boxes[number + 1 :]:
                apart = box["right"] <= other["left"] or other["right"] <= box["left"]
                assert apart or box["bottom"] <= other["top"] or other["bottom"] <= box["top"], (box, other)


def test_long_texts_scroll_follow_and_zoom(page: Any) -> None:
    page.fill("#text", SAMPLE * 3)
    page.click("#speak")
    page.wait_for_selector("#files [data-file=mp3]:enabled")
    page.wait_for_timeout(500)
    assert page.is_visible("#overview")
    page.focus("#picture")
    for _ in range(5):
        page.keyboard.press("PageDown")
    page.wait_for_function("() => document.getElementById('scroller').scrollLeft > 500")
    width = "document.getElementById('track').clientWidth"
    before = page.evaluate(width)
    page.click("#nearer")
    assert page.evaluate(width) == pytest.approx(before * 1.5, rel=0.02)
    page.click("#whole")
    assert page.evaluate(f"{width} - document.getElementById('scroller').clientWidth") <= 1
    page.wait_for_function("() => !document.getElementById('stage').hasAttribute('data-part')")
    page.keyboard.press("Escape")
    wait_for_state(page, "done")


def test_the_picture_follows_the_speech(page: Any) -> None:
    page.fill("#text", f"{SAMPLE} " * 4)
    page.click("#speak")
    page.wait_for_selector("#files [data-file=mp3]:enabled")
    page.click("#nearer")
    page.click("#nearer")
    page.evaluate(
        """() => {
            const [scroller, playhead] = ["scroller", "playhead"].map((id) => document.getElementById(id));
            window.unseen = 0;
            document.getElementById("stage").addEventListener("drawn", () => {
                const [frame, line] = [scroller, playhead].map((one) => one.getBoundingClientRect());
                if (line.left > frame.right + 40) window.unseen += 1;
            });
        }"""
    )
    page.wait_for_timeout(6000)
    assert page.evaluate("document.getElementById('scroller').scrollLeft") > 300
    assert page.evaluate("window.unseen") < 20
    assert page.locator("#lane [data-first]").count() == 8
    page.keyboard.press("Escape")
    wait_for_state(page, "done")


def test_sentence_after_sentence(page: Any) -> None:
    text = "Unquestionably extraordinary notwithstanding. " * 3
    page.fill("#text", text)
    spoken_whole(page)
    page.focus("#picture")
    page.keyboard.press("Home")
    page.click("#sentence-after")
    wait_for_state(page, "playing")
    words = spoken(text)[1]
    border = (words[2]["end"] + words[3]["start"]) / 2
    assert float(page.inner_text("#now")[2:]) >= border - 0.1
    # all at once, so that nothing goes on playing between the keys
    heard = page.evaluate(
        """() => new Promise((tell) => {
            const up = () => new KeyboardEvent("keydown", { key: "PageUp" });
            for (let i = 0; i < 4; i++) document.getElementById("picture").dispatchEvent(up());
            const listen = ({ detail }) => tell(detail.heard);
            document.getElementById("stage").addEventListener("drawn", listen, { once: true });
        })"""
    )
    assert heard < 1


def test_a_click_on_a_word_tells_how_it_is_read(page: Any) -> None:
    page.wait_for_selector("#warnings li")
    box = page.evaluate(
        """() => {
            const range = new Range();
            const node = document.getElementById("mirror").firstChild;
            range.setStart(node, 20);
            range.setEnd(node, 26);
            const { x, y, width, height } = range.getBoundingClientRect();
            return { x: x + width / 2, y: y + height / 2 };
        }"""
    )
    page.mouse.click(box["x"], box["y"])
    page.wait_for_selector("#word:visible")
    assert page.inner_text("#word-title") == "Zyxlor"
    assert "z y x l o r" in page.inner_text("#word-said")
    assert "guessed by rules" in page.inner_text("#word-said")
    assert "not in the lexicon" in page.inner_text("#word-warning")
    page.wait_for_selector("#word-readings li")
    assert "ɹ ˈɛ d" in page.inner_text("#word-readings")
    assert page.evaluate("document.activeElement.id") == "text", "writing goes on"
    page.keyboard.type("x")
    page.wait_for_selector("#word", state="hidden")


def test_warnings_stand_at_their_words(page: Any) -> None:
    page.wait_for_selector("#warnings li")
    assert page.inner_text("#warnings") == "'Zyxlor' is not in the lexicon: said by rules"
    marked = "[...(CSS.highlights.get('warned') ?? [])].map((range) => range.toString())"
    assert page.evaluate(marked) == ["Zyxlor"]
    spoken_whole(page)
    page.wait_for_selector("#lane [data-warned]")
    assert page.locator("#lane [data-warned]").all_inner_texts() == ["Zyxlor"]
    assert page.evaluate(marked) == ["Zyxlor"]
    page.fill("#text", "One two.")
    page.wait_for_selector("#warnings", state="hidden")
    assert page.evaluate(marked) == []


def test_places_are_right_where_characters_count_twice(page: Any) -> None:
    page.fill("#text", " \U0001f3b5 a \U0001f3b5\U0001f3b5 Zyxlor!")
    page.wait_for_function("() => [...(CSS.highlights.get('warned') ?? [])].map(String).join() === 'Zyxlor'")


def test_a_correction_goes_with_requests_and_can_be_downloaded(page: Any, script: Script) -> None:
    spoken_whole(page)
    page.click("#lane >> text=Zyxlor")
    page.wait_for_selector("#word:visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#word", state="hidden")
    assert page.evaluate("document.activeElement.textContent") == "Zyxlor", "the focus is where it was"
    page.keyboard.press("Enter")
    page.fill("#word-field", "bad")
    page.keyboard.press("Enter")
    page.wait_for_selector("#word-field[aria-invalid=true]")
    assert "no phone" in page.inner_text("#word-warning")
    page.fill("#word-field", "z ˈɪ k s")
    page.click("#word-hear")
    page.wait_for_function("() => performance.getEntriesByType('resource').length > 0")
    page.keyboard.press("Tab")
    page.click("text=Say it so")
    page.wait_for_selector("#lexicon:visible")
    assert page.inner_text("#old") == "The settings have changed since"
    page.wait_for_selector("#warnings", state="hidden")
    assert page.evaluate("[...CSS.highlights.get('corrected')].map(String)") == ["Zyxlor"]
    with page.expect_download() as download:
        page.click("#lexicon-file")
    assert download.value.path().read_text(encoding="utf-8").splitlines()[1:] == ["Zyxlor = z ˈɪ k s"]
    spoken_whole(page)
    assert script.bodies[-1]["lexicon"] == "Zyxlor = z ˈɪ k s"
    assert script.files[0]["lexicon"] == "Zyxlor = z ˈɪ k s"
    page.reload()
    ready(page)
    assert "Zyxlor" in page.inner_text("#lexicon")
    page.click("[aria-label='Forget Zyxlor']")
    assert page.is_hidden("#lexicon")
    spoken_whole(page)
    assert "lexicon" not in script.bodies[-1]


def test_another_reading_can_be_heard_and_used(page: Any, script: Script) -> None:
    page.wait_for_selector("#warnings li")
    page.click("#warnings button")
    page.click("[aria-label='Hear ɹ ˈɛ d']")
    page.click("[aria-label='Use ɹ ˈɛ d']")
    page.wait_for_selector("#lexicon:visible")
    page.click("#speak")
    wait_for_state(page, "playing")
    assert script.bodies[-1]["lexicon"] == "Zyxlor = ɹ ˈɛ d"
    assert script.files[0]["input"] == "Zyxlor"


def test_words_by_keyboard(page: Any) -> None:
    spoken_whole(page)
    page.focus("#lane button")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.textContent") == "Zyxlor"
    assert page.locator("#lane button[tabindex='0']").all_inner_texts() == ["Zyxlor"]
    page.focus("#text")
    page.keyboard.press("Control+Home")
    page.keyboard.press("Alt+Enter")
    page.wait_for_selector("#word:visible")
    assert page.inner_text("#word-title") == "One"
    assert page.evaluate("document.activeElement.id") == "word"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "text"


@pytest.mark.parametrize(
    ("text", "name", "marked"),
    [
        ("<speak>One <break time='1s'/> two.</speak>", "SSML", ["<speak>", "<break time='1s'/>", "</speak>"]),
        ("One [pause:1s] [[ t uː ]] two.", "With pauses and phonemes", ["[pause:1s]", "[[ t uː ]]"]),
        ("1 < 2 and [so] on", "", []),
    ],
)
def test_markup_is_recognised(page: Any, text: str, name: str, marked: list[str]) -> None:
    page.fill("#text", text)
    assert page.inner_text("#markup") == name
    page.wait_for_function(
        "(marked) => [...(CSS.highlights.get('markup') ?? [])].map(String).join() === marked.join()", arg=marked
    )


def test_what_the_server_reads_as_markup_is_said_to_be(page: Any) -> None:
    page.fill("#text", "# One\n\nTwo")
    page.wait_for_selector("#markup:text-is('Markdown or HTML')")
    page.fill("#text", "One")
    assert page.inner_text("#markup") == ""


def test_words_of_ssml_are_lit_outside_of_the_tags(page: Any) -> None:
    placed = page.evaluate(
        """async () => {
            const { Recording } = await import("/recording.js");
            const text = "<speak>One <break time='1s'/> time.</speak>";
            const words = new Recording(text, 22050).addWords([{ text: "One" }, { text: "time" }]);
            return words.map(({ from, to }) => text.slice(from, to) + from);
        }"""
    )
    assert placed == ["One7", "time30"]


def test_tree_for_screen_readers(page: Any) -> None:
    spoken_whole(page)
    page.click("#lane >> text=Zyxlor")
    tree = page.locator("body").aria_snapshot()
    for part in (
        '- textbox "What shall be said?"',
        '- group "Voice":',
        '- radio "Kathleen American English · CC0-1.0" [checked]',
        '- button "Hear Kathleen"',
        '- region "The speech":',
        '- slider "Position in the speech"',
        '- group "The words in the order spoken":',
        '- button "Zyxlor"',
        '- combobox "Playback"',
        '- slider "Volume"',
        '- region "Takes":',
        ' take 1"',
        '- dialog "Zyxlor":',
        '- textbox "Say it as"',
    ):
        assert part in tree, part
