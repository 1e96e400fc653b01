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
    "bgbl.": "Bundesgesetzblatt", "whg.": "Wohnung", "zi.": "Zimmer", "etc. pp.": "et cetera P P",
    "anm. d. red.": "Anmerkung der Redaktion", "d. red.": "der Redaktion", "d. verf.": "des Verfassers",
    "az.": "Aktenzeichen", "univ.-prof.": "Universitätsprofessor", "em.": "emeritus", "i. r.": "im Ruhestand",
    "m. w.": "meines Wissens", "m.w.": "meines Wissens", "i. s. d.": "im Sinne des", "i.s.d.": "im Sinne des",
    "i. s. v.": "im Sinne von", "i.s.v.": "im Sinne von", "i. h. v.": "in Höhe von", "i.h.v.": "in Höhe von",
    "i. d. f.": "in der Fassung", "i.d.f.": "in der Fassung", "m. a. w.": "mit anderen Worten",
    "m.a.w.": "mit anderen Worten", "i. e. s.": "im engeren Sinne", "i. w. s.": "im weiteren Sinne",
    "u. dgl.": "und dergleichen", "u. v. a.": "und viele andere", "u.v.a.": "und viele andere",
    "u. v. a. m.": "und viele andere mehr", "k. a.": "keine Angabe", "k.a.": "keine Angabe",
    "p. p.": "pro Person", "p.p.": "pro Person", "p. m.": "pro Monat", "p. pers.": "pro Person",
    "b. a. w.": "bis auf Weiteres", "m. m. n.": "meiner Meinung nach", "z. bsp.": "zum Beispiel",
    "i. allg.": "im Allgemeinen", "jhdt.": "Jahrhundert", "jhs.": "Jahrhunderts", "jhdts.": "Jahrhunderts",
    "art.-nr.": "Artikelnummer", "kd.-nr.": "Kundennummer", "best.-nr.": "Bestellnummer", "re.-nr.": "Rechnungsnummer",
    "rg.-nr.": "Rechnungsnummer", "tel.-nr.": "Telefonnummer", "kto.-nr.": "Kontonummer", "st.-nr.": "Steuernummer",
    "vers.-nr.": "Versicherungsnummer", "lfd.": "laufende", "bsp.": "Beispiel", "betr.": "Betreff", "inh.": "Inhaber",
    "abzgl.": "abzüglich", "ausschl.": "ausschließlich", "ggü.": "gegenüber", "gez.": "gezeichnet",
    "versch.": "verschiedene", "entspr.": "entsprechend", "bes.": "besonders", "urspr.": "ursprünglich",
    "engl.": "englisch", "frz.": "französisch", "österr.": "österreichisch", "jährl.": "jährlich",
    "monatl.": "monatlich", "wöchentl.": "wöchentlich", "einw.": "Einwohner", "anl.": "Anlage", "zus.": "zusammen",
    "pers.": "Personen", "kl.": "Klasse", "mag.a": "Magistra", "v.h.": "vom Hundert", "i. j.": "im Jahre",
    "u. a. w. g.": "um Antwort wird gebeten",
    "mmag.": "Magister Magister", "ddr.": "Doktor Doktor",
}  # fmt: skip
_ABBREVIATION = "|".join(re.escape(text) for text in sorted(ABBREVIATIONS, key=len, reverse=True))
_BEFORE_NUMBERS = word_set("fn. rn. gl. s. art. abs. bd. abb. kap. tab. ziff. anm. pos.")
_ONLY_BEFORE_MORE = word_set("kl. pers. em. u. min. max. ms. gem. rd. bio. mag. med. phil. jur. hd. lt. fa. pos.")
# As initials of a name in capitals.
_INITIALS_TOO = ("k. a.", "m. w.", "p. p.", "p. m.", "i. r.", "k.a.", "m.w.", "p.p.")
_CENTURIES = ("jh.", "jhd.", "jhdt.")
_SPOKEN_AS_WORDS = word_set("NATO NASA UNESCO AIDS LASER RADAR DAX UNO IKEA BAFÖG PIN RAM UNICEF FIFA UEFA COVID")


def _as_words(text: str) -> list[str | SpokenWord]:
    return [SpokenWord(part, letter=True) if len(part) == 1 and part.isupper() else part for part in text.split()]


@rule(rf"(?i:{_ABBREVIATION})(?!\w)", "l")
def abbreviation(match: re.Match[str], context: Context) -> Reading | None:
    """Read z. B., usw., Dr.; the full stop of one that ends the text stays a full stop."""
    text = match.group().lower()
    before, following = match.string[: match.start()], match.string[match.end() :].lstrip()
    if text in ("a. d.", "d. h.", "d.h.", "a.d.") and match.group()[-2].isupper() != (text[0] == "a"):
        # Halle a. d. Saale and Homburg v. d. H. are no a. D. and no d. h.
        return None
    if text in _INITIALS_TOO and match.group()[0].isupper() and following[:1].isupper():
        return None
    if text == "mag." and match.group()[0] == "m":
        return None
    if text == "em." and not re.search(r"\bProf\.\s$", before):
        return None
    if text in _CENTURIES and re.search(
        r"(?i:\b(?:des|eines|dieses)\s)(?:[\w.]+\s)?(?:(?:und|bis)\s)?\d+\.\s?$", before
    ):
        return ["Jahrhunderts", *([] if following else ["."])]
    if text == "s." and re.search(r"(?:\bAbs\.?|\bAbsatz|§)\s?\d+[a-z]?,?\s$", before) and following[:1].isdigit():
        return ["Satz"]
    if text in _BEFORE_NUMBERS and not following[:1].isdigit() and following[:1] not in "IVXL":
        return None
    if text in _ONLY_BEFORE_MORE and not (following[:1].isalnum() or following[:1] == "§" or following[:3] == "(FH"):
        return None
    if text == "f." and not context.previous[-1:].isdecimal():
        return None
    spoken = _as_words("im Allgemeinen" if match.group() == "i.a." else ABBREVIATIONS[text])
    return spoken if following else [*spoken, "."]


@rule(r"s\.(?=\s(?:[A-ZÄÖÜ][a-zäöü]{2,}|auch\b|dazu\b|§))", "w")
def see(match: re.Match[str], context: Context) -> Reading | None:
    """Read s. Anhang: siehe; not the unit of 5 s."""
    return None if context.previous[-1:].isdecimal() else ["siehe"]


@rule(r"v\.(?=\s(?:(?P<day>\d{1,2}\.)|[A-ZÄÖÜ][a-zäöüß]))|(?P<of>d)\.(?=\s\d{1,2}\.)", "w")
def of(match: re.Match[str], context: Context) -> Reading:
    """Read the v. of Urteil v. 5. März and Ludwig v. Beethoven, and the d. of Straße d. 17. Juni."""
    return ["des" if match["of"] else "vom" if match["day"] else "von"]


_SURNAMES = {
    "a. M.": "am Main", "a. d. O.": "an der Oder", "a. d. S.": "an der Saale", "a. Rh.": "am Rhein", "a. L.": "am Lech",
    "a. d. L.": "an der Lahn",
    "a. N.": "am Neckar", "a. B.": "am Bodensee", "a. d. W.": "an der Weinstraße", "a. d. R.": "an der Ruhr",
    "a. d. D.": "an der Donau", "a. d. Aisch": "an der Aisch", "o. d. T.": "ob der Tauber", "i. Br.": "im Breisgau",
    "i. d. OPf.": "in der Oberpfalz", "i. d. Opf.": "in der Oberpfalz", "v. d. H.": "vor der Höhe",
    "v. d. Höhe": "vor der Höhe", "i. Allg.": "im Allgäu", "i. W.": "in Westfalen", "i. Westf.": "in Westfalen",
    "i. V.": "im Vogtland", "i. Holst.": "in Holstein", "i. Thür.": "in Thüringen", "i. Sa.": "in Sachsen",
    "i. OB": "in Oberbayern", "d. Gr.": "der Große", "d. Ä.": "der Ältere", "d. J.": "der Jüngere",
}  # fmt: skip
_SURNAME = "|".join(re.escape(text).replace(r"\ ", r"\s?") for text in sorted(_SURNAMES, key=len, reverse=True))
_TIGHT_SURNAMES = {text.replace(" ", ""): spoken for text, spoken in _SURNAMES.items()}
# A letter after these is a letter: Punkt a.
_LETTERED = word_set(
    "Note Haus Plan Teil Block Typ Halle Kategorie Variante Option Team Zone Aufgang Ebene Punkt Buchstabe Vitamin "
    "Absatz Klasse Gruppe Abs. Nr. Lit. Buchst. Satz Ziffer Aufgabe Frage"
)
_PARENTS = {"a.d.": "an der", "o.d.": "ob der", "v.d.": "von der", "i.d.": "in der", "a.": "am", "i.": "im"}


@rule(rf"(?:{_SURNAME})(?!\w)|(?P<river>[aovi]\.(?:\s?d\.)?)(?=\s?[A-ZÄÖÜ][a-zäöüß]{{2,}})", "w")
def surname_of_place(match: re.Match[str], context: Context) -> Reading | None:
    """Read Frankfurt a. M., Halle a. d. Saale, Karl d. Gr.: what tells a name from others like it."""
    written = re.sub(r"\s", "", match.group())
    lettered = context.previous in _LETTERED and len(written) == 2
    if not context.previous[:1].isupper() or len(context.previous) < 3 or lettered:
        return None
    if match["river"]:
        return [_PARENTS[written]] if written in _PARENTS else None
    if written == "i.V." and context.previous != "Plauen":
        return None
    if written == "d.J." and not re.search(r"\w{3,}\s$", match.string[: match.start()]):
        return None
    return [_TIGHT_SURNAMES[written], *([] if match.string[match.end() :].strip() or written[-1] != "." else ["."])]


@rule(r"(?P<field>[a-z]{2,6})\.(?!\w)", "w")
def field_of_doctor(match: re.Match[str], context: Context) -> Reading | None:
    """Read the field of Dr. rer. nat. Schulz without pauses."""
    if match["field"] not in _FIELDS or not re.search(
        r"\b(?:Dr|Prof)\.(?:-Ing\.)?\s(?:[a-z]{1,6}\.\s?)*$", match.string[: match.start()]
    ):
        return None
    return [match["field"], *([] if match.string[match.end() :].strip() else ["."])]


_FIELDS = word_set(
    "med jur iur phil rer nat pol oec theol habil mult dent vet agr sc techn mont soc math publ univ ing biol päd psych"
)


@rule(r"(?P<stem>[A-ZÄÖÜ][a-zäöüß]+)[nN]r\.?(?!\w)", "u")
def kind_of_number(match: re.Match[str], context: Context) -> Reading:
    """Read Hausnr. and IdNr.: Hausnummer."""
    if match["stem"] == "Id":
        return ["Identifikationsnummer"]
    return [match["stem"] + "nummer"]


_WITHOUT_STOPS = {
    "USt-": "Umsatzsteuer", "USt": "Umsatzsteuer", "MfG": "Mit freundlichen Grüßen", "zB": "zum Beispiel",
    "uvm": "und vieles mehr", "dh": "das heißt", "BVerfG": "Bundesverfassungsgericht",
    "BVerwG": "Bundesverwaltungsgericht", "EuGH": "E U G H", "Zi": "Zimmer",
}  # fmt: skip


@rule(r"(?P<name>USt-?(?=Id)|USt\b|MfG|BVerfG|BVerwG|EuGH|Zi(?=-W)|zB|uvm|dh(?=\s))(?!\w)\.?", "l")
def without_stops(match: re.Match[str], context: Context) -> Reading:
    """Read USt, MfG, zB and their like."""
    ends = ["."] if match.group().endswith(".") and not match.string[match.end() :].strip() else []
    return [*_as_words(_WITHOUT_STOPS[match["name"]]), *ends]


_SOUNDS = {
    "hm": r"h+m+", "mhm": r"m+h+m+", "mmh": r"m{3,}h*|mm+h+|[Hh]?mpf", "psst": r"p+s{2,}t+|pst+", "pscht": r"p+scht+",
    "brr": r"b+r{2,}", "pff": r"p+f{2,}|pf+t", "tss": r"t+s{2,}|tsk", "grr": r"g+r{2,}", "sch": r"sch{2,}|s?shh+",
    "zzz": r"z{3,}",
}  # fmt: skip


@rule(rf"(?i:{'|'.join(f'(?P<{name}>{pattern})' for name, pattern in _SOUNDS.items())})(?!\w)", "l")
def interjection(match: re.Match[str], context: Context) -> Reading | None:
    """Read Hmmm, Pst and Brrr, however long they are drawn: a sound, and no letters."""
    if match.group().isupper() and not context.shouting:
        return None
    return [match.lastgroup or ""]


@rule(r"(?P<spoon>[ET])L(?!\w)", "u")
def spoon(match: re.Match[str], context: Context) -> Reading | None:
    """Read the TL of 1 gestrichener TL."""
    if not re.search(r"\d\s(?:[a-zäöüß]+e[rn]?|gestr\.|geh\.)\s$", match.string[: match.start()]):
        return None
    return ["Esslöffel" if match["spoon"] == "E" else "Teelöffel"]


@rule(r"(?P<word>[LP]kw|Kfz)(?P<s>'?s)?(?!\w)", "l")
def vehicle(match: re.Match[str], context: Context) -> Reading:
    """Read Pkws: letters."""
    return _spelled(match["word"].upper(), match["s"])


@rule(r"(?P<word>Nr|Hbf|Bhf|MwSt|Dr|Prof|Str|ca|bzw|usw|etc|Mio|Mrd|Tsd|Az(?=:))(?![\w.])", "l")
def bare_abbreviation(match: re.Match[str], context: Context) -> Reading:
    """Read Nr and MwSt without their full stop."""
    return _as_words(ABBREVIATIONS[match["word"].lower() + "."])


@rule(r"(?P<name>[A-ZÄÖÜ][a-zäöüß]{2,})str\.(?![^\W_])", "u")
def street(match: re.Match[str], context: Context) -> Reading:
    """Read Hauptstr.: Hauptstraße."""
    return [match["name"] + "straße", *([] if match.string[match.end() :].strip() else ["."])]


def _spelled(letters: str, ending: str | None) -> list[str | SpokenWord]:
    """Return the letters of a word in capitals, the last one with the s of the plural or the genitive."""
    words: list[str | SpokenWord] = [SpokenWord(letter, letter=True) for letter in letters]
    return [*words[:-1], SpokenWord(letters[-1] + "s", letter=True)] if ending else words


@rule(r"(?P<name>StGB|StPO|StVO|StVG|BvR|BvL|StR|GmbH|gGmbH|KGaA|eG|mbH|eV|WhatsApp)(?P<s>s)?(?![\w.])", "l")
def company(match: re.Match[str], context: Context) -> Reading:
    """Read GmbH and KGaA: letters."""
    if match["name"] == "WhatsApp":
        return ["Whats", "App" + (match["s"] or "")]
    return _spelled(match["name"].upper(), match["s"])


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


_CITIES_WITH_FOUR = word_set(
    "Wien Graz Linz Salzburg Innsbruck Klagenfurt Villach Wels Bregenz Zürich Bern Basel Genf Lausanne Winterthur "
    "Luzern Zug Chur Lugano Bad Sankt St"
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
    if len(match["code"]) == 4 and not match["land"] and match["city"] not in _CITIES_WITH_FOUR:
        # TSV 1860 München: German codes have five digits.
        return None
    land = [SpokenWord(letter, letter=True) for letter in match["land"] or ""]
    return [*land, digits(match["code"], "de")]


@rule(r"(?P<code>\d{5})(?![\w]|[.,-]\d)", "d")
def named_postal_code(match: re.Match[str], context: Context) -> Reading | None:
    """Read PLZ 50667 digit by digit."""
    named = re.search(r"\b(?:PLZ|Postleitzahl)(?:\sist)?:?\s*$", match.string[: match.start()])
    return [digits(match["code"], "de")] if named else None


@rule(r"(?P<letters>[A-ZÄÖÜ]{2,})(?P<s>'?s)?(?![^\W\d_])", "u")
def capitals(match: re.Match[str], context: Context) -> Reading:
    """Read EU, USA, PCs: letters; a long row in capitals is a word."""
    text, ending = match["letters"], "s" if match["s"] else ""
    if text in _SPOKEN_AS_WORDS or len(text) > 5:
        return [text.lower() + ending]
    if context.shouting and (context.is_word(text.lower()) or context.is_word(text.lower().replace("ss", "ß"))):
        return [text.lower() if context.is_word(text.lower()) else text.lower().replace("ss", "ß")]
    if len(text) >= 4 and context.is_word(text.lower()):
        return [text.lower() + ending]
    return _spelled(text, ending)


@rule(
    r"(?P<letters>(?:[A-Za-zÄÖÜ]\.[\s-]?){2,}(?<=\.)(?:[A-Z](?![\w.]))?|(?:[A-Za-zÄÖÜ]\.[\s-]?){2,}(?=[A-ZÄÖÜ][a-zäöüß]))(?!\w)|[A-ZÄÖÜ]\.(?=\s?(?P<next>[^\W\d_]{2,}))",
    "l",
)
def initials(match: re.Match[str], context: Context) -> Reading | None:
    """Read E. T. A. Hoffmann, P.S. and E. coli: letters without full stops; in A. Allgemeines, a heading, it stays."""
    following = match.string[match.end() :].strip()
    if match["next"] and context.previous in _LETTERED:
        return None
    heading = match["next"] and not context.previous and match["next"][0].isupper() and match.group()[0] in "ABC"
    if heading and context.is_word(match["next"].lower()):
        return None
    letters = [SpokenWord(sign.upper(), letter=True) for sign in match.group() if sign.isalpha()]
    return letters if following or match.group()[-1] != "." else [*letters, "."]


@rule(r"[A-Za-zÄÖÜäöü](?![\w'])", "l")
def letter(match: re.Match[str], context: Context) -> Reading:
    """Read a letter that stands alone."""
    return [SpokenWord(match.group().upper(), letter=True)]


ADDRESS_RULES = (postal_code, named_postal_code)
ABBREVIATION_RULES = (
    street, surname_of_place, field_of_doctor, abbreviation, see, of, bare_abbreviation, kind_of_number, without_stops,
    interjection, spoon, vehicle, company, gender_sign, per_unit,
)  # fmt: skip
LETTER_RULES = (initials, capitals, letter)
