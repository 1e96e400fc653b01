"""German ordinals with the ending that article and noun ask for, and Roman numerals."""

import re

from glowvox.text.normalise.german_nouns import gender
from glowvox.text.normalise.numbers import cardinal, ordinal, roman_value
from glowvox.text.normalise.scanner import Context, Reading, rule, word_set

# What stands before an ordinal decides on its ending: am ersten, der erste, ein erster.
BEFORE_EN = word_set(
    "am dem vom zum beim den des im seit bis ab diesem zur jeden ihren seinen meinen deinen unseren einen einem einer "
    "v d eines keinen keinem keiner keines ihrem seinem meinem deinem unserem ihrer seiner meiner deiner unserer jedem "
    "diesen ihres seines meines unseres beiden alle allen"
)
_BEFORE_E = word_set("der die das eine keine jede jeder jedes dieser diese dieses seine ihre meine deine unsere")
BEFORE_ORDINALS = BEFORE_EN | _BEFORE_E
_BEFORE_DATIVE = word_set("in mit aus von bei zu nach unter vor")
_DATIVE_DER = re.compile(
    r"(?i:\b(?:in|mit|aus|von|bei|zu|nach|unter|vor|auf|an|seit|ab|hinter|neben|über))\s+der\s+(?:\d[\d.,\s]*(?:und|oder|bis)?\s*)?$"
)


def _governor(context: Context, before: str) -> str:
    """Return the word that the ordinal's ending agrees with; in a row (der 1., 2. und 3.) that of the first."""
    if not before:
        return context.previous.lower()
    bare = re.sub(r"(?:\d{1,3}\.,?\s*(?:(?:und|oder|bis|sowie)\s+)?)+$", "", before)
    word = re.search(r"(\w+)\.?\s*$", bare)
    return word[1].lower() if word else ""


def inflected(text: str, context: Context, following: str = "", before: str = "") -> str:
    """Return an ordinal with its ending: am ersten, der erste, ein erster, zweite Auflage.

    Args:
        text: Digits.
        context: Knows the word before.
        following: The text after the ordinal, which shows the gender of its noun; none for a date.
        before: The text before it.
    """
    base = ordinal(text, "de").removesuffix("e")
    governor = _governor(context, before)
    if governor in BEFORE_EN or (governor == "der" and _DATIVE_DER.search(before)):
        return base + "en"
    if governor in _BEFORE_E:
        return base + "e"
    kind = gender(following)
    if governor in _BEFORE_DATIVE and following.strip():
        return base + ("er" if kind == "f" else "em")
    return base + {"m": "er", "f": "e", "n": "es"}[kind]


_REACHED = re.compile(
    r"(?:\b(?P<subject>\w+)\s)?(?:\b(?:wurde|wird|werde|wurdest|wirst|(?P<many>wurden|werden))"
    r"(?:\s(?:nur|leider|dabei|dort|heute|gestern|sogar|wieder|immerhin|insgesamt|er|(?P<sie>sie)))*"
    r"|(?<!er)(?<![Mm]ehr)(?<!nders)\sals)\s$"
)


def _place(match: re.Match[str]) -> str | None:
    """Return the place in a contest at the end of a sentence: Er wurde 2., Sie kam als 3.; not mehr als 3."""
    if not 1 <= int(match["n"].replace(".", "")) <= 10:
        return None
    reached = _REACHED.search(match.string[: match.start()])
    if reached is None:
        return None
    she = reached["many"] or reached["sie"] or re.search(r"(?:^|[.,]\s|\s)[Ss]ie\s", match.string[: match.start()])
    return ordinal(match["n"], "de").capitalize() + ("" if she else "r")


@rule(r"(?P<n>\d{1,3}(?:\.\d{3})+|\d{1,7})\.(?=(?P<more>\s+[^\W\d_])|(?P<comma>,|\s+\d)|(?P<end>\s*$))", "d")
def ordinal_number(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3. Platz; a number that ends a sentence is followed by a sentence of its own, so this is an ordinal."""
    before = context.previous.lower()
    row = re.match(r"(?:,\s\d{1,3}\.)*\s(?:und|oder|bis|sowie)\s\d{1,3}\.\s+[A-ZÄÖÜ]", match.string[match.end() :])
    if match["comma"] and before not in BEFORE_ORDINALS and row is None:
        return None
    if match["end"] is not None:
        if (place := _place(match)) is not None:
            return [place, "."]
        alone = not match.string[: match.start()].strip() and len(match["n"]) < 4
        return [inflected(match["n"], context), "."] if before in BEFORE_ORDINALS or alone else None
    following = re.sub(r"^(?:,?\s*(?:(?:und|oder|bis|sowie)\s+)?\d{1,3}\.)+", "", match.string[match.end() :])
    return [inflected(match["n"], context, following, match.string[: match.start()])]


@rule(r"(?P<a>\d{1,3})\.\s?(?P<sign>[-–/]|bis|und|oder)\s?(?P<b>\d{1,3})\.(?=\s+[^\W\d_])", "d")
def ordinal_range(match: re.Match[str], context: Context) -> Reading:
    """Read 1.-3. Klasse: erste bis dritte Klasse, and 1./2. Bundesliga."""
    following = match.string[match.end() :]
    between = {"-": "bis", "–": "bis", "/": ","}.get(match["sign"], match["sign"])
    before = match.string[: match.start()]
    first, last = (inflected(match[part], context, following, before) for part in "ab")
    return [first, between, last]


@rule(r"(?P<n>\d{1,7})-?(?P<end>ste[nrsm]?|te[nrsm]?)(?!\w)", "d")
def ordinal_with_ending(match: re.Match[str], context: Context) -> Reading:
    """Read 121tem and 20ste."""
    return [ordinal(match["n"], "de").removesuffix("e") + "e" + match["end"].removeprefix("s")[2:]]


_RULERS = word_set(
    "Ludwig Heinrich Karl Friedrich Wilhelm Otto Johannes Paul Pius Benedikt Leo Gregor Franz Joseph Josef Peter Iwan "
    "Philipp Georg Eduard Jakob Nikolaus Alexander Leopold Ferdinand Maximilian Rudolf Albrecht August Christian "
    "Gustav "
    "Adolf Ernst Viktor Napoleon Ramses Konrad Lothar Sigismund Richard Carlos Willem Umberto Albert Boris Clemens "
    "Klemens Innozenz Urban Sixtus Hadrian Mehmed Murad Selim Süleyman Darius Xerxes Ptolemäus Theodor Stephan Stefan "
    "Alfons Julius Bonifatius Harald Olaf Erik Magnus Haakon Konstantin Justinian Charles James Henry Edward William "
    "George Louis Philippe Eugen Martin Cölestin Franziskus"
)
_QUEENS = word_set(
    "Elisabeth Elizabeth Katharina Maria Kleopatra Margarethe Margrethe Viktoria Isabella Christina Anna Beatrix "
    "Johanna"
)
_COUNTED = word_set(
    "bgbl kapitel teil band akt szene klasse typ stufe phase buch artikel abschnitt anhang tabelle abbildung rocky "
    "apollo serie gruppe folge version hartz nummer bd kap abb art tab modell generation liga episode saison"
)


@rule(r"(?P<n>[IVXLCDM]+)(?![\w'])(?P<dot>\.)?", "u")
def roman(match: re.Match[str], context: Context) -> Reading | None:
    """Read Ludwig XIV., Kapitel IV and im XX. Jahrhundert."""
    value = roman_value(match["n"])
    if value is None:
        return None
    text, before, following = str(value), context.previous.rstrip("."), match.string[match.end() :]
    ends = ["."] if match["dot"] and not following.strip() else []
    if re.search(r"§\s?\d{1,4}[a-z]?\s$", match.string[: match.start()]):
        return ["Absatz", cardinal(text, "de"), *ends]
    name = before if before in _RULERS | _QUEENS else before.removesuffix("s")
    if name in _RULERS | _QUEENS:
        return [*_ruler(text, name, before, match.string[: match.start()]), *ends]
    if match["dot"] and re.match(
        r"\s+(?:Jahrhundert|Jh|Jahrtausend|Weltkrieg|Internationale|Akt|Kapitel|Teil)", following
    ):
        return [inflected(text, context, following)]
    if match["dot"] and before.lower() in BEFORE_ORDINALS:
        return [inflected(text, context, following).capitalize(), *ends]
    if match["dot"] and not ends:
        # The number of a heading: II. Hauptteil.
        if match.string[: match.start()].strip() or not set(match["n"]) <= set("IVX"):
            return None
        word = re.match(r"\s+(\w+)", following)
        heading = len(match["n"]) > 1 or (word is not None and context.is_word(word[1].lower()))
        return [cardinal(text, "de"), ","] if heading else None
    if before.lower() in _COUNTED or (len(match["n"]) > 1 and set(match["n"]) <= set("IVX")):
        return [cardinal(text, "de"), *ends]
    return None


def _ruler(text: str, name: str, written: str, before: str) -> list[str]:
    """Return der Vierzehnte, in the case that the words before ask for."""
    queen = name in _QUEENS
    base = ordinal(text, "de").removesuffix("e").capitalize()
    if written != name:
        return ["der" if queen else "des", base + "en"]
    governor = re.search(
        r"(\w+)\s+(?:(?:Papst|König|Königin|Kaiser|Kaiserin|Zar|Zarin|Herzog)\s+)?(?:\w+\s+)?\w+\s*$", before
    )
    word = governor[1].lower() if governor else ""
    if word in ("von", "unter", "mit", "bei", "zu", "nach", "seit", "aus", "gegenüber"):
        return ["der" if queen else "dem", base + "en"]
    if word in ("für", "gegen", "durch", "ohne", "um"):
        return ["die" if queen else "den", base + ("e" if queen else "en")]
    return ["die" if queen else "der", base + "e"]


ORDINAL_RULES = (ordinal_with_ending, ordinal_number)
