"""German abbreviations, words in capitals and single letters, and postal codes."""

import re

from glowvox.text.normalise.numbers import digits
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule, word_set

ABBREVIATIONS = {
    "z. b.": "zum Beispiel", "z.b.": "zum Beispiel", "d. h.": "das heißt", "d.h.": "das heißt",
    "u. a.": "unter anderem",
    "u.a.": "unter anderem", "z. t.": "zum Teil", "z.t.": "zum Teil", "v. a.": "vor allem", "v.a.": "vor allem",
    "o. ä.": "oder ähnliches",
    "i. d. r.": "in der Regel", "i.d.r.": "in der Regel", "u. s. w.": "und so weiter", "n. chr.": "nach Christus",
    "v. chr.": "vor Christus",
    "usw.": "und so weiter", "abb.": "Abbildung", "kap.": "Kapitel", "bzw.": "beziehungsweise", "ca.": "circa",
    "dr.": "Doktor", "mr.": "Mister", "mrs.": "Misses", "ms.": "Miss", "prof.": "Professor",
    "hr.": "Herr",
    "fr.": "Frau", "nr.": "Nummer", "str.": "Straße", "st.": "Sankt", "evtl.": "eventuell",
    "ggf.": "gegebenenfalls", "inkl.": "inklusive",
    "exkl.": "exklusive", "vgl.": "vergleiche", "etc.": "et cetera", "abs.": "Absatz", "art.": "Artikel",
    "bd.": "Band", "s.": "Seite",
    "jh.": "Jahrhundert", "jhd.": "Jahrhundert", "geb.": "geboren", "gest.": "gestorben", "tel.": "Telefon",
    "mio.": "Millionen",
    "mrd.": "Milliarden", "tsd.": "Tausend", "sog.": "sogenannte", "allg.": "allgemein", "max.": "maximal",
    "min.": "minimal",
    "std.": "Stunden",
    "mind.": "mindestens", "dipl.": "Diplom", "ing.": "Ingenieur", "bspw.": "beispielsweise",
    "zzgl.": "zuzüglich", "mwst.": "Mehrwertsteuer", "ff.": "und folgende", "u.v.m.": "und vieles mehr",
    "u. v. m.": "und vieles mehr", "o.g.": "oben genannt", "o. g.": "oben genannt", "s.o.": "siehe oben",
    "s. o.": "siehe oben", "s.u.": "siehe unten", "s. u.": "siehe unten", "i.a.": "im Auftrag", "i. a.": "im Auftrag",
    "z.hd.": "zu Händen", "z. hd.": "zu Händen", "bhf.": "Bahnhof", "hbf.": "Hauptbahnhof", "fa.": "Firma",
    "usf.": "und so fort", "u.ä.": "und ähnliches", "u. ä.": "und ähnliches", "o.ä.": "oder ähnliches",
    "u.u.": "unter Umständen", "u. u.": "unter Umständen", "m.e.": "meines Erachtens", "m. e.": "meines Erachtens",
    "zzt.": "zurzeit", "z.z.": "zurzeit", "z. z.": "zurzeit", "bez.": "bezüglich", "bzgl.": "bezüglich", "lt.": "laut",
    "gem.": "gemäß", "einschl.": "einschließlich", "tägl.": "täglich", "mtl.": "monatlich", "wg.": "wegen",
    "ehem.": "ehemalige", "verh.": "verheiratet", "p.a.": "pro Jahr", "p. a.": "pro Jahr", "stk.": "Stück",
    "pos.": "Position", "anm.": "Anmerkung", "hrsg.": "Herausgeber", "aufl.": "Auflage", "jg.": "Jahrgang",
    "tab.": "Tabelle", "abt.": "Abteilung", "vs.": "versus", "sen.": "senior", "jun.": "junior", "mag.": "Magister",
    "dipl.-ing.": "Diplomingenieur", "nrn.": "Nummern", "e.v.": "E V", "e. v.": "E V", "hd.": "Händen",
    "bio.": "Billionen",
    "v.chr.": "vor Christus", "n.chr.": "nach Christus", "phil.": "phil", "med.": "med", "jur.": "jur",
    "ziff.": "Ziffer",
    "u.": "und", "n.v.": "nach Verlängerung", "i.e.": "im Elfmeterschießen", "bj.": "Baujahr", "pck.": "Päckchen",
    "msp.": "Messerspitze", "abschn.": "Abschnitt", "gl.": "Gleichung", "fn.": "Fußnote", "rn.": "Randnummer",
    "urt.": "Urteil", "i.v.m.": "in Verbindung mit", "i. v. m.": "in Verbindung mit", "a.a.o.": "am angegebenen Ort",
    "a. a. o.": "am angegebenen Ort", "ebd.": "ebenda", "z. zt.": "zurzeit", "z.zt.": "zurzeit",
    "i. v.": "in Vertretung", "i.v.": "in Vertretung", "b. w.": "bitte wenden", "o. b.": "ohne Befund",
    "v. l. n. r.": "von links nach rechts", "v.l.n.r.": "von links nach rechts", "a. d.": "außer Dienst",
    "a.d.": "außer Dienst", "d. j.": "des Jahres", "d. m.": "des Monats", "v. h.": "vom Hundert",
    "h.c.": "honoris causa", "h. c.": "honoris causa", "überarb.": "überarbeitete", "kfm.": "Kaufmann",
    "u. e.": "unseres Erachtens", "bft.": "Beaufort", "stv.": "stellvertretende",
    "dt.": "deutsche", "zw.": "zwischen", "hrn.": "Herrn", "frl.": "Fräulein", "fam.": "Familie", "gebr.": "Gebrüder",
    "hl.": "heilige", "pfr.": "Pfarrer", "s.a.": "siehe auch", "s. a.": "siehe auch", "f.": "folgende", "jgst.":
    "Jahrgangsstufe", "schätzungsw.": "schätzungsweise", "dr.-ing.": "Doktor Ingenieur",
    "bearb.": "bearbeitet", "zit.": "zitiert", "mglw.": "möglicherweise", "insb.": "insbesondere", "insbes.":
    "insbesondere", "gegr.": "gegründet", "ugs.": "umgangssprachlich", "rd.": "rund", "tgl.": "täglich",
    "co.": "Co",
}  # fmt: skip
_ABBREVIATION = "|".join(re.escape(text) for text in sorted(ABBREVIATIONS, key=len, reverse=True))
_BEFORE_NUMBERS = word_set("fn. rn. gl. s. art. abs. bd. abb. kap. tab. ziff. anm. pos.")
_ONLY_BEFORE_MORE = word_set("u. min. max. ms. gem. rd. bio. mag. med. phil. jur. hd. lt. fa. pos.")
_SPOKEN_AS_WORDS = word_set("NATO NASA UNESCO AIDS LASER RADAR DAX UNO IKEA BAFÖG PIN RAM UNICEF FIFA UEFA COVID")


def _as_words(text: str) -> list[str | SpokenWord]:
    return [SpokenWord(part, letter=True) if len(part) == 1 and part.isupper() else part for part in text.split()]


@rule(rf"(?i:{_ABBREVIATION})(?!\w)", "l")
def abbreviation(match: re.Match[str], context: Context) -> Reading | None:
    """Read z. B., usw., Dr.; the full stop of one that ends the text stays a full stop."""
    text = match.group().lower()
    following = match.string[match.end() :].lstrip()
    if text in _BEFORE_NUMBERS and not following[:1].isdigit() and following[:1] not in "IVXL":
        return None
    if text in _ONLY_BEFORE_MORE and not following[:1].isalnum():
        return None
    if text == "f." and not context.previous[-1:].isdecimal():
        return None
    spoken = _as_words("im Allgemeinen" if match.group() == "i.a." else ABBREVIATIONS[text])
    return spoken if following else [*spoken, "."]


@rule(r"v\.(?=\s(?:(?P<day>\d{1,2}\.)|[A-ZÄÖÜ][a-zäöüß]))", "w")
def of(match: re.Match[str], context: Context) -> Reading:
    """Read the v. of Urteil v. 5. März and Ludwig v. Beethoven."""
    return ["vom" if match["day"] else "von"]


@rule(r"(?P<word>Nr|Hbf|Bhf|MwSt|Dr|Prof|Str|ca|bzw|usw|etc|Mio|Mrd|Tsd)(?![\w.])", "l")
def bare_abbreviation(match: re.Match[str], context: Context) -> Reading:
    """Read Nr and MwSt without their full stop."""
    return _as_words(ABBREVIATIONS[match["word"].lower() + "."])


@rule(r"(?P<name>[A-ZÄÖÜ][a-zäöüß]{2,})str\.(?![^\W_])", "u")
def street(match: re.Match[str], context: Context) -> Reading:
    """Read Hauptstr.: Hauptstraße."""
    return [match["name"] + "straße", *([] if match.string[match.end() :].strip() else ["."])]


@rule(r"(?:StGB|StPO|StVO|GmbH|gGmbH|KGaA|eG|mbH|eV|WhatsApp)(?![\w.])", "l")
def company(match: re.Match[str], context: Context) -> Reading:
    """Read GmbH and KGaA: letters."""
    if match.group() == "WhatsApp":
        return ["Whats", "App"]
    return [SpokenWord(letter.upper(), letter=True) for letter in match.group()]


@rule(r"(?P<stem>[^\W\d_]{2,}?)(?:(?:[:*_]|/-?)(?P<end>in(?:nen)?)|(?<=[a-zäöüß])(?P<inner>In(?:nen)?))(?![\w])", "l")
def gender_sign(match: re.Match[str], context: Context) -> Reading:
    """Read Schüler:innen and Lehrer*innen: both forms, without a pause."""
    return [match["stem"], match["end"] or match["inner"].lower()]


@rule(
    r"(?P<one>[^\W\d_]{3,})/(?P<per>Tag|Woche|Monat|Jahr|Stunde|Minute|Sekunde|Person|Nacht|Kopf|Einwohner)(?!\w)", "l"
)
def per_unit(match: re.Match[str], context: Context) -> Reading | None:
    """Read 7 Tage/Woche: pro."""
    return [match["one"], "pro", match["per"]] if re.search(r"\d\s$", match.string[: match.start()]) else None


_CITIES = word_set(
    "Berlin Hamburg München Köln Frankfurt Stuttgart Düsseldorf Leipzig Dortmund Essen Bremen Dresden Hannover "
    "Nürnberg "
    "Duisburg Bochum Wuppertal Bielefeld Bonn Münster Mannheim Karlsruhe Augsburg Wiesbaden Gelsenkirchen Aachen "
    "Mönchengladbach Braunschweig Chemnitz Kiel Halle Magdeburg Freiburg Krefeld Lübeck Oberhausen Erfurt Mainz "
    "Rostock "
    "Kassel Hagen Hamm Saarbrücken Potsdam Ludwigshafen Oldenburg Osnabrück Leverkusen Heidelberg Solingen Herne Neuss "
    "Darmstadt Paderborn Regensburg Ingolstadt Würzburg Fürth Wolfsburg Ulm Heilbronn Göttingen Pforzheim Offenbach "
    "Bottrop Trier Koblenz Jena Gera Cottbus Schwerin Weimar Bamberg Bayreuth Konstanz Passau Wien Graz Linz Salzburg "
    "Innsbruck Klagenfurt Villach Wels Bregenz Zürich Bern Basel Genf Lausanne Winterthur Luzern Zug Chur Lugano "
    "Bad Sankt "
    "St Neu Alt"
)


@rule(r"(?:(?P<land>D|A|CH|L|FL)[-–\s])?(?P<code>\d{4,5})(?=\s+(?P<city>[A-ZÄÖÜ][a-zäöüß]+))", "ud")
def postal_code(match: re.Match[str], context: Context) -> Reading | None:
    """Read 10115 Berlin digit by digit: before a city, after a street and a comma, or a word that says so."""
    before = match.string[: match.start()]
    address = re.search(
        r"(?i:(?:straße|str\.|weg|platz|allee|gasse|ring|damm|ufer|markt)\s\d{1,4}\s?[a-z]?,?\s*)$", before
    )
    named = re.search(r"\b(?:PLZ|Postleitzahl)(?:\sist)?:?\s*$", before)
    if not (match["land"] or address or named or match["city"] in _CITIES):
        return None
    if len(match["code"]) == 4 and match["city"] not in _CITIES and not match["land"]:
        return None
    land = [SpokenWord(letter, letter=True) for letter in match["land"] or ""]
    return [*land, digits(match["code"], "de")]


@rule(r"(?P<code>\d{5})(?![\w]|[.,-]\d)", "d")
def named_postal_code(match: re.Match[str], context: Context) -> Reading | None:
    """Read PLZ 50667 digit by digit."""
    named = re.search(r"\b(?:PLZ|Postleitzahl)(?:\sist)?:?\s*$", match.string[: match.start()])
    return [digits(match["code"], "de")] if named else None


@rule(r"(?P<letters>[A-ZÄÖÜ]{2,})(?P<s>s)?(?![^\W\d_])", "u")
def capitals(match: re.Match[str], context: Context) -> Reading:
    """Read EU, USA, PC: letters; a long row in capitals is a word."""
    text = match["letters"]
    if text in _SPOKEN_AS_WORDS or len(text) > 5:
        return [text.lower()]
    if context.shouting and (context.is_word(text.lower()) or context.is_word(text.lower().replace("ss", "ß"))):
        return [text.lower() if context.is_word(text.lower()) else text.lower().replace("ss", "ß")]
    if len(text) >= 4 and context.is_word(text.lower()):
        return [text.lower()]
    return [SpokenWord(letter, letter=True) for letter in text]


@rule(r"[A-Za-zÄÖÜäöü](?![\w'])", "l")
def letter(match: re.Match[str], context: Context) -> Reading:
    """Read a letter that stands alone."""
    return [SpokenWord(match.group().upper(), letter=True)]


ADDRESS_RULES = (postal_code, named_postal_code)
ABBREVIATION_RULES = (street, abbreviation, of, bare_abbreviation, company, gender_sign, per_unit)
LETTER_RULES = (capitals, letter)
