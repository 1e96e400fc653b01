import re
import time
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowvox.screen_reader.names import character_name, key_parts
from glowvox.screen_reader.reading import ICON_MARK, character_reading, key_reading, marks_of, text_readings
from glowvox.screen_reader.settings import Settings


def _text(message: str, language: str = "en-us", **settings) -> str:
    return " ".join(_said(one.document) for one in text_readings(message, Settings(**settings), language))


def _said(document: str) -> str:
    """The text of a document, its marks in brackets."""
    root = ElementTree.fromstring(document)
    parts = [root.text or ""]
    for element in root:
        name = element.get("name", "")
        shown = "*" if name == ICON_MARK else f"[{name}]"
        parts += [shown if element.tag == "mark" else "".join(element.itertext()), element.tail or ""]
    return " ".join("".join(parts).split())


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("none", "(a) b_c, d. e!"),
        ("some", "(a) b underscore c, d. e!"),
        ("most", "left paren a right paren b underscore c, d. e!"),
        ("all", "left paren a right paren b underscore c comma, d dot. e exclamation mark!"),
    ],
)
def test_each_punctuation_mode_names_more(mode, said):
    assert _text("<speak>(a) b_c, d. e!</speak>", punctuation=mode) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3.14 and 1,000", "3.14 and 1,000"),
        ("at 10:30", "at 10:30"),
        ("don't", "don't"),
        ("50% or $5", "50% or $5"),
        ("a......", "a 6 dot."),
        ("====", "4 equals"),
        ("a &lt; b", "a less than b"),
        ("C#", "C number sign"),
    ],
)
def test_all_signs_are_named_but_those_within_numbers_and_words(text, said):
    assert _text(f"<speak>{text}</speak>", punctuation="all") == said


def test_names_are_in_the_language_spoken():
    assert _text("<speak>a, b</speak>", "de", punctuation="all") == "a Komma, b"
    assert _text("<speak>Haus</speak>", "de", capitals="spell") == "groß Haus"


def test_capital_letters_are_told_by_a_word_or_a_sound():
    assert _text("<speak>the Cat of NASA</speak>", capitals="spell") == "the capital Cat of all capital NASA"
    assert _text("<speak>the Cat of NASA</speak>", capitals="icon") == "the *Cat of *NASA"
    assert _text("<speak>the Cat</speak>") == "the Cat"


def test_spelling_reads_letter_by_letter():
    assert _text("<speak>a cat, 7!</speak>", spelling=True) == "a, c a t comma, 7 exclamation mark"
    assert _text("<speak>Al</speak>", spelling=True, capitals="spell") == "capital A l"


def test_marks_and_elements_stay_where_they_are():
    text = '<speak>Hello.<mark name="__spd_0"/> <prosody rate="slow">a_b</prosody></speak>'
    [one] = text_readings(text, Settings(punctuation="some"), "en-us")
    assert one.document == ('<speak>Hello.<mark name="__spd_0"/> <prosody rate="slow">a underscore b</prosody></speak>')
    assert marks_of(text) == ["__spd_0"]


def test_the_language_of_a_document_stays():
    text = f'<speak version="1.1" xml:lang="de">{"Ein Satz.<mark name=&apos;x&apos;/> " * 40}</speak>'
    pieces = list(text_readings(text.replace("&apos;", "'"), Settings(), "en-us"))
    assert len(pieces) > 1
    assert all(piece.document.startswith('<speak version="1.1" xml:lang="de">') for piece in pieces)


def test_what_is_no_document_is_a_text():
    [one] = text_readings("1 < 2 & [pause:1s]", Settings(), "en-us")
    assert one.document == "<speak>1 &lt; 2 &amp; [pause:1s]</speak>"
    assert one.plain == "1 < 2 & [pause:1s]"


def test_a_document_may_have_a_doctype():
    document = (
        '<?xml version="1.0"?>\n<!DOCTYPE speak PUBLIC "-//W3C//DTD SYNTHESIS 1.0//EN" "x.dtd">\n<speak>Hi</speak>'
    )
    assert [one.document for one in text_readings(document, Settings(), "en-us")] == ["<speak>Hi</speak>"]


@pytest.mark.parametrize("begun", ["<a", "<!--", "<", "&"])
def test_what_is_begun_and_never_ended_takes_no_time(begun):
    began = time.process_time()
    text = begun * (100_000 // len(begun))
    assert "".join(one.plain for one in text_readings(f"<speak>{text}</speak>", Settings(), "en")) == text
    assert time.process_time() - began < 5


def test_comments_are_no_text():
    document = "<speak>One<!-- a > b <c> -->two <!-- left open</speak>"
    assert _text(document, punctuation="all") == "Onetwo less than exclamation mark! dash dash left open"


def test_a_long_document_is_cut_where_sentences_end_and_nowhere_else():
    sentences = [f"Sentence number {number} by Dr.<mark name=\"__spd_{2 * number}\"/> Who is "
                 f"long enough to be a piece of its own, or nearly.<mark name=\"__spd_{2 * number + 1}\"/> "
                 for number in range(12)]  # fmt: skip
    whole = "".join(sentences).rstrip()
    pieces = list(text_readings(f"<speak>{whole}</speak>", Settings(), "en-us"))
    assert len(pieces) > 2
    inner = [piece.document.removeprefix("<speak>").removesuffix("</speak>") for piece in pieces]
    assert "".join(inner) == whole
    assert all(re.search(r'nearly\.<mark name="__spd_\d+"/>\s*$', one) for one in inner)


def test_an_element_is_not_cut():
    text = '<prosody rate="fast">' + 'A sentence of some length.<mark name="__spd_1"/> ' * 30 + "</prosody>"
    assert len(list(text_readings(f"<speak>{text}</speak>", Settings(), "en-us"))) == 1


@given(st.text(max_size=400), st.sampled_from(["none", "some", "most", "all"]), st.sampled_from(["spell", "icon"]))
def test_any_text_becomes_a_well_formed_document(text, mode, capitals):
    kept = "".join(sign for sign in text if sign.isprintable())
    for one in text_readings(kept, Settings(punctuation=mode, capitals=capitals), "en-us"):
        ElementTree.fromstring(one.document)


def _character(message: str, language: str = "en-us", **settings) -> str:
    return _said(character_reading(message, Settings(**settings), language).document)


@pytest.mark.parametrize(
    ("character", "said"),
    [
        ("a", "a"), ("A", "A"), ("7", "7"), (" ", "space"), ("\t", "tab"), (".", "dot"), (",", "comma"), ("!",
        "exclamation mark"), ("<", "less than"), ("&", "ampersand"), ("_", "underscore"), ('"', "quote"),
        ("é", "e acute"), ("Ω", "omega"), ("→", "right arrow"), ("€", "euro"), ("☂", "umbrella"), ("ß", "sharp s"),
        ("\x07", "character 7"), ("\ue000", "character e 0 0 0"),
    ],
)  # fmt: skip
def test_a_character_has_a_name(character, said):
    assert _character(character) == said


def test_characters_of_german():
    assert [_character(sign, "de") for sign in ("ä", "ß", ",", " ")] == ["ä", "ß", "Komma", "Leerzeichen"]


def test_a_capital_character_is_told():
    assert _character("A", capitals="spell") == "capital A"
    assert _character("A", capitals="icon") == "*A"
    assert _character("a", capitals="spell") == "a"


def test_a_character_that_came_as_its_name_is_that():
    assert _character("space") == "space"
    assert _character("exclamation mark") == "exclamation mark"
    assert _character("ё̈") == "ё̈"


@given(st.characters(exclude_categories=["Cs"]))
def test_every_character_is_named(character):
    name = character_name(character, "en")
    assert name.strip()


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("Control_L", ["left", "control"]), ("Alt_R", ["right", "alt"]), ("space", ["space"]), ("shift_a", ["shift",
        "a"]), ("control_alt_delete", ["control", "alt", "delete"]), ("Return", ["enter"]), ("F5", ["F", "5"]),
        ("alt_f4", ["alt", "F", "4"]), ("Page_Up", ["page up"]), ("control_Page_Down", ["control", "page down"]),
        ("underscore", ["underscore"]), ("double-quote", ["quote"]), ("shift_double-quote", ["shift", "quote"]),
        ("KP_Enter", ["keypad", "enter"]), ("kp-enter", ["keypad", "enter"]), ("kp-+", ["keypad", "+"]), ("control__",
        ["control", "_"]), ("_", ["_"]), ("a", ["a"]), ("ISO_Level3_Shift", ["alt graph"]), ("Caps_Lock",
        ["caps lock"]), ("scroll-lock", ["scroll lock"]), ("XF86AudioMute", ["xf86audiomute"]), ("KP_5", ["keypad",
        "5"]), ("BackSpace", ["backspace"]), ("ä", ["ä"]), ("", []), ("___", ["_", "_"]),
        ("kp--", ["keypad", "-"]), ("kp-.", ["keypad", "."]), ("alt_kp-5", ["alt", "keypad", "5"]),
        ("control_-", ["control", "-"]), ("alt_shift_-", ["alt", "shift", "-"]),
    ],
)  # fmt: skip
def test_a_key_has_names(key, parts):
    assert key_parts(key, "en-us") == parts


def test_keys_of_german():
    assert key_parts("Control_L", "de") == ["links", "Steuerung"]
    assert key_parts("shift_space", "de-de") == ["Umschalt", "Leertaste"]


def test_a_letter_held_with_shift_is_no_capital_besides():
    said = _said(key_reading("shift_A", Settings(capitals="spell"), "en-us").document)
    assert said == "shift a"
    assert _said(key_reading("A", Settings(capitals="spell"), "en-us").document) == "capital A"


@given(st.text(max_size=40))
def test_no_key_is_too_strange(key):
    for part in key_parts(key, "en"):
        assert part
