"""Interjections and words drawn out in writing, of any length."""

import pytest

from glowvox.text import FrontEnd, Tokenizer, load_front_end
from glowvox.text.interjections import drawn_out, interjection, is_interjection


@pytest.fixture(scope="module")
def english() -> FrontEnd:
    return load_front_end()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Shh!", "ʃ ʃ"),
        ("Shhhhh!", "ʃ ʃ"),
        ("SHH!", "ʃ ʃ"),
        ("hmm", "h ə m"),
        ("Hmmm...", "h ə m"),
        ("Mmm!", "m m"),
        ("mm-hmm", "m m h ə m"),
        ("Psst.", "p s s t"),
        ("Grr", "ɡ ˈɚ"),
        ("Brrrr", "b ˈɚ"),
        ("Tsk tsk", "t ˈɪ s k t ˈɪ s k"),
        ("pfft", "p f t"),
        ("zzz", "z z"),
        ("Ugh", "ˈʌ ɡ"),
        ("UGH", "ˈʌ ɡ"),
        ("Arrrgh", "ˈɑ ɹ ɡ"),
        ("Ahhhh", "ˈɑ"),
        ("Oooh", "ˈu"),
        ("Eww", "ˈi u"),
        ("uh-huh", "ˈʌ h ˈʌ"),
        ("nuh-uh", "n ˈʌ ˈʌ"),
        ("hahaha", "h ˈɑ h ɑ h ɑ"),
        ("sooo", "s ˈoʊ"),
        ("NOOOO", "n ˈoʊ"),
        ("yesss", "j ˈɛ s"),
        ("coool", "k ˈu l"),
        ("looong", "l ˈɔ ŋ"),
        ("pleeease", "p l ˈi z"),
        ("stilll", "s t ˈɪ l"),
        ("AAA", "ˈeɪ ˈeɪ ˈeɪ"),
        ("WWW", "d ˈʌ b ə l j ˌu d ˈʌ b ə l j ˌu d ˈʌ b ə l j ˌu"),
        ("PST", "p ˈi ˈɛ s t ˈi"),
        ("HMM", "ˈeɪ t͡ʃ ˈɛ m ˈɛ m"),
    ],
)
def test_the_sound_of(english: FrontEnd, text: str, expected: str) -> None:
    sentences = english.process(text).sentences
    assert [phone for sentence in sentences for word in sentence.words for phone in word.phonemes] == expected.split()
    for sentence in sentences:
        Tokenizer().encode(sentence)


def test_british_interjections_have_no_final_r() -> None:
    assert load_front_end("en-gb").process("Grr").words[0].phonemes == ("ɡ", "ˈɜː")


def test_other_words_are_no_interjections() -> None:
    assert not any(map(interjection, ("m", "a", "oh", "hm" * 20, "mama", "show", "has", "bass", "am", "")))
    assert not any(map(is_interjection, ("PST", "HMM", "ABC", "MM")))


def test_the_usual_word_is_found_in_a_drawn_out_one() -> None:
    words = {"god", "good", "so", "xi", "as", "be", "bee"}
    common = {"good", "so", "bee"}
    found = {
        word: drawn_out(word, words.__contains__, common.__contains__)
        for word in ("goood", "soooo", "beee", "xiii", "good", "hooot", "aaaaaaabbbbbbbcccccccdddddddeeeeeee", "sss")
    }
    assert found == {**dict.fromkeys(found, ""), "goood": "good", "soooo": "so", "beee": "bee"}
