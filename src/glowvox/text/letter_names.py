"""How letters are called, and how letters of other alphabets sound: the last resort, so that nothing is dropped."""

import re
import unicodedata

_ENGLISH = {
    "a": "ˈeɪ", "b": "b ˈi", "c": "s ˈi", "d": "d ˈi", "e": "ˈi", "f": "ˈɛ f", "g": "d͡ʒ ˈi", "h": "ˈeɪ t͡ʃ",
    "i": "ˈaɪ",
    "j": "d͡ʒ ˈeɪ", "k": "k ˈeɪ", "l": "ˈɛ l", "m": "ˈɛ m", "n": "ˈɛ n", "o": "ˈoʊ", "p": "p ˈi", "q": "k j ˈu",
    "r": "ˈɑ ɹ",
    "s": "ˈɛ s", "t": "t ˈi", "u": "j ˈu", "v": "v ˈi", "w": "d ˈʌ b ə l j ˌu", "x": "ˈɛ k s", "y": "w ˈaɪ",
    "z": "z ˈi",
}  # fmt: skip
_GERMAN = {
    "a": "ˈaː", "b": "b ˈeː", "c": "t͡s ˈeː", "d": "d ˈeː", "e": "ˈeː", "f": "ˈɛ f", "g": "ɡ ˈeː", "h": "h ˈaː",
    "i": "ˈiː", "j": "j ˈɔ t", "k": "k ˈaː", "l": "ˈɛ l", "m": "ˈɛ m", "n": "ˈɛ n", "o": "ˈoː", "p": "p ˈeː",
    "q": "k ˈuː", "r": "ˈɛ ʁ", "s": "ˈɛ s", "t": "t ˈeː", "u": "ˈuː", "v": "f ˈaʊ̯", "w": "v ˈeː",
    "x": "ˈɪ k s", "y": "ˈʏ p s ɪ l ɔ n", "z": "t͡s ˈɛ t", "ä": "ˈɛː", "ö": "ˈøː", "ü": "ˈyː",
    "ß": "ɛ s t͡s ˈɛ t",
}  # fmt: skip
_NAMES = {"en": _ENGLISH, "de": _GERMAN}

# Each sound in the place of its letter; a low line stands for none.
_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўђјљњћџ"
_CYRILLIC_SOUNDS = (
    "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya i yi ye g w dj y ly ny ch dzh"
)
_GREEK = "αβγδεζηθικλμνξοπρσςτυφχψω"
_GREEK_SOUNDS = "a v g d e z i th i k l m n x o p r s s t i f h ps o"
_LATIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "th", "þ": "th", "ł": "l", "ı": "i", "ŋ": "ng",
    "ħ": "h", "ə": "e", "ŧ": "t",
}  # fmt: skip
_SOUNDS = {
    **dict(zip(_CYRILLIC, _CYRILLIC_SOUNDS.split(), strict=True)),
    **dict(zip(_GREEK, _GREEK_SOUNDS.split(), strict=True)),
    **_LATIN,
}


def letter_phonemes(letter: str, language: str) -> tuple[str, ...] | None:
    """Return the name of a letter as phonemes, or None where the language has no name for it."""
    names = _NAMES.get(language.split("-")[0], {})
    lower = letter.lower()
    found = names.get(lower) or names.get(unicodedata.normalize("NFD", lower)[:1])
    return tuple(found.split()) if found else None


def romanise(word: str, alphabet: frozenset[str]) -> tuple[str, str]:
    """Write a word in the letters that the rules of a language know.

    Accents are taken off; Cyrillic, Greek and special Latin letters are written by their sound; kana, Hangul and the
    letters of other alphabets by the name that Unicode gives them.

    Args:
        word: A word in lower case.
        alphabet: The letters that the language knows.

    Returns:
        The word, and the characters for which there is no reading (ideographs).
    """
    written, unread = "", ""
    for character in unicodedata.normalize("NFC", word):
        if character in alphabet:
            written += character
            continue
        for part in unicodedata.normalize("NFKD", character) if not "가" <= character <= "힣" else character:
            if part in alphabet:
                written += part
            elif unicodedata.combining(part):
                continue
            elif part in _SOUNDS:
                written += _SOUNDS[part].replace("_", "")
            else:
                sound = _name_of(part)
                written += sound
                unread += "" if sound else part
    return written, unread


def _name_of(character: str) -> str:
    name = unicodedata.name(character, "")
    if unicodedata.category(character) in ("Lm", "Sk"):
        return ""
    if "IDEOGRAPH" in name or unicodedata.category(character)[0] not in "LM":
        return ""
    match = re.search(r"(?:LETTER|SYLLABLE|SIGN|CHARACTER)(?: SMALL| FINAL| CAPITAL)* ([A-Z]+)", name)
    return match.group(1).lower()[:12] if match else ""
