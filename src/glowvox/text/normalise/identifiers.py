"""English words and names: acronyms, CamelCase, letters mixed with digits, versions, web addresses."""

import re
import unicodedata

from glowvox.text.interjections import drawn_out, is_interjection
from glowvox.text.normalise.numbers import cardinal, digits, pairs, plural, year
from glowvox.text.normalise.numbers import number as number_words
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule, word_set

_SPOKEN_AS_WORDS = word_set(
    "NASA NATO UNESCO UNICEF OPEC AIDS LASER RADAR SCUBA SONAR ASAP JPEG GIF PIN RAM ROM LAN WAN SIM NAFTA "
    "NASDAQ SWAT "
    "FEMA OSHA HIPAA BASIC COBOL FORTRAN ASCII JSON YAML LIDAR CAPTCHA MIDI COVID SARS EBITDA GUI WASP YOLO TED HUD "
    "IKEA FIFA UEFA NAFTA NIMBY ZIP TASER SOAP AWOL POTUS SCOTUS FLOTUS DARPA IEEE CERN"
) - {"IEEE"}  # fmt: skip
_READ_OTHERWISE = {
    "JPEG": "jay peg", "ASCII": "askey", "JSON": "jason", "YAML": "yammel", "GIF": "gif", "GUI": "gooey",
    "ASAP": "A S A P",
    "IEEE": "I triple E", "SQL": "S Q L", "HIPAA": "hippa", "POTUS": "poe tus", "SCOTUS": "skoe tus",
    "IKEA": "eye kea",
    "UEFA": "you ay fa", "FIFA": "feefa", "CERN": "surn", "DARPA": "darpa", "LIDAR": "lye dar", "OPEC": "oh peck",
}  # fmt: skip
_WORDS_IN_CAPITALS = word_set(
    "A I AN AND ARE AS AT BE BUT BY DO FOR GO HAS HAD HE HER HIM HIS HOW IF IN IS ITS ME MY NO NOT NOW OF OFF "
    "OH OK ON ONE "
    "OR OUR OUT SHE SO THE TO TOO TWO UP WAS WE WHY YES YOU ALL ANY BIG CAN DAY DID END GET GOT LET MAN MAY NEW "
    "OLD SEE "
    "SIR TOP TRY USE WAY YET BAD RED RUN SAY AGO ADD ASK BUY CUT DIE EAT FAR FEW HIT HOT JOB KEY LOT LOW MEN "
    "NOR OWN PAY "
    "PUT SAD SET SIT SUN TEN WAR WET WIN WON BOY BOX CAR CAT DOG EYE FUN GUN HAT ICE LAW LEG MAD MOM DAD PEN "
    "RAN SEA SKY "
    "SON TAX TEA TIE"
)  # fmt: skip
_TITLES = {"OK": "okay"}
# Rows that the lexicon has as words, but nobody means so in capitals.
_INITIALS = word_set(
    "UN EU UK UV AI ID TV PC PR HR VP GI AC DC ER EV IQ IP DJ CD DVD CIA FBI USA CEO CFO CTO COO GPS ATM PS VR AR ML"
)
_COUNTRY_BEFORE = word_set("THE OUR THEIR ITS A NON PRO ANTI FORMER NEW LEAVE LEAVES LEFT ENTER ENTERS INSIDE UK EU")
_COUNTRY_AFTER = word_set(
    "ARMY NAVY AIR MARINE MARINES FORCES TROOPS MILITARY SENATE SENATOR SENATORS HOUSE CONGRESS PRESIDENT VICE SUPREME "
    "COURT GOVERNMENT FEDERAL STATE STATES TREASURY SECRETARY DOLLAR DOLLARS CITIZEN CITIZENS EMBASSY AMBASSADOR "
    "ECONOMY ELECTION ELECTIONS OFFICE OFFICIAL OFFICIALS TARIFF TARIFFS BORDER MARKET MARKETS STOCKS TRADE TAX TAXES "
    "MAIL POSTAL CUSTOMS OPEN OLYMPIC SOCCER TEAM PATENT PASSPORT VISA BANK BANKS COMPANY COMPANIES IMPORTS EXPORTS "
    "SANCTIONS STRIKES JOBS INFLATION DEBT UK EU BASED LED BACKED"
)
_COMPUTING_BEFORE = word_set("OUR YOUR THEIR MY HIS HER ITS AN")
_COMPUTING_AFTER = word_set(
    "DEPARTMENT DEPT TEAM STAFF SUPPORT MANAGER DIRECTOR SECURITY GUY GUYS SPECIALIST SPECIALISTS INFRASTRUCTURE "
    "SERVICE SERVICES SECTOR INDUSTRY WORKER WORKERS CONSULTANT CONSULTANTS CONSULTING ADMINISTRATOR ADMIN SYSTEM "
    "SYSTEMS PROJECT PROJECTS BUDGET HELPDESK HELP POLICY SOLUTIONS PROFESSIONAL PROFESSIONALS EQUIPMENT SKILLS JOB "
    "JOBS CAREER COMPANY COMPANIES FIRM FIRMS OPERATIONS TRAINING"
)


def spell(text: str) -> list[str | SpokenWord]:
    """Return the letters of a word, each as a word of its own."""
    return [SpokenWord(letter.upper(), letter=True) for letter in text if letter.isalpha()]


def _are_initials(text: str, before: str, after: str) -> bool:
    """Say whether a word of a text all in capitals is spelled: the US of THE US ARMY, not that of LET US GO."""
    if text == "US":
        return before in _COUNTRY_BEFORE or after in _COUNTRY_AFTER or (not before and after not in ("TOO", "GUYS"))
    if text == "IT":
        return after in _COMPUTING_AFTER or (before in _COMPUTING_BEFORE and after != "")
    return text in _INITIALS


def read_capitals(text: str, context: Context, before: str = "", after: str = "") -> list[str | SpokenWord]:
    """Read a row of capitals: as a word where it is one, else letter by letter.

    Args:
        text: The capitals.
        context: What is known around.
        before: The word before, in capitals; it counts only where the whole text is in capitals.
        after: The word after.
    """
    if text in _TITLES:
        return [_TITLES[text]]
    if text in _READ_OTHERWISE:
        parts = _READ_OTHERWISE[text].split()
        return [SpokenWord(part, letter=True) if len(part) == 1 else part for part in parts]
    if text in _SPOKEN_AS_WORDS or text in _WORDS_IN_CAPITALS:
        return [text.lower()]
    if context.shouting and _are_initials(text, before, after):
        return spell(text)
    if context.language == "en" and is_interjection(text):
        return [text.lower()]
    # NOOO: but what begins with the same letter three times (AAAS) is an abbreviation.
    drawn = context.language == "en" and re.match(r"(?!(.)\1\1).*[AEIOUY]", text) is not None
    if drawn and (plain := drawn_out(text.lower(), context.is_word)):
        return [plain]
    if context.shouting and (context.is_word(text.lower()) or len(text) > 5):
        return [text.lower()]
    if len(text) >= 4 and context.is_word(text.lower()):
        return [text.lower()]
    if len(text) >= 6 and re.search(r"[AEIOUY]", text):
        return [text.lower()]
    return spell(text)


@rule(r"(?P<letters>(?:[A-Za-z]\.){2,}[A-Za-z]?|(?:[A-Z]\.\s?){2,}(?=\s?[A-Z][a-z]))(?P<s>'s)?(?!\w)", "l")
def dotted(match: re.Match[str], context: Context) -> Reading:
    """Read U.S.A. and J. R. R.: letters."""
    return with_suffix(spell(match["letters"]), match["s"])


@rule(r"(?P<letter>[A-Z])\.(?=\s?[A-Z][a-z]|\s?[A-Z]\.)", "u")
def initial(match: re.Match[str], context: Context) -> Reading | None:
    """Read the J. of J. Smith: a letter and no pause; not an I that ends a sentence."""
    if match["letter"] == "I" and context.previous:
        return None
    return [SpokenWord(match["letter"], letter=True)]


def with_suffix(letters: list[str | SpokenWord], suffix: str | None) -> list[str | SpokenWord]:
    """Return words with a plural or genitive s at the last one, if there is any."""
    if not suffix or not letters:
        return letters
    last = letters[-1]
    ending = "'s" if suffix.startswith("'") else "s"
    if isinstance(last, SpokenWord):
        return [*letters[:-1], SpokenWord(last.text + ending, letter=last.letter)]
    return [*letters[:-1], last + ending]


@rule(r"(?P<word>[A-Z]{2,})(?P<s>'?s(?![\w'])|'S(?!\w))?(?![\w'])(?=(?P<after>[\s-][A-Z]+\b)?)", "u")
def capitals(match: re.Match[str], context: Context) -> Reading | None:
    """Read a word in capitals: NASA, FBI's, CDs."""
    before, after = context.previous.upper(), (match["after"] or "").strip(" \n-")
    if match["word"] == "AM" and (before == "I" or (after == "I" and before not in ("THE", "IN", "THIS"))):
        return ["am"]
    return with_suffix(read_capitals(match["word"], context, before, after), match["s"])


@rule(r"(?P<a>[A-Z]{1,3})&(?P<b>[A-Z]{1,3})(?P<s>'?s)?(?!\w)", "u")
def letter_and_letter(match: re.Match[str], context: Context) -> Reading:
    """Read Q&A, AT&T and M&Ms."""
    return [*spell(match["a"]), "and", *with_suffix(spell(match["b"]), match["s"])]


@rule(r"(?P<grade>[A-F])(?P<sign>[-−*])(?=[,.;:!?)]|\s|$)(?!\s?-)", "u")
def grade(match: re.Match[str], context: Context) -> Reading | None:
    """Read B- and A*: the signs of marks at school."""
    if match["sign"] == "*" and match["grade"] != "A":
        return None
    return [*spell(match["grade"]), "star" if match["sign"] == "*" else "minus"]


_LENGTHS = {
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "ft": "foot", "mi": "mile", "in": "inch",
    "yd": "yard",
}  # fmt: skip


@rule(r"(?P<letters>[A-Za-z]{1,2})(?P<power>[²³])(?![\w²³⁰-⁹])", "l")
def raised_letters(match: re.Match[str], context: Context) -> Reading | None:
    """Read people per km², and E = mc²."""
    square = match["power"] == "²"
    if match["letters"] in _LENGTHS and context.previous.lower() in ("per", "/", "a", "each", "every", "one", "in"):
        return ["square" if square else "cubic", _LENGTHS[match["letters"]]]
    return [*spell(match["letters"]), "squared" if square else "cubed"]


@rule(r"(?P<a>[A-Za-z])_\{?(?P<b>[A-Za-z]|\d{1,3})\}?(?!\w)", "l")
def subscript(match: re.Match[str], context: Context) -> Reading:
    """Read x_1: X sub one."""
    low = match["b"]
    return [*spell(match["a"]), "sub", *(spell(low) if low.isalpha() else [cardinal(low)])]


@rule(r"(?P<f>[fghpqFGHPQSTuvV])\((?:(?P<x>[xyztnkXYZTNKΑ-Ωα-ω])|(?P<n>(?<=[fgh]\()\d{1,3}))\)(?!\w)", "l")
def function(match: re.Match[str], context: Context) -> Reading:
    """Read f(x): F of X."""
    return [*spell(match["f"]), "of", *_symbols_of_formula(match["x"] or match["n"])]


def _symbols_of_formula(text: str) -> list[str | SpokenWord]:
    """Return the words of 2x and ωt: numbers, letters and Greek letters by their names."""
    words: list[str | SpokenWord] = []
    for part in re.findall(r"\d+(?:\.\d+)?|°|\D", text):
        if part == "°":
            words.append("degrees")
        elif part[0].isdecimal():
            words.append(number_words(part))
        elif part.isascii():
            words.extend(spell(part))
        else:
            words.append(unicodedata.name(part, "").split(" ")[-1].lower())
    return words


_FUNCTIONS = {
    "sin": "sine", "cos": "cosine", "tan": "tangent", "cot": "cotangent", "sec": "secant", "csc": "cosecant",
    "log": "log", "ln": "natural log", "exp": "exp", "arcsin": "arc sine", "arccos": "arc cosine",
    "arctan": "arc tangent", "sinh": "hyperbolic sine", "cosh": "hyperbolic cosine", "tanh": "hyperbolic tangent",
    "sqrt": "square root",
}  # fmt: skip


@rule(
    rf"(?P<name>{'|'.join(_FUNCTIONS)})"
    r"(?:\((?P<x>(?:\d{1,3}(?:\.\d{1,4})?)?°?[A-Za-zΑ-Ωα-ω]{0,2})\)|\s(?P<bare>\d{1,3}(?:\.\d{1,4})?°|[α-ω]))(?!\w)",
    "w",
)
def named_function(match: re.Match[str], context: Context) -> Reading | None:
    """Read sin(θ): sine of theta; and sin 30°."""
    inside = match["x"] or match["bare"]
    if not inside:
        return None
    return [_FUNCTIONS[match["name"]], *(["of"] if match["x"] else []), *_symbols_of_formula(inside)]


@rule(r"(?P<word>[B-HJ-Z])(?P<s>'s)?(?![\w'])", "u")
def single_letter(match: re.Match[str], context: Context) -> Reading:
    """Read a capital that stands alone, except A and I, which are words."""
    return with_suffix(spell(match["word"]), match["s"])


@rule(r"A(?![\w'])(?=\s*(?P<next>\w?))", "u")
def letter_a(match: re.Match[str], context: Context) -> Reading | None:
    """Read the A of vitamin A as a letter: a capital inside a sentence, unless a title goes on after it."""
    if context.shouting or not context.previous[-1:].isalnum() or match["next"].isupper():
        return None
    return spell("A")


@rule(r"(?:A-Z|a-z)(?!\w)", "l")
def whole_alphabet(match: re.Match[str], context: Context) -> Reading:
    """Read A-Z: A to Z."""
    return [*spell("A"), "to", *spell("Z")]


@rule(r"(?P<word>[b-hj-z]|a(?=\s?[*^₀-₉]|\s=))(?![\w'])", "w")
def small_letter(match: re.Match[str], context: Context) -> Reading:
    """Read a small letter that stands alone."""
    return spell(match["word"])


ACRONYM_RULES = (
    whole_alphabet,
    dotted,
    initial,
    letter_and_letter,
    grade,
    raised_letters,
    subscript,
    named_function,
    function,
    capitals,
    single_letter,
    letter_a,
    small_letter,
)


_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋", "0123456789+-")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SIGNS_OF_CHARGE = {"en": {"+": "plus", "-": "minus"}, "de": {"+": "plus", "-": "minus"}}


@rule(
    r"(?P<formula>(?:[A-Z][a-z]?[₀-₉]*|[()\[\]])*[A-Za-z)\]](?:[₀-₉]+|(?=[⁺⁻⁰-⁹²³]*[⁺⁻]))(?:[A-Z][a-z]?[₀-₉]*|[()\[\]][₀-₉]*)*)(?P<charge>[⁰¹²³⁴-⁹]*[⁺⁻])?(?!\w)",
    "l",
)
def formula(match: re.Match[str], context: Context) -> Reading | None:
    """Read CO₂, H₂O and SO₄²⁻: the letters, and every raised or lowered sign."""
    words: list[str | SpokenWord] = []
    for part in re.findall(r"[A-Za-z]|[₀-₉]+", match["formula"]):
        words.extend(spell(part) if part.isalpha() else [cardinal(part.translate(_SUBSCRIPTS), context.language)])
    charge = (match["charge"] or "").translate(_SUPERSCRIPTS)
    if charge:
        words.extend([cardinal(charge[:-1], context.language)] if charge[:-1] else [])
        words.append(_SIGNS_OF_CHARGE[context.language][charge[-1]])
    return words


@rule(r"(?P<signs>[₀-₉₊₋]+|[⁰¹⁴-⁹²³⁺⁻]*[⁰¹⁴-⁹⁺⁻][⁰¹⁴-⁹²³⁺⁻]*)", "do")
def raised_or_lowered(match: re.Match[str], context: Context) -> Reading:
    """Read x₁ and x⁴; a raised number after a word is the mark of a footnote, which is left out and named."""
    raised = match["signs"].translate(_SUPERSCRIPTS)
    plain = raised.translate(_SUBSCRIPTS)
    before = re.search(r"[^\W\d_]+$", match.string[: match.start()])
    if raised != match["signs"] and (before is None or len(before.group()) > 2) and not context.previous.endswith(")"):
        context.warnings.append(f"left out {match['signs']!r}: the mark of a footnote")
        return []
    power = {"en": "to the power of", "de": "hoch"}[context.language]
    spoken = number_words(plain, context.language) if plain.strip("+-") else {"+": "plus", "-": "minus"}[plain[0]]
    return [power, spoken] if raised != match["signs"] and plain.strip("+-") else [spoken]


_METALS = "Na|K|Li|Ca|Mg|Ag|Al|Ba|Cu|Fe|Zn|Pb|Ti|Ni|Mn|Cd|Ga|Rb|Cs|Si|H|NH"
_ELEMENTS = (
    "He|Li|Be|Ne|Na|Mg|Al|Si|Cl|Ar|Ca|Sc|Ti|Cr|Mn|Fe|Co|Ni|Cu|Zn|Ga|Ge|As|Se|Br|Kr|Rb|Sr|Zr|Mo|Ag|Cd|Sn|Sb|Te|Xe|Cs"
    "|Ba|Pt|Au|Hg|Pb|Bi|Ra|H|B|C|N|O|F|P|S|K|V|W|I|U"
)


@rule(
    rf"(?P<salt>(?=[A-Z]*[a-z])(?:{_METALS})(?:Cl|Br|OH|CN|O|F|I|S|N|As))(?!\w)"
    rf"|(?P<counted>(?=\w*[A-Z]\w?\d)(?=\w*[a-z])(?=\w*[A-Z]\w*[A-Z])(?:(?:{_ELEMENTS})(?:[2-9]|1[0-9])?){{2,8}})(?!\w)"
    rf"|(?P<ion>(?:{_METALS}|Cr|Co|Hg|Sn|Sr)(?P<charge>[23]?)\+|(?:Cl|Br|OH)-)(?=[\s,;:.?!)]|$)",
    "u",
)
def compound(match: re.Match[str], context: Context) -> Reading | None:
    """Read NaCl, CaCO3 and Na+: the letters and numbers one by one, not as names of other things."""
    text = match.group()
    if match["salt"] is not None and context.is_word(text.lower()) and text != "HCl":
        return None
    words: list[str | SpokenWord] = []
    for part in re.findall(r"[A-Za-z]|\d+|[+-]", text):
        name = {"+": "plus", "-": "minus"}.get(part, "")
        words.extend([name] if name else spell(part) if part.isalpha() else [cardinal(part)])
    return words


FORMULA_RULES = (formula, raised_or_lowered)
CHEMICAL_RULES = (compound,)

# Borders inside an identifier: digit to letter and back, small to capital, the last capital before a small letter.
_BORDERS = re.compile(
    r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-z](?:[a-z]|$))"
)
_WHOLE = {
    "mp3": "M P three", "mp4": "M P four", "3d": "three D", "2d": "two D", "4k": "four K", "5g": "five G",
    "h2o": "H two O",
    "co2": "C O two", "covid": "covid", "wifi": "wifi", "wi-fi": "wifi", "iphone": "i phone", "ios": "I O S",
    "macos": "mac O S", "youtube": "you tube", "github": "git hub", "linkedin": "linked in", "paypal": "pay pal",
    "mcdonald": "McDonald", "phd": "P H D", "ebay": "e bay", "ipad": "i pad", "openai": "open A I",
    "latex": "lay tech",
    "chatgpt": "chat G P T", "nginx": "engine x", "sqlite": "S Q lite", "mysql": "my S Q L", "r&b": "R and B",
    "postgresql": "postgres Q L", "pytorch": "pie torch", "py": "pie", "pcie": "P C I E", "nvme": "N V M E",
    "voip": "V O I P", "xelatex": "zee lay tech",
}  # fmt: skip
_NUMBERED = re.compile(r"(?P<name>[A-Za-z]{3,})(?P<n>\d{1,4})")
_VOWEL = re.compile(r"[aeiouyäöüà-ÿ]")
_PROGRAMMING = {"c++": "C plus plus", "c#": "C sharp", "f#": "F sharp", ".net": "dot net", "node.js": "node J S"}


def _as_words(text: str) -> list[str | SpokenWord]:
    return [SpokenWord(word, letter=True) if len(word) == 1 and word.isupper() else word for word in text.split()]


def _number_in_name(text: str, language: str) -> str:
    """Return digits inside a name: a year or a round number as such, other long ones digit by digit."""
    if len(text) < 4 or (len(text) == 4 and text.endswith("00") and text[0] != "0"):
        return cardinal(text, language)
    if re.fullmatch(r"(?:19|20)\d\d", text):
        return year(text, language)
    return digits(text, language)


def split_identifier(text: str, context: Context) -> list[str | SpokenWord]:
    """Read an identifier made of letters and digits: gRPC, WaveGlow, mp3, utf8, v2."""
    if text.lower() in _WHOLE and (context.language == "en" or not any(sign.isdecimal() for sign in text)):
        return _as_words(_WHOLE[text.lower()])
    numbered = _NUMBERED.fullmatch(text)
    if numbered and numbered["name"].lower() in _WHOLE and context.language == "en":
        return [*_as_words(_WHOLE[numbered["name"].lower()]), _number_in_name(numbered["n"], "en")]
    words: list[str | SpokenWord] = []
    for part in _BORDERS.split(text):
        if part == "s" and words and not isinstance(words[-1], SpokenWord):
            words[-1] = plural(words[-1])
        elif part.isdecimal():
            words.append(_number_in_name(part, context.language))
        elif len(part) == 1 or (part.isupper() and part.isalpha()):
            # Beside a digit, two capitals are no word: the SO of H2SO4.
            formula = len(part) == 2 and any(sign.isdecimal() for sign in text)
            words.extend(spell(part) if len(part) == 1 or formula else read_capitals(part.upper(), context))
        elif not context.is_word(part.lower()) and (len(part) <= 3 or not _VOWEL.search(part.lower())):
            words.extend(spell(part))
        else:
            words.append(part)
    return words


@rule(r"(?:C\+\+|[CF]\#|\.NET\b|[Nn]ode\.js\b|R&B\b)", "lo")
def programming_name(match: re.Match[str], context: Context) -> Reading:
    """Read names that hold signs."""
    name = match.group().lower()
    return _as_words(_PROGRAMMING.get(name) or _WHOLE[name])


@rule(
    r"(?P<v>[vV](?:er(?:sion)?)?\.?\s?)?(?P<n>\d+(?:\.\d+){1,4})(?P<tail>-?(?:alpha|beta|rc|a|b)\.?\d*)?(?![\w%]|\.\d)",
    "ld",
)
def version(match: re.Match[str], context: Context) -> Reading | None:
    """Read v2.1 and 1.22.3: numbers with points between them."""
    if match["v"] is None and match["n"].count(".") < 2 and not match["tail"]:
        return None
    words: list[str | SpokenWord] = ["version"] if match["v"] else []
    words.append(" point ".join(cardinal(part) for part in match["n"].split(".")))
    if match["tail"]:
        for part in re.findall(r"[a-z]+|\d+", match["tail"]):
            words.extend(split_identifier("RC" if part == "rc" else part, context))
    return words


@rule(
    r"(?P<name>[A-Z]{2,}[A-Za-z]*|[A-Z]|[A-Za-z]+[A-Z][A-Za-z]*)-(?P<n>\d{1,4}(?:\.\d{1,3})*)(?P<s>s)?(?![\w²³]|-\d|[.,]\d)",
    "l",
)
def numbered_name(match: re.Match[str], context: Context) -> Reading:
    """Read COVID-19, F-16s, GPT-4.5 and the like: the name, then the number."""
    name = match["name"]
    letters = [SpokenWord(name, letter=True)] if len(name) == 1 else split_identifier(name, context)
    spoken = version_number(match["n"], context.language)
    return [*letters, plural(spoken) if match["s"] else spoken]


@rule(r"(?P<name>[^\W\d_]+)(?P<n>\d{1,4}(?:\.\d{1,3})+)(?P<tail>[^\W\d_]*)(?![\w%]|\.\d)", "l")
def name_with_version(match: re.Match[str], context: Context) -> Reading | None:
    """Read Python3.11, iOS17.4 and Qwen2.5: the name, then the version."""
    if match["name"] in ("v", "V") or match["name"].lower() in _MONTH_NAMES:
        return None
    words = [*split_identifier(match["name"], context), version_number(match["n"], context.language)]
    return [*words, *(split_identifier(match["tail"], context) if match["tail"] else [])]


_MONTH_NAMES = word_set("jan feb mar apr may jun jul aug sep sept oct nov dec")


def version_number(text: str, language: str) -> str:
    """Return a version: two parts as a decimal, more as numbers with points between them."""
    parts = text.split(".")
    if len(parts) == 2 and language == "en":
        return number_words(text)
    return {"en": " point ", "de": " Punkt "}[language].join(cardinal(part, language) for part in parts)


@rule(r"(?P<letter>[A-Z])\.(?P<n>\d{3})(?!\w|[.,]\d)", "u")
def standard(match: re.Match[str], context: Context) -> Reading:
    """Read H.264 and X.509."""
    return [SpokenWord(match["letter"], letter=True), pairs(match["n"])]


@rule(r"401\s?\(?k\)?(?!\w)|40[139]\s?\([abk]\)|501\s?\(c\)(?:\s?\(\d{1,2}\))?", "d")
def tax_plan(match: re.Match[str], context: Context) -> Reading:
    """Read 401(k): four oh one K."""
    first, letter, *more = re.findall(r"\d+|[a-z]", match.group())
    return [f"{cardinal(first[0])} oh {cardinal(first[2])}", *spell(letter), *(cardinal(part) for part in more)]


@rule(r"(?=\w*[^\W\d_])(?=\w*\d)[^\W_]+(?:_[^\W_]+)*(?!\w)", "ld")
def mixed(match: re.Match[str], context: Context) -> Reading:
    """Read letters mixed with digits: mp3, A4, B2B, utf8."""
    words: list[str | SpokenWord] = []
    underscore = _SIGN_NAMES.get(context.language, _SIGN_NAMES["en"])["_"]
    for number, part in enumerate(match.group().split("_")):
        words.extend([*([underscore] if number else []), *split_identifier(part, context)])
    return words


@rule(r"[^\W\d_]+(?:_[^\W_]+)+(?!\w)", "l")
def snake_case(match: re.Match[str], context: Context) -> Reading:
    """Read snake_case: the parts with the underscore between them."""
    words: list[str | SpokenWord] = []
    underscore = _SIGN_NAMES.get(context.language, _SIGN_NAMES["en"])["_"]
    for number, part in enumerate(match.group().split("_")):
        words.extend([*([underscore] if number else []), *split_identifier(part, context)])
    return words


@rule(r"(?=[^\W\d_]*[a-zß-öø-ÿ][A-ZÀ-ÖØ-Þ]|[A-Z]{2,}[a-z]{2})[^\W\d_]+(?!\w)", "l")
def camel_case(match: re.Match[str], context: Context) -> Reading | None:
    """Read WaveGlow, gRPC, OpenAI: the parts; a name in the lexicon (McDonald) stays whole."""
    name = match.group()
    if name in ("LaTeX", "BibTeX"):
        return split_identifier(name, context)
    if re.match(r"Ma?c[A-Z][a-z]+$|O[A-Z][a-z]+$|D[eiu][A-Z][a-z]+$|La[A-Z][a-z]+$", name) or (
        context.is_word(name.lower()) and not name[0].islower()
    ):
        return [name]
    if re.fullmatch(r"[A-Z]{2,}s", name):
        return None
    return split_identifier(name, context)


EARLY_IDENTIFIER_RULES = (programming_name, version, standard, tax_plan, numbered_name, name_with_version)
NAME_RULES = (programming_name, numbered_name, name_with_version)
IDENTIFIER_RULES = (snake_case, mixed, camel_case)


_TOP_LEVEL = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|dev|app|co|me|tv|us|uk|de|fr|it|es|nl|at|ch|eu|ca|au|jp|cn|in|ru|br|se"
    "|no|fi|dk|pl|cz|be|ie|nz|za|xyz|tech|cloud|online|site|blog|shop|news|museum|wiki|fm|gg|ly"
)
_SIGN_NAMES = {
    "en": {
        ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", "?": "question mark", "=": "equals",
        "&": "and", "#": "hash", "%": "percent", "+": "plus", "~": "tilde", ":": "colon", "\\": "backslash",
    },
    "de": {
        ".": "Punkt", "/": "Schrägstrich", "-": "Bindestrich", "_": "Unterstrich", "@": "at", "?": "Fragezeichen",
        "=": "gleich", "&": "und", "#": "Raute", "%": "Prozent", "+": "plus", "~": "Tilde", ":": "Doppelpunkt",
        "\\": "Backslash",
    },
}  # fmt: skip
_EXTENSIONS = word_set(
    "pdf txt doc docx odt rtf xls xlsx csv tsv ppt pptx md rst tex html htm xml css js ts jsx tsx json yaml yml toml "
    "ini cfg conf py ipynb java c h cpp hpp cc rs go rb php pl sh bat ps1 sql db log lock env zip tar gz bz2 xz rar 7z "
    "tgz iso exe dll so app dmg deb rpm apk jar whl png jpg jpeg gif svg bmp webp tiff tif ico psd mp3 wav flac ogg "
    "opus m4a mp4 avi mkv mov webm bin dat npy npz onnx pt safetensors voice epub mobi ics vcf ttf otf woff"
)
_TOP_LEVELS = frozenset(_TOP_LEVEL.split("|"))
_SPOKEN_DOMAINS = {"com", "org", "net", "gov", "info", "biz", "dev", "app", "tech", "cloud", "shop", "news", "blog"}
_SPOKEN_DOMAINS |= {"online", "site", "museum", "wiki", "co"}
_PARTS = re.compile(r"[^\W_]+|[\W_]")


def _address(text: str, context: Context) -> list[str | SpokenWord]:
    words: list[str | SpokenWord] = []
    after_dot = False
    names = _SIGN_NAMES.get(context.language, _SIGN_NAMES["en"])
    for part in _PARTS.findall(text):
        if part in names:
            words.append(names[part])
        elif after_dot and part.lower() in _SPOKEN_DOMAINS:
            words.append(part.lower())
        elif part.lower() == "www":
            words.extend(SpokenWord("W", letter=True) for _ in range(3))
        elif after_dot and len(part) <= 3 and part.isalpha() and part.lower() in _TOP_LEVELS:
            words.extend(SpokenWord(letter.upper(), letter=True) for letter in part)
        elif part.isalnum():
            words.extend(split_identifier(part, context))
        after_dot = part == "."
    return words


@rule(r"[A-Za-z0-9][\w.+%-]{0,63}@[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?![\w@])", "ld")
def email(match: re.Match[str], context: Context) -> Reading:
    """Read `jane.doe@example.com`: jane dot doe at example dot com."""
    return _address(match.group(), context)


@rule(r"(?:mailto:|(?i:[a-z][a-z0-9+-]{1,9})://)[^\s<>\"']*[^\s<>\"'.,;:!?)\]]", "l")
def link(match: re.Match[str], context: Context) -> Reading:
    """Read an address with its scheme; the scheme itself goes without saying."""
    body = re.sub(r"^(?:mailto:|[\w+-]+://)", "", match.group())
    if body.isupper():
        body = body.lower()
    return _address(body.rstrip("/") or match.group(), context)


@rule(
    rf"(?:www\.(?:[A-Za-z0-9-]+\.)*[A-Za-z]{{2,}}|(?:[A-Za-z0-9][A-Za-z0-9-]*\.)+(?:{_TOP_LEVEL}))(?::\d{{1,5}})?"
    r"(?:/[^\s<>\"']*[^\s<>\"'.,;:!?)\]])?/?(?![\w@]|\.\w)",
    "ld",
)
def host(match: re.Match[str], context: Context) -> Reading | None:
    """Read an address without scheme, such as example.org/path; not the end of one sentence glued to the next."""
    text = match.group()
    domain = text.split("/")[0].rsplit(".", 1)[-1]
    if not text.startswith("www.") and domain != domain.lower():
        return None
    if len(text.split(".")[0]) < 2 and domain not in ("com", "org", "net", "co", "ai"):
        return None
    return _address(text.rstrip("/"), context)


@rule(r"(?P<ip>\d{1,3}(?:\.\d{1,3}){3})(?P<more>:\d{1,5}|/\d{1,2})?(?![\w/]|\.\d)", "d")
def internet_address(match: re.Match[str], context: Context) -> Reading | None:
    """Read 192.168.0.1 digit by digit; four single digits are a version unless they are called an address."""
    parts = match["ip"].split(".")
    if max(map(len, parts)) < 2 and context.previous.lower() not in _ADDRESS_WORDS:
        return None
    if context.previous.lower() in ("version", "ver", "v", "release", "update"):
        return None
    names = _SIGN_NAMES.get(context.language, _SIGN_NAMES["en"])
    words = f" {names['.']} ".join(digits(part, context.language) for part in parts)
    more = match["more"]
    sign = {":": "Port" if context.language == "de" else "port"}.get(more[0], names["/"]) if more else ""
    return [words, *([sign, digits(more[1:], context.language)] if more else [])]


_ADDRESS_WORDS = word_set("ip address dns server host ping to is adresse ist ipv4")


@rule(r"localhost:(?P<port>\d{1,5})(?P<path>(?:/[\w./-]*\w)?)", "l")
def local_host(match: re.Match[str], context: Context) -> Reading:
    """Read localhost:3000."""
    port = "Port" if context.language == "de" else "port"
    path = _address(match["path"], context) if match["path"] else []
    return ["local", "host", port, digits(match["port"], context.language), *path]


@rule(r"(?<![\w.])\.(?P<name>[A-Za-z][\w-]*(?:\.[\w-]+)*)(?![\w(])", "o")
def hidden_file(match: re.Match[str], context: Context) -> Reading | None:
    """Read .gitignore, .env and a .pdf file; not a full stop that stands before its word."""
    name, _, ending = match["name"].partition(".")
    if name not in _HIDDEN and name not in _EXTENSIONS and name not in ("com", "org", "net", "io", "ai"):
        return None
    dotted = _SIGN_NAMES.get(context.language, _SIGN_NAMES["en"])["."]
    if name in _EXTENSIONS and not ending:
        return _path("." + name, context)
    return [
        dotted,
        *split_identifier(_HIDDEN.get(name, name), context),
        *(_path("." + ending, context) if ending else []),
    ]


_HIDDEN = {
    "gitignore": "gitIgnore", "env": "env", "bashrc": "bashRC", "zshrc": "zshRC", "vimrc": "vimRC",
    "profile": "profile",
    "bash_profile": "bashProfile", "ssh": "ssh", "git": "git", "github": "github", "npmrc": "npmRC", "cache": "cache",
    "dockerignore": "dockerIgnore", "venv": "venv", "htaccess": "htAccess", "config": "config", "gitattributes":
    "gitAttributes", "editorconfig": "editorConfig", "local": "local", "eslintrc": "eslintRC",
}  # fmt: skip


@rule(r"(?<=\w)::(?=\w)", "o")
def scope(match: re.Match[str], context: Context) -> Reading:
    """Read the two colons of std::vector."""
    name = _SIGN_NAMES.get(context.language, _SIGN_NAMES["en"])[":"]
    return [f"{name} {name}"]


@rule(r"</?(?P<name>[A-Za-z][A-Za-z-]{2,30})\s?/?>", "o")
def tag(match: re.Match[str], context: Context) -> Reading:
    """Read the tag of a markup that is not read as one by its name."""
    context.warnings.append(f"read the tag {match.group()!r} as {match['name']!r}; markup reads or skips tags")
    return split_identifier(match["name"].replace("-", ""), context)


@rule(r"(?P<a>0|5|10|15|20|25)W-?(?P<b>\d{2})(?!\w|-\w)", "d")
def oil_grade(match: re.Match[str], context: Context) -> Reading:
    """Read 10W-40."""
    return [cardinal(match["a"], context.language), *spell("W"), cardinal(match["b"], context.language)]


@rule(r"@(?P<name>\w[\w.]{0,60}\w|\w)", "o")
def user_name(match: re.Match[str], context: Context) -> Reading | None:
    """Read `@jane_doe`: at jane underscore doe; 4K@60Hz is no name."""
    if re.fullmatch(r"\d+[A-Za-z]{0,4}", match["name"]) and match.start() and match.string[match.start() - 1].isalnum():
        return None
    return ["at", *_address(match["name"], context)]


@rule(
    r"(?<!\w)\#(?P<hex>(?=[0-9]*[A-Fa-f])(?=[A-Fa-f]*[0-9])(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{3}))(?!\w)", "o"
)
def colour(match: re.Match[str], context: Context) -> Reading:
    """Read #FF5733 sign by sign."""
    return [_SIGN_NAMES.get(context.language, _SIGN_NAMES["en"])["#"], *_sign_by_sign(match["hex"], context)]


def _sign_by_sign(text: str, context: Context) -> list[str | SpokenWord]:
    return [
        SpokenWord(sign.upper(), letter=True) if sign.isalpha() else digits(sign, context.language) for sign in text
    ]


@rule(r"[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?(?!\w)", "u")
def account(match: re.Match[str], context: Context) -> Reading | None:
    """Read the number of an account sign by sign, in its groups of four."""
    text = match.group()
    if sum(sign.isdecimal() for sign in text) < 8:
        return None
    return _in_groups(re.findall(r"\w+", text) if re.search(r"\s", text) else re.findall(r"\w{1,4}", text), context)


@rule(r"\d{4}(?P<gap>[\s-])\d{4}(?:(?P=gap)\d{4}){2}(?!\w|[.,-]\d)", "d")
def card(match: re.Match[str], context: Context) -> Reading | None:
    """Read the number of a card digit by digit, in its groups of four; four years are none."""
    if re.fullmatch(r"(?:(?:19|20)\d\d\D?){4}", match.group()):
        return None
    return _in_groups(re.findall(r"\d+", match.group()), context)


def _in_groups(groups: list[str], context: Context) -> list[str | SpokenWord]:
    words: list[str | SpokenWord] = []
    for place, group in enumerate(groups):
        words.extend([*([","] if place else []), *_sign_by_sign(group, context)])
    return words


@rule(r"U\+(?P<hex>[0-9A-F]{4,6})(?!\w)", "u")
def code_point(match: re.Match[str], context: Context) -> Reading:
    """Read U+1F600 sign by sign."""
    return [SpokenWord("U", letter=True), "plus", *_sign_by_sign(match["hex"], context)]


@rule(r"(?<!\w)\#(?P<name>[A-Za-z]\w{0,80})(?![\w\#])", "o")
def topic(match: re.Match[str], context: Context) -> Reading:
    """Read `#TextToSpeech`: hashtag text to speech."""
    return ["Hashtag" if context.language == "de" else "hashtag", *_address(match["name"], context)]


@rule(r"file://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]", "l")
def file_address(match: re.Match[str], context: Context) -> Reading:
    """Read `file:///photos/image.jpg`: the path."""
    return _path(match.group().removeprefix("file://"), context)


@rule(
    r"(?P<path>(?:~|\.{1,2})(?:/[\w.-]+)+/?|(?:/[\w.-]+){2,}/?|(?:[A-Za-z]:\\)[\w.\\-]+|(?:[\w-]+/)+[\w-]+\.[a-z]\w{0,11})(?![\w/\\])",
    "lo",
)
def file_path(match: re.Match[str], context: Context) -> Reading | None:
    """Read `/usr/lib/x` and `src/main.py`."""
    return _path(match["path"].rstrip("."), context)


@rule(r"(?P<name>\w[\w-]*(?:\.\w[\w-]*)+)(?P<call>\(\)|(?=\())?(?!\w|@)", "ld")
def dotted_name(match: re.Match[str], context: Context) -> Reading | None:
    """Read `report.pdf`, `archive.tar.gz` and `os.path.join()`; not the end of a sentence glued to the next."""
    parts = match["name"].split(".")
    last = parts[-1]
    if match["name"].lower() in _PROGRAMMING:
        return None
    if match["name"][0].isdecimal() and not re.search(r"[A-Za-z]", parts[0]) and last.lower() not in _EXTENSIONS:
        return None
    file = (
        last.lower() in _EXTENSIONS and (last.islower() or last.isupper() or not last.isalpha()) and len(parts[0]) > 1
    )
    if len(parts) > 2 and parts[-2] in _EXTENSIONS and last.isdecimal():
        return [
            *_path(".".join(parts[:-1]), context),
            _SIGN_NAMES[context.language]["."],
            cardinal(last, context.language),
        ]
    if any(part.isdecimal() for part in parts) and not file:
        return None
    code = (
        match["call"] is not None
        or "_" in match["name"]
        or (
            all(part[0].islower() for part in (parts if len(parts) < 3 else parts[:-1]))
            and len(parts[0]) > 1
            and (len(parts) > 2 or not all(context.is_word(part) for part in parts))
        )
    )
    if len(last) == 1 and len(parts) < 3 and not match["call"] and not file:
        return None
    return _path(match["name"], context) if file or code else None


def _path(text: str, context: Context) -> list[str | SpokenWord]:
    """Return the words of a path or a dotted name; the ending of a file is spelled unless it is a word."""
    head, dot, ending = text.rpartition(".")
    if not dot or ending.lower() not in _EXTENSIONS:
        return _address(text, context)
    dotted = _SIGN_NAMES.get(context.language, _SIGN_NAMES["en"])["."]
    words = [*(_address(head, context) if head else []), dotted]
    if ending.upper() in _READ_OTHERWISE:
        return [*words, *read_capitals(ending.upper(), context)]
    if len(ending) > 4 or ending.lower() in _WHOLE or (context.is_word(ending.lower()) and len(ending) > 2):
        return [*words, *split_identifier(ending, context)]
    for sign in ending:
        words.append(SpokenWord(sign.upper(), letter=True) if sign.isalpha() else cardinal(sign, context.language))
    return words


WEB_RULES = (
    email, file_address, link, internet_address, local_host, host, file_path, dotted_name, hidden_file, user_name,
    colour, code_point, account, card, topic, scope, tag, oil_grade,
)  # fmt: skip
