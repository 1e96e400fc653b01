"""Words in another script inside a sentence: by espeak-ng, else romanised, else left out with a warning."""

import shutil

import pytest

from glowvox.text.front_end import load_front_end
from glowvox.text.other_scripts import nearest_phones, read_other_script, script_of
from glowvox.text.tokenizer import Tokenizer

PROGRAM = """#!/bin/sh
voice=en
while [ $# -gt 0 ]; do
  case "$1" in
    -v) voice="$2"; shift ;;
    --version) echo "eSpeak NG text-to-speech: 1.52"; exit 0 ;;
  esac
  shift
done
case "$voice" in
  ru) while read -r word || [ -n "$word" ]; do [ -n "$word" ] && echo "prʲivʲˈet"; done; exit 0 ;;
  cmn*) while read -r word || [ -n "$word" ]; do case "$word" in
    你好) echo "nˈi2χˈɑu2" ;; ?*) echo "(en)tʃˈaɪniːz(cmn)lˈe̞tə" ;; esac; done; exit 0 ;;
  ja) echo "kˌo̞nnitɕˈihä"; exit 0 ;;
esac
exit 1
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    place = tmp_path / "espeak-ng"
    place.write_text(PROGRAM, encoding="utf-8")
    place.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return place


def test_espeak_ng_reads_them_in_the_phones_of_the_voice(program):
    said = load_front_end().process("Say привет, 你好 and こんにちは.")
    words = {word.text: (" ".join(word.phonemes), word.source) for word in said.words}
    assert words["привет"] == ("p ɹ i v ˈɛ t", "back end")
    assert words["你好"] == ("n ˈi h ˈaʊ", "back end")
    assert words["こんにちは"] == ("k ˌoʊ n n i t͡ʃ ˈi h ɑ", "back end")
    assert said.warnings == (
        "'привет' is read by espeak-ng as ru",
        "'你好' is read by espeak-ng as cmn-latn-pinyin",
        "'こんにちは' is read by espeak-ng as ja",
    )
    Tokenizer().encode(said.sentences[0])


def test_without_the_program_they_are_romanised_or_left_out_with_a_warning(monkeypatch):
    monkeypatch.setenv("PATH", "")
    said = load_front_end().process("Say привет, سلام, שלום and 你好 now.")
    assert [word.text for word in said.words] == ["Say", "привет", "سلام", "שלום", "and", "now"]
    assert "left out '你好': no reading for this script in en-us" in said.warnings
    assert any("read as 'privet'" in line for line in said.warnings)
    assert any("read as 'shlom'" in line for line in said.warnings)


def test_what_the_program_only_names_is_left_out(program):
    said = load_front_end().process("Say 世界 now.")
    assert said.normalized == "Say now."
    assert said.warnings == ("left out '世界': no reading for this script in en-us",)


def test_a_voice_that_the_program_lacks_is_none(program):
    assert read_other_script("ქართული", "en-us") is None
    assert read_other_script("plain", "en-us") is None
    assert read_other_script("π", "en-us") is None
    assert read_other_script("п" * 200, "en-us") is None


@pytest.mark.parametrize(
    ("word", "script"),
    [("привет", "CYRILLIC"), ("Ωμέγα", "GREEK"), ("سلام", "ARABIC"), ("日本", "CJK"), ("食べる", "HIRAGANA"),
     ("カナ", "KATAKANA"), ("Łódź", ""), ("fooбар", ""), ("", "")],
)  # fmt: skip
def test_the_script_of_a_word(word, script):
    assert script_of(word) == script


def test_the_nearest_phones_are_those_of_the_language():
    foreign = ("ʁ", "ˈy", "ɲ", "ʔ", "x", "ã", "ʰ", "r")
    assert nearest_phones(foreign, "en-us") == ("ɹ", "ˈu", "n", "j", "h", "ɑ", "n", "ɹ")
    assert nearest_phones(foreign, "de-de") == ("ʁ", "ˈyː", "n", "j", "x", "a", "n", "ʁ")


def test_mandarin_is_read_by_pinyin_and_its_plosives_told_apart(program):
    loop = 'while read -r word || [ -n "$word" ]; do [ -n "$word" ] && echo "pˈei2tɕˈi5ŋ ts.hˈi.5"; done; exit 0'
    text = PROGRAM.replace("  cmn*)", f"  cmn-latn-pinyin) {loop} ;;\n  cmn*)")
    program.write_text(text, encoding="utf-8")
    said = load_front_end().process("Say 北京 now.")
    assert " ".join(said.words[1].phonemes) == "b ˈeɪ d͡ʒ ˈi ŋ t͡ʃ ˈɪ"
    assert said.warnings == ("'北京' is read by espeak-ng as cmn-latn-pinyin",)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_the_installed_program_reads_cyrillic_greek_and_arabic():
    said = load_front_end().process("Say привет, Ωμέγα and سلام.")
    assert [word.source for word in said.words if not word.text.isascii()] == ["back end"] * 3
