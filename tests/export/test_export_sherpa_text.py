"""What sherpa-onnx's transducers make of texts: rules, words that the lexicon lacks, and their file format."""

import importlib.util
import random
import struct

import pytest

from glowvox.errors import TextError
from glowvox.export.rewrite_fst import RewriteFst
from glowvox.export.sherpa_rules import rules_fst
from glowvox.export.sherpa_words import PIECE_END, UNKNOWN, letters_fst, piece_entries, words_fst
from glowvox.text.letter_to_sound import JointNgramModel, load_letter_to_sound, ngram_key

MARK = chr(UNKNOWN)


@pytest.fixture(scope="module")
def rules():
    return rules_fst()


def words_of(text):
    return " ".join(text.replace("；", ";").replace("：", ":").split()).replace(" ,", ",")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A well-known, three-year-old boat.", "a well known, three year old boat."),
        ("“Go,” he said; ‘stay’: no.", "go, he said ; stay : no."),
        ("He—and she -- came – late - now.", "he — and she — came — late — now."),
        ("the boys' and the dog’s 'yes', 'twas o'clock", "the boys and the dog's yes, 'twas o'clock"),
        ("Mr. Brown, Dr. Green and Mrs Gray.", "mister brown, doctor green and missus gray."),
        ("Bread, cheese, etc. Then more.", "bread, cheese, et cetera. then more."),
        ("J. F. Kennedy and the U.S. Army at 5 p.m.", "j f kennedy and the u s army at 5 p m"),
        ("That is the U.S.", "that is the u s."),
        ("Read it, e.g. aloud, i.e. now.", "read it, for example aloud, that is now."),
        ("St. Mary's on Main St. in May.", "saint mary's on main st. in may."),
        ("12,345 men, 1,000,000 birds, 2,005 cats", "12 thousand 345 men, 1 million birds, 2 thousand 5 cats"),
        ("in 1984, 2500 or 1234567", "in 1984, 2 thousand 500 or 1 million 234 thousand 567"),
        ("3.14 and 50% of 0.5.", "3 point 1 4 and 50 percent of 0 point 5."),
        ("$5, $1, $5.50, $1.05 and £3 million", "5 dollars, 1 dollar, 5 dollars and 50 cents,"
         " 1 dollar and 5 cents and 3 million pounds"),
        ("at 3:30, 10:05 and 7:00", "at 3 30, 10 oh 5 and 7 o'clock"),
        ("May 5, 1990 and 5 May; pages 10-12", "may 5th, 1990 and the 5th of may ; pages 10 to 12"),
        ("the 21st and the 121st of 1960s", "the 21st and the 1 hundred 21st of 1960s"),
        ("No. 5, pp. 3 and 5 km", "number 5, pages 3 and 5 kilometers"),
        ("the FBI, NBC’s and World War II", "the fbi, n b c s and world war 2"),
        ("he (John) left (early).", "he, john, left, early."),
        ("well... no… B52", "well. no. b 52"),
    ],
)  # fmt: skip
def test_texts_become_what_the_lexicon_can_read(rules, text, expected):
    assert words_of(rules.rewrite(text)) == expected


def test_no_text_is_refused_and_no_word_lost(rules):
    chance = random.Random(4)
    for _ in range(150):
        text = "".join(chance.choice("abCD d.,-1290'’\"($%:;–—é中\n\t#/&A.m. ") for _ in range(chance.randint(0, 25)))
        written = rules.rewrite(text)
        assert sum(map(str.isalpha, written)) >= sum(map(str.isalpha, text)), text


def test_unknown_words_are_marked_and_the_knows_its_vowels():
    known = {"apple": True, "boat": False, "boats": False, "the": False, "to": False, "use": False, "hour": True}
    fst = words_fst(known, verbs=["use"], nouns=["boat"])
    for text, expected in (
        ("the boat, the apple; the hour", "the boat'', the'' apple; the'' hour"),
        ("to use the use", "to use'' the use"),
        ("boatss the", f"{MARK}boatss the"),
        ("the esk the kes", f"the'' {MARK}esk the {MARK}kes"),
        ("b52 boat", f"{MARK}b 5 2  boat"),
        ("the  apple", "the  apple"),
        ("", ""),
        ("中 é", "中 é"),
    ):
        assert fst.rewrite(text) == expected


def test_letters_are_said_as_the_model_would():
    model = load_letter_to_sound()
    said = {piece: phonemes for phonemes, piece in piece_entries(model).items()}
    # order 3 is enough for words without a turn
    fst = letters_fst(model, order=3)
    written = fst.rewrite(f"the {MARK}glorp sat")
    assert written.startswith("the ") and written.endswith(f"{PIECE_END} sat")
    pieces = written[4 : written.index(PIECE_END)]
    assert tuple(phoneme for piece in pieces for phoneme in said[piece]) == model.pronounce("glorp")


def test_the_likeliest_graphones_win():
    graphones = [("a", ("æ",)), ("a", ("eɪ",)), ("b", ("b",))]
    numbers = {key: ngram_key(key) for key in [(1,), (2,), (3,), (4,), (1, 2), (1, 3), (2, 4), (3, 4), (4, 1)]}
    worth = {(1, 2): -10, (1, 3): -20, (2, 4): -50, (3, 4): -5, (4, 1): -1}
    model = JointNgramModel(graphones, {numbers[key]: worth.get(key, -90) for key in numbers}, {}, 2)
    pieces = piece_entries(model)
    written = letters_fst(model, order=2).rewrite(f"{MARK}ab")
    assert written == pieces["eɪ",] + pieces["b",] + PIECE_END


def test_a_text_that_nothing_reads_is_told():
    with pytest.raises(TextError, match="nothing reads"):
        RewriteFst().rewrite("a")


def small_fst():
    fst = RewriteFst()
    end = fst.state(final=True)
    fst.arc(0, ord("b"), ord("x"), end, 0.5)
    fst.arc(0, ord("a"), ord("y"), 0, 0.25)
    return fst


def test_the_file_is_that_of_openfst():
    written = small_fst().to_bytes()
    magic, size = struct.unpack_from("<ii", written)
    assert (magic, written[8 : 8 + size]) == (2125659606, b"vector")
    *_, start, states, arcs = struct.unpack_from("<iiQqqq", written, 8 + size + 4 + 8)
    assert (start, states, arcs) == (0, 2, 2)
    body = written[8 + size + 4 + 8 + 40 :]
    assert struct.unpack_from("<fq", body) == (float("inf"), 2)
    assert struct.unpack_from("<iifi", body, 12) == (ord("a"), ord("y"), 0.25, 0)  # sorted by what they read
    assert struct.unpack_from("<fq", body, 12 + 32) == (0.0, 0) and len(body) == 12 + 32 + 12


@pytest.mark.skipif(importlib.util.find_spec("kaldifst") is None, reason="kaldifst is not installed")
def test_kaldifst_rewrites_as_python_does(rules, tmp_path):
    import kaldifst

    for fst, texts in ((small_fst(), ["aab"]), (rules, ["Mr. A. Smith paid $5.50 at 3:05 p.m. (today)."])):
        (tmp_path / "rules.fst").write_bytes(fst.to_bytes())
        rewrite = kaldifst.TextNormalizer(str(tmp_path / "rules.fst"))
        for text in texts:
            assert rewrite(text) == fst.rewrite(text)
