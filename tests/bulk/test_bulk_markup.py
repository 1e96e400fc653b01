"""Marked-up texts in a manifest: pause tags, Markdown, SSML, and the warnings of every row."""

import json
import tarfile

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


def test_a_lexicon_and_pauses_are_those_of_the_run(spoken, tmp_path, exported_voice, capsys):
    [plain] = spoken(["Hello. Hello."])
    [paused] = spoken(["Hello. Hello."], "--sentence-pause", "3")
    assert paused["seconds"] > plain["seconds"] + 2.5
    lexicon = tmp_path / "own.txt"
    lexicon.write_text("hello = b a b a b a b a b a\n", encoding="utf-8")
    [own] = spoken(["Hello. Hello."], "--lexicon", str(lexicon))
    assert own["seconds"] > plain["seconds"]
    lexicon.write_bytes("caf\xe9 = k a\nhello = b a b a b a b a b a\n".encode("cp1252"))
    assert spoken(["Hello. Hello."], "--lexicon", str(lexicon)) == [own]
    lexicon.write_text("hello = b a b a b a b a b a\n", encoding="utf-8")
    (tmp_path / "texts.csv").write_text("1|Hello.\n")
    line = ["bulk", str(tmp_path / "texts.csv"), "-o", str(tmp_path / "run"), "--voice", str(exported_voice)]
    line += ["--workers", "0", "--lexicon", str(lexicon)]
    assert main(line) == 0
    assert main(line) == 0  # nothing is left to do
    lexicon.write_text("hello = b a\n" + "# more\n" * 100, encoding="utf-8")
    capsys.readouterr()
    assert main(line) == 2
    errors = capsys.readouterr().err
    assert "lexicon was 'hello = b a b a" in errors and len(errors) < 500
    lexicon.write_text("hello\n", encoding="utf-8")
    assert main(line) == 2
    assert "line 1: expected 'word = pronunciation'" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["files", "webdataset", "parquet"])
def test_times_of_words_stand_beside_each_row(to, tmp_path, exported_voice, capsys):
    if to == "parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "texts.csv").write_text("a|Hello there.\nb|Bye.\n")
    out = tmp_path / "run"
    line = ["bulk", str(tmp_path / "texts.csv"), "-o", str(out), "--voice", str(exported_voice)]
    line += ["--workers", "0", "--to", to, "--timestamps", "srt"]
    assert main(line) == 0
    if to == "files":
        rows = [json.loads(row) for row in (out / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
        times = [(out / row["timestamps"]).read_text("utf-8") for row in rows]
        (out / rows[0]["timestamps"]).unlink()
        assert main([*line, "--verify"]) == 0  # what is lost is made again
        assert (out / rows[0]["timestamps"]).read_text("utf-8") == times[0]
    elif to == "webdataset":
        (shard,) = (out / "shards").glob("*.tar")
        with tarfile.open(shard) as archive:
            times = [archive.extractfile(f"{key}.words.srt").read().decode() for key in "ab"]
    else:
        (shard,) = (out / "shards").glob("*.parquet")
        times = parquet.read_table(shard).column("timestamps").to_pylist()
    assert "Hello there." in times[0] and "Bye." in times[1] and times[0].startswith("1\n00:00:0")
    assert main(line[:-2]) == 2
    assert "timestamps was 'srt', now ''" in capsys.readouterr().err
