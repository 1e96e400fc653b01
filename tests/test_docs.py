"""What the documentation says is true: its snippets run or say why not, links lead somewhere, every page is listed."""

import ast
import re
from pathlib import Path

import pytest
from documentation import ROOT, run_page, snippets

from glowvox.cli.main import COMMANDS

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
NEEDS = {
    "alignment": "a model trained for hours",
    "likelihoods": "a corpus and a model trained for hours",
    "bulk": "Ray, or a manifest of a whole corpus; tests/bulk runs them",
    "serving": "a server; tests/serve runs one",
    "training-at-scale": "several processes or machines; tests/training starts two",
    "performance": "a quiet machine",
    "benchmarks": "a quiet machine",
    "your-own-voice": "hours of training",
    "screen-reader": "speech-dispatcher, and a user whose files may change; tests/screen_reader has one",
}
"""What the blocks of a page need that carry no mark of their own."""


def _prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the documentation's generator make them."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(snippet.runs for snippet in snippets(page))], ids=lambda page: page.stem
)
def test_marked_snippets_run(page, tmp_path, monkeypatch, capsys):
    """In an empty folder, with the default voice and what the page itself makes: that is what a reader has."""
    (tmp_path / "reader").mkdir()
    monkeypatch.chdir(tmp_path / "reader")
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path / "no-voices"))
    run_page(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_snippet_runs_or_says_why_not(page):
    for snippet in snippets(page):
        assert snippet.mark or page.stem in NEEDS, (
            f"{page.name}: mark this block as run, or not run: why\n{snippet.code}"
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_snippets_that_do_not_run_are_at_least_well_formed(page):
    for snippet in snippets(page):
        if snippet.kind == "python":
            compile(snippet.code, page.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            continue
        for command in re.findall(r"^(?:.*\| |.*-- |)glowvox ([a-z-]+)", snippet.code, re.MULTILINE):
            assert command in COMMANDS, f"{page.name} shows a command that does not exist: glowvox {command}"


@pytest.mark.parametrize("page", [*PAGES, *sorted(ROOT.glob("*.md"))], ids=lambda page: page.name)
def test_links_and_files_exist(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name) if name else page
        assert place.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in _anchors(place), f"{page.name} links to {target}: there is no such heading"
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:src|examples|tests|docs|benchmarks|recipes|deploy)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), f"{page.name} speaks of {name}"
    for name in re.findall(r"`((?:flows|nn|align|models|training|synthesis|engines|export)/\w[\w/]*\.\w+)`", text):
        assert (ROOT / "src/glowvox" / name).exists(), f"{page.name} speaks of {name}"


def test_every_page_is_in_the_contents():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = re.findall(
        r"^([a-z-]+)$", "\n".join(re.findall(r"```\{toctree\}(.*?)```", index, re.DOTALL)), re.MULTILINE
    )
    assert len(listed) == len(set(listed)), "a page is listed twice"
    assert set(listed) == {page.stem for page in PAGES} - {"index"}


def test_presets_named_in_the_pages_exist():
    for page in PAGES:
        for name in re.findall(r"--preset ([a-z0-9-]+)(?![\w.-])", page.read_text(encoding="utf-8")):
            assert (ROOT / f"src/glowvox/config/presets/{name}.toml").is_file(), f"{page.name}: {name}"


def test_a_defect_of_a_page_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- run -->\n```python\nassert 1 + 1 == 3\n```\n\n```sh\nglowvox say\n```\n", encoding="utf-8")
    marked, unmarked = snippets(page)
    assert (marked.runs, unmarked.mark) == (True, "")
    with pytest.raises(AssertionError):
        run_page(page)
