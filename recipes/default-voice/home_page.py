"""Make what the documentation lets hear and shows of the default voice: the player's sound, and the server's page.

python recipes/default-voice/home_page.py            # docs/_static/hello.mp3
python recipes/default-voice/home_page.py --page     # docs/images/page.png, too: with Playwright and Chromium

Run it after the default voice has changed.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

import glowvox

TEXT = "Hello, world. This is the voice that speaks where none is named. Noise has become every word that you hear."


def hello(path: Path) -> None:
    """Speak what the player says."""
    voice = glowvox.load_voice()
    spoken = voice.say(TEXT)
    spoken.save(path)
    print(f"{path}: {spoken.duration:.1f} s of {voice.name}, {path.stat().st_size / 1000:.0f} kB")


def page(path: Path) -> None:
    """Show the page of the server while it speaks."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "glowvox", "serve", "--port", "0", "--log-format", "text"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            address = next(found[0] for line in server.stderr if (found := re.search(r"http://\S+", line)))
            with sync_playwright() as player:
                browser = player.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                shown = browser.new_page(viewport={"width": 1280, "height": 840})
                shown.goto(address)
                shown.wait_for_selector("#health[data-state=ready]")
                shown.click("#speak")
                shown.wait_for_selector('#lane .now:text-is("step")', timeout=60_000)
                shown.click("#play")  # which pauses
                shown.wait_for_selector("#files [data-file=mp3]:enabled", timeout=60_000)
                shown.mouse.move(5, 5)
                shown.screenshot(path=path)
                browser.close()
        finally:
            server.terminate()
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help="the picture of the page, too")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    args = parser.parse_args()
    hello(args.docs / "_static" / "hello.mp3")
    if args.page:
        page(args.docs / "images" / "page.png")


if __name__ == "__main__":
    main()
