"""What the page says and does when the service cannot do what is asked."""

from typing import Any

import pytest
from page_browser import opened, ready, wait_for_state
from page_stub import Script, serving

TEXT = "One two three."


def title(page: Any) -> str:
    return page.inner_text(".notice-title")


@pytest.mark.parametrize(
    ("script", "expected", "detail"),
    [
        (Script(status=413, message="at most 10 characters"), "This text is too long", "At most 10 characters."),
        (Script(status=400, message="no such speaker"), "The server cannot speak this", "No such speaker."),
        (Script(status=500, message="the server failed"), "The server cannot speak this", "The server failed."),
        (Script(status=502, message="bad gateway"), "The server does not answer", "It may be starting"),
        (Script(cut_after=0), "The speech broke off", "The connection was cut."),
        (Script(error_after=1), "The speech broke off", "The engine failed."),
    ],
)
def test_failures_are_said(browser: Any, script: Script, expected: str, detail: str) -> None:
    with serving(script) as url, opened(browser, url) as page:
        ready(page, TEXT).click("#speak")
        page.wait_for_selector(".notice-title")
        assert title(page) == expected
        assert page.inner_text(".notice-detail").startswith(detail)
        assert page.get_attribute("#notice", "role") == "alert"
        assert page.input_value("#text") == TEXT
        wait_for_state(page, "done" if script.error_after else "idle")
        assert page.is_enabled("#files [data-file=wav]") == bool(script.error_after), (
            "what came before the break can be saved"
        )


def test_nothing_to_say(browser: Any) -> None:
    script = Script()
    with serving(script) as url, opened(browser, url) as page:
        ready(page, "  \n ").click("#speak")
        assert title(page) == "There is nothing to say yet"
        assert page.evaluate("document.activeElement.id") == "text"
        assert page.get_attribute("#text", "aria-invalid") == "true"
        assert script.bodies == []
        page.fill("#text", TEXT)
        assert page.get_attribute("#text", "aria-invalid") is None


def test_numbers_out_of_range_are_refused_here(browser: Any) -> None:
    script = Script()
    with serving(script) as url, opened(browser, url) as page:
        ready(page, TEXT).click("#more-toggle")
        for field, value in (("seed", "-1"), ("seed", "1.5"), ("temperature", "9")):
            page.fill(f"#{field}", value)
            page.click("#speak")
            assert title(page) == f"This {field} cannot be used"
            assert page.evaluate("document.activeElement.id") == field
            page.fill(f"#{field}", "")
        assert script.bodies == []


def test_a_busy_server_is_asked_again_when_it_said(browser: Any) -> None:
    script = Script(status=503, message="busy", retry_after=2, refusals=1)
    with serving(script) as url, opened(browser, url) as page:
        ready(page, TEXT).click("#speak")
        page.wait_for_selector(".notice-title")
        assert title(page) == "The server is busy"
        assert "2 s" in page.inner_text(".notice-text")
        wait_for_state(page, "done")
        assert page.inner_text("#notice") == ""
        assert len(script.bodies) == 2


def test_waiting_can_be_cancelled(browser: Any) -> None:
    script = Script(status=429, retry_after=1)
    with serving(script) as url, opened(browser, url) as page:
        ready(page, TEXT).click("#speak")
        page.click("text=Cancel")
        page.wait_for_timeout(1500)
        assert page.inner_text("#notice") == ""
        assert len(script.bodies) == 1


def test_a_failure_does_not_lose_the_speech_before(browser: Any) -> None:
    script = Script()
    with serving(script) as url, opened(browser, url) as page:
        ready(page, TEXT).click("#speak")
        wait_for_state(page, "done")
        length = page.inner_text("#length")
        script.status, script.message = 400, "no"
        page.fill("#text", "Something else.")
        page.click("#speak")
        page.wait_for_selector(".notice-title")
        wait_for_state(page, "done")
        assert page.is_enabled("#files [data-file=wav]")
        page.wait_for_selector(f"#length:text-is('{length}')")


def test_finds_the_server_again(browser: Any) -> None:
    with serving(Script()) as url, opened(browser, url) as page:
        ready(page, TEXT)
        page.route("**/v1/**", lambda route: route.abort())
        page.click("#speak")
        page.wait_for_selector("#health[data-state=down]")
        assert title(page) == "The server does not answer"
        page.unroute("**/v1/**")
        page.wait_for_selector("#health[data-state=ready]")
        page.wait_for_function("() => document.getElementById('notice').textContent === ''")
        page.click("#speak")
        wait_for_state(page, "done")


def test_key_is_asked_for_used_and_never_shown(browser: Any) -> None:
    script = Script(key="open-sesame")
    with serving(script) as url, opened(browser, url) as page:
        page.wait_for_selector("#health[data-state=locked]")
        assert title(page) == "This server asks for a key"
        page.fill("#text", TEXT)
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#key:focus")
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("#key[aria-invalid=true]")
        assert title(page) == "This key is not accepted"
        page.fill("#key", "open-sesame")
        page.keyboard.press("Enter")
        wait_for_state(page, "done")
        assert script.keys[-1] == "Bearer open-sesame"
        assert page.is_hidden("#key-form")
        for tab in ("#tab-curl", "#tab-python", "#tab-javascript"):
            page.click(tab)
            assert "open-sesame" not in page.content()
            assert "GLOWVOX_API_KEY" in page.inner_text("#snippet-code")
        assert page.evaluate("JSON.stringify(localStorage)").find("open-sesame") < 0
