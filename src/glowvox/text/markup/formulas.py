"""LaTeX formulas as words: fractions, roots, powers, indices, sums, Greek letters; what is not simple is not read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from glowvox.text.normalise.numbers import number
from glowvox.text.normalise.scanner import word_set

_TOKEN = re.compile(
    r"\\(?:text(?:bf|it|rm)?|math(?:rm|it|bf|cal|bb|sf)|operatorname|mbox|bm|boldsymbol)\s*\{[^{}]*\}|\\[a-zA-Z]+\*?|\\.|\d+(?:[.]\d+|\{,\}\d+)*|\S",
    re.DOTALL,
)
_MOST_TOKENS = 120
_DEEPEST = 6

_GREEK = word_set(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega"
)
_FUNCTIONS = {
    "sin": ("sine", "Sinus"),
    "cos": ("cosine", "Cosinus"),
    "tan": ("tangent", "Tangens"),
    "cot": ("cotangent", "Cotangens"),
    "log": ("log", "Logarithmus"),
    "ln": ("natural log", "natürlicher Logarithmus"),
    "exp": ("exp", "exp"),
    "max": ("maximum", "Maximum"),
    "min": ("minimum", "Minimum"),
    "det": ("determinant", "Determinante"),
    "arcsin": ("arc sine", "Arkussinus"),
    "arccos": ("arc cosine", "Arkuscosinus"),
    "arctan": ("arc tangent", "Arkustangens"),
    "gcd": ("greatest common divisor", "größter gemeinsamer Teiler"),
    "sinh": ("hyperbolic sine", "Sinus hyperbolicus"),
    "cosh": ("hyperbolic cosine", "Cosinus hyperbolicus"),
    "tanh": ("hyperbolic tangent", "Tangens hyperbolicus"),
    "argmax": ("arg max", "arg max"),
    "argmin": ("arg min", "arg min"),
}
_SIGNS = {
    "+": ("plus", "plus"),
    "-": ("minus", "minus"),
    "−": ("minus", "minus"),
    "*": ("times", "mal"),
    "/": ("over", "durch"),
    "=": ("equals", "gleich"),
    "<": ("is less than", "ist kleiner als"),
    ">": ("is greater than", "ist größer als"),
    "!": ("factorial", "Fakultät"),
    "\\times": ("times", "mal"),
    "\\cdot": ("times", "mal"),
    "\\div": ("divided by", "geteilt durch"),
    "\\pm": ("plus or minus", "plus minus"),
    "\\mp": ("minus or plus", "minus plus"),
    "\\leq": ("is at most", "ist höchstens"),
    "\\le": ("is at most", "ist höchstens"),
    "\\geq": ("is at least", "ist mindestens"),
    "\\ge": ("is at least", "ist mindestens"),
    "\\neq": ("is not equal to", "ist ungleich"),
    "\\ne": ("is not equal to", "ist ungleich"),
    "\\lt": ("is less than", "ist kleiner als"),
    "\\gt": ("is greater than", "ist größer als"),
    "\\ll": ("is much less than", "ist viel kleiner als"),
    "\\gg": ("is much greater than", "ist viel größer als"),
    "\\approx": ("is approximately", "ist ungefähr"),
    "\\sim": ("is distributed as", "ist verteilt wie"),
    "\\simeq": ("is approximately", "ist ungefähr"),
    "\\equiv": ("is equivalent to", "ist äquivalent zu"),
    "\\propto": ("is proportional to", "ist proportional zu"),
    "\\infty": ("infinity", "unendlich"),
    "\\to": ("to", "gegen"),
    "\\rightarrow": ("to", "nach"),
    "\\longrightarrow": ("to", "nach"),
    "\\leftarrow": ("from", "von"),
    "\\mapsto": ("maps to", "wird abgebildet auf"),
    "\\Rightarrow": ("implies", "daraus folgt"),
    "\\implies": ("implies", "daraus folgt"),
    "\\Leftrightarrow": ("if and only if", "genau dann, wenn"),
    "\\iff": ("if and only if", "genau dann, wenn"),
    "\\in": ("in", "Element von"),
    "\\notin": ("not in", "nicht Element von"),
    "\\subset": ("is a subset of", "ist Teilmenge von"),
    "\\subseteq": ("is a subset of", "ist Teilmenge von"),
    "\\cup": ("union", "vereinigt mit"),
    "\\cap": ("intersection", "geschnitten mit"),
    "\\setminus": ("without", "ohne"),
    "\\emptyset": ("the empty set", "die leere Menge"),
    "\\forall": ("for all", "für alle"),
    "\\exists": ("there is", "es gibt"),
    "\\land": ("and", "und"),
    "\\wedge": ("and", "und"),
    "\\lor": ("or", "oder"),
    "\\vee": ("or", "oder"),
    "\\neg": ("not", "nicht"),
    "\\lnot": ("not", "nicht"),
    "\\partial": ("partial", "partiell"),
    "\\nabla": ("nabla", "Nabla"),
    "\\%": ("percent", "Prozent"),
    "%": ("percent", "Prozent"),
    "\\ldots": ("and so on", "und so weiter"),
    "\\dots": ("and so on", "und so weiter"),
    "\\cdots": ("and so on", "und so weiter"),
    "\\degree": ("degrees", "Grad"),
    "\\circ": ("composed with", "verkettet mit"),
    "|": ("bar", "Strich"),
    "\\mid": ("given", "gegeben"),
    "\\$": ("dollars", "Dollar"),
    "'": ("prime", "Strich"),
    "\\prime": ("prime", "Strich"),
    "\\hbar": ("h bar", "h quer"),
    "\\ell": ("L", "L"),
    ":": ("to", "zu"),
    "\\angle": ("angle", "Winkel"),
    "\\perp": ("is perpendicular to", "steht senkrecht auf"),
    "\\parallel": ("is parallel to", "ist parallel zu"),
    "\\triangle": ("triangle", "Dreieck"),
    "\\therefore": ("therefore", "also"),
    "\\oplus": ("plus", "plus"),
    "\\otimes": ("times", "mal"),
    "\\ast": ("times", "mal"),
    "\\star": ("star", "Stern"),
    "\\mathbb{R}": ("the real numbers", "die reellen Zahlen"),
    "\\mathbb{N}": ("the natural numbers", "die natürlichen Zahlen"),
    "\\mathbb{Z}": ("the integers", "die ganzen Zahlen"),
    "\\mathbb{Q}": ("the rational numbers", "die rationalen Zahlen"),
    "\\mathbb{C}": ("the complex numbers", "die komplexen Zahlen"),
}
_PHRASES = {
    "over": ("over", "durch"),
    "squared": ("squared", "Quadrat"),
    "cubed": ("cubed", "hoch drei"),
    "power": ("to the power of", "hoch"),
    "sub": ("sub", "Index"),
    "sqrt": ("square root of", "Wurzel aus"),
    "cbrt": ("cube root of", "Kubikwurzel aus"),
    "root": ("root of", "Wurzel aus"),
    "order": ("order", "Grad"),
    "sum": ("sum", "Summe"),
    "prod": ("product", "Produkt"),
    "int": ("integral", "Integral"),
    "lim": ("limit", "Grenzwert"),
    "from": ("from", "von"),
    "upto": ("to", "bis"),
    "of": ("of", "von"),
    "as": ("as", "für"),
    "binom": ("choose", "über"),
    "open": ("open parenthesis", "Klammer auf"),
    "close": ("close parenthesis", "Klammer zu"),
    "opensquare": ("open bracket", "eckige Klammer auf"),
    "closesquare": ("close bracket", "eckige Klammer zu"),
    "openbrace": ("open brace", "geschweifte Klammer auf"),
    "closebrace": ("close brace", "geschweifte Klammer zu"),
    "degrees": ("degrees", "Grad"),
    "inverse": ("to the power of minus", "hoch minus"),
    "hat": ("hat", "Dach"),
    "bar": ("bar", "quer"),
    "vec": ("vector", "Vektor"),
    "dot": ("dot", "Punkt"),
    "tilde": ("tilde", "Schlange"),
    "star": ("star", "Stern"),
    "capital": ("capital", "großes"),
}
_BRACKETS = {"(": "open", ")": "close", "[": "opensquare", "]": "closesquare", "\\{": "openbrace", "\\}": "closebrace"}
_SPACES = frozenset(("\\,", "\\;", "\\:", "\\!", "\\ ", "~", "\\quad", "\\qquad", "\\left", "\\right", "\\displaystyle",
    "\\big", "\\Big", "\\bigl", "\\bigr", "\\limits", "\\nolimits", "\\textstyle", "."))  # fmt: skip
_TEXTS = frozenset(("\\boxed", "\\mathbf", "\\boldsymbol", "\\mathcal", "\\bm"))
_FRACTIONS = frozenset(("\\frac", "\\dfrac", "\\tfrac", "\\cfrac"))
_ACCENTS = {"\\hat": "hat", "\\widehat": "hat", "\\bar": "bar", "\\overline": "bar", "\\dot": "dot", "\\tilde": "tilde"}
_BIG = {"\\sum": "sum", "\\prod": "prod", "\\int": "int", "\\lim": "lim"}


def speak_formula(source: str, language: str = "en") -> str | None:
    """Return the words of a formula in LaTeX; None: it is not one that can be read out simply.

    Args:
        source: what stands between the signs that mark it.
        language: language without region.
    """
    tokens = _TOKEN.findall(source)
    if not tokens or len(tokens) > _MOST_TOKENS:
        return None
    reader = _Formula(tokens, 1 if language == "de" else 0, language if language in ("en", "de") else "en")
    try:
        words = reader.row("")
    except _NotSimple:
        return None
    return " ".join(words).replace(" ,", ",").replace(",,", ",").strip(" ,") or None


class _NotSimple(Exception):  # noqa: N818
    """The formula holds what is not read."""


@dataclass
class _Formula:
    """Reads the tokens of a formula from left to right."""

    tokens: list[str]
    which: int
    """Column of the words' language."""
    language: str
    place: int = 0
    depth: int = 0

    def row(self, end: str) -> list[str]:
        """Read up to a closing sign."""
        words: list[str] = []
        while self.place < len(self.tokens):
            if self.tokens[self.place] == end:
                self.place += 1
                return words
            words += self._with_scripts()
        if end:
            raise _NotSimple
        return words

    def _say(self, table: Mapping[str, tuple[str, str]], key: str) -> str:
        return table[key][self.which]

    def _peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def _argument(self) -> list[str]:
        """Read one token or a group in braces."""
        self.depth += 1
        if self.depth > _DEEPEST or not self._peek():
            raise _NotSimple
        while self._peek() in _SPACES:
            self.place += 1
        if self._peek() == "{":
            self.place += 1
            words = self.row("}")
        else:
            words = self._atom()
        self.depth -= 1
        return words

    def _with_scripts(self) -> list[str]:
        first = self._peek()
        if first in _BIG:
            return self._big(_BIG[first])
        words = self._atom()
        below: list[str] = []
        above: list[str] = []
        while self._peek() in ("^", "_"):
            sign = self._peek()
            self.place += 1
            read = self._argument()
            if sign == "^":
                above = self._power(read)
            else:
                below = [self._say(_PHRASES, "sub"), *read]
        return words + below + above

    def _power(self, read: list[str]) -> list[str]:
        text = " ".join(read)
        if text == "2":
            return [self._say(_PHRASES, "squared")]
        if text == "3":
            return [self._say(_PHRASES, "cubed")]
        if text == self._say(_SIGNS, "\\circ"):
            return [self._say(_PHRASES, "degrees")]
        if text in (self._say(_SIGNS, "'"), self._say(_SIGNS, "*")):
            return [text if text == self._say(_SIGNS, "'") else self._say(_PHRASES, "star")]
        return [self._say(_PHRASES, "power"), *read, *([","] if len(read) > 2 else [])]

    def _big(self, kind: str) -> list[str]:
        self.place += 1
        below: list[str] = []
        above: list[str] = []
        while self._peek() in ("^", "_", "\\limits"):
            sign = self._peek()
            self.place += 1
            if sign == "_":
                below = self._argument()
            elif sign == "^":
                above = self._argument()
        words = [self._say(_PHRASES, kind)]
        if below:
            ranged = bool(above) or "=" in below
            joint = "as" if kind == "lim" else "from" if ranged else "of"
            words += [self._say(_PHRASES, "of" if joint == "of" else joint), *below]
        if above:
            words += [self._say(_PHRASES, "upto"), *above]
        if self.place < len(self.tokens):
            words += [","] if joint_is_of(kind, below, above) else [self._say(_PHRASES, "of")]
        return words

    def _atom(self) -> list[str]:
        token = self._peek()
        self.place += 1
        if token in _SPACES:
            return []
        if token == "{":
            return self.row("}")
        if token[0].isdecimal():
            return [self._number(token.replace("{,}", "."))]
        if token in ("(", "["):
            return self._bracket(token)
        if token in _BRACKETS:
            return [self._say(_PHRASES, _BRACKETS[token])]
        if token in _SIGNS:
            return [self._say(_SIGNS, token)]
        if token in (",", ";"):
            return [","]
        if token in _FRACTIONS:
            return self._fraction()
        if token == "\\sqrt":
            return self._root()
        if token in ("\\binom", "\\dbinom", "\\tbinom"):
            return [*self._argument(), self._say(_PHRASES, "binom"), *self._argument()]
        if token in _TEXTS:
            return self._argument()
        if token.startswith("\\") and token.endswith("}") and len(token) > 2:
            body = token[token.index("{") + 1 : -1].strip()
            return [body.upper() if len(body) == 1 and body.isascii() else body] if body else []
        if token in _ACCENTS:
            return [*self._argument(), self._say(_PHRASES, _ACCENTS[token])]
        if token in ("\\vec", "\\overrightarrow"):
            return [self._say(_PHRASES, "vec"), *self._argument()]
        name = token[1:].removeprefix("var") if token.startswith("\\") else ""
        if name.lower() in _GREEK:
            return [self._say(_PHRASES, "capital"), name.lower()] if name[0].isupper() else [name]
        if name in _FUNCTIONS:
            return [self._say(_FUNCTIONS, name)]
        if len(token) == 1 and token.isalpha():
            return [token.upper() if token.isascii() else token]
        raise _NotSimple

    def _number(self, digits: str) -> str:
        following = self._peek()
        if len(following) == 1 and following.isalpha():
            # 2m is no length here: the number is written out, so that what follows is a letter.
            return number(digits, "en") if self.language == "en" else number(digits.replace(".", ","), "de")
        return digits.replace(".", ",") if self.language == "de" else digits

    def _bracket(self, token: str) -> list[str]:
        close = ")" if token == "(" else "]"
        before = self.tokens[self.place - 2] if self.place >= 2 else ""
        names = before in (*"fghPEFGTOuvyp", "\\log", "\\sin", "\\cos", "\\exp", "\\ln")
        inner = self.tokens[self.place : self.place + 2]
        if names and len(inner) == 2 and inner[1] == close and inner[0] not in _BRACKETS:
            words = self._atom()
            self.place += 1
            return [self._say(_PHRASES, "of"), *words]
        return [self._say(_PHRASES, _BRACKETS[token])]

    def _fraction(self) -> list[str]:
        above, below = self._argument(), self._argument()
        if len(above) == len(below) == 1 and all(re.fullmatch(r"\d{1,2}", one[0]) for one in (above, below)):
            return [f"{above[0]}/{below[0]}"]
        long = len(above) > 2 or len(below) > 2
        pause = [","] if long else []
        return [*above, *pause, self._say(_PHRASES, "over"), *below, *pause]

    def _root(self) -> list[str]:
        order = ""
        if self._peek() == "[":
            self.place += 1
            order = " ".join(self.row("]"))
        inner = self._argument()
        if order == "3":
            lead = [self._say(_PHRASES, "cbrt")]
        elif order and order != "2":
            lead = [self._say(_PHRASES, "root"), self._say(_PHRASES, "order"), order, self._say(_PHRASES, "of")]
        else:
            lead = [self._say(_PHRASES, "sqrt")]
        return [*lead, *inner, *([","] if len(inner) > 1 else [])]


def joint_is_of(kind: str, below: list[str], above: list[str]) -> bool:
    """Return whether `of` was said already, so that a pause parts what follows."""
    return kind != "lim" and bool(below) and not above
