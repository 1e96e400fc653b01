"""The phones that a voice can know, and how a string of IPA is cut into them.

One inventory serves all languages, so that a model of two languages has one symbol table. The order is part of the
table's version: symbols are appended, never moved.
"""

import re
import unicodedata

PRIMARY_STRESS = "ˈ"
SECONDARY_STRESS = "ˌ"
STRESS_MARKS = (PRIMARY_STRESS, SECONDARY_STRESS)

VOWELS = (
    *("a", "e", "i", "o", "u", "y", "æ", "ɑ", "ɒ", "ɐ", "ɔ", "ə", "ɚ", "ɛ", "ɜ", "ɪ", "ʊ", "ʌ", "ʏ", "ø", "œ"),
    *("ɘ", "ɞ", "ɤ", "ɨ", "ɯ", "ɵ", "ɶ", "ʉ", "ᵻ", "ɪ̈"),
    *("aɪ", "aʊ", "eɪ", "oʊ", "ɔɪ", "əʊ", "ɪə", "eə", "ʊə"),
    *("aɪ̯", "aʊ̯", "ɔʏ̯"),
    *("aː", "eː", "iː", "oː", "uː", "yː", "øː", "œː", "ɛː", "ɑː", "ɔː", "ɜː", "ɒː", "æː"),
    *("ã", "õ", "ɛ̃", "œ̃", "ɔ̃", "ɑ̃", "ãː", "õː", "ɛ̃ː", "œ̃ː", "ɔ̃ː", "ɑ̃ː"),
)
"""Vowels, diphthongs, long and nasal vowels."""

CONSONANTS = (
    *("b", "c", "d", "f", "h", "j", "k", "l", "m", "n", "p", "q", "r", "s", "t", "v", "w", "x", "z"),
    *("ð", "θ", "ŋ", "ɡ", "ɹ", "ʃ", "ʒ", "ʁ", "ʔ", "ç", "χ", "ɾ", "ɫ", "ɲ", "ɱ", "ɳ", "ɴ", "ɸ", "β", "ɣ", "ʀ", "ɽ"),
    *("ɺ", "ɻ", "ɭ", "ʎ", "ʟ", "ʂ", "ʐ", "ɕ", "ʑ", "ʈ", "ɖ", "ɟ", "ɢ", "ʡ", "ħ", "ʕ", "ɦ", "ɥ", "ʋ", "ɰ", "ʍ", "ʝ"),
    *("ɓ", "ɗ", "ʄ", "ɠ", "ʛ", "ɬ", "ɮ", "ɧ", "ʙ", "ʜ", "ʢ", "ǀ", "ǁ", "ǂ", "ǃ", "ʘ", "ⱱ"),
    *("d͡ʒ", "t͡ʃ", "t͡s", "d͡z", "p͡f", "t͡ɕ", "d͡ʑ", "n̩", "l̩", "m̩", "ɹ̩"),
)
"""Consonants, affricates and syllabic consonants."""

MODIFIERS = (
    "ː",
    "ˑ",
    "ʰ",
    "ʲ",
    "ʷ",
    "ˠ",
    "ˤ",
    "ʼ",
    "ⁿ",
    "̩",
    "̯",
    "̃",
    "̥",
    "̬",
    "̪",
    "̊",
    "̈",
    "̆",
    "͡",
    "˞",
    "̚",
    "̝",
    "̞",
    "̠",
    "̟",
)
"""Signs that change the phone before them, as symbols of their own where no whole phone is in the table."""

PHONES = VOWELS + CONSONANTS + MODIFIERS

# Look-alikes that dictionaries and users write, and the sign that IPA means.
_SAME = str.maketrans({"g": "ɡ", "'": "ˈ", "ʦ": "t͡s", "ʣ": "d͡z", "ʧ": "t͡ʃ", "ʤ": "d͡ʒ", "ε": "ɛ", "ɝ": "ɚ", "͜": "͡"})
_IGNORED = re.compile(r"[\s.\u200b-\u200d‿|()]+")
_VOWEL_SET = frozenset(VOWELS)
_BY_LENGTH = sorted(PHONES, key=len, reverse=True)
_PHONE = re.compile("|".join(re.escape(unicodedata.normalize("NFC", phone)) for phone in _BY_LENGTH))
_CANONICAL = {unicodedata.normalize("NFC", phone): phone for phone in PHONES}


def split_stress(phoneme: str) -> tuple[str, str]:
    """Return the stress mark of a phoneme (or an empty string) and the phone without it."""
    if phoneme[:1] in STRESS_MARKS:
        return phoneme[0], phoneme[1:]
    return "", phoneme


def canonical_phone(phone: str) -> str | None:
    """Return the table's spelling of one phone without stress, or None where the table has none."""
    return _CANONICAL.get(unicodedata.normalize("NFC", phone.translate(_SAME)))


def canonical_phonemes(phonemes: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Bring phonemes that come as a list (from a dictionary) into the table's spelling.

    Returns:
        The phonemes, and the signs that no phone of the table stands for.
    """
    known: list[str] = []
    unknown: list[str] = []
    for phoneme in phonemes:
        stress, phone = split_stress(phoneme)
        whole = canonical_phone(phone)
        if whole is not None:
            known.append(stress + whole)
        else:
            parts, rest = split_ipa(phoneme)
            known.extend(parts)
            unknown.extend(rest)
    return tuple(known), tuple(unknown)


def split_ipa(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cut a string of IPA into phones, the longest first; a stress mark moves to the next vowel.

    IPA writes the mark before the syllable, the dictionaries before the vowel: the table follows the dictionaries.

    Returns:
        The phonemes, and the signs that no phone of the table stands for.
    """
    text = unicodedata.normalize("NFC", text.translate(_SAME))
    phonemes: list[str] = []
    unknown: list[str] = []
    stress, position, pending = "", 0, -1
    while position < len(text):
        if skipped := _IGNORED.match(text, position):
            position = skipped.end()
            continue
        if text[position] in STRESS_MARKS:
            stress, pending = text[position], len(phonemes)
            position += 1
            continue
        match = _PHONE.match(text, position)
        if match is None:
            unknown.append(text[position])
            position += 1
            continue
        phone = _CANONICAL[match.group()]
        if stress and phone in _VOWEL_SET:
            phone, stress = stress + phone, ""
        phonemes.append(phone)
        position = match.end()
    if stress and pending < len(phonemes):
        # No vowel follows (a syllabic consonant): the mark stays where it was written.
        phonemes[pending] = stress + phonemes[pending]
    return tuple(phonemes), tuple(unknown)
