"""Sentence splitting: whole texts and streams of pieces alike, with a length that is never exceeded.

A stream is cut exactly as the whole text is, whatever pieces it arrives in: a place is judged only when everything that
the judgement looks at has arrived.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from glowvox.errors import TextError
from glowvox.text.normalise.abbreviations import NAMES_WITH_MARK
from glowvox.text.normalise.numbers import roman_value
from glowvox.text.normalise.scanner import word_set
from glowvox.text.tokenizer import count_tokens
from glowvox.text.utterance import Pause, Word

DEFAULT_MAX_CHARACTERS = 300
"""Characters of the longest sentence (about twenty seconds of speech)."""

_NEVER_LAST = word_set(
    "mr mrs ms mx messrs dr drs prof rev hon sen rep gov pres gen col maj capt cpt lt sgt cpl pvt cmdr adm fr "
    "supt insp st mt ft msgr "
    "vs fig figs eq vol vols no nos pp cf viz approx jan feb mar apr jun jul aug sep sept oct nov dec mon tue "
    "tues wed thu thur thurs fri ext tel e.g i.e hr nr bzw ca evtl ggf "
    "hbf bhf apt rm bldg ste abb kap mär mrz okt dez std sek tab anm bd mrs inkl vgl sog allg bspw z.b d.h u.a "
    "z.t v.a str dipl ing mio "
    "mrd abs z d u v i.d rs rt rte fa geb gest tsd sfr zzt bez bzgl einschl zzgl gegr insb insbes ugs verh "
    "hrsg chs vols eqs "
    "bgbl whg mind tägl mtl az "
    "lfd betr inh abzgl ausschl ggü versch entspr urspr engl frz österr jährl monatl wöchentl einw anl zus apl pers "
    "bj pck msp abschn gl fn rn urt überarb kfm mult stv dipl.-kfm dt zw tgl hrn frl fam gebr hl pfr dr.-ing dipl.-ing "
    "mme mmes mlle mlles det ofc asst assoc atty amb br excl orig encl brig adj"
)
_BEFORE_NUMBERS = word_set(
    "no nos p pp ch sec fig figs vol vols par jan feb mar apr jun jul aug sep sept oct nov dec nr abb kap mär "
    "mrz okt dez ver ps psalm"
)
# Short for something only before a number, a Roman numeral or a letter that counts; else words, or rare.
_COUNTED = word_set("op ref refs pt pts mk app dist min bk bks exh annex rev sect tab")
_SURELY_COUNTED = word_set("op pt mk app vol vols ch sec fig figs par sect bk exh eq eqs")
# Words as well: what is said of the others in small letters holds for these only where somebody refers to them.
_COUNTED_WORDS = word_set("app ref op rev tab")
_ROMAN_CAPITALS = re.compile(r"[IVXLC]{1,6}")
# See fig. A: what goes before an abbreviation in small letters whose letter counts.
_REFERS = re.compile(r"(?:\b(?:see|in|of|from|cf\.?|to|and|or|per|under|also|with)\s|\()$", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(?:the|an?|my|your|our|his|her|their|this|that|every|each|new|free)\s$", re.IGNORECASE)
_SOMETIMES_LAST = word_set(
    "inc ltd co corp jr sr esq etc bros ave blvd rd dept est al a.m p.m u.s u.k u.s.a ph.d m.d usw n.chr"
)
_DAYTIMES = word_set("a.m p.m am pm etc usw")
_AFTER_DAYTIMES = word_set(
    "et pt ct mt "
    "eastern pacific central mountain gmt utc est edt cst cdt mst mdt pst pdt cet bst monday tuesday wednesday "
    "thursday "
    "friday saturday sunday january february march april may june july august september october november december"
)
# 8 A.M. TO 5 P.M.: in capitals only the words tell that a sentence goes on.
_GO_ON = word_set("to till until and or on in at for from through thru with by is are was daily sharp every each")
_COMPANIES = word_set("inc ltd co corp jr sr esq bros llc plc gmbh")
# What goes on after a company or a man: Apple Inc. CEO, Martin Luther King Jr. Day.
_AFTER_COMPANIES = word_set(
    "ceo cfo cto coo president chairman chairwoman chief vice executive director founder spokesman spokeswoman "
    "spokesperson analyst day memorial boulevard blvd drive street way avenue high school park library prize award "
    "center centre bridge house co inc ltd foundation university hospital"
)
_COUNTRIES = word_set("u.s u.k u.s.a d.c e.u u.n")
# In the U.S. Profits rose: a country that a preposition goes before, unless these go on with its name.
_IN_COUNTRY = re.compile(
    r"(?:\b(?:in|to|from|of|across|within|throughout|into|outside|around|for|with|leaves?|left|enter(?:s|ed)?|visit(?:s|ed)?"
    r"|tour(?:s|ed)?)\s(?:the\s)?|Washington,?\s)$"
)
_AFTER_COUNTRY = word_set(
    "army navy air marine marines coast congress senate house president vice supreme district department dept "
    "treasury state states secretary attorney attorneys representative representatives rep reps senator senators "
    "sen ambassador embassy consulate constitution government federal food forest fish geological census bureau "
    "postal patent open masters steel bank route highway capitol marshal marshals virgin dollar dollars soccer "
    "olympic national code court courts circuit civil customs immigration border citizenship securities "
    "environmental central centers special space cyber military forces troops news naval grand billboard chamber "
    "commerce commission conference cup team women men figure presidential labor trade english american midwest "
    "south north east west northeast northwest southeast southwest southern northern eastern western gulf pacific "
    "atlantic parliament prime home foreign ministry minister singles charts chart security general council "
    "charter human high world"
)
# The German words after which a number with a full stop is an ordinal.
_BEFORE_ORDINALS = word_set(
    "der die das dem den des am im vom zum beim zur seit bis ab diesem jeden ihr ihren seinen meinen deinen unseren"
    " sein mein dein unser seine meine deine unsere ihre ihrem seinem meinem deinem unserem"
)
_FUNCTION_WORDS = word_set(
    "the a an to of in on at by for with from and or but nor as is are was were be been that which who my your his her "
    "its our their this these those not no if than so der die das den dem des ein eine einen einem einer und oder aber "
    "mit von zu zum zur im in am an auf für bei nach aus ist sind war dass nicht als wie"
)
_STARTERS = word_set(
    "the he she it they we you i this that these those there then when but and so if in on at as after before "
    "however his her its their "
    "everyone everybody everything someone somebody nobody no none people most many some all few each every both there "
    "here today yesterday tomorrow later now since while although because whether which where with without from by for "
    "not yes maybe perhaps please let do did is was are were can could will would should does has have also only even "
    "our my what who why how a an der die das er sie es wir ihr ich dann aber und wenn in im auf "
    "am um von vom zum zur mit nach bei seit für auch doch nun jetzt heute morgen gestern alle viele danach dort hier"
)
_CLOSERS = "\"'”’»)\\]}*_"
_LOOKAHEAD = 128
_LOOKBEHIND = 64
_NOTE = r"(?:\[\d{1,3}(?:[,–-] ?\d{1,3}){0,9}\]|[¹²³⁰⁴-⁹]{1,3}){0,8}"
# Full stops of scripts without blanks end a sentence at once; the others only before white space.
_END = re.compile(
    rf"(?P<blank>\n[ \t\r]*\n\s*)|(?P<line>\n)|(?P<wide>[。！？｡]+[{_CLOSERS}」』]*)|(?P<mark>[.!?…؟।]+)[{_CLOSERS}]*{_NOTE}(?=\s)"  # noqa: E501
)
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_LAST_TOKEN = re.compile(r"\S{1,24}$")
# Bounded, so that a stream never waits for more than a few characters.
_NEXT = re.compile(r"\s{0,64}(?P<open>[\"'“‘«(\[{]{0,8})(?P<word>\w{0,32})")
_BREAKS = (re.compile(r"[;:—–…]+[\"')\]]*\s|[；：]"), re.compile(r"[,،、，][\"')\]]*\s|[、，]"), re.compile(r"\s+"))


_ORDINAL_BEFORE = re.compile(rf"(?i:\b(?:{'|'.join(sorted(_BEFORE_ORDINALS))}))\s+[\d.]{{1,12}}$")
_ITEM = re.compile(r"[ \t]*(?:[*•▪◦‣·–—+-]|\d{1,3}[.)]|[A-Za-z][.)]|\([A-Za-z\d]{1,3}\))[ \t]+\S")
_LINE = re.compile(r"[^\n]*")
_INDENT = re.compile(r"[ \t]{0,32}")
_LINE_LOOKAHEAD = 40
_SHORT_LINE = 50
"""Characters: a writer who breaks earlier than this, before a capital, does so on purpose."""
_SHORT_ITEM = 20


def _ends_line(text: str, start: int, place: int, *, final: bool) -> bool | None:
    """Judge the line end at `place`: whether the short line or the item of a list before it stands alone.

    Hard-wrapped prose goes on; headings, lists, poems and addresses do not.

    Returns:
        Whether the line stands alone; None: more text is needed.
    """
    begin = text.rfind("\n", start, place) + 1 or start
    line = text[begin:place].rstrip()
    following = _INDENT.match(text, place + 1)
    first = following.end() if following else place + 1
    rest = _LINE.match(text, first)
    shown = rest.group() if rest else ""
    if not final and first + len(shown) == len(text) and len(shown) < _LINE_LOOKAHEAD:
        return None
    # Never more than a stream waits for, so that a stream is cut as the whole.
    shown = shown[:_LINE_LOOKAHEAD]
    if not line or not shown.strip() or line[-1] in ",;—–-" or not any(character.isalnum() for character in line):
        return False
    if _ITEM.match(shown + " ") or line[-1] == ":":
        return True
    last = re.search(r"[^\W\d_]+$", line)
    if last is not None and last.group().lower() in _FUNCTION_WORDS:
        return False
    opening = shown.lstrip("\"'“‘«([{*_")
    indented = first > place + 1
    if _ITEM.match(line + " "):
        return not indented
    word = re.match(r"\S*", shown)
    if opening[:1].isupper() or opening[:1].isdigit():
        return len(line) + 1 + len(word.group() if word else "") <= _SHORT_LINE
    # Items in small letters: two short lines in a row, the second without an end of a sentence.
    return len(line) <= _SHORT_ITEM and len(shown.rstrip()) <= _SHORT_ITEM and not re.search(r"[.!?,;]\s*$", shown)


@dataclass(frozen=True)
class TextSpan:
    """A sentence's place in its text, `[start, end)` without white space at its ends."""

    start: int
    end: int
    ends_paragraph: bool = False


_STREET_BEFORE = re.compile(r"(?:^|\s)(?!(?:The|A|An|And|But|Dear|My|Our)\s)[A-Z][\w']*[a-z]\s(?:Dr|St)$")
_FEET = re.compile(r"\d\s?(?:(?:sq|cu)\.?\s?ft|ft|[Mm]in|[Ss]ec)$")
# Two words of one unit: 20 deg. C, 500 Sq. Ft., 12 Fl. Oz.
_HALF_UNITS = {
    "deg": ("c", "f", "k"),
    "sq": ("ft", "in", "yd", "yds", "mi", "km", "m"),
    "cu": ("ft", "in"),
    "fl": ("oz",),
}
_WEEKDAYS = re.compile(r"(?:mo|di|mi|do|fr|sa|so)\.?[-–](?:mo|di|mi|do|fr|sa|so)")
# Words as well: they are short for something only before a number.
_BEFORE_DIGITS = word_set(
    "matt lev deut exod prov cor rom isa acct "
    "hwy fl pkwy temp lat long alt wt ht qty max avg est rel rev art tab pos gem anm ziff jg aufl zeile bl par lt rd h"
)
_AFTER_DOCTOR = word_set(
    "med jur phil rer nat theol habil h.c ing oec em iur mult pol dent vet agr sc techn mont soc math publ univ"
)
_DEGREES = word_set("ph.d m.d b.a m.a b.sc m.sc ll.b ll.m")
_ROMAN = re.compile(r"[ivxlc]{1,6}")
_AFTER_ROMAN = word_set(
    "Jahrhundert Jahrhunderts Jahrhunderte Jh Jahrtausend Weltkrieg Weltkrieges Weltkriegs Internationale"
)
# Titles that are words in small letters: was ich mag.
_TITLES = word_set("Mag MMag DDr Hd")
_DAYS = word_set("Mo Di Mi Do Fr Sa So")
_DAY_BEFORE = re.compile(
    r"(?i:\b(?:am|bis|ab|seit|vom|zum|jeden|nächsten|kommenden|letzten|vergangenen|diesen)\s)(?:Mo|Di|Mi|Do|Fr|Sa|So)$"
)
# Where hours follow: Mo.-Fr. 8-12 Uhr, Sa. 8-10 Uhr. So and Do are words, and Mo. is a state.
_DAY_OF_HOURS = re.compile(
    r"(?:(?:[:(]|\bund|\bu\.|\bbis|[-–/])\s?(?:Mo|Di|Mi|Do|Fr|Sa|So)|^(?:Mo|Di|Mi|Do|Fr|Sa)|,\s(?:Di|Mi|Fr|Sa))$"
)
_FIRST_RULER = re.compile(
    r"\b(?:Ludwig|Heinrich|Karl|Friedrich|Wilhelm|Otto|Johannes|Franz|Joseph|Josef|Georg|Nikolaus|Leopold|Ferdinand"
    r"|Maximilian|Rudolf|Albrecht|August|Gustav|Konrad|Lothar|Sigismund|Elisabeth|Katharina|Benedikt|Alexander)s?\sI$"
)
_NAME_GOES_ON = re.compile(r"\b(?:[aiv]\.|d\.)\s?(?:Gr|Br|Rh|OPf|Opf|Thür|Westf|Holst|Ä|Red|Verf)$|\d\s?ff?$")
# A number after one of these names it, and is no ordinal: Gleis 3. Bitte einsteigen.
_NUMBERED = re.compile(
    r"\b(?:Kapitel|Gleis|Seite|Nummer|Zimmer|Platz|Punkt|Artikel|Paragraph|Abschnitt|Folge|Staffel|Linie|Zeile|Spalte"
    r"|Tisch|Tor|Bahnsteig|Schritt|Stufe|Frage|Aufgabe|Übung|Lektion|Abbildung|Tabelle|Anlage|Anhang)\s\d{1,4}$"
)
_LETTERED = re.compile(
    r"\b(?:Note|Gruppe|Haus|Plan|Klasse|Punkt|Teil|Block|Vitamin|Typ|Halle|Buchstabe"
    r"|Kategorie|Variante|Option|Team|Zone|Aufgang|Ebene)\s[A-H]$"
)
_AFTER_ORDINALS = word_set(
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember Stock Etage OG UG Obergeschoss "
    "Stockwerk Liga Bundesliga Klasse Auflage Halbzeit Grades Satz Absatz Band Teil Quartal Halbjahr"
)
# What begins a sentence after an ordinal without its noun, and can be no such noun.
_AFTER_DATES = word_set(
    "er sie es wir ihr ich dann aber und wenn in im auf am um von vom zum zur mit nach bei seit für auch doch nun "
    "jetzt heute gestern danach dort hier das die der den dem ein eine diese dieser dieses so da als ob weil obwohl "
    "damit deshalb daher trotzdem außerdem anschließend später zuerst zunächst leider man niemand alle viele bis ab "
    "was wer wie wo wann warum kein keine mein meine unser unsere bitte ja nein davor dabei dafür dazu deswegen "
    "allerdings schließlich"
)
_SELF = re.compile(r"\b(?:[Mm]ein|[Dd]ein|[Ss]ein|[Ii]hr|[Dd]as|[Uu]nser)\s\d{1,3}$")
_SECOND = re.compile(r"\s{0,16}\w{1,32}\s{1,8}(?P<first>\S)")


def _german_end(before: str, token: str, word: str, after: str) -> bool | None:
    """Judge a full stop by German abbreviations, days, names and ordinals.

    Args:
        before: The sentence before the full stop.
        token: What the full stop stands after, in small letters.
        word: The word that follows, not in small letters.
        after: The character after that word, or one that is no letter.

    Returns:
        Whether the sentence ends there; None: others must tell.
    """
    written, starts = before[len(before) - len(token) :], word.lower() in _STARTERS
    if written in _TITLES or (".-" in token and token.rpartition("-")[2] in _NEVER_LAST):
        return False
    if token.endswith("nr") and len(token) > 2:
        return not word[:1].isdecimal() and starts
    if written.isupper() and _ROMAN.fullmatch(token) and not before[: -len(token)].strip():
        # The number of a heading: II. Hauptteil.
        return False
    if token == "min" and word[:1].isdecimal() and not _FEET.search(before):
        return False
    if after == "§" and token in _BEFORE_DIGITS:
        return False
    if written in _DAYS:
        if _DAY_BEFORE.search(before):
            return starts
        if word[:1].isdecimal() and _DAY_OF_HOURS.search(before):
            return False
    if re.fullmatch(r"[^\W\d_]\.-[^\W\d_]", token):
        # K.-H. Müller
        return starts and len(word) > 1
    if _FIRST_RULER.search(before) or _NAME_GOES_ON.search(before):
        return starts
    if _LETTERED.search(before):
        return word[:1].isupper() and len(word) > 1
    if not token[-1:].isdecimal():
        return None
    if _NUMBERED.search(before) and word[:1].isupper():
        return word not in _AFTER_ORDINALS
    if not word[:1].isdecimal() and _ORDINAL_BEFORE.search(before):
        # Am 24.12. Danach; not das 2. Ich, die 1. In-vitro-Fertilisation.
        return word.lower() in _AFTER_DATES and after != "-" and not (word == "Ich" and _SELF.search(before))
    return None


def _is_name_with_mark(before: str, word: str) -> bool:
    """Say whether an exclamation mark belongs to a name that goes on with the word: Yahoo! Japan."""
    name = _LAST_TOKEN.search(before[-_LOOKBEHIND:])
    return name is not None and word in NAMES_WITH_MARK.get(name.group().lstrip("\"'“‘«([{").lower(), ())


def _is_title(before: str) -> bool:
    """Say whether no name goes before a title that may stand after one as well: Sr. Mary."""
    name = re.search(r"(?P<name>[A-Z][\w'-]*),?\s+\w+$", before)
    return name is None or name["name"].lower() in _STARTERS


def _is_numeral(word: str) -> bool:
    return _ROMAN_CAPITALS.fullmatch(word) is not None and roman_value(word) is not None


def _counts(token: str, before: str, word: str) -> bool:
    """Say whether a number goes on after an abbreviation, in digits, Roman or by a letter: Op. 67, Pt. II, App. A."""
    if token not in _COUNTED and token not in _BEFORE_NUMBERS and token not in _SURELY_COUNTED:
        return False
    head, written = before[: len(before) - len(token)], before[len(before) - len(token) :]
    referred = (written[:1].isupper() and not _ARTICLE.search(head)) or _REFERS.search(head) is not None
    if word[:1].isdecimal():
        return token in _COUNTED and (token not in _COUNTED_WORDS or referred)
    if len(word) == 1:
        return token in _SURELY_COUNTED and referred and (_is_numeral(word) or "A" <= word <= "H")
    return _is_numeral(word)


def _ends_sentence(text: str, start: int, match: re.Match[str], *, final: bool) -> bool | None:
    """Judge a full stop, question or exclamation mark that white space follows; the sentence begins at `start`.

    Returns:
        Whether the sentence ends there; None: more text is needed.
    """
    following = _NEXT.match(text, match.end())
    word = following["word"] if following else ""
    if match["mark"] == "!" and word[:1].isupper() and _is_name_with_mark(text[start : match.start()], word):
        return False
    if match["mark"][0] not in ".…" or len(match["mark"]) > 1:
        # An exclamation inside a sentence goes on in small letters: "Stop!" he said.
        return not word[:1].islower()
    # Cut out, and not searched from a place on: `^` and `\b` must not look at what is before the sentence, which a
    # stream has given away already.
    before = text[max(start, match.start() - _LOOKBEHIND) : match.start()]
    token_match = _LAST_TOKEN.search(before)
    token = token_match.group().lstrip("\"'“‘«([{").lower() if token_match else ""
    if word[:1].islower():
        return False
    german = _german_end(before, token, word, text[following.end() : following.end() + 1] if following else "")
    if german is not None:
        return german
    if _counts(token, before, word) or (token == "no" and word != "I" and _is_numeral(word)):
        return False
    if token == "sr" and word[:1].isupper() and _is_title(before):
        return False
    if token.rpartition("-")[2] in _BEFORE_NUMBERS or token.rpartition("–")[2] in _BEFORE_NUMBERS:
        return not word[:1].isdecimal() and (token == "no" or word.lower() in _STARTERS)
    if word[:1].isdecimal() and (
        token in _BEFORE_DIGITS or _WEEKDAYS.fullmatch(token) or (token in ("min", "sec") and _FEET.search(before))
    ):
        return False
    if token in _AFTER_DOCTOR and re.search(
        r"\b(?:Dr|Prof)\.(?:-Ing\.)?\s*(?:\w+\.\s?){1,3}$", before[-24:] + match["mark"]
    ):
        return False
    if token in ("dr", "st") and word.lower() in _STARTERS and _STREET_BEFORE.search(before):
        # Rodeo Dr. He lives there: a drive, and an end.
        return True
    if word.lower() in _HALF_UNITS.get(token, ()):
        return False
    if token == "ft" and _FEET.search(before):
        return word[:1].isupper()
    if token in _DEGREES and word[:1].isupper() and word.lower() not in _STARTERS:
        # Her Ph.D. Students came: an end where the words go on in small letters; not at the beginning of a sentence.
        second = _SECOND.match(text, match.end())
        if second is None:
            return None if not final and len(text) < match.end() + 60 else False
        return second["first"].islower() and bool(
            text[start : match.start()].removesuffix(token_match.group() if token_match else "").strip()
        )
    if token in _NEVER_LAST or (token.endswith("str") and len(token) > 5 and word[:1].isdecimal()):
        return False
    if word in _AFTER_ROMAN and _ROMAN.fullmatch(token):
        return False
    if token in _DAYTIMES:
        goes_on = word.lower() in _AFTER_DAYTIMES or (word.isupper() and word.lower() in _GO_ON)
        return word[:1].isupper() and not goes_on and len(word) > 1
    if token in _COMPANIES and word[:1].isupper() and word.lower() not in _STARTERS:
        if word.lower() in _AFTER_COMPANIES or word.isupper():
            return False
        # Corp. Profits rose: a second word in small letters makes it a sentence; Corp. Miller Jones goes on.
        second = _SECOND.match(text, match.end())
        if second is None:
            return None if not final and len(text) < match.end() + 60 else False
        return second["first"].islower()
    if (
        token in _COUNTRIES
        and word[:1].isupper()
        and not word.isupper()
        and word.lower() not in _STARTERS | _AFTER_COUNTRY
        and _IN_COUNTRY.search(before[: -len(token)])
    ):
        second = _SECOND.match(text, match.end())
        if second is None:
            return None if not final and len(text) < match.end() + 60 else False
        return second["first"].islower()
    if token in _SOMETIMES_LAST or _INITIALS.fullmatch(token):
        return word.lower() in _STARTERS
    if len(token) == 1 and token.isalpha() and text[match.start() - 1] != "I":
        return word.lower() in _STARTERS and len(word) > 1
    if token[-1:].isdecimal() and _ORDINAL_BEFORE.search(before):
        # Dem 1000. Besucher: an ordinal after a German article.
        return False
    if token.isdecimal() and len(token) > 2 and not text[start : match.start()].removesuffix(token).strip():
        return word.lower() in _STARTERS
    if not token.isdecimal() and re.fullmatch(r"\d{1,2}\.?[-–/]\d{1,2}", token):
        # 5.-10. Mai
        return word.lower() in _STARTERS
    if re.search(r"=\s*[\d.,]{1,12}$", before):
        return True
    if token.isdecimal() and len(token) <= 2:
        # A German ordinal (am 3. Oktober) or the number of a list: only what surely begins a sentence ends one.
        return word.lower() in _STARTERS
    return True


def _best_cut(text: str, start: int, limit: int) -> int:
    """Return where to cut a run that is too long: after a strong mark, a comma, white space,
    else hard at the limit."""
    earliest = start + (limit - start) // 3
    for pattern in _BREAKS:
        cut = -1
        for match in pattern.finditer(text, earliest, limit):
            cut = match.end()
        if cut > earliest:
            return cut
    return limit


def _next_end(text: str, start: int, max_characters: int, *, final: bool) -> tuple[int, bool] | None:
    """Return where the sentence that begins at `start` ends and whether a paragraph does; None: more text is needed."""
    limit = start + max_characters
    for match in _END.finditer(text, start, limit + _LOOKAHEAD):
        if match.start() >= limit:
            break
        if match["blank"] is not None:
            if match.end() == len(text) and not final:
                return None
            return match.start(), True
        if match["line"] is not None:
            alone = _ends_line(text, start, match.start(), final=final)
            if alone is None:
                return None
            if alone:
                return match.start(), False
            continue
        if match.end() > limit:
            break
        if not final:
            following = _NEXT.match(text, match.end())
            if following is None or following.end() == len(text):
                return None
        if re.match(r"\s*\n[ \t\r]*\n", text[match.end() : match.end() + 200]):
            return match.end(), True
        if match["wide"] is not None:
            return match.end(), False
        ends = _ends_sentence(text, start, match, final=final)
        if ends is None:
            return None
        if ends:
            return match.end(), False
    # The judgement of a mark near the limit must not depend on what has arrived, so some more is waited for.
    if len(text) > limit + _LOOKAHEAD or (final and len(text) > limit):
        return _best_cut(text, start, limit), False
    return (len(text), True) if final else None


class _Cutter:
    """Cuts a growing text from its beginning."""

    def __init__(self, max_characters: int) -> None:
        if max_characters < 1:
            raise TextError(f"the maximum sentence length must be at least 1 character, got {max_characters}")
        self._max = max_characters

    def cut(self, text: str, start: int, *, final: bool) -> tuple[list[TextSpan], int]:
        """Return the sentences that are complete, and where the rest begins."""
        spans: list[TextSpan] = []
        while True:
            while start < len(text) and text[start].isspace():
                start += 1
            if start >= len(text):
                return spans, start
            found = _next_end(text, start, self._max, final=final)
            if found is None:
                return spans, start
            end, paragraph = found
            stripped = end
            while stripped > start and text[stripped - 1].isspace():
                stripped -= 1
            spans.append(TextSpan(start, stripped, paragraph))
            start = end


def split_sentences(text: str, max_characters: int = DEFAULT_MAX_CHARACTERS) -> list[TextSpan]:
    """Split a text into sentences.

    Args:
        text: Any text; a blank line ends a paragraph.
        max_characters: No sentence is longer, whatever comes.

    Returns:
        The places of the sentences in order; everything between them is white space.

    Raises:
        TextError: `max_characters` is not positive.
    """
    spans, _ = _Cutter(max_characters).cut(text, 0, final=True)
    return spans


class SentenceStream:
    """Collects text that arrives in pieces and hands out each sentence as soon as it is complete."""

    def __init__(self, max_characters: int = DEFAULT_MAX_CHARACTERS) -> None:
        """Start empty.

        Args:
            max_characters: No sentence is longer, whatever comes.

        Raises:
            TextError: `max_characters` is not positive.
        """
        self._cutter = _Cutter(max_characters)
        self._buffer = ""

    def push(self, text: str) -> list[str]:
        """Add a piece of text; return the sentences that are now complete."""
        self._buffer += text
        return self._take(final=False)

    def flush(self) -> list[str]:
        """Return what is left, at the end of the text; the stream is empty again."""
        return self._take(final=True)

    def _take(self, *, final: bool) -> list[str]:
        spans, rest = self._cutter.cut(self._buffer, 0, final=final)
        sentences = [self._buffer[span.start : span.end] for span in spans]
        self._buffer = self._buffer[rest:]
        return sentences


Item = Word | Pause
DEFAULT_MAX_TOKENS = 1000
"""Tokens of the longest sentence, blanks included (about thirty seconds of speech)."""
_SHORTEST_LIMIT = 16


@dataclass(frozen=True)
class SentenceLimits:
    """What no sentence exceeds, whatever comes."""

    max_characters: int = DEFAULT_MAX_CHARACTERS
    """Characters of text."""
    max_tokens: int = DEFAULT_MAX_TOKENS
    """Tokens for the model, blanks included."""


def split_items(items: Sequence[Item], max_tokens: int) -> list[list[Item]]:
    """Cut a row of words and pauses into rows of at most `max_tokens` tokens each, blanks included.

    Nothing is lost: the rows, put together, are the row (a word that is too long alone becomes several).

    Raises:
        TextError: `max_tokens` is under 16, too few for a symbol and its borders.
    """
    if max_tokens < _SHORTEST_LIMIT:
        raise TextError(f"the maximum number of tokens must be at least {_SHORTEST_LIMIT}, got {max_tokens}")
    rows: list[list[Item]] = []
    rest = [part for item in items for part in _fitting(item, max_tokens)]
    while rest:
        room = _fit(rest, max_tokens)
        if room < len(rest):
            room = _after_pause(rest, room)
        rows.append(rest[:room])
        rest = rest[room:]
    return rows


def _fit(items: Sequence[Item], max_tokens: int) -> int:
    """Return how many items from the beginning fit, at least one."""
    if count_tokens(items) <= max_tokens:
        return len(items)
    low, high = 1, len(items) - 1 or 1
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(items[:middle]) <= max_tokens:
            low = middle
        else:
            high = middle - 1
    return low


def _after_pause(items: Sequence[Item], room: int) -> int:
    """Return the place after the last pause in the second half of what fits, else the place given."""
    for place in range(room, room // 2, -1):
        if isinstance(items[place - 1], Pause):
            return place
    return room - 1 if room > 1 and isinstance(items[room], Pause) else room


def _fitting(item: Item, max_tokens: int) -> list[Item]:
    if isinstance(item, Pause) or count_tokens([item]) <= max_tokens:
        return [item]
    # A phoneme is at most two symbols: stress and phone.
    size = max(1, ((max_tokens - 1) // 2 - 2) // 2)
    return [replace(item, phonemes=item.phonemes[start : start + size]) for start in range(0, len(item.phonemes), size)]
