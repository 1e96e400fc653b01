"""British readings: the lexicon's, those by rules from American ones, weak forms, letters, and linking r."""

import pytest

from glowvox.text.british import BritishLexicon, british_phonemes, with_linking_r
from glowvox.text.front_end import load_front_end
from glowvox.text.lexicon import LexiconEntry, UserLexicon

FRONT_END = load_front_end("en-gb")


def said(text, front_end=FRONT_END):
    return [" ".join(word.phonemes) for word in front_end.process(text).words]


@pytest.mark.parametrize(
    ("written", "american", "british"),
    [
        ("car", "k ˈɑ ɹ", "k ˈɑː"),
        ("carry", "k ˈɛ ɹ i", "k ˈɛ ɹ i"),
        ("better", "b ˈɛ t ɚ", "b ˈɛ t ə"),
        ("bird", "b ˈɚ d", "b ˈɜː d"),
        ("furry", "f ˈɚ i", "f ˈɜː ɹ i"),
        ("lot", "l ˈɑ t", "l ˈɒ t"),
        ("palm", "p ˈɑ m", "p ˈɑː m"),
        ("wasp", "w ˈɑ s p", "w ˈɒ s p"),
        ("dogs", "d ˈɔ ɡ z", "d ˈɒ ɡ z"),
        ("thought", "θ ˈɔ t", "θ ˈɔː t"),
        ("north", "n ˈɔ ɹ θ", "n ˈɔː θ"),
        ("boats", "b ˈoʊ t s", "b ˈəʊ t s"),
        ("near", "n ˈɪ ɹ", "n ˈɪə"),
        ("hairs", "h ˈɛ ɹ z", "h ˈeə z"),
        ("fire", "f ˈaɪ ɹ", "f ˈaɪ ə"),
        ("happy", "h ˈæ p i", "h ˈæ p i"),
        ("see", "s ˈi", "s ˈiː"),
        ("r", "ɹ", ""),
    ],
)
def test_rules_turn_american_readings_into_british_ones(written, american, british):
    assert " ".join(british_phonemes(written, american.split())) == british


def test_the_lexicon_goes_before_the_rules_and_weak_forms_stay_weak():
    assert said("The bath, the schedule and the lieutenant.") == [
        "ð ə", "b ˈɑː θ", "ð ə", "ʃ ˈɛ d j uː l", "æ n d", "ð ə", "l ɛ f t ˈɛ n ə n t",
    ]  # fmt: skip
    assert said("a cup of tea for the boy")[:5] == ["ə", "k ˈʌ p", "ə v", "t ˈiː", "f ə"]


def test_homographs_follow_the_part_of_speech():
    assert said("Did they record it?")[2] == "ɹ ɪ k ˈɔː d"
    assert said("It was a record.")[3] == "ɹ ˈɛ k ɔː d"


def test_r_is_said_between_vowels_of_two_words_but_not_over_a_mark():
    assert said("far away")[0] == "f ˈɑː ɹ"
    assert said("far, away")[0] == "f ˈɑː"
    assert said("far back")[0] == "f ˈɑː"
    assert said("for a better idea")[0] == "f ə ɹ"
    assert said("The idea is")[1].endswith("ə"), "no r where none is written"
    assert with_linking_r(["far", "away"], [(), ("ə",)]) == [(), ("ə",)]


def test_letters_and_unknown_words_are_british_too():
    assert said("R to Z") == ["ˈɑː", "t ə", "z ˈɛ d"]
    [word] = said("fworbler")
    assert word.endswith("ə")


def test_other_accents_and_the_users_lexicon_are_as_they_were():
    assert said("bath car", load_front_end("en-us")) == ["b ˈæ θ", "k ˈɑ ɹ"]
    own = FRONT_END.with_lexicon(UserLexicon({"bath": LexiconEntry(("b", "ˈæ", "θ"))}))
    assert said("bath", own) == ["b ˈæ θ"]


def test_what_neither_accent_knows_is_unknown():
    assert BritishLexicon(lambda word: {}).roles("fworble") == {}
    assert BritishLexicon(lambda word: {"": ("f", "ˈɑ", "ɹ")}).roles("fworble") == {"": ("f", "ˈɑː")}
