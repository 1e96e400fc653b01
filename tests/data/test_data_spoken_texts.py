"""Files of texts to be spoken: every form is read by its columns, and what is left out is listed."""

import os
from pathlib import Path

import pytest

from glowvox.data.spoken_texts import read_texts
from glowvox.errors import DataError


def _texts(folder: Path, *lines: str, name: str = "texts.txt") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_lines_that_cannot_be_spoken_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes("\ufeffOne thing.\r\n\r\nOne  thing.\n...\n\U0001f600\n".encode() + b"x" * 1001 + b"\nTwo things.")
    texts, findings = read_texts(path, 1000)
    assert [one.text for one in texts] == ["One thing.", "Two things."]
    assert [(one.subject, one.kind) for one in findings] == [
        ("texts.txt, line 3", "duplicate text"),
        ("texts.txt, line 4", "nothing to say"),
        ("texts.txt, line 5", "nothing to say"),
        ("texts.txt, line 6", "too long"),
    ]


@pytest.mark.parametrize(
    ("name", "line", "kind"),
    [
        ("t.csv", "no bar at all", "malformed line"),
        ("t.csv", "../../evil|A text.", "malformed line"),
        ("t.csv", "a|Another text.", "duplicate id"),
        ("t.jsonl", "{", "malformed line"),
        ("t.jsonl", '{"text": 3}', "malformed line"),
        ("t.jsonl", '{"id": 3, "text": "A text."}', "malformed line"),
        ("t.jsonl", "[1]", "malformed line"),
    ],
)
def test_malformed_lines(tmp_path: Path, name: str, line: str, kind: str) -> None:
    first = "a|One text." if name == "t.csv" else '{"id": "a", "text": "One text."}'
    texts, findings = read_texts(_texts(tmp_path, first, line, name=name), 1000)
    assert [(one.id, one.text) for one in texts] == [("a", "One text.")]
    assert [one.kind for one in findings] == [kind]


def test_texts_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_texts(tmp_path / "none.txt", 100)
    with pytest.raises(DataError, match="no text to speak"):
        read_texts(_texts(tmp_path, ""), 100)
    (tmp_path / "latin.jsonl").write_bytes('{"text": "Gr\xfc\xdfe."}'.encode("latin-1"))
    with pytest.raises(DataError, match=r"no text to speak; not UTF-8 .*; JSON is UTF-8"):
        read_texts(tmp_path / "latin.jsonl", 100)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_texts_in_other_encodings_are_read_and_told(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.txt").write_bytes("One.\r\n\u201cGr\xfc\xdfe\u201d, they say.".encode(encoding))
    texts, findings = read_texts(tmp_path / "t.txt", 100)
    assert [one.text for one in texts] == ["One.", "\u201cGr\xfc\xdfe\u201d, they say."]
    assert [one.reason.split(",")[0] for one in findings] == (
        [] if encoding == "utf-8-sig" else [f"read as {encoding.upper() if encoding == 'utf-16' else encoding}"]
    )


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("t.csv", "id|text|norm\na|Hello 5.|Hello five.\n", {"a": "Hello 5."}),
        ("t.csv", "id|text|normalized_text\na|Hello 5.|Hello five.\n", {"a": "Hello five."}),
        ("t.csv", 'text,id\n"Hello, you.",a\n', {"a": "Hello, you."}),
        ("t.csv", "a|Hello 5 there.|Hello five there.\nb|You.|\n", {"a": "Hello five there.", "b": "You."}),
        ("t.csv", 'a|Say "hi" to me.\n', {"a": 'Say "hi" to me.'}),
        ("t.tsv", "a\tHello.\nb\tYou | there.\n", {"a": "Hello.", "b": "You | there."}),
        ("t.tsv", "id\ttext\na\tHello.\n", {"a": "Hello."}),
        ("t.csv", "a|Hello.\rb|You.\r", {"a": "Hello.", "b": "You."}),
    ],
)
def test_tables_are_read_by_their_columns(tmp_path: Path, name: str, content: str, texts: dict[str, str]) -> None:
    (tmp_path / name).write_bytes(content.encode())
    found, findings = read_texts(tmp_path / name, 1000)
    assert {one.id: one.text for one in found} == texts
    assert findings == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("b|ann|You there.", "3 fields where there are two"),
        ("b|You | there.", "3 fields where there are two"),
        ("b|1|2|3", "4 fields where there are two"),
        ("|You there.", "no id before '|'"),
        ("\u6f22" * 95 + "|You there.", "or 240 bytes"),
    ],
)
def test_rows_that_mean_nothing_certain_are_listed(tmp_path: Path, line: str, reason: str) -> None:
    found, findings = read_texts(_texts(tmp_path, "a|Hello.", line, "c|Good bye.", name="t.csv"), 1000)
    assert [one.id for one in found] == ["a", "c"]
    assert [one.kind for one in findings] == ["malformed line"]
    assert reason in findings[0].reason


def test_lines_end_as_they_do_anywhere(tmp_path: Path) -> None:
    for end in ("\n", "\r\n", "\r"):
        (tmp_path / "t.txt").write_bytes(f"One thing.{end}Two things.{end}".encode())
        assert [one.text for one in read_texts(tmp_path / "t.txt", 1000)[0]] == ["One thing.", "Two things."]


def test_a_table_that_is_called_a_text_is_refused(tmp_path: Path) -> None:
    for line in ("a1|Hello there.", "a1\tHello there."):
        with pytest.raises(DataError, match=r"look like those of a table .* call it \.csv"):
            read_texts(_texts(tmp_path, line, line.replace("1", "2")), 1000)
    assert read_texts(_texts(tmp_path, "This | is a text.", "And this."), 1000)[1] == []


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "texts.txt")
    with pytest.raises(DataError, match="a pipe or a device cannot be read twice; write the texts into a file"):
        read_texts(tmp_path / "texts.txt", 1000)
