"""A headless browser that a test page is opened in, and that minds what the page must not do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def headless() -> Iterator[Any]:
    """Start Chromium: Playwright's own, or the one of the machine. Skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as player:
        own = player.chromium.executable_path
        path = own if Path(own).exists() else next(filter(None, map(shutil.which, _NAMES)), None)
        if path is None:
            pytest.skip("no Chromium: install one, or run `playwright install chromium`")
        browser = player.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_EXPECTED = "Failed to load resource"
"""What Chromium writes for every answer that is no success, also where the page expects it."""


@contextmanager
def opened(browser: Any, url: str, **options: Any) -> Iterator[Any]:
    """Open the page, and fail at its end if it wrote an error or asked another host for anything."""
    context = browser.new_context(**options)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: _note(wrong, message))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith((url, "blob:")) else wrong.append(request.url))
    page.set_default_timeout(60_000)  # a machine that is busy with other tests takes its time
    try:
        page.goto(url)
        yield page
        assert wrong == []
    finally:
        context.close()


def _note(wrong: list[str], message: Any) -> None:
    if message.type in ("error", "warning") and not message.text.startswith(_EXPECTED):
        wrong.append(message.text)


def wait_for_state(page: Any, state: str) -> None:
    page.wait_for_selector(f"#stage[data-state={state}]")


def ready(page: Any, text: str | None = None) -> Any:
    """Wait for the voices; write a text."""
    page.wait_for_selector("#health[data-state=ready]")
    if text is not None:
        page.fill("#text", text)
    return page


def spoken_whole(page: Any) -> None:
    """Speak the text, and stop playing when all of it has come."""
    page.click("#speak")
    page.wait_for_selector("#files [data-file=mp3]:enabled")
    page.keyboard.press("Escape")
    wait_for_state(page, "done")
