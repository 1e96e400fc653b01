"""Homographs: the readings that are chosen, what decided, and the classifier itself."""

import csv
import os
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from glowvox.text import FrontEnd, load_front_end, parse_lexicon
from glowvox.text.british import british_readings
from glowvox.text.gruut_back_end import english_homographs
from glowvox.text.homographs import (
    HomographModel,
    Reading,
    SentenceContext,
    describe,
    feature_key,
)
from glowvox.text.tokenizer import canonical_phonemes
from glowvox.text.word_table import WordTable, load_word_table

CASES = Path(__file__).with_name("homograph_cases.tsv")
CORPUS = Path(os.environ.get("GLOWVOX_SHARED", Path(__file__).parents[3] / "shared")) / "text" / "homographs"


@pytest.fixture(scope="module")
def english() -> FrontEnd:
    return load_front_end()


def read_cases() -> list[tuple[str, str, str]]:
    rows = (line.split("\t") for line in CASES.read_text(encoding="utf-8").splitlines())
    return [(word, phonemes, sentence) for word, phonemes, sentence in rows]


@pytest.mark.parametrize(("word", "phonemes", "sentence"), read_cases())
def test_the_reading_that_fits_the_sentence(english: FrontEnd, word: str, phonemes: str, sentence: str) -> None:
    plain = sentence.replace("*", "")
    place = sentence.index("*")
    found = [each for each in english.process(plain).words if each.span[0] <= place < each.span[1]]
    assert [(each.text.lower(), " ".join(each.phonemes)) for each in found] == [(word, phonemes)]


def test_british_english_tells_readings_apart_too() -> None:
    words = load_front_end("en-gb").process("Lead poisoning. Take the lead. Estimate the estimate.").words
    said = {(word.text, " ".join(word.phonemes)) for word in words}
    assert {("Lead", "l ˈɛ d"), ("lead", "l ˈiː d")} <= said
    assert {("Estimate", "ˈɛ s t ɪ m eɪ t"), ("estimate", "ˈɛ s t ɪ m ə t")} <= said


def test_british_entries_go_to_the_readings_that_they_are_like() -> None:
    american = {"noun": ("ə", "f", "ˈɪ", "l", "i", "ɪ", "t"), "verb": ("ə", "f", "ˈɪ", "l", "i", "ˌeɪ", "t")}
    noun, verb = ("ə", "f", "ˈɪ", "l", "ɪə", "t"), ("ə", "f", "ˈɪ", "l", "ɪ", "eɪ", "t")
    assert british_readings("affiliate", american, {"VERB": verb, "NOUN": noun}) == {"noun": noun, "verb": verb}
    fish = {"music": ("b", "ˈeɪ", "s"), "fish": ("b", "ˈæ", "s")}
    assert british_readings("bass", fish, {"": ("b", "ˈeɪ", "s")}) == fish
    assert british_readings("bass", fish, {}) == fish


def test_every_reading_is_said_in_a_way_of_its_own_in_phones_of_the_table() -> None:
    for word, readings in english_homographs().items():
        assert len(readings) > 1, word
        assert len(set(readings.values())) == len(readings), word
        assert {reading.kind for reading in readings} in ({""}, {"noun", "verb"}), word
        for phonemes in readings.values():
            assert canonical_phonemes(list(phonemes)) == (phonemes, ()), word


def test_every_reading_of_the_corpus_has_phonemes() -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus of homographs is not there")
    with (CORPUS / "wordids.tsv").open(encoding="utf-8", newline="") as stream:
        wanted = {(row["homograph"], row["wordid"]) for row in csv.DictReader(stream, delimiter="\t")}
    ours = {(word, reading.name) for word, readings in english_homographs().items() for reading in readings}
    assert wanted <= ours


def test_the_users_lexicon_and_inline_phonemes_go_first() -> None:
    front_end = load_front_end(lexicon=parse_lexicon("lead = l ˈeɪ d"))
    words = front_end.process("Lead poisoning; [[ l ˈɔ d ]] poisoning.").words
    assert [(" ".join(word.phonemes), word.source) for word in words if word.text != "poisoning"] == [
        ("l ˈeɪ d", "user lexicon"),
        ("l ˈɔ d", "inline"),
    ]
    assert not any(word.reading for word in words)


def test_a_word_says_what_it_means_and_why(english: FrontEnd) -> None:
    lead, poisoning = english.process("Lead poisoning").words
    assert lead.reading == "the metal"
    assert "'poison' nearby" in lead.why
    assert (poisoning.reading, poisoning.why) == ("", "")
    record = english.process("They records every word.").words[1]
    assert record.reading == "the verb"


def test_a_phrase_that_settles_a_reading_is_named(english: FrontEnd) -> None:
    whys = {word.text: word.why for word in english.process("She was upset. The close of business. Close it.").words}
    assert (whys["upset"], whys["close"], whys["Close"]) == ("after 'was'", "before 'of'", "a command")
    opened = english.process("He opened the letter and read it.").words[5]
    assert (opened.text, opened.reading, opened.why) == ("read", "past", "joined to 'opened'")


def _model(**weights: int) -> HomographModel:
    return HomographModel({feature_key("b", name): weight for name, weight in weights.items()})


def test_the_usual_reading_wins_a_draw_and_others_win_by_weight() -> None:
    readings = [Reading("a", "", "first"), Reading("b", "", "second")]
    assert _model().choose(readings, ["x", "y"]).reading.meaning == "first"
    assert _model(x=1, y=-1).choose(readings, ["x", "y"]).reading.meaning == "first"
    assert _model(x=2, y=-1).choose(readings, ["x", "y"]).reading.meaning == "second"


def test_the_best_of_three_readings_is_chosen() -> None:
    readings = [Reading(name, "", name) for name in "abc"]
    model = HomographModel({feature_key("b", "x"): 3, feature_key("c", "x"): 5, feature_key("c", "y"): -9})
    assert model.choose(readings, ["x"]).reading.name == "c"
    assert model.choose(readings, ["x", "y"]).reading.name == "b"


def test_verbs_share_weights_whichever_reading_is_the_usual_one() -> None:
    model = HomographModel({feature_key("", "x"): 1})
    noun, verb = Reading("n", "noun", ""), Reading("v", "verb", "")
    assert model.choose([noun, verb], ["x"]).reading is verb
    assert model.choose([verb, noun], ["x"]).reading is verb
    model = HomographModel({feature_key("", "x"): -1})
    assert model.choose([verb, noun], ["x"]).reading is noun


def test_features_name_neighbours_and_stop_at_the_ends() -> None:
    words, tags = ["I", "have", "Read", "it", "."], ["PRP", "VBP", "VBN", "PRP", "."]
    features = SentenceContext(words, [False] * 4 + [True], tags).features(2)
    assert {"w-1=have", "w1=it", "w2=.", "w3=>", "w-3=<", "s=C", "t0=VBN", "ap=haveI", "te=VBP", "r=it"} <= set(
        features
    )
    assert "g=." not in features
    alone = SentenceContext(["read"], [False], ["VB"]).features(0)
    assert {"w-1=<", "w1=>", "s=x^", "ap=--"} <= set(alone)
    assert len(features) == len(set(features))


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("w1=poisoning", "before 'poisoning'"),
        ("w-1+1=the_of", "between 'the' and 'of'"),
        ("g=fish", "'fish' nearby"),
        ("t0=VBN", "tagged VBN"),
        ("s=C^", "with a capital at the start"),
        ("a=have", "after a form of 'have'"),
        ("b", "mostly so"),
        ("w1=>", ""),
        ("t-2-1=<_DT", ""),
        ("x1=ing", ""),
    ],
)
def test_features_in_words(feature: str, words: str) -> None:
    assert describe(feature) == words


def test_the_words_around_count_by_their_meanings() -> None:
    keys = np.array([crc32(word.encode()) for word in ("lake", "guitar")], np.uint32)
    table = WordTable(keys, np.array([[127, 0], [0, 127]], np.int8), np.array([0, 5], np.uint32))
    music, fish = Reading("bass", "", "music"), Reading("bass_corp", "", "the fish")
    model = HomographModel({}, {crc32(b"bass_corp"): np.array([3.0, -2.0], np.float32)}, table)
    lake, guitar = [("lake", 1.0), ("unknown", 1.0)], [("lake", 0.5), ("guitar", 1.0)]
    assert model.choose([music, fish], [], lake).reading is fish
    assert model.choose([music, fish], [], lake).why == "'lake' nearby"
    assert model.choose([music, fish], [], guitar).reading is music
    assert model.choose([music, fish], []).reading is music
    found, shares = table.shares(guitar)
    assert found == ["lake", "guitar"]
    assert np.allclose(shares, np.array([[0.5, 0.0], [0.0, 1.0]]) / 1.25**0.5)
    assert table.shares([("unknown", 1.0)])[1].shape == (0, 2)
    assert (table.cluster("guitar"), table.cluster("unknown")) == (5, 0)


def test_verbs_share_a_direction_too() -> None:
    table = WordTable(np.array([crc32(b"lake")], np.uint32), np.array([[127]], np.int8), np.array([0], np.uint32))
    noun, verb = Reading("n", "noun", ""), Reading("v", "verb", "")
    model = HomographModel({}, {0: np.array([1.0], np.float32)}, table)
    for readings in ([noun, verb], [verb, noun]):
        assert model.choose(readings, [], [("lake", 1.0)]).reading is verb


def test_words_nearby_are_those_that_say_something_and_the_near_ones_count_more() -> None:
    words = ["The", "bass", ",", "which", "he", "caught", "in", "a", "lake", "near", "London", "was", "big", "."]
    context = SentenceContext(words, [word in ",." for word in words], ["NN"] * len(words))
    nearby = dict(context.nearby(1))
    assert nearby == {"caught": 1.0, "lake": 0.6, "near": 0.6, "london": 0.6, "big": 0.6}


def test_the_table_that_comes_along_knows_what_goes_together() -> None:
    table = load_word_table()

    def alike(one: str, two: str) -> float:
        first, second = (table.shares([(word, 1.0)])[1][0] for word in (one, two))
        return float(first @ second)

    assert alike("guitar", "drums") > alike("guitar", "river") + 0.3
    assert alike("ship", "boat") > alike("ship", "ribbon") + 0.2
    assert table.cluster("monday") == table.cluster("tuesday") != 0
