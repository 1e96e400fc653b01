"""English texts as sherpa-onnx shall read them: what its lexicon cannot do, as a transducer over bytes.

sherpa-onnx cuts at hyphens, colons, semicolons and every full stop, and looks up what lies between. Here quotation
marks go, hyphens become spaces, full stops of abbreviations and initials go, numbers, money and times become words that
the lexicon has. Of all ways to read a text that one counts which covers most of it by rules (`rewrite_fst.READ`).
"""

from collections.abc import Iterable

from glowvox.export.rewrite_fst import COPIED, EPSILON, READ, RewriteFst, Step, either_case, exactly, small
from glowvox.export.sherpa_words import LETTER_A
from glowvox.text.normalise.abbreviations import ABBREVIATIONS, ORDINARY_WORDS
from glowvox.text.normalise.dates import MONTHS, SHORT_MONTHS

SEMICOLON, COLON, DASH = "；", "：", "—"
"""Entries of the lexicon that are pauses: at a semicolon or a colon sherpa-onnx would end the sentence."""
INITIALS_OF_CONSONANTS = 5
"""The longest word of capitals without a vowel that is spelled."""

_UPPER = bytes(range(65, 91))
_LOWER = bytes(range(97, 123))
_DIGITS = b"0123456789"
_OTHER = bytes(range(128, 256))
_WORD = _UPPER + _LOWER + _DIGITS + _OTHER + b"'"
_APOSTROPHES = ("'", "’", "‘")
_CONTRACTIONS = ("tis", "twas", "twere", "twill", "em", "til", "bout", "cause", "round", "neath")
_SILENT = ('"', "“", "”", "„", "«", "»", "[", "]", "{", "}", "*", "_", "~", "|", "<", ">", "\\", "`")
_NAMED = {"&": "and", "+": "plus", "=": "equals", "@": "at", "°": "degrees", "%": "percent", "§": "section"}
_MONEY = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny")}
_PLURALS = {"dollar": "dollars", "euro": "euros", "pound": "pounds", "cent": "cents", "penny": "pence"}
_UNITS = {
    "km": "kilometers", "cm": "centimeters", "mm": "millimeters", "kg": "kilograms", "lbs": "pounds", "lb": "pounds",
    "ft": "feet", "oz": "ounces", "mph": "miles per hour", "hrs": "hours", "mins": "minutes", "mi": "miles",
}  # fmt: skip
_ROMAN = ("ii", "iii", "iv", "vi", "vii", "viii", "ix", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii", "xviii", "xix")
_ROMAN_VALUES = (2, 3, 4, 6, 7, 8, 9, *range(11, 20))
_ZERO: list[Step] = [(b"0", None)]
_LARGE = ("thousand", "million", "billion")
_MAY_END_A_SENTENCE = ("etc",)
_WORDS_LIKE_MONTHS = ("may", "mar", "jun", "jul")
_PREFERRED, _SLIGHTLY = -1.0, -0.1
_REPLACED = {"e.g.": "for example", "i.e.": "that is"}


def rules_fst() -> RewriteFst:
    """Return the transducer; it writes small letters."""
    return _Rules().fst


class _Rules:
    """The states that the rules share, and the rules."""

    def __init__(self) -> None:
        self.fst = fst = RewriteFst()
        self.start = 0
        """Where a word may begin."""
        self.letters = fst.state(final=True)
        """Inside a word, behind a letter."""
        self.digits = fst.state(final=True)
        """Inside a word, behind a digit."""
        self.ended = fst.state(final=True)
        """Behind a word that a rule has read whole."""
        self.number = fst.state(final=True)
        """Behind a number that a rule has read."""
        self.last = fst.state(final=True)
        """Nothing but spaces may follow."""
        fst.finals[self.start] = 0.0
        self._restricted: list[tuple[int, frozenset[int]]] = []
        marks = fst.state()
        for byte in b",;:?!":
            fst.arc(marks, byte, byte, self.start, COPIED)
        more, lower = self._before(_WORD), self._before(_LOWER + _DIGITS)
        self.goes_on, self.goes_on_surely = fst.state(), fst.state()
        """Behind a full stop that is left out, because more of the sentence follows: any word, or a small letter."""
        for state, words in ((self.goes_on, more), (self.goes_on_surely, lower)):
            fst.arc(state, EPSILON, EPSILON, marks)
            for space in b" \n":
                fst.arc(state, space, space, words, READ)
        self._copies()
        self._marks()
        self._apostrophes()
        self._numbers()
        self._money()
        self._times()
        self._dates()
        self._words_of_capitals()
        self._words_with_stops()
        for byte in b" \n\t":
            fst.arc(self.last, byte, byte, self.last, COPIED)
        for state, reads in self._restricted:
            fst.arcs[state] = [arc for arc in fst.arcs[self.start] if arc[0] in reads]

    def _text(self, source: int, text: str, written: str, target: int, *, exact: bool = False, less: float = 0) -> None:
        """Add a rule that reads a text and writes another."""
        between = self.fst.path(source, exactly(text) if exact else either_case(text), None, less)
        self.fst.write(between, written.encode(), target)

    def _before(self, reads: Iterable[int]) -> int:
        """Return a state at which a word may begin, if it begins with one of some bytes."""
        state = self.fst.state()
        self._restricted.append((state, frozenset(reads)))
        return state

    def _copies(self) -> None:
        fst = self.fst
        for byte in range(1, 256):
            is_digit = byte in _DIGITS
            for source in (self.start, self.letters, self.digits):
                target = self.digits if is_digit else self.letters if byte in _WORD else self.start
                if (source, target) in ((self.letters, self.digits), (self.digits, self.letters)) and byte < 128:
                    spaced = fst.state()
                    fst.arc(source, EPSILON, ord(" "), spaced, COPIED)
                    fst.arc(spaced, byte, small(byte), target)
                else:
                    fst.arc(source, byte, small(byte), target, COPIED)
            if byte not in _WORD:
                fst.arc(self.ended, byte, byte, self.start, COPIED)
                fst.arc(self.number, byte, byte, self.start, COPIED)
        for ending in ("st", "nd", "rd", "th", "s"):
            fst.path(self.digits, [(_either(byte), bytes([byte])) for byte in ending.encode()], self.ended)

    def _marks(self) -> None:
        """Add quotation marks, brackets, dashes, hyphens, semicolons, signs."""
        states = (self.start, self.letters, self.digits, self.ended, self.number)
        before_mark = self.fst.state(final=True)
        for byte in b",.?!;:":
            self.fst.arc(before_mark, byte, byte, self.start, COPIED)
        for state in states:
            for mark in _SILENT:
                self._text(state, mark, " ", self.start)
            for mark in ("—", "–", "―", "--", "---"):
                self._text(state, mark, f" {DASH} ", self.start)
            for name, word in _NAMED.items():
                self._text(state, name, f" {word} ", self.start)
            self._text(state, "(", " , ", self.start)
            self._text(state, ") ", " , ", self._before(_WORD))
            self._text(state, ")", "", before_mark)
            self._text(state, ";", f" {SEMICOLON} ", self.start)
            self._text(state, ":", f" {COLON} ", self.start)
            self._text(state, "…", ".", self.start)
            self._text(state, "...", ".", self.start)
            self._text(state, "/", " ", self.start)
        for state in states[1:]:
            self._text(state, "-", " ", self.start)
        self._text(self.start, "- ", f"{DASH} ", self.start)
        numbers = self._range()
        for dash in ("-", "–"):
            for state in (self.digits, self.number):
                self._text(state, dash, " to ", numbers, less=_PREFERRED)

    def _range(self) -> int:
        """Return the state between the two numbers of a range."""
        fst, behind = self.fst, self.fst.state(final=True)
        between = place = fst.state()
        for _ in range(4):
            following = fst.state()
            for byte in _DIGITS:
                fst.arc(place, byte, byte, following, READ)
            fst.arc(following, EPSILON, EPSILON, behind)
            place = following
        for byte in range(1, 128):
            if byte not in _WORD and byte != ord("-"):
                fst.arc(behind, byte, byte, self.start, COPIED)
        return between

    def _apostrophes(self) -> None:
        """Make apostrophes straight; those around words go, for `boys'` is said as `boys`."""
        for mark in _APOSTROPHES:
            self._text(self.letters, mark, "'", self.letters, less=0.6)
            self._text(self.digits, mark + "s", "s", self.ended)
            for state in (self.letters, self.digits):
                self._text(state, mark, "", self.ended)
            self._text(self.ended, mark, "", self.ended)
            self._text(self.start, mark, "", self.start)
            for word in _CONTRACTIONS:
                self._text(self.start, mark + word, f"'{word}", self.ended, less=_PREFERRED)

    def _numbers(self) -> None:
        """Add numbers with commas and long ones, decimals, ordinals, signs and units."""
        fst, start = self.fst, self.start
        whole = fst.state()
        fst.arc(whole, EPSILON, EPSILON, self.number)
        for groups in range(1, len(_LARGE) + 1):
            for first in _figures(3):
                self._large(fst.path(start, first), ",", groups, whole)
                if groups > 1 or len(first) > 1:
                    self._large(fst.path(start, first), "", groups, whole)
        # to 2099 the lexicon has four figures, as years are said
        self._large(fst.path(start, [(b"3456789", None)]), "", 1, whole)
        fst.write(fst.path(start, [(b"2", None)]), b" thousand", thousand := fst.state())
        self._hundreds(thousand, whole, b"123456789")
        for source in [fst.path(start, first) for first in [*_figures(4), _ZERO]] + [whole]:
            fst.arc(self._decimals(source), EPSILON, EPSILON, self.number)
        for hundred in _DIGITS[1:]:
            source = fst.path(start, [({hundred}, None)])
            said = fst.state()
            fst.write(source, b" hundred ", said)
            for ending, ten, figures in _ordinal_figures():
                place = fst.path(said, [({ord(ten)}, None if ten != "0" else b"")])
                place = fst.path(place, [(figures, None)])
                fst.path(place, [(_either(byte), bytes([byte])) for byte in ending.encode()], self.ended)
        for state in (self.digits, self.number):
            for space in ("", " "):
                for unit, words in _UNITS.items():
                    self._text(state, space + unit, f" {words}", self.ended, less=_PREFERRED)
                    self._text(state, f"{space}{unit}.", f" {words}", self.goes_on_surely, less=_PREFERRED)
                for half in "ap":
                    spelled = f" {_letter(half)} m"
                    self._text(state, f"{space}{half}m", spelled, self.ended)
                    self._text(state, f"{space}{half}.m.", spelled, self.ended)
        for mark in ("#", "no. ", "nos. "):
            self._text(start, mark, "number " if mark[-2:] != "s." else "numbers ", self._before(_DIGITS))
        for mark, word in (("p. ", "page "), ("pp. ", "pages ")):
            self._text(start, mark, word, self._before(_DIGITS))

    def _decimals(self, source: int) -> int:
        """Read a point and figures, one by one; return the state behind them."""
        fst = self.fst
        figure, spaced = fst.state(), fst.path(source, [(b".", b" point ")])
        for byte in _DIGITS:
            fst.arc(spaced, byte, byte, figure, READ)
        fst.arc(figure, EPSILON, ord(" "), more := fst.state())
        for byte in _DIGITS:
            fst.arc(more, byte, byte, figure, READ)
        return figure

    def _hundreds(self, source: int, target: int, first: bytes) -> None:
        """Read three figures as a number without zeros before it; `first` are the figures it may begin with."""
        fst = self.fst
        spaced = fst.state()
        fst.arc(source, EPSILON, ord(" "), spaced)
        fst.path(spaced, [(set(first) - {48}, None), (_DIGITS, None), (_DIGITS, None)], target)
        if 48 in first:
            fst.path(spaced, [(b"0", b""), (b"123456789", None), (_DIGITS, None)], target)
            fst.path(spaced, [(b"0", b""), (b"0", b""), (b"123456789", None)], target)

    def _large(self, source: int, comma: str, groups: int, target: int) -> None:
        """Read groups of three figures, and write the name of each group behind it; one of zeros is passed over."""
        fst = self.fst
        zeros: int | None = None
        for left in range(groups, 0, -1):
            said, passed = (target, target) if left == 1 else (fst.state(), fst.state())
            fst.write(source, f" {_LARGE[left - 1]}".encode(), named := fst.state())
            for state in (named, *([] if zeros is None else [zeros])):
                behind = fst.path(state, [(comma.encode(), b"")]) if comma else state
                self._hundreds(behind, said, _DIGITS)
                fst.path(behind, [(b"0", b"")] * 3, passed)
            source, zeros = said, passed

    def _money(self) -> None:
        """Add sums with a sign before them."""
        fst = self.fst
        for sign, (one, part) in _MONEY.items():
            read = fst.path(self.start, exactly(sign))
            several = _PLURALS[one]
            amounts = [(fst.path(read, figures), several) for figures in [*_figures(4), _ZERO]]
            single = fst.path(read, [(b"1", None)], None, _PREFERRED)
            whole = fst.state()
            for groups in range(1, len(_LARGE) + 1):
                for figures in _figures(3):
                    self._large(fst.path(read, figures), ",", groups, whole)
            for amount, name in [*amounts, (whole, several), (single, one)]:
                fst.write(amount, f" {name}".encode(), self.ended)
                point = fst.path(amount, [(b".", f" {name}".encode())])
                fst.path(point, [(b"0", b"")] * 2, self.ended)
                fst.write(point, b" and ", said := fst.state())
                for cents in ([(b"123456789", None), (_DIGITS, None)], [(b"0", b""), (b"123456789", None)]):
                    fst.write(fst.path(said, cents), f" {_PLURALS[part]}".encode(), self.ended)
            for amount, _ in amounts:
                for source in (amount, self._decimals(amount)):
                    for large in (*_LARGE, "trillion"):
                        self._text(source, f" {large}", f" {large} {several}", self.ended)

    def _times(self) -> None:
        """Add times of the day, as 3:05 and 15:30."""
        fst = self.fst
        for figures in ([(_DIGITS, None)], [(b"12", None), (_DIGITS, None)]):
            hour = fst.path(self.start, figures)
            colon = fst.path(hour, [(b":", b" ")], None, _PREFERRED)
            fst.path(colon, [(b"12345", None), (_DIGITS, None)], self.number)
            fst.path(colon, [(b"0", b"oh "), (b"123456789", None)], self.number)
            full = fst.path(colon, [(b"0", b""), (b"0", b"")])
            fst.write(full, b"o'clock", self.ended)
            for half in "ap":
                for spelled in (f" {half}.m.", f"{half}m", f" {half}m"):
                    self._text(full, spelled, f" {_letter(half)} m", self.ended)

    def _dates(self) -> None:
        """Add the days of months: *May 5* is said as *May 5th*, *5 May* as *the 5th of May*."""
        fst = self.fst
        before, behind = fst.state(), fst.state()
        for name in MONTHS:
            written = name.lower().encode()
            short = [key for key, full in SHORT_MONTHS.items() if full == name]
            for spelled in {name, *(f"{key.capitalize()}{stop}" for key in short for stop in (".", ""))}:
                read = fst.path(self.start, exactly(spelled))
                fst.write(read, written, said := fst.state())
                fst.arc(said, ord(" "), ord(" "), before, READ)
            read = fst.path(behind, [(b" ", b" of "), *exactly(name)])
            fst.write(read, written, self.ended)
        for number in range(1, 32):
            said_day = ordinal_figures(number)
            self._text(before, str(number), said_day, self.ended, less=_PREFERRED)
            self._text(self.start, str(number), f"the {said_day}", behind, less=_PREFERRED)

    def _words_of_capitals(self) -> None:
        """Spell capitals without a vowel; read Roman numbers."""
        place = self.start
        consonants = bytes(byte for byte in _UPPER if byte not in b"AEIOUY")
        spelled = self.fst.state()
        for length in range(1, INITIALS_OF_CONSONANTS + 1):
            following = self.fst.state()
            for byte in consonants:
                spaced = self.fst.state()
                self.fst.arc(place, byte, small(byte), spaced, READ)
                self.fst.arc(spaced, EPSILON, ord(" "), following)
            if length > 1:
                self.fst.arc(following, EPSILON, EPSILON, spelled)
            place = following
        self.fst.arc(spelled, EPSILON, EPSILON, self.ended)
        for mark in _APOSTROPHES[:2]:
            self._text(spelled, mark + "s", "s", self.ended)
        for numeral, value in zip(_ROMAN, _ROMAN_VALUES, strict=True):
            self._text(self.start, numeral.upper(), str(value), self.ended, exact=True)
        for short in ("mr", "mrs", "ms", "dr", "prof", "jr", "sr", "vs", "etc", "ltd", "inc"):
            self._text(self.start, short, ABBREVIATIONS[short], self.ended, less=_SLIGHTLY)

    def _words_with_stops(self) -> None:
        """Take the full stops from abbreviations and initials, where more of the sentence follows."""
        fst, start = self.fst, self.start
        capitals = self._before(_UPPER)
        # letters with stops: one before a name, or several
        initial, first, other = fst.state(), fst.state(), fst.state()
        stopped, several = fst.path(first, [(b".", b"")]), fst.path(other, [(b".", b"")])
        for letter in _UPPER + _LOWER:
            said = _letter(chr(small(letter))).encode()
            for source, written, target in ((start, said, first), (stopped, b" " + said, other)):
                read = fst.path(source, [({letter}, written)])
                fst.arc(read, EPSILON, EPSILON, target)
            if letter in _UPPER and letter != ord("I"):
                fst.path(start, [({letter}, said), (b".", b"")], initial)
        fst.arc(several, EPSILON, EPSILON, stopped)
        fst.arc(several, EPSILON, EPSILON, self.goes_on)
        fst.path(other, [(b".", b".")], self.last)
        for space in b" \n":
            fst.arc(initial, space, space, capitals, READ)
        dotted = {
            short: word for short, word in ABBREVIATIONS.items() if short not in ORDINARY_WORDS and len(short) > 1
        }
        dotted |= {short: month for short, month in SHORT_MONTHS.items() if short not in _WORDS_LIKE_MONTHS}
        for short, word in dotted.items():
            read = fst.path(start, either_case(short))
            fst.write(read, word.lower().encode(), said_word := fst.state())
            fst.path(said_word, [(b".", b"")], self.goes_on_surely if short in _MAY_END_A_SENTENCE else self.goes_on)
            fst.path(said_word, [(b".", b".")], self.last)
        for short, words in _REPLACED.items():
            self._text(start, short, words, self.ended, less=_PREFERRED)
        saint = fst.path(start, [(b"Ss", b""), (b"t", b""), (b".", b"saint")])
        for space in b" \n":
            fst.arc(saint, space, space, capitals, READ)


def _figures(most: int) -> list[list[Step]]:
    """Return the ways to read a number of at most so many figures."""
    return [[(b"123456789", None), *[(_DIGITS, None)] * more] for more in range(most)]


def _ordinal_figures() -> list[tuple[str, str, bytes]]:
    """Return ending, ten and ones of the ordinals from 1 to 99."""
    found = []
    for ten in "0123456789":
        for ending, figures in (("st", b"1"), ("nd", b"2"), ("rd", b"3"), ("th", b"456789")):
            if ten != "1":
                found.append((ending, ten, figures))
        found.append(("th", ten, _DIGITS if ten == "1" else b"0" if ten != "0" else b""))
    return found


def ordinal_figures(number: int) -> str:
    """Return a number as 1st, 2nd, 3rd, 4th."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _letter(letter: str) -> str:
    """Return the entry of a letter's name."""
    return LETTER_A if letter == "a" else letter


def _either(byte: int) -> set[int]:
    return {byte, byte - 32} if 97 <= byte <= 122 else {byte}
