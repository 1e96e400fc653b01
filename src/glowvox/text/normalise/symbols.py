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
        "♡": "heart", "✓": "check", "⇒": "implies", "⟹": "implies", "⇐": "is implied by", "⇔": "if and only if",
        "⟺": "if and only if",
        "↔": "to and from", "⟷": "to and from", "⟶": "to", "⟵": "from", "➡": "to", "➔": "to", "➜": "to", "↑": "up",
        "↓": "down", "⇌": "in equilibrium with",
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
_EMOTICONS = (
    ":-)", ":)", ";-)", ";)", ":-(", ":(", ":-D", ":D", ":P", ":-P", ":-p", ":p", ";-P", ";P", ";-p", ";p", ";-D", ";D",
    ":'(", ":'-(", ":')", ":'-)", ":-/", ":-\\", ":-|", ":-O", ":-o", ":O", ":o", ":-*", ":-]", ":-[", ":]", ":[", "=)",
    "=(", "=D", "=P", "^_^", "^.^", "^-^", "-_-", ">_<", ">.<", "<_<", ">_>", "*_*", "^^",
)  # fmt: skip


_INDEXED = re.compile(
    r"(?:^|\W)\w{1,2}$|\w\([^()\s]*\)$|\w_\w+$|[a-z][A-Z]\w*\.\w+$"
    r"|(?:^|[^\w])(?:arr|argv|args|kwargs|argc|nums|lst|buf|vec|idx|tmp|ptr|dp|params|str|cols|elems|vals|msgs|objs)$"
)


@rule(
    r"""(?<=[\w.,;:!?"')\]])\[(?:(?:note|nb|n|Anm\.?|lower-alpha)\s?)?\d{1,3}(?:\s?[,–-]\s?\d{1,3}){0,9}\](?![\w=(\[]|\.\w|\s?[-+*/=<>]=?\s)"""
    r"""|(?<=[.,;:!?"'\]])[¹²³⁰⁴-⁹]{1,3}(?=\s|$|["')\]])|(?<=\w)\[citation needed\]""",
    "o",
)
def footnote(match: re.Match[str], context: Context) -> Reading | None:
    """Leave out [1] after a word and a raised number after a full stop, with a warning."""
    written = match.string[: match.start()]
    if match.group()[0] == "[" and (match.group() == "[0]" or _INDEXED.search(written)):
        # An index: x[1], f(x)[1], args[1], arr[0], as no footnote has the number nought.
        return None
    context.warnings.append(f"left out {match.group()!r}: the mark of a footnote")
    return []


_COMPARISONS = {
    "en": {
        "!=": "is not equal to", "==": "equals", ">=": "is greater than or equal to", "<=": "is less than or equal to",
        "&&": "and", "||": "or", "=>": "to", "->": "to", "-->": "to", "==>": "to", "<--": "from", "<-": "from",
        ":=": "is", "+=": "plus equals", "-=": "minus equals", "<->": "to and from", "<-->": "to and from",
        "<=>": "if and only if", "<==>": "if and only if",
    },
    "de": {
        "!=": "ungleich", "==": "gleich", ">=": "größer oder gleich", "<=": "kleiner oder gleich", "&&": "und",
        "||": "oder",
        "=>": "nach", "->": "nach", "-->": "nach", "==>": "nach", "<--": "von", "<-": "von", ":=": "ist",
        "+=": "plus gleich", "-=": "minus gleich", "<->": "von und nach", "<-->": "von und nach",
        "<=>": "genau dann wenn", "<==>": "genau dann wenn",
    },
}  # fmt: skip


@rule(r"(?P<sign><--?>|<==?>|-->|==>|<--|!=|==|>=|<=|&&|\|\||=>|->|<-|:=|\+=|-=)(?![-=<>&|])(?=\s?[\w\"'(!$€-])", "o")
def comparison(match: re.Match[str], context: Context) -> Reading | None:
    """Read the signs of programs and arrows of two characters: a != b, x >= 5, A -> B."""
    if not context.previous or match.string[match.start() - 1] in "-=<>!":
        return None
    names = _COMPARISONS.get(context.language)
    return None if names is None else [names[match["sign"]]]


_LOVERS = word_set("i we you they u and really still just also do she he who guys we'll")
_LOVED = word_set(
    "love loves loved loving you u ya thanks thx thank guys all much xoxo me them him her it night day bye everyone "
    "friend friends family hug hugs xx xo soon sweet cute best beautiful happy birthday baby babe"
)


@rule(r"<(?P<broken>/)?3+(?![\w.,%:/]*\d)(?!\w|%)(?=(?P<object>\s[\w@])?)", "o")
def heart(match: re.Match[str], context: Context) -> Reading | None:
    """Read the <3 of I <3 NY as the heart that it draws, where no numbers are compared."""
    before = context.previous.lower()
    if match["object"] is not None:
        return ["love"] if before in _LOVERS and not match["broken"] and len(match.group()) == 2 else None
    if before and before not in _LOVED and before not in ("!", ",", "?", ".", "...", ":)"):
        return None
    return ["broken heart" if match["broken"] else "heart"]


@rule(r"\#(?=\sof\s)|(?<=\s)\#(?=\s)", "o")
def number_sign(match: re.Match[str], context: Context) -> Reading | None:
    """Read the # of items: number."""
    of = match.string[match.end() :].startswith(" of ")
    return ["number"] if of or context.previous.lower() in _NUMBERED_THINGS else None


_NUMBERED_THINGS = word_set(
    "phone telephone fax cell mobile serial order account tracking invoice ticket case model part room card id license "
    "policy routing flight confirmation reference registration"
)

FOOTNOTE_RULES = (footnote, comparison)
DRAWN_RULES = (heart, number_sign)


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


@rule(r"[•▪■●◦‣](?=(?P<next>\s+[^\s•▪■●◦‣])?)|(?<=\s)·(?=(?P<dotted>\s(?:[^\W\d_][\w'’]|\d+\s[a-z]{2})))", "o")
def bullet(match: re.Match[str], context: Context) -> Reading | None:
    """Make a pause of a bullet between the items of one line; before the first it is silent, and a dot is a sign."""
    spaced = match.start() > 0 and match.string[match.start() - 1].isspace()
    if not context.previous or not spaced or (match["next"] is None and match["dotted"] is None):
        return None
    if match["dotted"] is not None and not re.search(r"(?:[^\W\d_][\w'’]|\d{4})[.!?)\"]?$", context.previous):
        return None
    return [";"]


@rule(r"(?<=[\d)\s])·(?=\s?[\d(])|(?<=\s)·(?=\s(?:\d|[A-Za-z]\b))", "o")
def product(match: re.Match[str], context: Context) -> Reading | None:
    """Read the dot of 5 · 3 as times."""
    if not context.previous[-1:].isalnum() or (context.previous.isalpha() and len(context.previous) > 1):
        return None
    return ["mal" if context.language == "de" else "times"]


_CERTAIN = (":-)", ":)", ";-)", ";)", ":-(", ":(", ":-D", ":D", ":P")


@rule(rf"(?:{'|'.join(re.escape(text) for text in _EMOTICONS)})(?!\w)(?=(?P<after>\S)?)", "o")
def emoticon(match: re.Match[str], context: Context) -> Reading | None:
    """Leave out :-) and its like, with a warning; most of them only between spaces, as 2^^3 holds none."""
    alone = match.start() == 0 or not match.string[match.start() - 1].isalnum()
    if match.group() not in _CERTAIN and not (alone and (match["after"] or ".") in ".,;!?)\"'"):
        return None
    context.warnings.append(f"left out the emoticon {match.group()}")
    return []


def _symbol_name(character: str) -> str:
    name = unicodedata.name(character, "").lower().replace("-", " ")
    return re.sub(r"^(?:(?:negative|heavy|black|white|circled) )+(?=(?:heart|star|circle|square|check))", "", name)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 12 else text[:9] + "...")


_JOINED_EMOJI = {
    "🏳🌈": "rainbow flag", "🏳⚧": "transgender flag", "🏴☠": "pirate flag", "❤🔥": "heart on fire",
    "❤🩹": "mending heart", "👁🗨": "eye in speech bubble", "🐕🦺": "service dog", "🐈⬛": "black cat",
    "🐻❄": "polar bear", "🐦⬛": "black bird", "🐦🔥": "phoenix", "🍋🟩": "lime", "🍄🟫": "brown mushroom",
    "😮💨": "face exhaling", "😵💫": "face with spiral eyes", "😶🌫": "face in clouds", "⛓💥": "broken chain",
    "🙂↔": "head shaking horizontally", "🙂↕": "head shaking vertically", "🧑🎄": "Santa Claus",
    "🧑🤝🧑": "people holding hands", "👩🤝👨": "woman and man holding hands", "👩🤝👩": "women holding hands",
    "👨🤝👨": "men holding hands",
}  # fmt: skip
_PEOPLE = {"👨": "man", "👩": "woman", "🧑": "person", "👦": "boy", "👧": "girl", "🧒": "child", "👶": "baby"}
_WORK = {
    "⚕": "health worker", "🎓": "student", "🏫": "teacher", "⚖": "judge", "🌾": "farmer", "🍳": "cook",
    "🔧": "mechanic", "🏭": "factory worker", "💼": "office worker", "🔬": "scientist", "💻": "technologist",
    "🎤": "singer", "🎨": "artist", "✈": "pilot", "🚀": "astronaut", "🚒": "firefighter", "🍼": "feeding baby",
    "🦰": "with red hair", "🦱": "with curly hair", "🦳": "with white hair", "🦲": "with no hair",
    "🦯": "with a white cane", "🦼": "in a motorized wheelchair", "🦽": "in a manual wheelchair",
}  # fmt: skip
_WHO = {"♂": "man", "♀": "woman"}


def _joined_emoji(text: str) -> list[str]:
    """Return the words of emoji that joiners make one: their name, else the names of the parts one after the other."""
    parts = re.sub("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]", "", text).split("\u200d")
    whole = "".join(parts)
    if whole in _JOINED_EMOJI:
        return [_JOINED_EMOJI[whole]]
    if "❤" in parts and parts[0] in _PEOPLE and parts[-1] in _PEOPLE:
        return ["kiss" if "💋" in parts else "couple with heart"]
    if all(part in _PEOPLE for part in parts):
        words = ["family", ":"]
        for part in parts:
            words.extend([*([","] if words[-1] != ":" else []), _PEOPLE[part]])
        return words
    if len(parts) == 2 and parts[0] in _PEOPLE and parts[1] in _WORK:
        return [f"{_PEOPLE[parts[0]]} {_WORK[parts[1]]}"]
    named = [part for part in parts if part and part not in _WHO]
    names = [_PEOPLE.get(part) or _symbol_name(part[0]) for part in named]
    who = next((_WHO[part] for part in parts if part in _WHO), "")
    if who and names:
        first = names[0].replace("person", who) if "person" in names[0] else f"{who} {names[0]}"
        return [first, *names[1:]]
    return names


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

    @rule(
        r"(?P<whole>[^\w\s\u200b-\u206f][\U0001F3FB-\U0001F3FF\ufe0e\ufe0f]*"
        r"(?:\u200d[^\w\s\u200b-\u206f][\U0001F3FB-\U0001F3FF\ufe0e\ufe0f]*)+)(?P=whole)*",
        "o",
    )
    def joined(match: re.Match[str], context: Context) -> Reading | None:
        return _joined_emoji(match["whole"]) or None if language == "en" else None

    @rule(r"(?P<sign>.)(?:[\U0001F3FB-\U0001F3FF\ufe0e\ufe0f]|\u200d[^\w\s]|(?P=sign))*", "ldo")
    def symbol(match: re.Match[str], context: Context) -> Reading:
        return _read_symbols(match, context, language)

    return (
        emoticon,
        punctuation,
        hanging_hyphen,
        dash,
        hyphen,
        empty_brackets,
        bracket,
        bullet,
        product,
        flag,
        joined,
        symbol,
    )


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
_ZERO_WIDTH = frozenset("\u200b\u200c\u200d\u2060")
_JOINERS = _ZERO_WIDTH | frozenset("\ufe0e\ufe0f")


@dataclass(frozen=True)
class CleanText:
    """A cleaned text and where each of its characters came from."""

    text: str
    origins: tuple[int, ...]
    """Index in the given text of every cleaned character, and one more for the end."""
    controls: int
    """How many control characters were left out."""


def _joins(character: str) -> bool:
    """Say whether a joiner beside the character has a meaning: in scripts of the East, in emoji."""
    return "\u0590" <= character < "\u1e00" or character >= "\u2190"


def _clean_cluster(cluster: str, before: str = "", after: str = "") -> tuple[str, int]:
    """Return the cleaned form of one character with its combining marks, and the control characters left out.

    Args:
        cluster: The character and its marks.
        before: The character before.
        after: The character after; a joiner between two Latin letters or digits cuts a word that nobody cut.
    """
    if cluster[0] in _ZERO_WIDTH and not (_joins(before) or _joins(after)):
        return cluster[1:], 0
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
        cleaned, dropped = _clean_cluster(text[start:end], text[max(start - 1, 0) : start], text[end : end + 1])
        controls += dropped
        pieces.append(cleaned)
        origins.extend([start] * len(cleaned))
        start = end
    origins.append(length)
    return CleanText("".join(pieces), tuple(origins), controls)
