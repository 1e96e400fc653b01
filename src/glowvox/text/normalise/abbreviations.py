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
    "Asst": "assistant", "Assoc": "association", "Ofc": "officer", "Br": "brother", "Mmes": "mesdames",
    "Excl": "excluding", "Orig": "original", "Encl": "enclosed", "Resp": "respectively", "Op": "opus", "Mk": "mark",
    "Dist": "district", "App": "appendix", "Tab": "table", "Bk": "book", "Govt": "government", "Acad": "academy",
    "Ariz": "Arizona", "Tex": "Texas", "Tenn": "Tennessee", "Wash": "Washington", "Va": "Virginia",
}  # fmt: skip
ABBREVIATIONS = {key.lower(): value for key, value in _TITLES.items()}
# These may end a sentence as ordinary words: with a full stop they are read so only where more follows.
ORDINARY_WORDS = word_set("mass wash art min max sec ed al fig hon rep pt col temp ch est ref gen adm sq fr")
# These are read so only before a number or a letter that counts: the app. It crashed.
_ONLY_COUNTING = word_set("op mk dist app tab bk")
_COUNTING = word_set("fig ch sec pt ref art")
_COUNTS = re.compile(r"#?\d|[IVXLC]+\b(?!\.?\s?[A-Z][a-z])|[A-HJ-Z]\b(?!\.\s?[A-Z]|\s[A-Z][a-z])")
_SISTERS = word_set(
    "Agatha Agnes Alice Angela Angelica Ann Anna Anne Barbara Benedicta Bernadette Bridget Carol Catherine Cecilia "
    "Christina Christine Clara Clare Dorothy Elizabeth Faustina Frances Francis Helen Hildegard Ignatia Immaculata "
    "Jean Joan Josephine Judith Julia Julie Kathleen Lucia Lucy Magdalene Margaret Maria Marie Martha Mary Miriam "
    "Monica Norma Patricia Paula Perpetua Philomena Rita Rosa Rose Ruth Sarah Scholastica Simone Susan Teresa Theresa "
    "Ursula Veronica Winifred"
)
_BEFORE_GENERALS = word_set("atty attorney brig maj lt sol solicitor surg surgeon adj major brigadier lieutenant")
# What goes on after the names that end in an exclamation mark.
NAMES_WITH_MARK = {
    "yahoo": word_set(
        "Japan Inc Finance Mail News Answers Sports Search Messenger Music Groups Games Weather Video CEO Holdings "
        "Corp Maps Entertainment Movies Shopping Auctions Directory Travel"
    ),
    "jeopardy": word_set("Champion Champions Masters Tournament"),
    "yum": word_set("Brands China"),
    "kahoot": word_set("ASA Premium"),
}
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
    special = _by_neighbours(match["word"], context.previous, following)
    if special:
        return [special, *([] if following else ["."])]
    if word in _ONLY_COUNTING and not (_COUNTS.match(following) and _is_referred(match["word"], context.previous)):
        return None
    counted = word in _COUNTING and (_COUNTS.match(following) is not None)
    if word in ORDINARY_WORDS and not (
        match["word"][0].isupper() or following[:1].isdigit() or following[:1].islower() or counted
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


def _is_referred(written: str, previous: str) -> bool:
    """Say whether an abbreviation that is a word as well is one: a new tab. 3 others is none."""
    return written[0].isupper() or written not in ("app", "tab") or previous.lower() in _BEFORE_REFERENCES


_BEFORE_REFERENCES = word_set("see in of from cf and or to per under also with (")


def _by_neighbours(written: str, previous: str, following: str) -> str:
    """Return what an abbreviation means beside certain words, or an empty string."""
    word, before = written.lower(), previous.rstrip(".").lower()
    if word == "al" and before == "et":
        return "al"
    if word == "gen" and re.match(r"[XYZ]\b", following):
        return written
    if word == "gen" and before in _BEFORE_GENERALS:
        return "general"
    if word == "rev" and _COUNTS.match(following) and not re.match(r"[IVXLC]\.", following):
        return "revision"
    if word == "assoc" and re.match(r"(?:Prof|Dean|Dir|Ed|Just)", following):
        return "associate"
    if word == "dist" and written[0].islower() and _COUNTS.match(following):
        return "distance"
    if (
        word == "sr"
        and re.split(r"\W", following)[0] in _SISTERS
        and (not previous[:1].isupper() or previous in _BEGINNINGS)
    ):
        return "sister"
    return ""


@rule(
    r"(?P<word>Mrs?|Ms|Dr|Prof|St|Mt|Ft|Rev|Gen|Sen|Gov|Capt|Lt|Sgt|Col|Hon|Fr)\.(?=(?P<name>[A-Z][\w'-]*[a-z'-])(?!\.\w))"
    r"|(?P<counted>Figs?|Vols?|Ch|Sec|Eqs?|Art|Refs?|Op|Pt|Tab|App|Apt|Mk)\.(?=\d)",
    "u",
)
def glued_title(match: re.Match[str], context: Context) -> Reading | None:
    """Read St.Louis, Mr.Smith and Fig.3, where no space goes before the name or the number."""
    if match["counted"] is not None:
        return [ABBREVIATIONS[match["counted"].lower()]]
    named = context.previous[:1].isupper() and context.previous.lower() not in _BEFORE_PLACES
    begins = match["name"] in _BEGINNINGS
    if match["word"] in ("St", "Dr") and named and begins:
        # Main St.Then it rained: the end of a sentence.
        return ["street" if match["word"] == "St" else "drive", "."]
    if match["word"] == "St":
        return ["saint"]
    return None if begins else [ABBREVIATIONS[match["word"].lower()]]


_BEGINNINGS = word_set(
    "The He She It They We You I This That There Then When But And So If In On At As After Before A An"
)


@rule(r"(?P<letter>[A-Z])\.(?=\s[a-z]{2}|,)", "u")
def initial_of_name(match: re.Match[str], context: Context) -> Reading | None:
    """Read the T. of Mr. T. without a pause where the sentence goes on; not Plan B. that was it."""
    before = context.previous.rstrip(".").lower()
    named = context.previous[:1].isupper() and context.previous[1:].islower() and before not in _LETTERED
    following = re.match(r"\s(\w+)", match.string[match.end() :])
    if following is not None and following[1] in _SPECIES:
        return [SpokenWord(match["letter"], letter=True)]
    if before not in _TITLES_BEFORE_INITIALS and (not named or match["letter"] == "I"):
        return None
    return [SpokenWord(match["letter"], letter=True)]


_TITLES_BEFORE_INITIALS = word_set("mr mrs ms mx dr prof rev sen gov gen col capt lt sgt judge justice agent miss sir")
# E. coli: what follows the initial of a genus.
_SPECIES = word_set(
    "coli aureus elegans pylori difficile melanogaster thaliana aeruginosa subtilis rex sapiens cerevisiae falciparum "
    "pneumoniae tuberculosis albicans burgdorferi botulinum anthracis pestis erectus habilis musculus"
)
_LETTERED = word_set(
    "plan vitamin part section grade figure fig option type group exhibit appendix hepatitis class item step point line"
    " answer room gate platform column row variant version team"
)
_GOES_ON = word_set(
    "is was are were has had says will would can could may and or in on at to for from as with which who users host "
    "hosts contestant contestants champion episode clue account accounts search mail answers news"
)


@rule(r"(?P<name>Yahoo|Jeopardy|Kahoot|Yum)!(?P<s>'s)?(?=(?P<rest>,?\s+\w+)?)", "u")
def name_with_mark(match: re.Match[str], context: Context) -> Reading | None:
    """Read the names of Yahoo! Japan and Jeopardy!, whose mark is no end, where the sentence goes on."""
    rest = (match["rest"] or "").strip(", ")
    goes_on = rest in _GOES_ON and match["name"] != "Yum"
    if not match["s"] and not goes_on and rest not in NAMES_WITH_MARK[match["name"].lower()]:
        return None
    return [match["name"] + (match["s"] or "")]


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


@rule(r"Mk(?=\s(?:[IVX]+|\d{1,3})\b)", "u")
def bare_mark(match: re.Match[str], context: Context) -> Reading:
    """Read Mk IV."""
    return ["mark"]


@rule(r"(?P<word>Mt|Ft|St)(?=\s[A-Z][a-z])", "u")
def bare_place(match: re.Match[str], context: Context) -> Reading | None:
    """Read Mt Everest, Ft Worth and St Paul without a full stop; not the street at the end of Main St."""
    if match["word"] == "St" and context.previous[:1].isupper() and context.previous.lower() not in _BEFORE_PLACES:
        return None
    return [{"Mt": "mount", "Ft": "fort", "St": "saint"}[match["word"]]]


_BEFORE_PLACES = word_set("in of at to from the and near at on")


@rule(r"(?P<word>[Nn]os?|pp?|[Pp]ar|[Vv]er|Q)\.?\s?(?=\d|(?<=No\.\s)(?P<roman>V?I{1,3}|I?[VX]|X{1,3}V?I{0,3})\b)", "l")
def before_number(match: re.Match[str], context: Context) -> Reading | None:
    """Read No. 5, No. IV and p. 12."""
    if match["roman"] is not None and not _is_counted(match, context):
        return None
    if "." not in match.group() and match["word"] not in ("No", "Nos", "pp"):
        return None
    return [_NUMBERED[match["word"].lower()]]


def _is_counted(match: re.Match[str], context: Context) -> bool:
    """Say whether No. and a Roman numeral are a number: not the answer of No. I know, nor of No. X marks the spot."""
    following = match.string[match.end() + len(match["roman"] or "") :]
    return len(match["roman"]) > 1 or (
        match["roman"] != "I" and (bool(context.previous) or not following.strip(" .!?"))
    )


@rule(r"(?:i\.\s?e\.?|e\.\s?g\.?|I\.e\.?|E\.g\.?|(?P<loud>I\.E\.|E\.G\.))(?!\w)(?P<comma>,)?", "l")
def latin(match: re.Match[str], context: Context) -> Reading | None:
    """Read i.e. and e.g., with a capital too; E.G. may be the initials of a name."""
    if match["loud"] is not None and not context.shouting:
        return None
    text = match.group().replace(" ", "").rstrip(",").lower()
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
    glued_title,
    initial_of_name,
    name_with_mark,
    saint_or_street,
    bare_place,
    bare_mark,
    book,
    world_war,
    before_number,
    dotted_word,
    bare_title,
    slashed_word,
)
