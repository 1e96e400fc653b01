"""Text files: the encoding is found or named, and no table loses a row or a letter."""

import codecs
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowvox.errors import DataError
from glowvox.storage.text_files import (
    CP1252,
    LONGEST_LINE,
    UTF_8,
    TextLine,
    find_encoding,
    json_rows,
    read_text,
    split_header,
    table_rows,
    text_lines,
)

TEXT = "Grüße,\r\nJosé – “so”\n"


def lines_of(content: bytes) -> list[TextLine]:
    encoding = find_encoding(io.BytesIO(content), "a file")
    return list(text_lines(io.BytesIO(content), encoding))


def table(text: str, delimiter: str = ",", columns: int | None = 2) -> list[tuple]:
    rows = table_rows(lines_of(text.encode()), delimiter, columns)
    return [(row.line, *row.fields) if not row.problem else (row.line, None) for row in rows]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TEXT.encode(), "UTF-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-32"), "UTF-32"),
        (TEXT.encode("cp1252"), "cp1252"),
    ],
)
def test_every_encoding_gives_the_same_lines(content, name, tmp_path):
    assert find_encoding(io.BytesIO(content), "f").name == name
    assert [(line.number, line.text) for line in lines_of(content)] == [(1, "Grüße,"), (2, "José – “so”")]
    (tmp_path / "f.txt").write_bytes(content)
    text, encoding = read_text(tmp_path / "f.txt", 1 << 20)
    assert (text, encoding.name, encoding.is_guessed) == (TEXT, name, name == "cp1252")


def test_one_broken_line_does_not_turn_the_others_into_other_letters():
    content = "Grüße\nnaïve\n".encode() + b"sch\xf6n\n" + "déjà\n".encode()
    assert find_encoding(io.BytesIO(content), "f") == UTF_8
    lines = lines_of(content)
    assert [line.text for line in lines] == ["Grüße", "naïve", "", "déjà"]
    assert lines[2].problem.startswith("not UTF-8")


def test_what_no_encoding_has_is_a_problem_of_its_line():
    lines = lines_of(b"sch\xf6n\nx\x81y\nend")
    assert [line.text for line in lines] == ["schön", "", "end"] and lines[1].problem.startswith("not cp1252")


def test_json_is_never_guessed():
    content = b'{"a": "sch\xf6n"}\n{"a": 1}\n'
    encoding = find_encoding(io.BytesIO(content), "f", is_json=True)
    rows = list(json_rows(text_lines(io.BytesIO(content), encoding)))
    assert rows[0][0] == 1 and "JSON is UTF-8" in rows[0][1] and rows[1] == (2, {"a": 1})
    wide = '{"a": "schön"}\n'.encode("utf-16")
    assert list(json_rows(text_lines(io.BytesIO(wide), find_encoding(io.BytesIO(wide), "f", is_json=True)))) == [
        (1, {"a": "schön"})
    ]


def test_utf_16_without_a_mark_and_what_is_no_text_are_refused(tmp_path):
    for content in ("abc\n".encode("utf-16-le"), "abc\n".encode("utf-16-be"), bytes(300)):
        with pytest.raises(DataError, match="zero bytes"):
            find_encoding(io.BytesIO(content), "f")
    (tmp_path / "odd.txt").write_bytes(b"\xff\xfea\0b")
    with pytest.raises(DataError, match="is not UTF-16 text"):
        read_text(tmp_path / "odd.txt", 100)
    [first, second, third] = lines_of(codecs.BOM_UTF16_LE + "ab\n".encode("utf-16-le") + b"\x00\xd8\n\0x\0")
    assert (first.text, second.problem, third.text) == ("ab", "not UTF-16", "x")


def test_line_ends_and_long_lines():
    assert [line.text for line in lines_of(b"a\rb\rc")] == ["a", "b", "c"]
    assert [line.text for line in lines_of(b"a\r\nb\rc\n\nd")] == ["a", "b\rc", "", "d"]
    assert [line.text for line in lines_of("a\u2028b\x85c\x0cd".encode())] == ["a\u2028b\x85c\x0cd"]
    lines = lines_of(b"x" * (3 * LONGEST_LINE) + b"\nshort\n")
    assert lines[0].problem == "the line is longer than 1 MiB" and lines[1] == TextLine(2, "short")
    assert lines_of(b"") == []


def test_with_bars_a_quotation_mark_is_a_letter():
    rows = '1|"The quick fox.\n2|"Hello", he said.\n\n3|""""\n4|a "b" c\n'
    assert table(rows, "|") == [
        (1, "1", '"The quick fox.'),
        (2, "2", '"Hello", he said.'),
        (4, "3", '""""'),
        (5, "4", 'a "b" c'),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_quoted_fields(delimiter):
    rows = '1,"One, ""two""."\n2, "spaced"\n3,"first\nsecond, third"\n4,plain\n'.replace(",", delimiter)
    assert table(rows, delimiter) == [
        (1, "1", f'One{delimiter} "two".'),
        (2, "2", "spaced"),
        (3, "3", f"first\nsecond{delimiter} third"),
        (5, "4", "plain"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("last", ["3,end", '3,He said"', '3,"quoted"', '3,"'])
def test_a_mark_without_its_pair_swallows_no_row(delimiter, last):
    rows = f'1,"The quick fox.\n2,Hello there.\n{last}\n'.replace(",", delimiter)
    found = list(table_rows(lines_of(rows.encode()), delimiter, 2))
    assert [row.line for row in found] == [1, 2, 3]
    assert found[0].fields == ("1", '"The quick fox.') and "quotation mark" in found[0].remark
    assert found[1].fields == ("2", "Hello there.") and not found[1].remark


def test_what_is_closed_within_a_word_is_taken_as_it_stands():
    assert table('1,"Hi" he said.\n2,x\n') == [(1, "1", '"Hi" he said.'), (2, "2", "x")]
    assert table('1,"Hi, you" he said.\n2,x\n') == [(1, None), (2, "2", "x")]


def test_prose_in_a_quoted_field_is_no_row():
    """Nor are lines of prose with commas, where the field that they are in is closed."""
    rows = '1,"First line,\nthen, more, of it,\nand Sir, ""yes""."\n2,x\n'
    assert table(rows) == [(1, "1", 'First line,\nthen, more, of it,\nand Sir, "yes".'), (4, "2", "x")]
    spaced = '1, "open\n2, Hello.\n3, end"\n'
    assert [row[0] for row in table(spaced)] == [1, 2, 3]


def test_a_table_of_one_column_and_an_endless_field():
    assert table('"a\nb"\nc\n', columns=1) == [(1, "a\nb"), (3, "c")]
    rows = table('1,"open\n' + "x\n" * 1000)
    assert rows[0] == (1, "1", '"open') and len(rows) == 1001


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='ab",;|\t\n\r é', max_size=60), st.sampled_from(",;\t|"))
def test_no_line_is_lost(text, delimiter):
    lines = lines_of(text.encode())
    seen: set[int] = set()
    for row in table_rows(lines, delimiter, 2):
        assert row.line not in seen
        assert row.problem or row.fields
        seen.add(row.line)
    letters = sum(character in "abé" for character in text)
    rows = table_rows(lines, delimiter, 2)
    kept = sum(character in "abé" for row in rows if not row.problem for field in row.fields for character in field)
    problems = any(row.problem for row in table_rows(lines, delimiter, 2))
    assert kept == letters or (problems and kept < letters)


def test_headers():
    assert split_header(' id , "text, long" ', ",") == ["id", "text, long"]
    assert split_header('"id"|text', "|") == ['"id"', "text"]
    assert split_header('"id,text', ",") == ['"id', "text"]


def test_read_text_names_what_it_cannot_read(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_text(tmp_path / "none.txt", 10)
    with pytest.raises(DataError, match="cannot read"):
        read_text(tmp_path, 1 << 20)
    (tmp_path / "big.txt").write_bytes(b"x" * 2000)
    with pytest.raises(DataError, match="more than 1 KiB"):
        read_text(tmp_path / "big.txt", 1 << 10)
    (tmp_path / "odd.txt").write_bytes(b"a\x81")
    with pytest.raises(DataError, match="is not cp1252 text"):
        read_text(tmp_path / "odd.txt", 100)
    assert CP1252.is_guessed and not UTF_8.is_guessed
