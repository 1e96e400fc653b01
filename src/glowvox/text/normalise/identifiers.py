"""Words with inner structure: CamelCase, letters mixed with digits, versions, file and programming names."""

import re

from glowvox.text.normalise.acronyms import read_capitals, spell
from glowvox.text.normalise.numbers import cardinal, digits, plural
from glowvox.text.normalise.scanner import Context, Reading, Spoken, rule

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
    "pytorch": "pie torch", "py": "pie",
}  # fmt: skip
_VOWEL = re.compile(r"[aeiouyäöüà-ÿ]")
_PROGRAMMING = {"c++": "C plus plus", "c#": "C sharp", "f#": "F sharp", ".net": "dot net", "node.js": "node J S"}


def _as_words(text: str) -> list[str | Spoken]:
    return [Spoken(word, letter=True) if len(word) == 1 and word.isupper() else word for word in text.split()]


def split_identifier(text: str, context: Context) -> list[str | Spoken]:
    """Read an identifier made of letters and digits: gRPC, WaveGlow, mp3, utf8, v2."""
    if text.lower() in _WHOLE:
        return _as_words(_WHOLE[text.lower()])
    words: list[str | Spoken] = []
    for part in _BORDERS.split(text):
        if part == "s" and words and not isinstance(words[-1], Spoken):
            words[-1] = plural(words[-1])
        elif part.isdecimal():
            words.append(cardinal(part) if len(part) <= 4 else digits(part))
        elif len(part) == 1 or (part.isupper() and part.isalpha()):
            words.extend(read_capitals(part.upper(), context) if len(part) > 1 else [Spoken(part.upper(), letter=True)])
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
    words: list[str | Spoken] = ["version"] if match["v"] else []
    words.append(" point ".join(cardinal(part) for part in match["n"].split(".")))
    if match["tail"]:
        for part in re.findall(r"[a-z]+|\d+", match["tail"]):
            words.extend(split_identifier("RC" if part == "rc" else part, context))
    return words


@rule(r"(?P<name>[A-Z]{2,}[A-Za-z]*)-(?P<n>\d{1,4})(?!\w|-\d)", "l")
def numbered_name(match: re.Match[str], context: Context) -> Reading:
    """Read COVID-19, F-16 and the like: the name, then the number."""
    return [*split_identifier(match["name"], context), cardinal(match["n"])]


@rule(r"(?P<a>[A-Z])-(?P<n>\d{1,3})(?!\w)", "l")
def lettered_number(match: re.Match[str], context: Context) -> Reading:
    """Read F-16: a letter, then the number."""
    return [Spoken(match["a"], letter=True), cardinal(match["n"])]


@rule(r"(?=\w*[^\W\d_])(?=\w*\d)[^\W_]+(?:_[^\W_]+)*(?!\w)", "ld")
def mixed(match: re.Match[str], context: Context) -> Reading:
    """Read letters mixed with digits: mp3, A4, B2B, utf8."""
    words: list[str | Spoken] = []
    for number, part in enumerate(match.group().split("_")):
        words.extend([*(["underscore"] if number else []), *split_identifier(part, context)])
    return words


@rule(r"[^\W\d_]+(?:_[^\W_]+)+(?!\w)", "l")
def snake_case(match: re.Match[str], context: Context) -> Reading:
    """Read snake_case: the parts with the underscore between them."""
    words: list[str | Spoken] = []
    for number, part in enumerate(match.group().split("_")):
        words.extend([*(["underscore"] if number else []), *split_identifier(part, context)])
    return words


@rule(r"(?=[^\W\d_]*[a-zß-öø-ÿ][A-ZÀ-ÖØ-Þ]|[A-Z]{2,}[a-z]{2})[^\W\d_]+(?!\w)", "l")
def camel_case(match: re.Match[str], context: Context) -> Reading | None:
    """Read WaveGlow, gRPC, OpenAI: the parts; a name in the lexicon (McDonald) stays whole."""
    name = match.group()
    if re.match(r"Ma?c[A-Z][a-z]+$|O[A-Z][a-z]+$|D[eiu][A-Z][a-z]+$|La[A-Z][a-z]+$", name) or (
        context.is_word(name.lower()) and not name[0].islower()
    ):
        return [name]
    if re.fullmatch(r"[A-Z]{2,}s", name):
        return None
    return split_identifier(name, context)


EARLY_RULES = (programming_name, version, numbered_name, lettered_number)
RULES = (snake_case, mixed, camel_case)
