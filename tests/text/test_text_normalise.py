"""The normaliser: a table of what is written and what is said, and properties that hold for any text."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowvox.text import FrontEnd, load_front_end
from glowvox.text.normalise import clean_characters
from glowvox.text.normalise.numbers import roman_value

HERE = Path(__file__).parent


def _table(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def english() -> FrontEnd:
    return load_front_end("en-us")


@pytest.fixture(scope="module")
def german() -> FrontEnd:
    return load_front_end("de-de")


def test_the_english_table_has_at_least_300_cases() -> None:
    assert len(_table("english_cases.tsv")) >= 300


@pytest.mark.parametrize("case", _table("english_cases.tsv"), ids=lambda case: f"{case['kind']}: {case['written']}")
def test_english(english: FrontEnd, case: dict[str, str]) -> None:
    assert english.process(case["written"]).normalized == case["spoken"]


@pytest.mark.parametrize("case", _table("german_cases.tsv"), ids=lambda case: case["written"])
def test_german(german: FrontEnd, case: dict[str, str]) -> None:
    assert german.process(case["written"]).normalized == case["spoken"]


@pytest.mark.parametrize(
    "text", ["naïve", "na\u0131\u0308ve", "ﬁne", "Ｈｅｌｌｏ", "a\u00a0b", "“x”", "x\u0000y", "\ud800"]
)
def test_cleaning_keeps_the_way_back(text: str) -> None:
    cleaned = clean_characters(text)
    assert len(cleaned.origins) == len(cleaned.text) + 1
    assert list(cleaned.origins) == sorted(cleaned.origins)
    assert cleaned.origins[-1] == len(text)


def test_cleaning_composes_accents_and_drops_controls() -> None:
    assert clean_characters("e\u0301").text == "é"
    cleaned = clean_characters("a\x00\x07b")
    assert (cleaned.text, cleaned.controls) == ("ab", 2)
    assert clean_characters("a\r\nb\u2028c").text == "a\nb\nc"


@given(st.text(max_size=200))
def test_cleaning_any_text(text: str) -> None:
    cleaned = clean_characters(text)
    assert len(cleaned.origins) == len(cleaned.text) + 1
    assert all(a <= b for a, b in zip(cleaned.origins, cleaned.origins[1:], strict=False))
    assert not any(ord(character) < 32 and character != "\n" for character in cleaned.text)


def _roman(number: int) -> str:
    symbols = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL")]
    text = ""
    for value, symbol in [*symbols, (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]:
        while number >= value:
            text, number = text + symbol, number - value
    return text


@given(st.integers(1, 3999))
def test_roman_numerals_count_as_they_are_written(number: int) -> None:
    assert roman_value(_roman(number)) == number


@pytest.mark.parametrize("text", ["", "IIII", "VX", "IC", "ABC", "IVI"])
def test_what_is_no_roman_numeral(text: str) -> None:
    assert roman_value(text) is None


@given(number=st.integers(0, 10**15 - 1))
def test_no_digit_is_left_and_the_number_can_be_told_from_its_neighbour(english: FrontEnd, number: int) -> None:
    spoken = english.process(f"{number:,}").normalized
    assert spoken
    assert not any(character.isdigit() for character in spoken)
    assert spoken != english.process(f"{number + 1:,}").normalized


def test_shouted_text_is_read_as_words(english: FrontEnd) -> None:
    assert english.process("PLEASE READ THIS NOW").normalized == "please read this now"
    assert english.process("The FBI read it").normalized == "The F B I read it"
