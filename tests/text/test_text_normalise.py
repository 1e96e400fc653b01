"""The normaliser: a table of what is written and what is said, and properties that hold for any text."""

import csv
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowvox.text import FrontEnd, load_front_end
from glowvox.text.normalise import clean_characters
from glowvox.text.normalise.languages import Normaliser, _english_rules, _german_rules
from glowvox.text.normalise.numbers import roman_value
from glowvox.text.normalise.scanner import Context, Scanner

HERE = Path(__file__).parent
BENCHMARK = HERE.parents[1] / "benchmarks" / "text_normalisation.py"


QUICK = {"en": Scanner(_english_rules()), "de": Scanner(_german_rules())}
SLOW = {"en": Scanner(_english_rules()), "de": Scanner(_german_rules())}
for kind in "uwdo":
    for language in QUICK:
        QUICK[language]._tokens[kind] = 10**9
        SLOW[language]._tokens[kind] = -(10**9)
        SLOW[language]._alone = {}


def _table(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def english() -> FrontEnd:
    front_end = load_front_end("en-us")
    front_end.process("Read 1 lead.")  # the dictionary is read when it is first needed
    return front_end


@pytest.fixture(scope="module")
def german() -> FrontEnd:
    front_end = load_front_end("de-de")
    front_end.process("Lies 1 Satz.")
    return front_end


def test_the_english_table_has_at_least_300_cases() -> None:
    assert len(_table("english_cases.tsv")) >= 300


@pytest.mark.parametrize("case", _table("english_cases.tsv"), ids=lambda case: f"{case['kind']}: {case['written']}")
def test_english(english: FrontEnd, case: dict[str, str]) -> None:
    assert english.process(case["written"]).normalized == case["spoken"]


@pytest.mark.parametrize("case", _table("german_cases.tsv"), ids=lambda case: case["written"])
def test_german(german: FrontEnd, case: dict[str, str]) -> None:
    assert german.process(case["written"]).normalized == case["spoken"]


def test_public_cases_agree_or_are_listed_with_a_reason(english: FrontEnd, shared: Path) -> None:
    listed = {row["written"]: row for row in _table("normalisation_differences.tsv")}
    compare_file = runpy.run_path(str(BENCHMARK))["compare_file"]
    cases = agree = 0
    different = set()
    for path in sorted((shared / "text" / "normalisation").glob("*.txt")):
        for written, _, ours, same in compare_file(path, english):
            cases += 1
            agree += same
            if not same:
                different.add(written)
                assert listed[written]["ours"] == ours, written
                assert len(listed[written]["reason"]) > 8
    assert agree >= 0.9 * cases
    assert different == set(listed), "what agrees is no difference"


def test_the_comparison_leaves_out_style_alone() -> None:
    reading_key = runpy.run_path(str(BENCHMARK))["reading_key"]
    assert reading_key("One hundred AND two, o' clock: oh!") == reading_key("one hundred two o clock zero")
    assert reading_key("nineteen") != reading_key("ninety")


def test_no_number_is_cut_in_two(english: FrontEnd) -> None:
    for tail in ("p", "ML", "kg", "ab", "proof", "EST", "th", "x", "s", "Q", "zz", "GB"):
        for number, start in (("120", "one hundred t"), ("1,080", "one thousand e"), ("12.5", "twelve point five")):
            assert english.process(number + tail).normalized.startswith(start), number + tail


@pytest.mark.parametrize("text", ["CO₂", "x₁", "SO₄²⁻", "10^23", "3*4", "a*b", "2x - 1", "x⁷", "20' x 30'", "A₁B²"])
def test_no_sign_of_a_formula_vanishes(english: FrontEnd, text: str) -> None:
    bare = re.sub("[₀-₉⁰-⁹²³⁺⁻^*'-]", "", text)
    assert (
        len(english.process(text).words) > len(english.process(bare).words)
        or "times" in english.process(text).normalized
    )


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


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("It is so.[1] Yes.", "[1]"),
        ("It is so.² Yes.", "²"),
        ("the cities[4, 5] grew", "[4, 5]"),
        ("so.[note 3]", "[note 3]"),
    ],
)
def test_marks_of_footnotes_are_left_out_with_a_warning(english: FrontEnd, text: str, mark: str) -> None:
    read, bare = english.process(text), english.process(text.replace(mark, ""))
    assert [word.text for word in read.words] == [word.text for word in bare.words]
    assert f"left out {mark!r}: the mark of a footnote" in read.warnings


@pytest.mark.parametrize("text", ["x[1] = 5", "a[0]", "data[1] + 2", "f(x)[1] is y"])
def test_an_index_is_no_footnote(english: FrontEnd, text: str) -> None:
    digit = {"0": "zero", "1": "one"}[text[text.index("[") + 1]]
    assert digit in [word.text for word in english.process(text).words]


def test_a_tag_in_plain_text_is_read_by_its_name_with_a_warning(english: FrontEnd) -> None:
    read = english.process("go <noise/> home")
    assert read.normalized == "go noise home"
    assert read.warnings == ("read the tag '<noise/>' as 'noise'; markup reads or skips tags",)


@pytest.mark.parametrize("language", ["en-us", "de-de", "fr-fr"])
def test_every_pattern_can_be_made(language):
    rules = {rule for kind in Normaliser(language, lambda _word: False)._scanner._rules.values() for rule in kind}
    assert len(rules) > 5
    assert all(rule.compiled.flags & re.VERBOSE for rule in rules)


def test_english_waits_for_no_rules_of_german():
    script = (
        "import sys, glowvox.text.normalise.languages as languages\n"
        "languages.Normaliser('en-us', lambda word: False)\n"
        "assert not any('german' in name for name in sys.modules)\n"
        "languages.Normaliser('de-de', lambda word: False)\n"
        "assert any('german' in name for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("language", ["en", "de"])
def test_only_its_own_rule_reads_a_mark_before_a_space(language: str) -> None:
    assert set(QUICK[language]._alone) == set(",;:.!?")
    befores = ["", "a", "Dr", "no", "5", "am 3", "10:30 a", "$", "U.S", "Ps", "Jan", ")", "-", "/"]
    afters = [" ", "\n", " 5", " 1943", " Jan 5", " a", " A", " .5", " $3", " -3", " )", " :)", " :", " [1]", " ²", ""]
    for text in (f"{before}{mark}{after}" for before in befores for mark in ",;:.!?" for after in afters):
        contexts = [Context(text, language=language) for _ in range(2)]
        assert QUICK[language].scan(contexts[0], {}) == SLOW[language].scan(contexts[1], {}), text


@given(st.text(alphabet="aAbcdeEfgkmnopsStTuvxIVX0129 .,-'/()+_#$%²₂:&@é", max_size=60), st.sampled_from(["en", "de"]))
def test_asking_all_rules_at_once_changes_nothing(text: str, language: str) -> None:
    quick, slow = QUICK[language], SLOW[language]
    assert quick.scan(Context(text, language=language), {}) == slow.scan(Context(text, language=language), {})
