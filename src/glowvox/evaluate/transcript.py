"""One spelling for what was meant and what was recognised, so that only words are compared."""

import re
import unicodedata

_ABBREVIATIONS = {
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "etc": "et cetera",
    "vs": "versus",
}


def normalise_transcript(text: str) -> str:
    """Return lower-case words separated by single blanks.

    In this order: Unicode compatibility forms (NFKC), lower case, typographic apostrophes made straight, dashes and
    hyphens made blanks, everything but letters, digits and apostrophes within words removed, a few abbreviations
    spelled out (mr, mrs, dr, etc, vs). Digits stay as they are: spell numbers out before, where a recogniser does.
    """
    text = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'").replace("\u2018", "'")
    text = re.sub(r"[^\w']|_", " ", text)
    words = [word.strip("'") for word in text.split()]
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words if word)
