"""The user's lexicon: what is read, what is refused with its line, and that it goes before everything else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowvox.errors import TextError
from glowvox.text import load_front_end, load_lexicon, parse_lexicon


def pronounce(lexicon: str, text: str, language: str = "en-us") -> list[tuple[str, str, str]]:
    utterance = load_front_end(language, lexicon=parse_lexicon(lexicon)).process(text)
    return [(word.text, " ".join(word.phonemes), word.source) for word in utterance.words]


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ("Nguyen = w ɪ n", "Nguyen", ("Nguyen", "w ɪ n", "user lexicon")),
        ("gif = /d͡ʒˈɪf/", "a gif", ("gif", "d͡ʒ ˈɪ f", "user lexicon")),
        ("gif = [[d͡ʒ ˈɪ f]]", "a gif", ("gif", "d͡ʒ ˈɪ f", "user lexicon")),
        ("gruut = groot", "GRUUT!", ("GRUUT", "ɡ ɹ ˈu t", "user lexicon")),
        ('thyme = "time"', "thyme", ("thyme", "t ˈaɪ m", "user lexicon")),
        ("hello=world", "hello", ("hello", "w ˈɚ l d", "user lexicon")),
        ("SQL = sequel", "Use SQL.", ("SQL", "s ˈi k w ə l", "user lexicon")),
        ("v2.1 = two one", "v2.1", ("v2.1", "t ˈu w ˈʌ n", "user lexicon")),
        ("C++ = see", "I like C++.", ("C++", "s ˈi", "user lexicon")),
        ("New York = nyork", "In New  York now", None),
        ("Dr. = drive", "the Dr. is", ("Dr.", "d ɹ ˈaɪ v", "user lexicon")),
        ("three = tree", "3", ("three", "t ɹ ˈi", "user lexicon")),
    ],
)
def test_entries_go_before_everything(line: str, text: str, expected: tuple[str, str, str] | None) -> None:
    words = pronounce(line, text)
    if expected is None:
        assert ("New York", "user lexicon") in [(word, source) for word, _, source in words]
    else:
        assert expected in words


def test_comments_blank_lines_and_later_entries() -> None:
    lexicon = parse_lexicon("\ufeff# a comment\n\n  word = w ˈɚ d  # why\nword = b ˈi\n#hash = x y\n")
    assert len(lexicon) == 1
    assert lexicon.lookup("WORD").phonemes == ("b", "ˈi")


def test_a_genitive_of_an_entry_is_still_found_by_its_punctuation() -> None:
    assert pronounce("gruut = groot", '("gruut"), gruut?')[0][2] == "user lexicon"
    assert [word[2] for word in pronounce("gruut = groot", '("gruut"), gruut?')] == ["user lexicon"] * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = b\nnonsense\n", "line 2: expected 'word = pronunciation', got 'nonsense'"),
        ("word =", "line 1: expected"),
        ("= x y", "line 1: expected"),
        ("word = /h ə %/", "line 1: 'word': no phone for %"),
        ("word = 123", "line 1: 'word': '123' holds no letter and no phone"),
        ("\n\nword = !!!", "line 3"),
    ],
)
def test_each_bad_line_is_named(text: str, message: str) -> None:
    with pytest.raises(TextError) as error:
        parse_lexicon(text, "names.txt")
    assert message in str(error.value)
    assert str(error.value).startswith("names.txt: ")
    assert "\n" not in str(error.value)


def test_many_bad_lines_make_one_short_message() -> None:
    with pytest.raises(TextError, match="and 995 more lines") as error:
        parse_lexicon("bad\n" * 1000)
    assert len(str(error.value)) < 500


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.txt"
    with pytest.raises(TextError, match="cannot read the lexicon"):
        load_lexicon(path)
    path.write_bytes(b"word = \xff\xfe")
    with pytest.raises(TextError, match="not UTF-8"):
        load_lexicon(path)
    path.write_text("Nguyen = w ɪ n\n", encoding="utf-8")
    assert len(load_lexicon(str(path))) == 1
    assert load_front_end(lexicon=path).process("Nguyen").words[0].source == "user lexicon"


@given(st.text(max_size=200))
def test_any_text_is_a_lexicon_or_a_clear_error(text: str) -> None:
    try:
        parse_lexicon(text)
    except TextError as error:
        assert "line " in str(error)
        assert "\n" not in str(error)
