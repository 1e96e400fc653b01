"""The symbol table, tokens, and what is saved with a voice."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowvox.errors import TextError
from glowvox.text import Pause, Sentence, Tokenizer, Word
from glowvox.text.sentences import split_items
from glowvox.text.tokenizer import (
    BLANK,
    PHONES,
    TABLE_VERSION,
    canonical_phone,
    count_tokens,
    split_ipa,
    split_stress,
    symbol_table,
)

HELLO = Word("hello", ("h", "ə", "l", "ˈoʊ"), "lexicon", (0, 5))
WORLD = Word("world", ("w", "ˈɚ", "l", "d"), "lexicon", (7, 12))
ITEMS = (HELLO, Pause(",", (5, 6)), WORLD, WORLD, Pause(".", (12, 13)))
SENTENCE = Sentence("hello, world world.", ITEMS, (0, 19))
WORDS = st.lists(st.sampled_from(PHONES), min_size=1, max_size=40).map(lambda p: Word("w", tuple(p), "rules", (0, 1)))
ROWS = st.lists(WORDS | st.just(Pause(",", (0, 1))), max_size=30)


def test_the_table_is_fixed() -> None:
    # The numbers of a released table never change: trained voices speak by them.
    table = symbol_table()
    assert TABLE_VERSION == 1
    assert table[:14] == ("<pad>", "<blank>", "<begin>", "<end>", " ", ",", ".", "?", "!", ";", ":", "—", "ˈ", "ˌ")
    assert len(table) == len(set(table)) == 14 + len(PHONES)
    assert (table.index("a"), table.index("aɪ"), table.index("b"), table.index("ː")) == (14, 45, 83, 174)
    assert hashlib.sha256("\n".join(table).encode()).hexdigest()[:16] == "8790d14b7d316016"


def test_encoding_without_blanks() -> None:
    tokenizer = Tokenizer(add_blank=False)
    tokens = tokenizer.encode(SENTENCE)
    expected = ["<begin>", *"həl", "ˈ", "oʊ", ",", "w", "ˈ", "ɚ", "l", "d", " ", "w", "ˈ", "ɚ", "l", "d", ".", "<end>"]
    assert tokenizer.decode(tokens.ids) == expected
    assert tokens.words == [-1, 0, 0, 0, 0, 0, -1, 1, 1, 1, 1, 1, -1, 2, 2, 2, 2, 2, -1, -1]
    assert tokens.phonemes == [-1, 0, 1, 2, 3, 3, -1, 0, 1, 1, 2, 3, -1, 0, 1, 1, 2, 3, -1, -1]


def test_blanks_stand_between_all_symbols_and_at_both_ends() -> None:
    plain, spread = Tokenizer(add_blank=False).encode(SENTENCE), Tokenizer().encode(SENTENCE)
    assert spread.ids[1::2] == plain.ids
    assert set(Tokenizer().decode(spread.ids[::2])) == {BLANK}
    assert len(spread) == 2 * len(plain) + 1
    assert spread.words[1::2] == plain.words
    assert spread.words[2::2] == plain.words  # a blank belongs to the token before it
    assert spread.words[0] == -1


@given(ROWS)
def test_every_phoneme_arrives_and_the_count_is_known_beforehand(row: list[Word | Pause]) -> None:
    sentence = Sentence("", tuple(row), (0, 0))
    for add_blank in (False, True):
        tokens = Tokenizer(add_blank=add_blank).encode(sentence)
        assert len(tokens) == count_tokens(row, add_blank=add_blank) == len(tokens.words) == len(tokens.phonemes)
        pairs = {(w, p) for w, p in zip(tokens.words, tokens.phonemes, strict=True) if w >= 0}
        assert pairs == {(w, p) for w, word in enumerate(sentence.words) for p in range(len(word.phonemes))}


@given(ROWS, st.integers(16, 120))
def test_no_row_is_longer_than_the_limit_and_nothing_is_lost(row: list[Word | Pause], limit: int) -> None:
    rows = split_items(row, limit)
    assert all(0 < count_tokens(part) <= limit for part in rows)
    phonemes = [p for part in rows for item in part if isinstance(item, Word) for p in item.phonemes]
    assert phonemes == [p for item in row if isinstance(item, Word) for p in item.phonemes]
    assert sum(isinstance(item, Pause) for part in rows for item in part) == sum(isinstance(i, Pause) for i in row)


def test_a_limit_too_small_is_refused() -> None:
    with pytest.raises(TextError, match="at least 16"):
        split_items([HELLO], 15)


def test_an_unknown_phoneme_is_never_dropped() -> None:
    with pytest.raises(TextError, match="'hm' holds the phoneme 'ξ'"):
        Tokenizer().encode(Sentence("hm", (Word("hm", ("h", "ξ"), "inline", (0, 2)),), (0, 2)))


def test_saving_and_loading() -> None:
    for add_blank in (True, False):
        stored = json.loads(json.dumps(Tokenizer(add_blank=add_blank).to_dict()))
        again = Tokenizer.from_dict(stored)
        assert again.symbols == symbol_table()
        assert again.encode(SENTENCE) == Tokenizer(add_blank=add_blank).encode(SENTENCE)


def test_a_voice_keeps_its_own_table() -> None:
    symbols = [*symbol_table()[:5], *reversed(symbol_table()[5:])]
    tokenizer = Tokenizer.from_dict({"table_version": 1, "symbols": symbols, "add_blank": False})
    ids = tokenizer.encode(SENTENCE).ids
    assert tokenizer.decode(ids) == Tokenizer().decode(Tokenizer(add_blank=False).encode(SENTENCE).ids)
    assert ids != Tokenizer(add_blank=False).encode(SENTENCE).ids


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({}, "version None"),
        ({"table_version": 99, "symbols": [], "add_blank": True}, "update glowvox"),
        ({"table_version": 1, "symbols": "abc", "add_blank": True}, "no list"),
        ({"table_version": 1, "symbols": [1], "add_blank": True}, "no list"),
        ({"table_version": 1, "symbols": ["a"], "add_blank": True}, "lacks <pad>"),
        ({"table_version": 1, "symbols": ["a", "a"], "add_blank": True}, "twice"),
        ({"table_version": 1, "symbols": list(symbol_table()), "add_blank": "yes"}, "blanks"),
    ],
)
def test_damaged_tables_are_refused(stored: dict, message: str) -> None:
    with pytest.raises(TextError, match=message):
        Tokenizer.from_dict(stored)


def test_decoding_refuses_foreign_numbers() -> None:
    with pytest.raises(TextError, match="token 9999"):
        Tokenizer().decode([9999])


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("həˈloʊ", ("h", "ə", "l", "ˈoʊ")),
        ("h ə l ˈoʊ", ("h", "ə", "l", "ˈoʊ")),
        ("t͡ʃɜːt͡ʃ", ("t͡ʃ", "ɜː", "t͡ʃ")),
        ("ˈʃtʁaːsə", ("ʃ", "t", "ʁ", "ˈaː", "s", "ə")),
        ("gˈʊt", ("ɡ", "ˈʊ", "t")),
        ("ʧɪps", ("t͡ʃ", "ɪ", "p", "s")),
        ("ˈn̩", ("ˈn̩",)),
        ("ɔʏ̯", ("ɔʏ̯",)),
        ("ç", ("ç",)),
        ("", ()),
    ],
)
def test_cutting_ipa(text: str, phonemes: tuple[str, ...]) -> None:
    assert split_ipa(text) == (phonemes, ())


def test_cutting_names_what_is_unknown() -> None:
    assert split_ipa("h#ə!") == (("h", "ə"), ("#", "!"))


@given(st.text(max_size=60))
def test_cutting_any_text_gives_phones_of_the_table(text: str) -> None:
    phonemes, _ = split_ipa(text)
    assert all(canonical_phone(split_stress(phoneme)[1].lstrip("ˈˌ")) is not None for phoneme in phonemes)
