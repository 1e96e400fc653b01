"""Marked-up texts in a manifest: pause tags, Markdown, SSML, and the warnings of every row."""

import json

import pytest

from glowvox.cli.main import main


@pytest.fixture
def spoken(tmp_path, exported_voice, capsys):
    def run(texts, *more):
        manifest = tmp_path / "texts.jsonl"
        rows = [{"id": str(number), "text": text, "seed": 0} for number, text in enumerate(texts)]
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        line = ["bulk", str(manifest), "-o", str(out), "--voice", str(exported_voice), "--workers", "0", *more]
        assert main(line) == 0
        capsys.readouterr()
        return [json.loads(line) for line in (out / "rows.jsonl").read_text(encoding="utf-8").splitlines()]

    return run


def test_a_pause_tag_is_a_silence_of_its_length_unless_it_is_switched_off(spoken):
    one, two, both = spoken(["One.", "[pause:0s]Two.", "One.[pause:1500ms]Two."])
    assert both["seconds"] == pytest.approx(one["seconds"] + two["seconds"] + 1.5, abs=0.3)
    three = spoken(["One.[pause:2500ms]Two."])[0]
    assert three["seconds"] == pytest.approx(both["seconds"] + 1.0, abs=0.15)
    [read] = spoken(["One.[pause:1500ms]Two."], "--no-pause-tags")
    assert read["sha256"] != both["sha256"]


def test_markup_is_read_and_what_is_left_out_stands_in_the_row(spoken):
    marked, plain = spoken(["**One** <b>two</b>.", "One two."])
    assert marked["seconds"] == plain["seconds"] and "warnings" not in marked
    [code] = spoken(["One two.\n\n```sh\nls\n```\n"])
    assert any("1 line of code of sh" in line for line in code["warnings"])
    [read] = spoken(["One two.\n\n```sh\nls\n```\n"], "--read-code")
    assert read["seconds"] > code["seconds"]
    [literal] = spoken(["a <b>two</b>."], "--markup", "plain")
    [taken] = spoken(["a <b>two</b>."], "--markup", "html")
    assert literal["seconds"] > taken["seconds"]


def test_many_warnings_are_counted(spoken):
    [row] = spoken(["Say " + " and ".join(f"<x{number} y='1'/> qzx{chr(97 + number)}vw" for number in range(26))])
    assert len(row["warnings"]) == 20 and row["warnings"][-1].startswith("and ")


def test_another_script_is_named_in_the_row(spoken, monkeypatch):
    monkeypatch.setenv("PATH", "")
    [row] = spoken(["Say \u4f60\u597d now."])
    assert row["warnings"] == ["left out '\u4f60\u597d': no reading for this script in en-us"]
