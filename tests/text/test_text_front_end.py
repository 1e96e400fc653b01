"""The front end as a whole: any text, spans, inline phonemes, pauses, limits, and the check against a voice."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowvox.errors import TextError
from glowvox.text import FrontEnd, Pause, PauseLengths, SentenceLimits, Tokenizer, Utterance, load_front_end
from glowvox.text.front_end import FRONT_END_VERSION

TOKENIZER = Tokenizer()
ALPHABETS = [
    "aB'- ",
    "0123456789.,:/-$%€ ",
    "äöüßéñ ",
    "Привет мир ",
    "αβΩ ",
    "你好。、",
    "こんにちは",
    "안녕 ",
    "مرحبا ",
    "नमस्ते ",
    "สวัสดี",
]
BITS = ["[[", "]]", " h ə ", "Dr.", "XIV", "$5", "3/4", "v1.2", "a@b.de", "www.", "'s", "12:30", "\n\n"]
MIXED = st.one_of(
    st.text(max_size=400),
    *[st.text(alphabet=alphabet, max_size=120) for alphabet in ALPHABETS],
    st.text(alphabet=".,;:!?—–-…()[]{}<>\"'«»@#&*_/\\|~^`+=", max_size=200),
    st.text(alphabet="\x00\x07\x1b\x7f\u200b\u202e\ufeffab \n", max_size=100),
    st.text(alphabet="😀👍🏽🇺🇸❤\ufe0f\u200d★→½²№ a", max_size=60),
    st.lists(st.sampled_from(BITS)).map("".join),
)  # fmt: skip


@pytest.fixture(scope="module")
def english() -> FrontEnd:
    return load_front_end()


@pytest.fixture(scope="module")
def german() -> FrontEnd:
    return load_front_end("de-de")


def check(text: str, utterance: Utterance, limits: SentenceLimits) -> None:
    place = 0
    for sentence in utterance.sentences:
        assert len(TOKENIZER.encode(sentence)) <= limits.max_tokens
        assert 0 <= sentence.span[0] <= sentence.span[1] <= len(text)
        assert sentence.text == text[slice(*sentence.span)]
        assert sentence.span[0] >= place or len(sentence.words) > 0
        place = sentence.span[0]
        assert sentence.pause_after >= 0
        for item in sentence.items:
            assert 0 <= item.span[0] <= item.span[1] <= len(text)
        for word in sentence.words:
            assert word.phonemes
            assert word.text
    # Nothing is dropped silently: a letter or digit is part of a word, or stands in a warning (which may be shortened).
    said = {place for word in utterance.words for place in range(*word.span)}
    warned = " ".join(utterance.warnings)
    missing = {text[place] for place in range(len(text)) if text[place].isalnum()} - {text[place] for place in said}
    assert all(character in warned or "..." in warned or "more warnings" in warned for character in missing)
    if not utterance.words:
        assert utterance.warnings[-1].startswith("nothing to say")
    assert all("\n" not in warning for warning in utterance.warnings)


@settings(max_examples=100, deadline=None)
@given(MIXED)
def test_any_english_text(english: FrontEnd, text: str) -> None:
    check(text, english.process(text), SentenceLimits())


@settings(max_examples=60, deadline=None)
@given(MIXED)
def test_any_german_text(german: FrontEnd, text: str) -> None:
    check(text, german.process(text), SentenceLimits())


@settings(max_examples=60, deadline=None)
@given(MIXED, st.integers(30, 120), st.integers(16, 90))
def test_no_limit_is_exceeded(english: FrontEnd, text: str, characters: int, tokens: int) -> None:
    limits = SentenceLimits(max_characters=characters, max_tokens=tokens)
    text = text.replace("[[", "[")
    check(text, english.process(text, limits=limits), limits)


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet=st.characters(categories=["L", "Nd"]), min_size=1, max_size=30))
def test_letters_and_digits_are_said_or_named_in_a_warning(english: FrontEnd, text: str) -> None:
    utterance = english.process(text)
    assert utterance.words or any("left out" in warning or "nothing" in warning for warning in utterance.warnings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("   \n\t", 0),
        ("?!...,;", 0),
        ("—", 0),
        ("\x00\x01\x02", 0),
        ("a", 1),
        ("I", 1),
        ("7", 1),
        ("7" * 500, 500),
        ("é", 1),
        ("a" * 100_000, 334),
        ("word " * 5_000, 5_000),
        ("." * 100_000, 0),
        ("[[" * 50_000, 0),
        ("a@" * 5_000, None),
        ("1/" * 5_000, None),
        ("😀" * 2_000, None),
    ],
)
def test_the_edges(english: FrontEnd, text: str, words: int | None) -> None:
    start = time.process_time()
    utterance = english.process(text)
    assert time.process_time() - start < 20
    check(text, utterance, SentenceLimits())
    if words is not None:
        assert len(utterance.words) == words


def test_words_know_where_they_stand(english: FrontEnd) -> None:
    text = "“Dr. Müller”\u00a0paid $3.50 — twice…"
    sentence = english.process(text).sentences[0]
    found = [(word.text, text[slice(*word.span)]) for word in sentence.words]
    assert found[0] == ("doctor", "Dr.")
    assert found[1] == ("Müller", "Müller")
    assert [given for word, given in found if word in ("three", "dollars", "and", "fifty", "cents")] == ["$3.50"] * 5
    assert found[-1] == ("twice", "twice")
    assert [item.mark for item in sentence.items if isinstance(item, Pause)] == ["—", "."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Say [[ h ə l ˈoʊ ]] now", [("Say", "s ˈeɪ"), ("h ə l ˈoʊ", "h ə l ˈoʊ"), ("now", "n ˈaʊ")]),
        ("[[həˈloʊ wˈɚld]]", [("həˈloʊ", "h ə l ˈoʊ"), ("wˈɚld", "w ˈɚ l d")]),
        ("[[ˈa.b]]. Yes", [("ˈa.b", "ˈa b"), ("Yes", "j ˈɛ s")]),
    ],
)
def test_inline_phonemes(english: FrontEnd, text: str, words: list[tuple[str, str]]) -> None:
    utterance = english.process(text)
    assert [(word.text, " ".join(word.phonemes)) for word in utterance.words] == words
    assert utterance.warnings == ()


def test_inline_phonemes_that_are_wrong_are_named(english: FrontEnd) -> None:
    assert "left out % %, no such phone" in english.process("[[ h%ə% ]]").warnings[0]
    assert "read as text" in english.process("[[ 123 ]] x").warnings[1]
    assert "'[[' without its ']]': read as text" in english.process("a [[ b").warnings
    with pytest.raises(TextError, match="make several of it"):
        english.process("[[" + "ə" * 200 + "]]")


def test_pauses_between_sentences_and_paragraphs(english: FrontEnd) -> None:
    text = "One. Two.\n\nThree."
    assert [sentence.pause_after for sentence in english.process(text).sentences] == [0.2, 0.6, 0.0]
    own = english.process(text, pauses=PauseLengths(sentence=0.0, paragraph=2.0))
    assert [sentence.pause_after for sentence in own.sentences] == [0.0, 2.0, 0.0]
    for wrong in (-1.0, 61.0, float("nan")):
        with pytest.raises(TextError, match="pause must lie between"):
            PauseLengths(sentence=wrong)


def test_warnings_are_named_once_and_do_not_grow_without_end(english: FrontEnd) -> None:
    assert len(english.process("zqxa zqxa zqxa").warnings) == 1
    many = " ".join(f"qz{a}{b}{c}o" for a in "abcdefgh" for b in "abcdefgh" for c in "abcdefgh")
    warnings = english.process(many).warnings
    assert len(warnings) == 101
    assert warnings[-1].startswith("and ")


def test_a_voice_of_another_front_end_is_refused(english: FrontEnd, german: FrontEnd) -> None:
    english.check_front_end(english.to_dict())
    assert english.name == "gruut/en-us"
    with pytest.raises(TextError, match="name 'gruut/de-de' was used in training, here it is 'gruut/en-us'"):
        english.check_front_end(german.to_dict())
    with pytest.raises(TextError, match="version '0"):
        english.check_front_end({**english.to_dict(), "version": "0+1.0"})
    with pytest.raises(TextError, match="name None"):
        english.check_front_end({})


def test_a_voice_understands_versions_with_the_same_symbols(english: FrontEnd) -> None:
    here = english.to_dict()
    number, data = here["version"].split("+")
    assert int(number) == FRONT_END_VERSION == 4
    released = {"name": here["name"], "version": f"1+{data}", "language": "en-us"}
    for older in ("1", "2", "3"):
        english.check_front_end({**released, "version": f"{older}+{data}"})
    english.check_front_end({**here, "version": f"5+{data}", "understands": "4 5"})
    assert here["understands"] == "1 2 3 4"
    for other in ({**here, "version": f"5+{data}", "understands": "5"}, {**released, "version": "1+99.0"}):
        with pytest.raises(TextError, match="was used in training, here it is"):
            english.check_front_end(other)


def test_processing_is_deterministic_and_does_not_depend_on_what_came_before(english: FrontEnd) -> None:
    text = "I read Nguyen's 3 books. They live here. 你好"
    first = english.process(text)
    english.process("Something else entirely, 42.")
    assert english.process(text) == first == load_front_end().process(text)


def test_several_threads_and_front_ends_do_not_disturb_each_other() -> None:
    texts = [f"I read qzx{letter}on number {number}, they live." for letter in "abcdef" for number in range(5)]
    expected = [load_front_end().process(text) for text in texts]
    front_ends = [load_front_end(), load_front_end()]
    with ThreadPoolExecutor(4) as pool:
        for front_end in front_ends * 2:
            assert list(pool.map(front_end.process, texts)) == expected


def test_real_sentences(english: FrontEnd, shared: Path) -> None:
    lines = (shared / "text" / "ljspeech_sentences.csv").read_text(encoding="utf-8").splitlines()[::60]
    start = time.process_time()
    utterances = [english.process(line.split("|", 1)[1]) for line in lines]
    assert (time.process_time() - start) / len(lines) < 0.1
    words = [word for utterance in utterances for word in utterance.words]
    warnings = [warning for utterance in utterances for warning in utterance.warnings]
    assert all(warning.endswith("is not in the lexicon: said by rules") for warning in warnings)
    assert sum(word.source == "rules" for word in words) < 0.02 * len(words)
    for utterance in utterances:
        for sentence in utterance.sentences:
            TOKENIZER.encode(sentence)
