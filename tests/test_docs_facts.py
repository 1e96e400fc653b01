"""What pages say of the program's defaults, extras and messages is what the program has."""

import json
import re
import tomllib

import pytest
from documentation import ROOT

from glowvox.cli import main as command_line
from glowvox.errors import MissingExtraError
from glowvox.synthesis.installed_voices import find_voice

DOCS = ROOT / "docs"


def _page(name):
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def test_every_extra_is_in_the_table():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    table = _page("install").partition("## Extras")[2].partition("## Is it well")[0]
    rows = re.findall(r"^\| ((?:`[a-z]+`(?:, )?)+) \|", table, re.MULTILINE)
    listed = {name for row in rows for name in re.findall("`([a-z]+)`", row)}
    assert listed == set(extras)


def test_install_lines_name_the_checkout_or_the_wheel():
    for page in [*DOCS.glob("*.md"), ROOT / "README.md"]:
        for block in re.findall(r"^```.*?^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                if line.startswith("pip install") and "glowvox" in line:
                    assert "dist/" in line, f"{page.name}: {line}"


def test_troubleshooting_states_the_defaults_that_are_there(capsys):
    page = _page("troubleshooting")
    own = json.loads((find_voice("default") / "voice.json").read_text("utf-8"))["defaults"]
    assert f"({own['sigma']:g} for the default voice); `vocode` has 0.6 for a model alone" in page
    assert f"({own['pitch_range']:g} and {own['temperature']:g} for the default voice)" in page
    assert f"the default voice {own['denoise']:g}: it needs none" in page
    with pytest.raises(SystemExit):
        command_line.main(["vocode", "--help"])
    vocode = " ".join(capsys.readouterr().out.split())
    assert "for a model alone 0.6)" in vocode
    assert "for a model alone 0.01)" in vocode


def test_troubleshooting_quotes_messages_that_are_there(capsys):
    page = _page("troubleshooting")
    assert str(MissingExtraError("torch", "train", "...")) in page
    assert command_line.main(["voices", "anna"]) == 2
    said = capsys.readouterr().err
    assert "there is no voice 'anna': no such file or folder, and installed are " in said
    assert "there is no voice 'anna': no such file or folder, and installed are " in page
    for source, quoted in (("cli/train.py", "the run is finished, "), ("cli/parser.py", "put the text in quotes")):
        assert quoted in (ROOT / "src/glowvox" / source).read_text("utf-8")
        assert quoted in page


def test_the_glossary_has_twenty_words_in_order():
    words = re.findall(r"^\| ([a-z][^|]*) \|", _page("glossary"), re.MULTILINE)
    assert len(words) == 20
    assert words == sorted(words)


def test_one_name_for_one_thing():
    for page in [*DOCS.glob("*.md"), ROOT / "README.md"]:
        assert "voice inside" not in page.read_text("utf-8").lower(), page.name


def test_the_home_page_has_an_install_line_a_picture_and_a_player():
    page = _page("index")
    assert "pip install ." in page
    assert "](images/" in page
    place = re.search(r'<audio controls[^>]* src="(_static/[\w.-]+)"', page)
    assert (DOCS / place[1]).stat().st_size > 10_000
