"""Manifests: every format, whatever is in them; a bad row is a reason and never the end of the run."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowvox.bulk.manifest import ManifestColumns, check_formats, identify, manifest_rows
from glowvox.bulk.plan import DuplicateFinder
from glowvox.bulk.row import LONGEST_TEXT, BadRow, Row, read_row, row_seed
from glowvox.errors import DataError

ROWS = [{"id": "a", "text": "One, two."}, {"id": "b", "text": 'She said "no" | twice;\nthen left.'}]


EXPECTED = [Row(0, "a", ROWS[0]["text"]), Row(1, "b", ROWS[1]["text"])]


def rows_of(path, **columns):
    return list(manifest_rows([str(path)], ManifestColumns(**columns)))


def test_formats_give_the_same_rows(tmp_path):
    (tmp_path / "m.jsonl").write_text("\ufeff" + "".join(json.dumps(row) + "\n\n" for row in ROWS), encoding="utf-8")
    (tmp_path / "m.jsonl.gz").write_bytes(gzip.compress((tmp_path / "m.jsonl").read_bytes()))
    quoted = 'text,id\n"One, two.",a\n"She said ""no"" | twice;\nthen left.",b\n'
    (tmp_path / "m.csv").write_text(quoted, encoding="utf-8-sig")
    (tmp_path / "m.tsv").write_text(quoted.replace('",', '"\t').replace("text,id", "text\tid"), encoding="utf-8")
    for name in ("m.jsonl", "m.jsonl.gz", "m.csv", "m.tsv"):
        assert rows_of(tmp_path / name) == EXPECTED, name


def test_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra: cluster)")
    pyarrow = pytest.importorskip("pyarrow")
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "m.parquet")
    assert rows_of(tmp_path / "m.parquet") == EXPECTED
    parquet.write_table(pyarrow.table({"id": ["a"], "words": ["b"]}), tmp_path / "n.parquet")
    with pytest.raises(DataError, match="it has id, words"):
        rows_of(tmp_path / "n.parquet")
    assert rows_of(tmp_path / "n.parquet", text="words") == [Row(0, "a", "b")]
    (tmp_path / "m.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="Parquet"):
        rows_of(tmp_path / "m.parquet")


def test_lines_without_column_names(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text('x1|He said "go.\nx2|Twice "2".|Twice "two".\n\nx3\nx4|a|b|c\n', encoding="utf-8")
    rows = rows_of(path)
    assert rows[:2] == [Row(0, "x1", 'He said "go.'), Row(1, "x2", 'Twice "2".')]
    assert [type(row) for row in rows[2:]] == [BadRow, BadRow] and "ID|TEXT" in rows[3].error


def test_no_row_is_lost_to_a_quotation_mark(tmp_path):
    rows = '1|"The quick fox.\n2|Hello there.\n3|He said "bye".\n'
    texts = ['"The quick fox.', "Hello there.", 'He said "bye".']
    for name, content in (
        ("bare.csv", rows),
        ("named.csv", "id|text\n" + rows),
        ("comma.csv", "id,text\n" + rows.replace("|", ",")),
        ("tab.tsv", "id\ttext\n" + rows.replace("|", "\t")),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
        notes: list[str] = []
        found = list(manifest_rows([str(tmp_path / name)], ManifestColumns(), notes.append))
        assert [row.text for row in found] == texts, name
        assert [row.id for row in found] == ["1", "2", "3"]
        assert len(notes) == (name in ("comma.csv", "tab.tsv")), notes


def test_encodings_are_read_and_told(tmp_path):
    expected = [Row(0, "a", "Grüße, José."), Row(1, "b", "Naïve.")]
    content = 'id;text\na;"Grüße, José."\nb;Naïve.\n'
    for encoding, name in (("utf-8", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "cp1252")):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(content.encode(encoding))
        notes: list[str] = []
        assert list(manifest_rows([str(path)], ManifestColumns(), notes.append)) == expected
        assert identify(str(path)).encoding == name
        assert len(notes) == (name != "UTF-8") and all(f"read as {name}" in note for note in notes)
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
        assert rows_of(tmp_path / f"{name}.csv.gz") == expected
    (tmp_path / "wide.jsonl").write_bytes(json.dumps(ROWS[0]).encode("utf-16"))
    assert rows_of(tmp_path / "wide.jsonl") == EXPECTED[:1]
    (tmp_path / "bare.txt").write_bytes("abc".encode("utf-16-le"))
    with pytest.raises(DataError, match="UTF-16 without a mark"):
        rows_of(tmp_path / "bare.txt")


def test_bad_lines_stand_beside_good_ones(tmp_path):
    lines = [
        b'{"id": "a", "text": "Good."}',
        b"{",
        b"[1]",
        b'{"id": "c"}',
        b'{"id": "d", "text": 7}',
        b'{"id": "e", "text": "\\ud800"}',
        b'{"id": "f\\n", "text": "x"}',
        b'{"id": "g", "text": "\xff"}',
        b'{"id": "h", "text": "' + b"x" * (LONGEST_TEXT + 1) + b'"}',
        b'{"id": "i", "text": "' + b"y" * (3 << 20) + b'"}',
        b'{"id": "j", "text": "  "}',
        b'{"id": "k", "text": "x", "seed": -1}',
        b'{"id": "l", "text": "x", "speed": "fast"}',
        b'{"id": "' + b"m" * 201 + b'", "text": "x"}',
        b"[" * 100_000,
        b'{"text": "No name.", "seed": "7", "speed": "1.5", "speaker": "ann", "other": [1]}',
    ]
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"\n".join(lines))
    rows = rows_of(path)
    assert [row.number for row in rows] == list(range(len(lines)))
    assert rows[0] == Row(0, "a", "Good.")
    assert rows[-1] == Row(15, "000000015", "No name.", seed=7, speed=1.5, speaker="ann")
    for row in rows[1:-1]:
        assert isinstance(row, BadRow) and row.error and "\n" not in row.error
        json.dumps(row.to_dict()).encode("utf-8")


@settings(max_examples=60, deadline=None)
@given(
    fields=st.dictionaries(
        st.sampled_from(["id", "text", "seed", "speed", "speaker"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(max_size=20),
            st.lists(st.integers(), max_size=2),
        ),
    )
)
def test_any_record_is_a_row_or_a_reason(fields):
    row = read_row(fields, 3, "id", "text")
    assert row.number == 3
    if isinstance(row, Row):
        assert row.text.strip() and row.id and 0 <= row_seed(0, row) < 2**63


@pytest.mark.parametrize("value", [10**400, -(10**400), "1e999", [1]])
@pytest.mark.parametrize("name", ["speed", "seed"])
def test_numbers_that_no_machine_holds_are_a_reason(name, value):
    row = read_row({"id": "a", "text": "Hello.", name: value}, 0, "id", "text")
    assert isinstance(row, BadRow) and row.error.startswith(f"the {name} must be a")


def test_wrong_files_are_one_line(tmp_path):
    for name, content, told in (
        ("d.csv", b"text;id;text\na;b;c\n", "two columns are called 'text'; rename"),
        ("m.csv", b"name,words\na,b\n", "column 'text'"),
        ("e.csv", b"", "empty"),
        ("m.jsonl.gz", b"no gzip", "damaged"),
        ("cut.jsonl.gz", gzip.compress(b'{"id": "a", "text": "x"}\n' * 99)[:-12], "damaged"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=told) as error:
            rows_of(tmp_path / name)
        assert "\n" not in str(error.value)
    with pytest.raises(DataError, match="cannot read"):
        rows_of(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="format"):
        check_formats(["words.docx"])


def test_several_manifests_are_numbered_through(tmp_path):
    for name in ("1", "2"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"id": name, "text": "x"}), encoding="utf-8")
    rows = list(manifest_rows([str(tmp_path / "1.jsonl"), f"file://{tmp_path}/2.jsonl"], ManifestColumns()))
    assert [(row.number, row.id) for row in rows] == [(0, "1"), (1, "2")]


def test_a_changed_manifest_is_noticed(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"abc")
    before = identify(str(path))
    path.write_bytes(b"abd")
    assert before.bytes == 3 and identify(str(path)).sha256 != before.sha256


def test_duplicates_among_many(monkeypatch):
    monkeypatch.setattr("glowvox.bulk.plan._WAITING", 100)
    with DuplicateFinder() as finder:
        for row in range(1000):
            finder.add(row, f"id{row % 990}" if row != 500 else "id3")
        found = finder.duplicates()
    assert found == {row: row - 990 for row in range(990, 1000)} | {500: 3}
    with DuplicateFinder() as finder:
        for row in range(5):
            finder.add(row, "same")
        assert finder.duplicates() == dict.fromkeys(range(1, 5), 0)


def test_the_seed_of_a_row_is_a_function_of_seed_id_and_text():
    row = Row(0, "a", "Hello.")
    seeds = {row_seed(0, row), row_seed(1, row), row_seed(0, Row(0, "b", "Hello.")), row_seed(0, Row(0, "a", "Hello!"))}
    assert len(seeds) == 4
    assert row_seed(0, Row(9, "a", "Hello.", speed=2.0)) == row_seed(0, row)
    assert row_seed(0, Row(0, "a", "Hello.", seed=5)) == 5
    # Part of the format: another value would make another corpus of the same manifest.
    assert row_seed(0, row) == 3690194282295599056
