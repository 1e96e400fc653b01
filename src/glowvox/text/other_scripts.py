"""Words in another script inside a sentence: read by espeak-ng where it is installed, with the language's own phones.

A voice has learned the phones of its language only, so every other phone becomes the nearest one that it knows.
"""

import re
import shutil
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from glowvox.errors import TextError
from glowvox.text.back_end import Pronunciation, shortened
from glowvox.text.espeak_back_end import EspeakBackEnd
from glowvox.text.normalise.scanner import word_set
from glowvox.text.tokenizer import MODIFIERS, VOWELS, split_ipa, split_stress

_PROGRAM = "espeak-ng"
_LONGEST = 100
_AFFRICATE = re.compile("(?:(?<=t)|(?<=d))(?=[ɕʑʃʒsz])")
_MANDARIN_PLOSIVE = re.compile(r"(?P<plosive>tʂ|tɕ|ts|[ptk])(?P<aspirated>h?)")
_VOICED = {"p": "b", "t": "d", "k": "ɡ", "tɕ": "dʒ", "tʂ": "dʒ", "ts": "dz"}
_VOICES = {
    "CJK": ("cmn-latn-pinyin", "cmn"), "HIRAGANA": ("ja",), "KATAKANA": ("ja",), "HANGUL": ("ko",), "ARABIC": ("ar",),
    "CYRILLIC": ("ru",), "GREEK": ("el",), "HEBREW": ("he",), "DEVANAGARI": ("hi",), "BENGALI": ("bn",), "TAMIL":
    ("ta",), "TELUGU": ("te",), "GUJARATI": ("gu",), "KANNADA": ("kn",), "MALAYALAM": ("ml",), "GURMUKHI": ("pa",),
    "GEORGIAN": ("ka",), "ARMENIAN": ("hy",), "THAI": ("th",), "SINHALA": ("si",), "ETHIOPIC": ("am",), "MYANMAR":
    ("my",),
}  # fmt: skip
"""Voices of espeak-ng for a script, by the first word of its letters' names."""
_BY_LETTERS = (
    ("CYRILLIC", frozenset("іїєґІЇЄҐ"), "uk"),
    ("ARABIC", frozenset("ٹڈڑںےہ"), "ur"),
    ("ARABIC", frozenset("پچژگ"), "fa"),
)
_ENGLISH = word_set("b d f h j k l m n p s t v w z ð θ ŋ ɡ ɹ ʃ ʒ d͡ʒ t͡ʃ i ɪ u ʊ ə ɛ æ ʌ eɪ aɪ aʊ ɔɪ ɑ ɔ oʊ ɚ")
_BRITISH = word_set("b d f h j k l m n p s t v w z ð θ ŋ ɡ ɹ ʃ ʒ d͡ʒ t͡ʃ i iː ɪ uː ʊ ə ɛ æ ʌ eɪ aɪ aʊ ɔɪ ɑː ɒ ɔː ɜː əʊ")
_GERMAN = word_set(
    "b d f h j k l m n p s t v x z ç ŋ ɡ ʁ ʃ p͡f t͡s t͡ʃ a aː eː iː oː uː øː yː ɛ ɛː ɪ ɔ œ ʊ ʏ ə ɐ aɪ̯ aʊ̯ ɔʏ̯"
)
# In the order of likeness; what holds a blank becomes two phones.
_NEAREST = {
    "a": ("a", "ɑ", "ɑː"), "aː": ("aː", "ɑ", "ɑː"), "ɑ": ("ɑ", "ɑː", "a"), "ɑː": ("ɑː", "ɑ", "aː"), "æ": ("æ", "ɛ"),
    "ɒ": ("ɒ", "ɑ", "ɔ"), "ɐ": ("ɐ", "ʌ"), "ʌ": ("ʌ", "a"), "e": ("ɛ",), "eː": ("eː", "eɪ"), "ɛː": ("ɛː", "ɛ"),
    "eɪ": ("eɪ", "eː"), "i": ("i", "iː"), "iː": ("iː", "i"), "ɨ": ("ɪ",), "y": ("yː", "u", "uː"), "yː": ("yː", "u",
    "uː"), "ʏ": ("ʏ", "ʊ"), "o": ("oː", "oʊ", "əʊ"), "oː": ("oː", "oʊ", "əʊ"), "oʊ": ("oʊ", "əʊ", "oː"), "əʊ": ("əʊ",
    "oʊ", "oː"), "ɔ": ("ɔ", "ɒ"), "ɔː": ("ɔː", "ɔ"), "u": ("u", "uː"), "uː": ("uː", "u"), "ɯ": ("u", "uː"), "ʉ": ("u",
    "uː"), "ɵ": ("ʊ",), "ɤ": ("ʌ", "ə"), "ɘ": ("ə",), "ɜ": ("ɜː", "ə"), "ɜː": ("ɜː", "ɚ", "øː"), "ɚ": ("ɚ", "ə"), "ø":
    ("øː", "ɚ", "ɜː"), "øː": ("øː", "ɚ", "ɜː"), "œ": ("œ", "ɚ", "ɜː"), "aɪ": ("aɪ", "aɪ̯"), "aʊ": ("aʊ", "aʊ̯"), "ɔɪ":
    ("ɔɪ", "ɔʏ̯"), "r": ("ɹ", "ʁ"), "ɹ": ("ɹ", "ʁ"), "ɾ": ("ɹ", "ʁ"), "ɽ": ("ɹ", "ʁ"), "ʁ": ("ʁ", "ɹ"), "ʀ": ("ʁ", "ɹ"),
    "ɻ": ("ɹ", "ʁ"), "x": ("x", "h"), "χ": ("x", "h"), "ħ": ("h",), "ɦ": ("h",), "ʕ": (), "ʔ": (), "ɣ": ("ɡ",), "ç":
    ("ç", "h"), "ɕ": ("ʃ",), "ʂ": ("ʃ",), "ʑ": ("ʒ", "ʃ"), "ʐ": ("ʒ", "ʃ"), "ʒ": ("ʒ", "ʃ"), "θ": ("θ", "s"), "ð": ("ð",
    "z"), "w": ("w", "v"), "ʋ": ("v",), "β": ("v",), "ɸ": ("f",), "ʍ": ("w", "v"), "ɰ": ("w", "v"), "ɥ": ("j",), "q":
    ("k",), "c": ("k",), "ɟ": ("d͡ʒ", "ɡ"), "ʈ": ("t",), "ɖ": ("d",), "ɢ": ("ɡ",), "ɲ": ("n j",), "ʎ": ("l j",), "ɫ":
    ("l",), "ɭ": ("l",), "ɺ": ("l",), "ɳ": ("n",), "ɱ": ("m",), "ɴ": ("ŋ",), "t͡s": ("t͡s", "t s"), "d͡z": ("d z",),
    "d͡ʒ": ("d͡ʒ", "t͡ʃ"), "t͡ɕ": ("t͡ʃ",), "d͡ʑ": ("d͡ʒ", "t͡ʃ"), "p͡f": ("p͡f", "p f"),
}  # fmt: skip


# Of scripts whose letters' names say too little of their sound; where espeak-ng is not installed.
LETTER_SOUNDS = {
    "ا": "a", "ب": "b", "ت": "t", "ث": "th", "ج": "j", "ح": "h", "خ": "kh", "د": "d", "ذ": "dh", "ر": "r", "ز": "z",
    "س": "s", "ش": "sh", "ص": "s", "ض": "d", "ط": "t", "ظ": "z", "ع": "a", "غ": "gh", "ف": "f", "ق": "k", "ك": "k",
    "ل": "l", "م": "m", "ن": "n", "ه": "h", "و": "u", "ي": "i", "ى": "a", "ة": "a", "ء": "", "پ": "p", "چ": "ch",
    "ژ": "zh", "گ": "g", "ک": "k", "ی": "i", "א": "a", "ב": "v", "ג": "g", "ד": "d", "ה": "h", "ו": "o", "ז": "z",
    "ח": "kh", "ט": "t", "י": "i", "כ": "kh", "ך": "kh", "ל": "l", "מ": "m", "ם": "m", "נ": "n", "ן": "n", "ס": "s",
    "ע": "a", "פ": "f", "ף": "f", "צ": "ts", "ץ": "ts", "ק": "k", "ר": "r", "ש": "sh", "ת": "t",
}  # fmt: skip


def script_of(word: str) -> str:
    """Return the script of a word whose letters are all of one that is not Latin, else an empty string."""
    found = ""
    for character in word:
        if not character.isalpha():
            continue
        name = unicodedata.name(character, "").split(" ")[0].removesuffix("-HIRAGANA")
        if name not in _VOICES or (found and name != found and not _are_japanese(name, found)):
            return ""
        found = "HIRAGANA" if found and name != found else name
    return found


def _are_japanese(one: str, two: str) -> bool:
    return {one, two} <= {"CJK", "HIRAGANA", "KATAKANA"}


def read_other_scripts(words: Iterable[str], language: str) -> dict[str, Pronunciation]:
    """Return how espeak-ng says those words of a sentence that are in other scripts, asked once for each script.

    Args:
        words: in any script.
        language: tag of the voice's language, whose phones are used.
    """
    by_voice: dict[str, list[str]] = defaultdict(list)
    for word in words:
        if not word.isascii() and (voices := _voices(word)):
            by_voice[voices[0]].append(word)
    program = shutil.which(_PROGRAM) if by_voice else None
    if program is None:
        return {}
    found: dict[str, Pronunciation] = {}
    for voice, alike in by_voice.items():
        _transcribed(program, voice, alike)
        for word in alike:
            said = read_other_script(word, language)
            if said is not None:
                found[word] = said
    return found


def read_other_script(word: str, language: str) -> Pronunciation | None:
    """Return how espeak-ng says a word in another script; None: it is in no such script, or cannot be read so.

    Args:
        word: as it is written.
        language: tag of the voice's language, whose phones are used.
    """
    voices = _voices(word)
    program = shutil.which(_PROGRAM) if voices else None
    if program is None:
        return None
    for voice in voices:
        line = _transcribed(program, voice, [word])[0]
        own = nearest_phones(_phonemes(_mandarin(line) if voice == "cmn-latn-pinyin" else line), language)
        if own:
            return Pronunciation(own, "back end", f"{shortened(word)} is read by espeak-ng as {voice}")
    return None


def _voices(word: str) -> tuple[str, ...]:
    """Return the voices of espeak-ng that may read a word, the likeliest first."""
    script = script_of(word)
    if not script or len(word) > _LONGEST or (script == "GREEK" and len(word) == 1):
        return ()
    voices = _VOICES[script]
    for kind, letters, special in _BY_LETTERS:
        if kind == script and letters & set(word):
            return (special, *voices)
    if script == "HIRAGANA" and any("CJK" in unicodedata.name(character, "") for character in word):
        return ("ja", *_VOICES["CJK"])
    return voices


@lru_cache(maxsize=64)
def _reader(program: str, voice: str) -> EspeakBackEnd | None:
    try:
        return EspeakBackEnd(voice, program)
    except TextError:
        return None


def _transcribed(program: str, voice: str, words: Sequence[str]) -> list[str]:
    reader = _reader(program, voice)
    try:
        return [""] * len(words) if reader is None else reader.transcribe(words)
    except TextError:
        return [""] * len(words)


def _mandarin(line: str) -> str:
    """Return a transcription of Mandarin by the letters of Pinyin in IPA: a dot is retroflex, ɜ the third tone.

    Its plosives differ by aspiration; a voice without that difference tells them apart by voice.
    """
    line = (
        line.replace("ɜ", "")
        .replace("ɑu", "au")
        .replace("i.", "ɨ")
        .replace("s.", "ʂ")
        .replace("z.", "ʐ")
        .replace("nɡ", "ŋ")
    )
    line = _MANDARIN_PLOSIVE.sub(lambda match: match[1] if match[2] else _VOICED[match[1]], line).replace("tʂ", "tʃ")
    return re.sub("(?<=[aeo])[iu](?![aoeɛə])", lambda match: {"i": "ɪ", "u": "ʊ"}[match[0]], line)


def _phonemes(line: str) -> tuple[str, ...]:
    # A change of language, (en) ... (ja), means that the program only names the signs, in English.
    if not line or re.search(r"\([a-z-]{2,10}\)", line):
        return ()
    # Digits are tones, which no voice here has; of the signs above and below a phone only two make another one.
    bare = "".join(
        sign
        for sign in unicodedata.normalize("NFD", re.sub(r"[\d_-]", "", line))
        if not unicodedata.combining(sign) or sign in "\u0303\u0361\u0327"
    )
    return split_ipa(_AFFRICATE.sub("\u0361", unicodedata.normalize("NFC", bare)))[0]


def nearest_phones(phonemes: tuple[str, ...], language: str) -> tuple[str, ...]:
    """Return phonemes in the phones of a language; a vowel that is lengthened by itself is not.

    Args:
        phonemes: of any language.
        language: tag of the language whose phones are used.
    """
    inventory = _GERMAN if language.startswith("de") else _BRITISH if language == "en-gb" else _ENGLISH
    found: list[str] = []
    for phoneme in phonemes:
        stress, phone = split_stress(phoneme)
        if phone in MODIFIERS:
            continue
        if phone in inventory:
            found.append(phoneme)
            continue
        nasal = unicodedata.normalize("NFD", phone)
        if phone in VOWELS and "\u0303" in nasal:
            base = unicodedata.normalize("NFC", nasal.replace("\u0303", ""))
            found += [*nearest_phones((stress + base,), language), "n"]
            continue
        options = _NEAREST.get(phone, ())
        chosen = next((one for one in options if set(one.split()) <= inventory), "")
        parts = chosen.split()
        if parts:
            found += [stress + parts[0], *parts[1:]]
    return tuple(found)
