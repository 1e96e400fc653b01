"""The documentation as a site: it builds without a warning, links lead somewhere, and no page loads from a host."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from documentation import ROOT

pytest.importorskip("sphinx", reason="Sphinx is not installed (extra: docs)")

_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "audio": "src", "video": "src"}


class _Page(HTMLParser):
    """The ids of a page, where it leads, and what it loads by itself."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon", "shortcut icon", "preload"):
            self.loaded.append(given["href"])
        elif _LOADED.get(tag) in given:
            self.loaded.append(given[_LOADED[tag]])


def _faults(site: Path) -> list[str]:
    """What is wrong with a site's pages, one line each."""
    pages = {path: _Page(path) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        for target in page.links + page.loaded:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                if target in page.loaded and parts.scheme != "data":
                    found.append(f"{path.name} loads {target}")
                continue
            place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not place.is_file():
                found.append(f"{path.name} leads to {target}, which is not there")
            elif parts.fragment and place in pages and unquote(parts.fragment) not in pages[place].ids:
                found.append(f"{path.name} leads to {target}: there is no such place on that page")
    return found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The documentation, built here unless GLOWVOX_SITE names where `make docs` has just built it as strictly."""
    if built_before := os.environ.get("GLOWVOX_SITE"):
        return Path(built_before)
    site = tmp_path / "site"
    words = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees"), str(ROOT / "docs"), str(site)]
    built = subprocess.run([sys.executable, "-m", "sphinx", *words], capture_output=True, text=True, cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    return site


def test_the_site_builds_and_its_links_lead_somewhere(site: Path) -> None:
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= {path.stem for path in site.glob("*.html")}
    assert _faults(site.resolve()) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.html").write_text('<h1 id="here">Here</h1>', encoding="utf-8")
    (tmp_path / "page.html").write_text(
        '<a href="there.html#here">good</a><a href="#">top</a><a href="https://example.org/">elsewhere</a>'
        '<a href="gone.html">bad</a><a href="there.html#gone">bad</a><script src="https://example.org/x.js"></script>',
        encoding="utf-8",
    )
    faults = _faults(tmp_path.resolve())
    assert len(faults) == 3
    assert "gone.html, which is not there" in faults[0]
    assert "there.html#gone: there is no such place" in faults[1]
    assert "loads https://example.org/x.js" in faults[2]
