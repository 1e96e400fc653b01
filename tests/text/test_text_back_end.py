"""Back ends: homographs, unknown words, spelling, and the program espeak-ng."""

import contextlib
import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from glowvox.errors import TextError
from glowvox.text import FrontEnd, Tokenizer, gruut_back_end, load_front_end
from glowvox.text.back_end import Token
from glowvox.text.front_end import load_back_end, resolve_language
from glowvox.text.gruut_back_end import PronunciationLexicon


@pytest.fixture(scope="module")
def english() -> FrontEnd:
    return load_front_end()


def phonemes(front_end: FrontEnd, text: str) -> dict[str, str]:
    return {word.text: " ".join(word.phonemes) for word in front_end.process(text).words}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("read", {"ɹ ˈi d": "lexicon", "ɹ ˈɛ d": "lexicon", "ˈɑ ɹ ˈi ˈeɪ d ˈi": "spelling"}),
        ("Zyxlor", {"z ˈɪ k s l ɚ": "rules", "z ˈi w ˈaɪ ˈɛ k s ˈɛ l ˈoʊ ˈɑ ɹ": "spelling"}),
        ("a", {"ə": "lexicon"}),
        ("你", {}),
        ("", {}),
    ],
)
def test_readings_are_all_that_a_word_may_have(english: FrontEnd, word: str, expected: dict[str, str]) -> None:
    readings = {" ".join(one.phonemes): one.source for one in english.readings(word)}
    assert {phonemes: source for phonemes, source in readings.items() if phonemes in expected} == expected
    assert bool(readings) == bool(expected)
    if expected:
        usual = english.process(word).words[0]
        assert next(iter(readings)) == " ".join(usual.phonemes)


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("I read it yesterday.", "read", "ɹ ˈɛ d"),
        ("I will read a book.", "read", "ɹ ˈi d"),
        ("I have read it.", "read", "ɹ ˈɛ d"),
        ("They live here.", "live", "l ˈɪ v"),
        ("The live show.", "live", "l ˈaɪ v"),
        ("They record a song.", "record", "ɹ ɪ k ˈɔ ɹ d"),
        ("It is a new record.", "record", "ɹ ˈɛ k ɚ d"),
        ("Please use it.", "use", "j ˈu z"),
        ("It is of no use.", "use", "j ˈu s"),
        ("a cat", "a", "ə"),
        ("the apple", "the", "ð i"),
        ("the pear", "the", "ð ə"),
        ("vitamin A", "A", "ˈeɪ"),
        ("A cat", "A", "ə"),
        ("Once Upon A Time", "A", "ə"),
        ("the letter B", "B", "b ˈi"),
    ],
)
def test_words_by_context(english: FrontEnd, text: str, word: str, expected: str) -> None:
    assert phonemes(english, text)[word] == expected


@pytest.mark.parametrize(
    ("text", "source", "warning"),
    [
        ("hello", "lexicon", ""),
        ("Glowvoxen", "rules", "'Glowvoxen' is not in the lexicon: said by rules"),
        ("hatters'", "suffix", ""),
        ("nakedness", "suffix", ""),
        ("unsearched", "suffix", ""),
        ("bcdfg", "spelling", "'bcdfg' is not in the lexicon: spelled"),
        ("café", "lexicon", ""),
        ("Привет", "rules", "'Привет' is not in the lexicon, read as 'privet': said by rules"),
        ("x", "spelling", ""),
    ],
)
def test_where_phonemes_come_from(english: FrontEnd, text: str, source: str, warning: str) -> None:
    utterance = english.process(text)
    assert [word.source for word in utterance.words] == [source]
    assert utterance.words[0].phonemes
    assert utterance.warnings == ((warning,) if warning else ())


def test_what_cannot_be_said_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # without espeak-ng
    utterance = load_front_end().process("Hello 你好!")
    assert [word.text for word in utterance.words] == ["Hello"]
    assert "left out '你好': no reading for this script in en-us" in utterance.warnings


@pytest.mark.parametrize(
    ("word", "phonemes", "source"),
    [
        ("localhost", "l ˈoʊ k ə l h ˌoʊ s t", "compound"),
        ("timestamps", "t ˈaɪ m s t ˌæ m p s", "compound"),
        ("millivolts", "m ˈɪ l ə v ˌoʊ l t s", "suffix"),
        ("gigabit", "ɡ ˈɪ ɡ ə b ˌɪ t", "suffix"),
        ("Klinghafter", "", "rules"),
    ],
)
def test_english_words_of_two_known_parts(english: FrontEnd, word: str, phonemes: str, source: str) -> None:
    said = english.pronounce(word)
    assert said.source == source
    assert not phonemes or " ".join(said.phonemes) == phonemes


def test_german_says_words_of_english_as_germans_do() -> None:
    german = load_front_end("de-de")
    said = {word.text: "".join(word.phonemes) for word in german.process("Windows, gmail.com und 5 GW per Zoom.").words}
    assert (said["Windows"], said["gmail"], said["com"]) == ("vˈɪndoːs", "d͡ʒˈiːmeːɪl", "kˈɔm")
    assert said["Gigawatt"] == "ɡˈiːɡavˌat"


@pytest.mark.parametrize(
    ("text", "last"), [("CDs", "s"), ("LKWs", "s"), ("PC's", "s"), ("GmbHs", "s"), ("Pkws", "s"), ("CD", "ˈeː")]
)
def test_the_s_of_german_letters_is_heard(text: str, last: str) -> None:
    read = load_front_end("de-de").process(f"Die {text}")
    assert read.words[-1].phonemes[-1] == last
    assert not read.warnings


@pytest.mark.parametrize("text", ["Hm", "Hmmm", "Mhm", "Pst", "Psssst", "Pscht", "Brr", "Grrr", "Pfff", "Tss", "Schhh"])
def test_german_interjections_are_sounds_not_letters(text: str) -> None:
    read = load_front_end("de-de").process(f"{text}!")
    [said] = read.words
    assert len(said.phonemes) <= 4
    assert not read.warnings


def test_german_compounds_and_umlauts() -> None:
    german = load_front_end("de")
    words = {
        word.text: (" ".join(word.phonemes), word.source) for word in german.process("Milchbauern, Straße, Züge").words
    }
    assert words["Milchbauern"] == ("m ˈɪ l ç b ˌaʊ̯ ɐ n", "compound")
    assert words["Straße"] == ("ʃ t ʁ ˈaː s ə", "lexicon")
    assert words["Züge"] == ("t͡s ˈyː ɡ ə", "lexicon")


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("The box was marked fragile.", "marked", "m ˈɑ ɹ k t"),
        ("a marked improvement", "marked", "m ˈɑ ɹ k t"),
        ("He marked the exam.", "marked", "m ˈɑ ɹ k t"),
        ("It improved markedly.", "markedly", "m ˈɑ ɹ k ɪ d l i"),
        ("My beloved wife.", "beloved", "b ɪ l ˈʌ v ɪ d"),
        ("He is a wicked man.", "wicked", "w ˈɪ k ɪ d"),
        ("Rumors dogged him for years.", "dogged", "d ˈɔ ɡ d"),
        ("a dogged effort", "dogged", "d ˈɔ ɡ ɪ d"),
        ("The picture is crooked.", "crooked", "k ɹ ˈʊ k ɪ d"),
        ("Please proceed to the gate.", "proceed", "p ɹ oʊ s ˈi d"),
        ("The proceeds went to charity.", "proceeds", "p ɹ ˈoʊ s i d z"),
        ("Apply now.", "Apply", "ə p l ˈaɪ"),
        ("with raw eggs", "raw", "ɹ ˈɔ"),
        ("two résumés", "résumés", "ɹ ˈɛ z ə m ˌeɪ z"),
        ("They resume work.", "resume", "ɹ ɪ z ˈu m"),
        ("two exposés", "exposés", "ˌɛ k s p oʊ z ˈeɪ z"),
        ("They expose it.", "expose", "ɪ k s p ˈoʊ z"),
        ("pâté", "pâté", "p ɑ t ˈeɪ"),
        ("segue", "segue", "s ˈɛ ɡ w eɪ"),
        ("açaí", "açaí", "ɑ s ˌɑ ˈi"),
        ("Goethe's", "Goethe's", "ɡ ˈɚ t ə z"),
        ("Hawai'i", "Hawai'i", "h ə w ˈaɪ i"),
        ("Kyiv", "Kyiv", "k ˈi v"),
        ("Press Esc.", "Esc", "ɪ s k ˈeɪ p"),
        ("Tues & Thurs", "Tues", "t ˈu z d ˌeɪ"),
        ("Tues & Thurs", "Thurs", "θ ˈɚ z d ˌeɪ"),
    ],
)
def test_words_that_the_dictionary_lacks_or_has_wrong(english: FrontEnd, text: str, word: str, expected: str) -> None:
    assert phonemes(english, text)[word] == expected


@pytest.mark.parametrize("language", ["en-us", "de-de"])
def test_all_words_fit_the_symbol_table(language: str) -> None:
    front_end, tokenizer = load_front_end(language), Tokenizer()
    letters = "abcdefghijklmnopqrstuvwxyzäöüß"
    text = " ".join(f"{a}{b}o{a}" for a in letters for b in letters)
    for sentence in front_end.process(text + " " + " ".join(letters.upper())).sentences:
        tokenizer.encode(sentence)


def test_languages_and_back_ends_that_are_not_there() -> None:
    assert [resolve_language(tag) for tag in ("en", "de_DE", "en-GB")] == ["en-us", "de-de", "en-gb"]
    with pytest.raises(TextError, match="gruut back end speaks en-us"):
        load_front_end("tlh")
    with pytest.raises(TextError, match="unknown back end 'festival'"):
        load_front_end(back_end="festival")


def test_espeak_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TextError, match="needs the program 'espeak-ng'"):
        load_front_end(back_end="espeak-ng")


@pytest.fixture()
def fake_espeak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program that answers like espeak-ng for a few words, and notes how often it is asked."""
    program = tmp_path / "espeak-ng"
    program.write_text(
        f"""#!/bin/sh
echo call >> {tmp_path}/calls
case "$*" in
  *--version*) echo "eSpeak NG text-to-speech: 1.52.0  Data at: /nowhere"; exit 0 ;;
  *"-v xx"*) echo "no such voice" >&2; exit 1 ;;
  *--stdin*) while read -r word || [ -n "$word" ]; do case "$word" in
      "") ;; Hello) echo "həlˈoʊ" ;; FR) echo "(fr)ʒˈə(en)" ;; odd) echo "o?d" ;; none) echo " " ;; *) echo "wˈɜːld" ;;
    esac; done ;;
esac
"""
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "calls"


def test_espeak_is_asked_once_for_all_new_words(fake_espeak: Path) -> None:
    back_end = load_back_end("espeak-ng", "en-us")
    assert (back_end.name, back_end.version, back_end.language) == ("espeak-ng", "1.52", "en-us")
    before = len(fake_espeak.read_text().split())
    tokens = [Token("Hello"), Token(",", is_mark=True), Token("world"), Token("Hello")]
    said = back_end.pronounce(tokens)
    assert [word.phonemes for word in said] == [("h", "ə", "l", "ˈoʊ"), ("w", "ˈɜː", "l", "d"), ("h", "ə", "l", "ˈoʊ")]
    assert len(fake_espeak.read_text().split()) == before + 1
    back_end.pronounce(tokens)
    assert len(fake_espeak.read_text().split()) == before + 1


def test_espeak_output_that_is_odd_is_named(fake_espeak: Path) -> None:
    back_end = load_back_end("espeak-ng", "en-us")
    assert back_end.pronounce([Token("FR")])[0].phonemes == ("ʒ", "ˈə")
    assert "no phone for ?" in back_end.pronounce([Token("odd")])[0].warning
    nothing = back_end.pronounce([Token("none")])[0]
    assert nothing.phonemes == ()
    assert "left out 'none'" in nothing.warning
    with pytest.raises(TextError, match="no voice for 'xx'"):
        load_back_end("espeak-ng", "xx")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="the program espeak-ng is not installed")
def test_the_real_espeak() -> None:
    utterance = load_front_end("fr-fr", back_end="espeak-ng").process("Bonjour, le monde 25!")
    assert [word.source for word in utterance.words] == ["back end"] * 4
    assert utterance.words[0].phonemes[:2] == ("b", "ɔ̃")
    for sentence in utterance.sentences:
        Tokenizer().encode(sentence)


def _dictionary(place, rows):
    with contextlib.closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("CREATE TABLE word_phonemes (id INTEGER PRIMARY KEY, word TEXT, phonemes TEXT, role TEXT)")
        connection.executemany("INSERT INTO word_phonemes (word, phonemes, role) VALUES (?, ?, ?)", rows)


def test_a_dictionary_is_the_same_from_the_cache_and_its_damage_is_mended(tmp_path, monkeypatch):
    rows = [("wind", "w ˈaɪ n d", "gruut:VB"), ("a", "ə", ""), ("wind", "w ˈɪ n d", "gruut:NN"), ("a", "ˈeɪ", "letter")]
    _dictionary(tmp_path / "lexicon.db", rows)

    def opened():
        found = PronunciationLexicon(tmp_path / "lexicon.db", tuple, {"glowvox": ("g",)})
        return found.words(), [list(found.roles(word).items()) for word in ("wind", "a", "glowvox", "no")]

    monkeypatch.setenv("GLOWVOX_CACHE", "off")
    expected = opened()
    assert expected[1][0] == [("VB", ("w", "ˈaɪ", "n", "d")), ("NN", ("w", "ˈɪ", "n", "d"))]
    monkeypatch.setenv("GLOWVOX_CACHE", str(tmp_path / "cache"))
    assert opened() == expected
    [copy] = (tmp_path / "cache").glob("lexicon*.db")
    monkeypatch.setattr(gruut_back_end, "_copied", lambda path: pytest.fail("copied again"))
    assert opened() == expected
    monkeypatch.undo()
    monkeypatch.setenv("GLOWVOX_CACHE", str(tmp_path / "cache"))
    copy.write_bytes(copy.read_bytes()[:3000])
    assert opened() == expected
    (tmp_path / "lexicon.db").unlink()
    _dictionary(tmp_path / "lexicon.db", rows[1:])
    assert opened()[1][0] == [("NN", ("w", "ˈɪ", "n", "d"))]
    (tmp_path / "lexicon.db").write_bytes(b"no dictionary")
    with pytest.raises(TextError, match=r"cannot read the pronunciation lexicon .*; reinstall"):
        opened()
    (tmp_path / "lexicon.db").unlink()
    with pytest.raises(TextError, match="cannot read the pronunciation lexicon"):
        opened()


def test_a_dictionary_whose_copy_cannot_be_written_is_read_all_the_same(tmp_path, monkeypatch):
    _dictionary(tmp_path / "lexicon.db", [("a", "ə", "")])
    monkeypatch.setenv("GLOWVOX_CACHE", str(tmp_path / "cache"))
    write = gruut_back_end._write_copy
    monkeypatch.setattr(gruut_back_end, "_write_copy", lambda copy, place: write(copy, place / "no" / "folder.db"))
    assert PronunciationLexicon(tmp_path / "lexicon.db", tuple).roles("a") == {"": ("ə",)}
    assert not list((tmp_path / "cache").glob("*.db"))
