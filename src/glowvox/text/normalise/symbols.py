"""Plain words, punctuation as pauses, symbols and emoji by their names; and the cleaning of characters before."""

import re
import unicodedata
from dataclasses import dataclass

from glowvox.text.normalise.scanner import Context, Reading, Rule, SpokenWord, rule, word_set

# Raised, lowered and other digits are letters to a pattern, but not to a reader.
_LETTER = "[^\\W\\d_²³¹⁰⁴-⁹₀-₉¼-¾⅐-⅞]"
_SIGNS = r"[\u0300-\u036f\u0591-\u05c7\u064b-\u0670\u0900-\u0dff\u0e31-\u0e4e]"
_CONTRACTED_START = word_set("'tis 'twas 'twere 'twill 'em 'cause 'bout 'til 'n 'round 'ere")


@rule(r"'[A-Za-z]{1,5}(?![\w'])", "o")
def leading_apostrophe(match: re.Match[str], context: Context) -> Reading | None:
    """Read 'tis and 'em; a quote before a word is no part of it."""
    return [match.group().lower()] if match.group().lower() in _CONTRACTED_START else None


_JOINED = word_set(
    "and/or he/she she/he his/her her/his him/her und/oder er/sie sie/er ihm/ihr ihr/ihm sein/ihr ihn/sie dem/der "
    "der/die"
)
_PERIODS = word_set("day week month year hour minute second person night user capita head")
_SLASH = {"en": ["slash"], "de": ["Schrägstrich"]}


@rule(r"(?P<a>[^\W\d_]{1,30})/(?P<b>[^\W\d_]{1,30})(?![\w/])", "l")
def alternatives(match: re.Match[str], context: Context) -> Reading:
    """Read and/or: the slash makes a short step, he/she."""
    one, many = match["a"].lower(), match["b"].lower()
    joint = _SLASH.get(context.language, [])
    if f"{one}/{many}" in _JOINED:
        joint = []
    elif context.language == "en" and many in _PERIODS and re.search(r"\d\s$", match.string[: match.start()]):
        joint = ["per"]
    sides = [SpokenWord(side.upper(), letter=True) if len(side) == 1 else side for side in (match["a"], match["b"])]
    return [sides[0], *joint, sides[1]]


# Letters with the signs that stand on them: accents, and the vowel signs of Indian and Thai letters.
@rule(rf"{_LETTER}+(?:{_SIGNS}+{_LETTER}*)*(?:'{_LETTER}+)*(?:(?<=s)'(?![\w']))?", "l", common=True)
def word(match: re.Match[str], context: Context) -> Reading:
    """Read a word. The apostrophe of a plural's genitive has no sound."""
    return [match.group().rstrip("'")]


@rule(r"(?P<letter>[Α-Ωα-ω])(?![^\W_A-Za-z²³⁰-⁹]|[A-Za-z]{2})", "l")
def greek_letter(match: re.Match[str], context: Context) -> Reading | None:
    """Read α by its name: alpha."""
    name = unicodedata.name(match["letter"]).split(" LETTER ")[-1].split()[-1].lower()
    return ["delta" if name == "increment" else name.capitalize() if context.language == "de" else name]


@rule(r"[-+]?\d+(?:[.,:/]\d+)*(?:\.(?=\s\w))?%?", "do")
def any_number(match: re.Match[str], context: Context) -> Reading:
    """Hand a number to the back end as it stands: it knows the numbers of its language."""
    return [match.group()]


ANY_NUMBER_RULES = (any_number,)
GREEK_RULES = (greek_letter,)
WORD_RULES = (leading_apostrophe, alternatives, word)

_NAMES = {
    "en": {
        "&": "and", "@": "at", "%": "percent", "+": "plus", "=": "equals", "#": "hash", "$": "dollar", "€": "euro",
        "£": "pound",
        "¥": "yen", "¢": "cent", "<": "less than", ">": "greater than", "≤": "less than or equal to",
        "≥": "greater than or equal to",
        "≠": "is not equal to", "≈": "is about", "±": "plus or minus", "×": "times", "÷": "divided by",
        "√": "square root of",
        "∞": "infinity", "°": "degrees", "©": "copyright", "®": "registered", "™": "trademark", "§": "section",
        "¶": "paragraph",
        "→": "to", "←": "from", "½": "one half", "~": "about", "^": "caret", "/": "slash", "\\": "backslash",
        "|": "bar",
        "∑": "sum of", "∏": "product of", "∫": "integral of", "∂": "partial", "∆": "delta", "²": "squared",
        "³": "cubed", "−": "minus",
        "‰": "per mille", "℃": "degrees Celsius", "℉": "degrees Fahrenheit", "№": "number", "♥": "heart",
        "♡": "heart", "✓": "check",
        "✔": "check", "✗": "cross", "✘": "cross", "₩": "won", "₹": "rupee", "₽": "ruble", "₿": "bitcoin", "₺": "lira",
        "₪": "shekel",
    },
    "de": {
        "&": "und", "@": "at", "%": "Prozent", "+": "plus", "=": "gleich", "#": "Raute", "$": "Dollar",
        "€": "Euro", "£": "Pfund",
        "¥": "Yen", "¢": "Cent", "<": "kleiner als", ">": "größer als", "≤": "kleiner oder gleich",
        "≥": "größer oder gleich",
        "≠": "ungleich", "≈": "ungefähr", "±": "plus minus", "×": "mal", "÷": "geteilt durch", "√": "Wurzel aus",
        "∞": "unendlich",
        "°": "Grad", "©": "Copyright", "®": "registriert", "™": "Trademark", "§": "Paragraph", "→": "nach",
        "~": "ungefähr",
        "/": "Schrägstrich", "\\": "Backslash", "|": "Strich", "²": "Quadrat", "³": "Kubik", "‰": "Promille",
        "№": "Nummer", "♥": "Herz", "∈": "Element von", "∉": "nicht Element von", "∀": "für alle", "∃": "es gibt",
        "∅": "leere Menge", "∩": "geschnitten mit", "∪": "vereinigt mit", "⊂": "Teilmenge von", "⊆": "Teilmenge von",
        "⇒": "daraus folgt", "⇔": "genau dann wenn", "∑": "Summe von", "∏": "Produkt von", "∫": "Integral von",
        "∂": "partiell",
        "←": "von", "↑": "nach oben", "↓": "nach unten", "✓": "Häkchen", "✔": "Häkchen", "✗": "Kreuz", "★": "Stern",
        "₩": "Won", "₹": "Rupie", "₽": "Rubel", "₿": "Bitcoin", "₺": "Lira", "^": "hoch",
        "−": "minus",
    },
}  # fmt: skip
_SILENT = frozenset("\"'()[]{}<>*_`^~|•·▪■□●○◦‣†‡ªº\u200b\u200c\u200d\u2060\ufe0e\ufe0f")
_EMOTICONS = (":-)", ":)", ";-)", ";)", ":-(", ":(", ":-D", ":D", ":P")


@rule(
    r"""(?<=[\w.,;:!?"')\]])\[(?:(?:note|nb|n|Anm\.?|lower-alpha)\s?)?\d{1,3}(?:\s?[,–-]\s?\d{1,3}){0,9}\](?![\w=(\[]|\.\w|\s?[-+*/=<>]=?\s)"""
    r"""|(?<=[.,;:!?"'\]])[¹²³⁰⁴-⁹]{1,3}(?=\s|$|["')\]])|(?<=\w)\[citation needed\]""",
    "o",
)
def footnote(match: re.Match[str], context: Context) -> Reading | None:
    """Leave out [1] after a word and a raised number after a full stop, with a warning."""
    written = match.string[: match.start()]
    if match.group()[0] == "[" and re.search(r"(?:^|\W)\w{1,2}$|\w\([^()\s]*\)$", written):
        # An index: x[1], f(x)[1].
        return None
    context.warnings.append(f"left out {match.group()!r}: the mark of a footnote")
    return []


_COMPARISONS = {
    "en": {
        "!=": "is not equal to", "==": "equals", ">=": "is greater than or equal to", "<=": "is less than or equal to",
        "&&": "and", "||": "or", "=>": "to", "->": "to", "-->": "to", "==>": "to", "<--": "from", "<-": "from",
        ":=": "is", "+=": "plus equals", "-=": "minus equals",
    },
    "de": {
        "!=": "ungleich", "==": "gleich", ">=": "größer oder gleich", "<=": "kleiner oder gleich", "&&": "und",
        "||": "oder",
        "=>": "nach", "->": "nach", "-->": "nach", "==>": "nach", "<--": "von", "<-": "von", ":=": "ist",
        "+=": "plus gleich", "-=": "minus gleich",
    },
}  # fmt: skip


@rule(r"(?P<sign>-->|==>|<--|!=|==|>=|<=|&&|\|\||=>|->|<-|:=|\+=|-=)(?![-=<>&|])(?=\s?[\w\"'(!$€-])", "o")
def comparison(match: re.Match[str], context: Context) -> Reading | None:
    """Read the signs of programs and arrows of two characters: a != b, x >= 5, A -> B."""
    if not context.previous or match.string[match.start() - 1] in "-=<>!":
        return None
    names = _COMPARISONS.get(context.language)
    return None if names is None else [names[match["sign"]]]


FOOTNOTE_RULES = (footnote, comparison)


@rule(r"[.!?]{2,}|[,;:.!?]", "o", alone=",;:.!?")
def punctuation(match: re.Match[str], context: Context) -> Reading:
    """Make a pause of a punctuation mark; of several, the most telling one."""
    text = match.group()
    if set(text) == {"."} and len(text) > 1:
        return ["—" if match.string[match.end() :].strip() else "."]
    return [next(mark for mark in "?!.,;:" if mark in text)]


@rule(r"(?<=\w)-(?=\s(?:and|or|to|nor|und|oder|bis|sowie|bzw)\b)|(?<=\w)-(?=[,/)])", "o")
def hanging_hyphen(match: re.Match[str], context: Context) -> Reading:
    """Say nothing for the hyphen of pre- and post-war, and of Vor- und Nachteile."""
    return []


@rule(r"[—–]+|--+|(?<=\s)-(?=\s)|-(?=\s)|(?<=\s)-", "o")
def dash(match: re.Match[str], context: Context) -> Reading:
    """Make a pause of a dash; at the beginning of a line it is a list's bullet and silent."""
    return ["—"] if context.previous else []


@rule(r"-", "o")
def hyphen(match: re.Match[str], context: Context) -> Reading:
    """Say nothing for a hyphen inside a compound."""
    return []


@rule(r"(?<=\w)(?:\(\)|\[\]|\{\})", "o")
def empty_brackets(match: re.Match[str], context: Context) -> Reading:
    """Say nothing for the brackets of foo()."""
    return []


@rule(r"(?P<open>[(\[{])|(?P<close>[)\]}])(?=\s*(?P<next>\S)?)", "o")
def bracket(match: re.Match[str], context: Context) -> Reading:
    """Make a short pause of a bracket between words."""
    if match["open"]:
        return [","] if context.previous[-1:].isalnum() or context.previous[-1:] in (")", "]", "}") else []
    return [","] if (match["next"] or ".").isalnum() else []


@rule(rf"(?:{'|'.join(re.escape(text) for text in _EMOTICONS)})(?!\w)", "o")
def emoticon(match: re.Match[str], context: Context) -> Reading:
    """Leave out :-) and its like, with a warning."""
    context.warnings.append(f"left out the emoticon {match.group()}")
    return []


def _symbol_name(character: str) -> str:
    name = unicodedata.name(character, "").lower().replace("-", " ")
    return re.sub(r"^(?:(?:negative|heavy|black|white|circled) )+(?=(?:heart|star|circle|square|check))", "", name)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 12 else text[:9] + "...")


def _flag(match: re.Match[str]) -> list[str]:
    return ["flag", *(chr(ord(sign) - 0x1F1E6 + ord("A")) for sign in match.group())]


def _read_symbols(match: re.Match[str], context: Context, language: str) -> Reading:
    text = match.group()
    symbol = text[0]
    if text == "+" and not context.previous and re.match(r"\s+[^\W\d]", match.string[match.end() :]):
        return []  # the bullet of a list
    if text == "§§":
        return ["Paragraphen" if language == "de" else "sections"]
    if symbol in _NAMES.get(language, {}):
        if text in (symbol * 2, symbol * 3) and symbol in "+$€£#%&@?":
            return [_NAMES[language][symbol]] * len(text)
        if text != symbol:
            context.warnings.append(f"read {_quoted(text)} once, as {_NAMES[language][symbol]!r}")
        return [_NAMES[language][symbol]]
    if symbol in _SILENT or unicodedata.category(symbol) in ("Mn", "Me", "Cf", "Zs"):
        return []
    name = _symbol_name(symbol)
    kind = unicodedata.category(symbol)
    if language == "en" and kind in ("So", "Sm", "Sc") and re.fullmatch(r"[a-z ]{2,60}", name):
        if text.strip("\ufe0f\u200d") not in ("", symbol):
            context.warnings.append(f"read {_quoted(text)} once, as {name!r}")
        return [name]
    context.warnings.append(f"left out the symbol {symbol!r} ({name or 'no name'}): it has no spoken form")
    return []


def symbol_rules(language: str) -> tuple[Rule, ...]:
    """Return the rules for punctuation and symbols; the last of them accepts any character."""

    @rule(r"[\U0001F1E6-\U0001F1FF]{2}", "o")
    def flag(match: re.Match[str], context: Context) -> Reading:
        return _flag(match) if language != "de" else ["Flagge", *_flag(match)[1:]]

    @rule(r"(?P<sign>.)(?:[\U0001F3FB-\U0001F3FF\ufe0e\ufe0f]|\u200d[^\w\s]|(?P=sign))*", "ldo")
    def symbol(match: re.Match[str], context: Context) -> Reading:
        return _read_symbols(match, context, language)

    return (emoticon, punctuation, hanging_hyphen, dash, hyphen, empty_brackets, bracket, flag, symbol)


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
_OTHER = {
    "ⁿ": "^n",
    "…": "...",
    "⁄": "/",
    "∕": "/",
    "\u00ad": "",
    "\ufeff": "",
    "¿": "",
    "¡": "",
    "⁇": "??",
    "⁈": "?!",
    "⁉": "!?",
}
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
