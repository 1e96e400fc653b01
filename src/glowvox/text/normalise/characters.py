"""Characters before words: composed accents, one form of quote and dash, no control characters, with the way back.

Every cleaned character knows which character of the given text it stands for, so that words can be found again there.
"""

import unicodedata
from dataclasses import dataclass

_QUOTES = dict.fromkeys("‘’‚‛ʼ′＇`´", "'") | dict.fromkeys("“”„‟«»″＂‹›「」『』", '"')
_DASHES = dict.fromkeys("‐‑⁃﹣－", "-") | {"–": "–", "—": "—", "―": "—", "⸺": "—", "−": "-", "‒": "–"}
_CJK_MARKS = {
    "。": ".",
    "、": ",",
    "，": ",",
    "！": "!",
    "？": "?",
    "；": ";",
    "：": ":",
    "．": ".",
    "؟": "?",
    "،": ",",
}
_OTHER = {"…": "...", "⁄": "/", "∕": "/", "\u00ad": "", "\ufeff": "", "¿": "", "¡": "", "⁇": "??", "⁈": "?!", "⁉": "!?"}
_TABLE = _QUOTES | _DASHES | _CJK_MARKS | _OTHER
_KEPT_COMPATIBILITY = frozenset("½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞²³¹⁰⁴⁵⁶⁷⁸⁹™℠℃℉№ªº℗…⁺⁻₀₁₂₃₄₅₆₇₈₉")
_JOINERS = frozenset("\u200b\u200c\u200d\u2060\ufe0e\ufe0f")


@dataclass(frozen=True)
class CleanText:
    """A cleaned text and where each of its characters came from."""

    text: str
    origins: tuple[int, ...]
    """Index in the given text of every cleaned character, and one more for the end."""
    controls: int
    """How many control characters were left out."""


def _clean_cluster(cluster: str) -> tuple[str, int]:
    """Return the cleaned form of one character with its combining marks, and the control characters left out."""
    if cluster in _TABLE:
        return _TABLE[cluster], 0
    if cluster in _KEPT_COMPATIBILITY or cluster == "\n":
        return cluster, 0
    if cluster.isspace():
        return ("\n" if cluster in "\r\x0b\x0c\x85\u2028\u2029" else " "), 0
    category = unicodedata.category(cluster[0])
    if category in ("Cc", "Cs", "Cn", "Co"):
        return cluster[1:], 1
    if category == "Cf":
        return (cluster if cluster[0] in _JOINERS else ""), 0
    return unicodedata.normalize("NFKC", cluster), 0


def clean_characters(text: str) -> CleanText:
    """Clean a text of any origin: NFKC letters, plain quotes, spaces and dashes, no control characters.

    Args:
        text: Anything, lone surrogates and unassigned code points included.
    """
    if text.isascii() and text.isprintable() and "`" not in text:
        return CleanText(text, tuple(range(len(text) + 1)), 0)
    pieces: list[str] = []
    origins: list[int] = []
    controls, start, length = 0, 0, len(text)
    while start < length:
        end = start + 1
        if text[start] == "\r" and text[end : end + 1] == "\n":
            # One line end, not two: two of them would make a paragraph.
            start = end
            continue
        # A character and its accents are composed together; a flood of accents is cut into clusters.
        while end < length and end - start < 16 and unicodedata.combining(text[end]):
            end += 1
        cleaned, dropped = _clean_cluster(text[start:end])
        controls += dropped
        pieces.append(cleaned)
        origins.extend([start] * len(cleaned))
        start = end
    origins.append(length)
    return CleanText("".join(pieces), tuple(origins), controls)
