"""Web and e-mail addresses, user names and topic tags, said as one says them on the telephone."""

import re

from glowvox.text.normalise.identifiers import split_identifier
from glowvox.text.normalise.scanner import Context, Reading, Spoken, rule

_TOP_LEVEL = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|dev|app|co|me|tv|us|uk|de|fr|it|es|nl|at|ch|eu|ca|au|jp|cn|in|ru|br|se"
    "|no|fi|dk|pl|cz|be|ie|nz|za|xyz|tech|cloud|online|site|blog|shop|news|museum|wiki|fm|gg|ly"
)
_NAMES = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", "?": "question mark", "=": "equals",
    "&": "and",
    "#": "hash", "%": "percent", "+": "plus", "~": "tilde", ":": "colon",
}  # fmt: skip
_TOP_LEVELS = frozenset(_TOP_LEVEL.split("|"))
_SPOKEN_DOMAINS = {"com", "org", "net", "gov", "info", "biz", "dev", "app", "tech", "cloud", "shop", "news", "blog"}
_SPOKEN_DOMAINS |= {"online", "site", "museum", "wiki", "co"}
_PARTS = re.compile(r"[^\W_]+|[\W_]")


def _address(text: str, context: Context) -> list[str | Spoken]:
    words: list[str | Spoken] = []
    after_dot = False
    for part in _PARTS.findall(text):
        if part in _NAMES:
            words.append(_NAMES[part])
        elif after_dot and part.lower() in _SPOKEN_DOMAINS:
            words.append(part.lower())
        elif part.lower() == "www":
            words.extend(Spoken("W", letter=True) for _ in range(3))
        elif after_dot and len(part) <= 3 and part.isalpha() and part.lower() in _TOP_LEVELS:
            words.extend(Spoken(letter.upper(), letter=True) for letter in part)
        elif part.isalnum():
            words.extend(split_identifier(part, context))
        after_dot = part == "."
    return words


@rule(r"[A-Za-z0-9][\w.+%-]{0,63}@[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?![\w@])", "ld")
def email(match: re.Match[str], context: Context) -> Reading:
    """Read `jane.doe@example.com`: jane dot doe at example dot com."""
    return _address(match.group(), context)


@rule(r"(?:mailto:|(?:https?|ftp)://)[^\s<>\"']*[^\s<>\"'.,;:!?)\]]", "l")
def link(match: re.Match[str], context: Context) -> Reading:
    """Read an address with its scheme; the scheme itself goes without saying."""
    body = re.sub(r"^(?:mailto:|\w+://)", "", match.group())
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
    if not text.startswith("www.") and (domain != domain.lower() or len(text.split(".")[0]) < 2):
        return None
    return _address(text.rstrip("/"), context)


@rule(r"@(?P<name>\w[\w.]{0,60}\w|\w)", "o")
def user_name(match: re.Match[str], context: Context) -> Reading:
    """Read `@jane_doe`: at jane underscore doe."""
    return ["at", *_address(match["name"], context)]


@rule(r"\#(?P<name>[A-Za-z]\w{0,80})", "o")
def topic(match: re.Match[str], context: Context) -> Reading:
    """Read `#TextToSpeech`: hashtag text to speech."""
    return ["hashtag", *_address(match["name"], context)]


RULES = (email, link, host, user_name, topic)
