"""Words in no lexicon: the joint n-gram model, and words said by known ones inside them."""

import lzma

import pytest

from glowvox.errors import TextError
from glowvox.text.gruut_back_end import english_derivation
from glowvox.text.letter_to_sound import BORDER, JointNgramModel, load_letter_to_sound, ngram_key
from glowvox.text.tokenizer import VOWELS, canonical_phonemes, split_stress


def _model() -> JointNgramModel:
    """`c` is k, before an `e` s; `e` is ɛ, at the end silent; `h` has no phoneme."""
    graphones = [("c", ("k",)), ("c", ("s",)), ("e", ("ˈɛ",)), ("e", ()), ("h", ())]
    k, s, open_e, silent, h = range(BORDER + 1, BORDER + 6)
    probabilities = {ngram_key((one,)): -16 for one in (BORDER, k, s, open_e, silent, h)}
    probabilities |= {ngram_key((k,)): -8, ngram_key((s, open_e)): -1, ngram_key((open_e,)): -10}
    probabilities |= {ngram_key((silent, BORDER)): -1, ngram_key((k, open_e)): -90, ngram_key((k, silent)): -20}
    return JointNgramModel(graphones, probabilities, {ngram_key((s,)): -4}, order=2)


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [("c", "k"), ("ce", "k"), ("cec", "s ˈɛ k"), ("ch", "k"), ("ec", "ˈɛ k"), ("", ""), ("qqq", "")],
)
def test_the_likeliest_row_of_graphones_wins(word: str, phonemes: str) -> None:
    assert " ".join(_model().pronounce(word)) == phonemes


def test_a_history_that_does_not_lead_to_a_graphone_costs_its_back_off() -> None:
    graphones = [("a", ("p",)), ("a", ("t",))]
    x, y = BORDER + 1, BORDER + 2
    probabilities = {ngram_key((x,)): -3, ngram_key((y,)): -2, ngram_key((BORDER, x)): -4, ngram_key((BORDER,)): -1}
    assert JointNgramModel(graphones, probabilities, {ngram_key((BORDER,)): -3}, 2).pronounce("a") == ("p",)
    assert JointNgramModel(graphones, probabilities, {ngram_key((BORDER,)): -1}, 2).pronounce("a") == ("t",)


def test_keys_tell_n_grams_of_every_length_apart() -> None:
    ngrams = [(1,), (1, 1), (1, 1, 1), (2, 1), (1, 2), (300, 2), (2, 300), (1, 2, 3, 4, 5, 6)]
    assert len({ngram_key(ngram) for ngram in ngrams}) == len(ngrams)


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("zorbing", "z ˈɔ ɹ b ɪ ŋ"),
        ("blinkist", "b l ˈɪ ŋ k ˌɪ s t"),
        ("zyxlor", "z ˈɪ k s l ɚ"),
        ("flenter", "f l ˈɛ n t ɚ"),
        ("strabble", "s t ɹ ˈæ b ə l"),
        ("phantastron", "f"),
        ("knorp", "n"),
        ("quibbo", "k w"),
    ],
)
def test_words_that_nobody_has_seen(word: str, phonemes: str) -> None:
    assert " ".join(load_letter_to_sound().pronounce(word)).startswith(phonemes)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("ˈɪ k ˈɑ", "ˌɪ k ˈɑ"),
        ("ə k ˌɑ", "ə k ˈɑ"),
        ("ə k ɑ", "ə k ˈɑ"),
        ("ə k ə", "ˈə k ə"),
        ("k", "k"),
        ("ˈɑ k ə", "ˈɑ k ə"),
    ],
)
def test_a_word_has_one_primary_stress(row: str, word: str) -> None:
    graphones = [(chr(ord("a") + number), (phoneme,)) for number, phoneme in enumerate(row.split())]
    probabilities = {ngram_key((number,)): -1 for number in range(BORDER, BORDER + 1 + len(graphones))}
    model = JointNgramModel(graphones, probabilities, {}, order=2)
    assert " ".join(model.pronounce("".join(letter for letter, _ in graphones))) == word


def test_every_guess_is_of_the_table_and_has_a_stressed_vowel() -> None:
    for word in ("bloomberg", "tiktok", "xiaomi", "kubernetes", "huawei", "o'quigley", "zzyzx", "llanfairpwll"):
        phonemes = load_letter_to_sound().pronounce(word)
        assert canonical_phonemes(list(phonemes)) == (phonemes, ())
        assert sum(phoneme[0] == "ˈ" and split_stress(phoneme)[1] in VOWELS for phoneme in phonemes) == 1, word


def test_a_damaged_model_is_one_line(tmp_path) -> None:
    for number, content in enumerate((b"", b"nothing", lzma.compress(b"12345678"))):
        path = tmp_path / f"{number}.xz"
        path.write_bytes(content)
        with pytest.raises(TextError, match="reinstall glowvox"):
            load_letter_to_sound(path)
    with pytest.raises(TextError, match="reinstall glowvox"):
        load_letter_to_sound(tmp_path / "missing.xz")


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("vlogging", "v l ˈɔ ɡ ɪ ŋ"),
        ("vlogged", "v l ˈɔ ɡ d"),
        ("googled", "ɡ ˈu ɡ ə l d"),
        ("tweeted", "t w ˈi t ɪ d"),
        ("hiked", "h ˈaɪ k t"),
        ("tweeter", "t w ˈi t ɚ"),
        ("overtweet", "ˌoʊ v ɚ t w ˈi t"),
        ("microblog", "m ˈaɪ k ɹ oʊ b l ˌɔ ɡ"),
        ("ing", ""),
        ("sing", ""),
        ("red", ""),
    ],
)
def test_inflections_and_prefixes_of_known_words(word: str, phonemes: str) -> None:
    known = {
        "vlog": "v l ˈɔ ɡ", "google": "ɡ ˈu ɡ ə l", "tweet": "t w ˈi t", "hike": "h ˈaɪ k", "blog": "b l ˈɔ ɡ",
    }  # fmt: skip
    found = english_derivation(word, lambda part: {"": tuple(known[part].split())} if part in known else {}, "")
    assert " ".join(found) == phonemes
