"""Spoken names of single characters and of keys, in English and German."""

import re
import unicodedata

_SIGNS = {
    " ": ("space", "Leerzeichen"), "\t": ("tab", "Tabulator"), "\n": ("new line", "Zeilenumbruch"),
    "\r": ("carriage return", "Wagenrücklauf"), "\xa0": ("no break space", "geschütztes Leerzeichen"),
    ".": ("dot", "Punkt"), ",": ("comma", "Komma"), ";": ("semicolon", "Semikolon"), ":": ("colon", "Doppelpunkt"),
    "!": ("exclamation mark", "Ausrufezeichen"), "?": ("question mark", "Fragezeichen"),
    "…": ("ellipsis", "Auslassungspunkte"), "'": ("apostrophe", "Apostroph"), '"': ("quote", "Anführungszeichen"),
    "’": ("right single quote", "Apostroph"), "‘": ("left single quote", "einfaches Anführungszeichen"),
    "“": ("left quote", "Anführungszeichen auf"), "”": ("right quote", "Anführungszeichen zu"),
    "„": ("low quote", "Anführungszeichen unten"), "«": ("left guillemet", "Guillemet auf"),
    "»": ("right guillemet", "Guillemet zu"), "(": ("left paren", "Klammer auf"), ")": ("right paren", "Klammer zu"),
    "[": ("left bracket", "eckige Klammer auf"), "]": ("right bracket", "eckige Klammer zu"),
    "{": ("left brace", "geschweifte Klammer auf"), "}": ("right brace", "geschweifte Klammer zu"),
    "<": ("less than", "kleiner als"), ">": ("greater than", "größer als"), "=": ("equals", "gleich"),
    "+": ("plus", "plus"), "-": ("dash", "Bindestrich"), "–": ("en dash", "Gedankenstrich"),
    "—": ("em dash", "langer Strich"), "−": ("minus", "minus"), "*": ("star", "Stern"), "/": ("slash", "Schrägstrich"),
    "\\": ("backslash", "Backslash"), "|": ("bar", "senkrechter Strich"), "&": ("ampersand", "und"),
    "%": ("percent", "Prozent"), "#": ("number sign", "Raute"), "@": ("at", "at"), "$": ("dollar", "Dollar"),
    "€": ("euro", "Euro"), "£": ("pound", "Pfund"), "¥": ("yen", "Yen"), "^": ("caret", "Zirkumflex"),
    "~": ("tilde", "Tilde"), "`": ("back quote", "Gravis"), "´": ("acute", "Akut"), "_": ("underscore", "Unterstrich"),
    "°": ("degree", "Grad"), "§": ("section", "Paragraph"), "•": ("bullet", "Aufzählungspunkt"),
    "·": ("middle dot", "Mittelpunkt"), "©": ("copyright", "Copyright"), "®": ("registered", "registriert"),
    "™": ("trademark", "Trademark"), "→": ("right arrow", "Pfeil rechts"), "←": ("left arrow", "Pfeil links"),
    "↑": ("up arrow", "Pfeil hoch"), "↓": ("down arrow", "Pfeil runter"), "¿": ("inverted question mark",
    "umgekehrtes Fragezeichen"), "¡": ("inverted exclamation mark", "umgekehrtes Ausrufezeichen"),
    "²": ("superscript two", "hoch zwei"), "³": ("superscript three", "hoch drei"), "µ": ("micro", "Mikro"),
    "×": ("times", "mal"), "÷": ("divided by", "geteilt durch"), "±": ("plus minus", "plus minus"),
}  # fmt: skip
_KEYS = {
    "space": ("space", "Leertaste"), "tab": ("tab", "Tabulator"), "return": ("enter", "Eingabe"),
    "enter": ("enter", "Eingabe"), "escape": ("escape", "Escape"), "esc": ("escape", "Escape"),
    "backspace": ("backspace", "Rücktaste"), "delete": ("delete", "Entfernen"), "insert": ("insert", "Einfügen"),
    "home": ("home", "Pos eins"), "end": ("end", "Ende"), "prior": ("page up", "Bild hoch"),
    "next": ("page down", "Bild runter"), "page up": ("page up", "Bild hoch"), "page down": ("page down",
    "Bild runter"), "up": ("up", "hoch"), "down": ("down", "runter"), "left": ("left", "links"),
    "right": ("right", "rechts"), "menu": ("menu", "Menü"), "print": ("print screen", "Druck"),
    "pause": ("pause", "Pause"), "break": ("break", "Untbr"), "window": ("windows", "Windows"),
    "control": ("control", "Steuerung"), "ctrl": ("control", "Steuerung"), "shift": ("shift", "Umschalt"),
    "alt": ("alt", "Alt"), "meta": ("meta", "Meta"), "super": ("super", "Super"), "hyper": ("hyper", "Hyper"),
    "caps lock": ("caps lock", "Feststelltaste"), "capslock": ("caps lock", "Feststelltaste"),
    "num lock": ("num lock", "Num Lock"), "numlock": ("num lock", "Num Lock"),
    "scroll lock": ("scroll lock", "Rollen"), "kp": ("keypad", "Ziffernblock"), "keypad": ("keypad", "Ziffernblock"),
    "iso level3 shift": ("alt graph", "Alt Gr"), "altgr": ("alt graph", "Alt Gr"), "underscore": ("underscore",
    "Unterstrich"), "double quote": ("quote", "Anführungszeichen"), "add": ("plus", "plus"), "subtract": ("minus",
    "minus"), "multiply": ("star", "mal"), "divide": ("slash", "geteilt"), "decimal": ("dot", "Komma"),
}  # fmt: skip
"""By their names in small letters, with blanks for underscores and dashes."""
_WORDS = {
    "capital": ("capital", "groß"), "all capital": ("all capital", "alles groß"), "left": ("left", "links"),
    "right": ("right", "rechts"), "character": ("character", "Zeichen"),
}  # fmt: skip
_LETTERS = {"en": "abcdefghijklmnopqrstuvwxyz", "de": "abcdefghijklmnopqrstuvwxyzäöüß"}
_SIDED = ("control", "shift", "alt", "meta", "super", "hyper")
_SIDE = re.compile(r"(?P<key>[A-Za-z]+)_(?P<side>[LR])")
_FUNCTION_KEY = re.compile(r"f\d{1,2}")


def word(name: str, language: str) -> str:
    """Return one of the words that are said beside names: capital, left, character."""
    return _WORDS[name][_column(language)]


def is_letter(character: str, language: str) -> bool:
    """Return whether a character is a letter of the language's own alphabet, small or capital."""
    return character.lower() in set(_LETTERS.get(language.split("-")[0], _LETTERS["en"]))


def sign_name(character: str, language: str) -> str | None:
    """Return the name of a sign; None: it has none here."""
    names = _SIGNS.get(character)
    return names[_column(language)] if names else None


def character_name(character: str, language: str) -> str:
    """Return the name of any one character that is no letter of the language: as Unicode calls it, if need be."""
    known = sign_name(character, language)
    if known is not None:
        return known
    name = unicodedata.name(character, "").lower().replace("-", " ")
    if not name:
        return f"{word('character', language)} {' '.join(f'{ord(character):x}')}"
    name = re.sub(r"\b(?:latin|greek|small|capital|letter|digit) ", "", name + " ").strip()
    return re.sub(r" with (?=acute|grave|circumflex|diaeresis|tilde|cedilla|stroke|caron|ring)", " ", name)


def key_parts(key: str, language: str) -> list[str]:
    """Return the names of a key and of those held with it, in order; single characters stay as they are.

    Args:
        key: as speech-dispatcher's clients send it: `shift_a`, `Control_L`, `kp-enter`, `F5`, `alt_underscore`.
        language: of the names.
    """
    if len(key) <= 1:
        return [key] if key else []
    column, plain = _column(language), _plain(key)
    sided = _SIDE.fullmatch(key)
    if sided and sided["key"].lower() in _SIDED:
        side = _WORDS["left" if sided["side"] == "L" else "right"][column]
        return [side, _KEYS[sided["key"].lower()][column]]
    if plain in _KEYS and key[-1] not in "_-":
        return [_KEYS[plain][column]]
    parts: list[str] = []
    rest = key
    while rest:
        part, _, rest = _first_part(rest)
        parts.extend(_key_part(part, column))
    return parts


def _first_part(key: str) -> tuple[str, str, str]:
    """Cut the first key off: at an underscore, which at either end is the key underscore itself."""
    for length in (2, 3):  # names of two or three words: page_up, iso_level3_shift
        words = key.split("_")
        named = all(re.search(r"\w", one) for one in words[:length])  # not of a key held with the sign "-"
        if len(words) >= length and named and _plain("_".join(words[:length])) in _KEYS:
            return "_".join(words[:length]), "_", "_".join(words[length:])
    before, mark, after = key[1:].partition("_")
    return key[0] + before, mark, after if after or not mark else "_"


def _key_part(part: str, column: int) -> list[str]:
    plain = _plain(part)
    if re.match("kp[-_].", part, re.IGNORECASE):
        return [_KEYS["kp"][column], *_key_part(part[3:], column)]
    if plain in _KEYS and part[-1] not in "_-":
        return [_KEYS[plain][column]]
    if _FUNCTION_KEY.fullmatch(plain):
        return ["F", plain[1:]]
    return [part if len(part) == 1 else plain or part]


def _plain(key: str) -> str:
    return " ".join(re.split(r"[_-]", key.lower())).strip()


def _column(language: str) -> int:
    return int(language.split("-")[0] == "de")
