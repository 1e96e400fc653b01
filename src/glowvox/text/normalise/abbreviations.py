"""English abbreviations that end in a full stop, and the few that do not."""

import re

from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule, word_set

_TITLES = {
    "Mr": "mister", "Mrs": "missus", "Ms": "miz", "Messrs": "messers", "Mx": "mix", "Dr": "doctor",
    "Drs": "doctors", "Prof": "professor",
    "Rev": "reverend", "Hon": "honorable", "Sen": "senator", "Rep": "representative", "Gov": "governor",
    "Pres": "president",
    "Gen": "general", "Col": "colonel", "Maj": "major", "Capt": "captain", "Cpt": "captain", "Lt": "lieutenant",
    "Sgt": "sergeant",
    "Cpl": "corporal", "Pvt": "private", "Cmdr": "commander", "Adm": "admiral", "Fr": "father", "Sr": "senior",
    "Jr": "junior",
    "Esq": "esquire", "Supt": "superintendent", "Insp": "inspector", "Det": "detective", "Atty": "attorney",
    "Amb": "ambassador",
    "Hrs": "hours", "Mt": "mount", "Ft": "fort", "Msgr": "monsignor", "Mme": "madame", "Mlle": "mademoiselle",
    "Ltd": "limited",
    "Inc": "incorporated", "Corp": "corporation", "Co": "company", "Bros": "brothers", "Ave": "avenue",
    "Blvd": "boulevard",
    "Rd": "road", "Ln": "lane", "Hwy": "highway", "Pkwy": "parkway", "Sq": "square", "Apt": "apartment", "Rm": "room",
    "Ste": "suite",
    "Bldg": "building",
    "Dept": "department", "Univ": "university", "Assn": "association", "Mfg": "manufacturing", "Gov't": "government",
    "Fig": "figure", "Figs": "figures", "Eq": "equation", "Ch": "chapter", "Sec": "section", "Vol": "volume",
    "Vols": "volumes",
    "Ed": "edition", "Eds": "editors", "Ref": "reference", "Refs": "references", "Art": "article",
    "Est": "established",
    "Approx": "approximately", "Min": "minimum", "Max": "maximum", "Misc": "miscellaneous", "Tel": "telephone",
    "Ext": "extension",
    "Attn": "attention", "Cf": "compare", "Viz": "namely", "Al": "al", "Ca": "circa", "Vs": "versus",
    "V": "versus", "Etc": "et cetera",
    "Bc": "because", "Wt": "weight", "Ht": "height", "Qty": "quantity", "Avg": "average", "Temp": "temperature",
    "Pt": "part",
    "Tbsp": "tablespoon", "Tsp": "teaspoon", "Lb": "pound", "Lbs": "pounds", "Oz": "ounces", "Yrs": "years",
    "Yr": "year",
    "Mins": "minutes", "Secs": "seconds", "Hr": "hour", "Incl": "including", "Intl": "international",
    "Natl": "national",
    "Calif": "California", "Mass": "Massachusetts", "Penn": "Pennsylvania", "Conn": "Connecticut",
    "Fla": "Florida", "Ala": "Alabama",
    "Ariz": "Arizona", "Tex": "Texas", "Tenn": "Tennessee", "Wash": "Washington", "Va": "Virginia",
}  # fmt: skip
ABBREVIATIONS = {key.lower(): value for key, value in _TITLES.items()}
# These may end a sentence as ordinary words: with a full stop they are read so only where more follows.
ORDINARY_WORDS = word_set("mass wash art min max sec ed al fig hon rep pt col temp ch est ref gen adm sq fr")
_NUMBERED = {
    "no": "number",
    "nos": "numbers",
    "p": "page",
    "pp": "pages",
    "par": "paragraph",
    "ver": "version",
    "q": "question",
}
_LATIN = {"i.e.": "that is", "e.g.": "for example", "i.e": "that is", "e.g": "for example"}


@rule(r"(?P<word>[A-Za-z][A-Za-z']{0,7})\.(?P<s>'s)?(?!\w)", "l")
def dotted_word(match: re.Match[str], context: Context) -> Reading | None:
    """Read Dr., Inc., approx. and their like; the full stop of one that ends the text stays a full stop."""
    word = match["word"].lower()
    if word not in ABBREVIATIONS or (len(match["word"]) > 1 and match["word"].isupper() and not context.shouting):
        return None
    following = match.string[match.end() :].lstrip()
    if word in ORDINARY_WORDS and not (
        match["word"][0].isupper() or following[:1].isdigit() or (following[:1].islower())
    ):
        return None
    if word in ORDINARY_WORDS and not following:
        return None
    if word == "v" and not (context.previous and following[:1].isupper()):
        return None
    spoken = ABBREVIATIONS[word] + (match["s"] or "")
    if match["word"] == "ft":
        # A fort has a capital; in small letters it is a measure, or a guest on a record: a song ft. Smith.
        place = following[:1].isupper() and (not context.previous or context.previous.lower() in _BEFORE_PLACES)
        spoken = "fort" if place else "featuring" if following[:1].isupper() else "feet"
    return [spoken] if following else [spoken, "."]


@rule(r"(?P<word>Mr|Mrs|Ms|Dr|Prof|Jr|Sr|vs|etc|Ltd|Inc)(?P<s>'s)?(?![\w'.])", "l")
def bare_title(match: re.Match[str], context: Context) -> Reading:
    """Read Mr and vs without their full stop."""
    return [ABBREVIATIONS[match["word"].lower()] + (match["s"] or "")]


@rule(r"[Ss]t\.(?P<s>'s)?(?!\w)", "l")
def saint_or_street(match: re.Match[str], context: Context) -> Reading:
    """Read St. as saint before a name, as street after one."""
    following = match.string[match.end() :].lstrip()
    after_name = context.previous[:1].isupper() or context.previous[:1].isdigit() or context.previous in ("nd", "rd")
    if following[:1].isupper() and not after_name:
        return ["saint"]
    street = after_name or not following[:1].isupper()
    return [("street" if street else "saint") + (match["s"] or ""), *([] if following else ["."])]


_BOOKS = {
    "Gen": "Genesis", "Ex": "Exodus", "Exod": "Exodus", "Lev": "Leviticus", "Deut": "Deuteronomy", "Ps": "Psalm",
    "Prov": "Proverbs", "Isa": "Isaiah", "Matt": "Matthew", "Rom": "Romans", "Cor": "Corinthians", "Rev": "Revelation",
}  # fmt: skip


@rule(rf"(?P<book>{'|'.join(_BOOKS)})\.?(?=\s\d{{1,3}}:\d)|Ps\.(?=\s\d)", "u")
def book(match: re.Match[str], context: Context) -> Reading:
    """Read Matt. 5:3."""
    return [_BOOKS[match["book"] or "Ps"]]


@rule(r"(?P<first>WW)(?P<n>I{1,3})(?!\w)", "u")
def world_war(match: re.Match[str], context: Context) -> Reading:
    """Read WWII."""
    return ["World War", ("one", "two", "three")[len(match["n"]) - 1]]


@rule(r"(?P<word>Mt|Ft|St)(?=\s[A-Z][a-z])", "u")
def bare_place(match: re.Match[str], context: Context) -> Reading | None:
    """Read Mt Everest, Ft Worth and St Paul without a full stop; not the street at the end of Main St."""
    if match["word"] == "St" and context.previous[:1].isupper() and context.previous.lower() not in _BEFORE_PLACES:
        return None
    return [{"Mt": "mount", "Ft": "fort", "St": "saint"}[match["word"]]]


_BEFORE_PLACES = word_set("in of at to from the and near at on")


@rule(r"(?P<word>[Nn]os?|pp?|[Pp]ar|[Vv]er|Q)\.?\s?(?=\d)", "l")
def before_number(match: re.Match[str], context: Context) -> Reading | None:
    """Read No. 5 and p. 12."""
    if "." not in match.group() and match["word"] not in ("No", "Nos", "pp"):
        return None
    return [_NUMBERED[match["word"].lower()]]


@rule(r"(?:i\.\s?e\.?|e\.\s?g\.?)(?!\w)(?P<comma>,)?", "l")
def latin(match: re.Match[str], context: Context) -> Reading:
    """Read i.e. and e.g."""
    text = match.group().replace(" ", "").rstrip(",")
    return [_LATIN[text], *([","] if match["comma"] else [])]


@rule(r"(?:c|ca)\.\s?(?=\d{3,4}(?!\w|[.,:]\d|\s?%))|&c\.?(?!\w)", "lo")
def circa(match: re.Match[str], context: Context) -> Reading:
    """Read c. 1850 and &c."""
    if match.group()[0] == "&":
        return ["et cetera", *([] if match.string[match.end() :].strip() or match.group()[-1] != "." else ["."])]
    return ["circa"]


@rule(r"(?P<name>Ph\.?\s?D|M\.?D|B\.A|B\.?Sc|M\.?Sc|M\.A|LL\.?[BMD])\b\.?(?P<s>'s)?", "l")
def degree(match: re.Match[str], context: Context) -> Reading:
    """Read Ph.D.: letters."""
    parts = [character for character in match["name"] if character.isalpha()]
    words: list[str | SpokenWord] = [SpokenWord(letter.upper(), letter=True) for letter in parts]
    if match["s"]:
        words[-1] = SpokenWord(parts[-1].upper() + "'s", letter=True)
    return words


@rule(r"(?P<word>w/o(?:ut)?|w/|c/o|a/c|n/a|N/A|b/c)(?!\w)", "l")
def slashed_word(match: re.Match[str], context: Context) -> Reading:
    """Read w/ and w/o."""
    names = {
        "w/o": "without",
        "w/out": "without",
        "w/": "with",
        "c/o": "care of",
        "a/c": "A C",
        "n/a": "N A",
        "b/c": "because",
    }
    spoken = names[match["word"].lower()]
    return [SpokenWord(word, letter=True) if len(word) == 1 else word for word in spoken.split()]


ABBREVIATION_RULES = (
    latin,
    circa,
    degree,
    saint_or_street,
    bare_place,
    book,
    world_war,
    before_number,
    dotted_word,
    bare_title,
    slashed_word,
)
