"""English words that are sounds: shh, hmmm, brrr; and words drawn out in writing: sooo, yesss.

No dictionary holds them in all their lengths, and most have no vowel letter, so that they would be spelled.
"""

import re
from collections.abc import Callable

_SOUNDS = {
    "sh+": "ʃ ʃ", "h+m+": "h ə m", "m{2,}": "m m", "p+s+t+": "p s s t", "t+s+k+": "t ˈɪ s k",
    "p+f{2,}t*|p+ft+": "p f t",
    "g+r{2,}": "ɡ ˈɚ", "b+r{2,}": "b ˈɚ", "bz{2,}": "b z z", "z{2,}": "z z", "h+m+ph+": "h ˈə m f", "e+w+": "ˈi u",
    "u+g+h+": "ˈʌ ɡ", "a+r+g+h+": "ˈɑ ɹ ɡ", "a{2,}h*|a+h{2,}": "ˈɑ", "a+w{2,}": "ˈɔ", "o{2,}h*": "ˈu", "o+h{2,}": "ˈoʊ",
    "u+h{2,}": "ˈʌ", "u+m{2,}": "ˈʌ m", "e+r+m+": "ˈɚ m", "y+a+y{2,}|y+a{2,}y+": "j ˈeɪ",
    "w+h+o+a{2,}h*|w+o+a+h+": "w ˈoʊ", "e{2,}k+": "ˈi k", "m+e+h+": "m ˈɛ", "g+a+h+": "ɡ ˈɑ", "w+o{2,}": "w ˈu",
    "w+o+h+o{2,}|w+o{2,}h+o{2,}": "w ˌu h ˈu",
}  # fmt: skip
_ANY = [(re.compile(pattern), tuple(sound.split())) for pattern, sound in _SOUNDS.items()]
_LAUGH = re.compile(r"(?:a?(?:ha){2,}h?|(?:he){2,}h?)")
_NO_CAPITALS = frozenset(("SH", "HM", "HMM", "MM", "MMM", "MHM", "PST", "EW", "ERM", "BZZ", "AA", "AAA", "OO", "OOO"))
"""Interjections that are abbreviations in capitals: Pacific Standard Time, hidden Markov models."""
_RUN = re.compile(r"(.)\1{2,}")
_LONGEST = 30
_SHORT_O = frozenset(("so", "no", "go", "yo", "bro", "hello", "ho", "pro", "also"))


def interjection(word: str) -> tuple[str, ...]:
    """Return the sound of an interjection in lower case, however long its letters are drawn; empty for other words."""
    if len(word) > _LONGEST:
        return ()
    for pattern, sound in _ANY:
        if pattern.fullmatch(word):
            return sound
    if _LAUGH.fullmatch(word):
        vowel = "i" if "e" in word else "ɑ"
        count = word.count("h") - word.endswith("h")
        laugh = tuple(phone for number in range(count) for phone in ("h", ("ˈ" if number == 0 else "") + vowel))
        return laugh if not word.startswith("a") else ("ɑ", *laugh)
    return ()


def is_interjection(text: str) -> bool:
    """Return whether a word in capitals is an interjection and not an abbreviation."""
    return text not in _NO_CAPITALS and bool(interjection(text.lower()))


def drawn_out(word: str, is_known: Callable[[str], bool], is_common: Callable[[str], bool] = lambda word: True) -> str:
    """Return the word that is drawn out in writing, in lower case: `so` for sooo; empty where there is none.

    Args:
        word: A word in lower case.
        is_known: Whether the dictionary has a word.
        is_common: Whether a word is a common one.
    """
    runs = list(_RUN.finditer(word))
    if not runs or len(runs) > 4 or len(word) > _LONGEST or re.fullmatch("[ivxlcdm]+", word):
        return ""
    best, least = "", 0
    for choice in range(2 ** len(runs)):
        # Each drawn letter once or twice, as the bits of the number say.
        candidate, unusual, end = "", 0, 0
        lengths = [1 + (choice >> place) % 2 for place in range(len(runs))]
        for run, length in zip(runs, lengths, strict=True):
            candidate += word[end : run.start()] + run[1] * length
            end = run.end()
        candidate += word[end:]
        if len(candidate) == 1 or len(set(candidate)) == 1 or not is_known(candidate):
            continue
        for run, length in zip(runs, lengths, strict=True):
            unusual += 1 if (length == 2) != _is_doubled(run, candidate) else 0
        if not is_common(candidate) and candidate not in _SHORT_O:
            unusual += 10
        if not best or unusual < least or (unusual == least and candidate < best):
            best, least = candidate, unusual
    return best


def _is_doubled(run: re.Match[str], candidate: str) -> bool:
    """Return whether English rather writes a letter twice at this place: cool, free and still, but no, so and yes."""
    if run[1] == "o":
        return candidate not in _SHORT_O
    return run[1] in "el" or (run[1] in "fsz" and run.end() == len(run.string))
