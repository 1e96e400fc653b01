"""The gender of German nouns, and how 1 and ½ are said before them: ein Kind, mit einem Hund, eine halbe Stunde."""

import re

from glowvox.text.normalise.scanner import word_set

_MASCULINE = word_set(
    "name junge kunde kollege erbe bote zeuge käse buchstabe gedanke wille franzose flur spion skorpion champion "
    "moment zement schaft franken kaffee tee schnee klee tanz kranz schwanz glanz"
)
# Endings that other words seem to have too: Raum and Album, Sprung and Übung.
_MASCULINE_ENDING = re.compile(r"(?:[rbts]aum|sprung|schwung|meter|liter|löffel|kaffee|kräutertee|schnee)$")
_NEUTER = word_set(
    "mal tor buch kind bild haus drittel viertel gebot stück gleis rennen treffen album lied konzert studium opfer "
    "mitglied land team problem auto zimmer obergeschoss geschoss stockwerk feld bataillon regiment gesetz ende "
    "jh gebäude auge amt paar og ug dg konzil reich bett stadium staatsexamen ei bier brot glas foto video paket "
    "ticket pferd huhn schwein schaf hemd kleid dorf blatt wort licht ding pfund kilo prozent promille heft fenster "
    "messer konto büro hotel restaurant event update produkt angebot objekt system gerät modell rezept exemplar boot "
    "schiff flugzeug fahrrad rad motorrad bad schloss kissen baby tier fest geschenk ziel symbol signal argument "
    "stadion abitur futur bund pck bit byte sandwich brötchen wasser eis salz öl ohr bein herz netz loch dach quiz "
    "level menü getränk gericht gespräch interview seminar handy telefon tablet haar dokument ereignis ergebnis ich hj"
)
_NEUTER_ENDING = re.compile(
    r"(?:chen|lein|um|ment|jahr|jahrhundert|jahrzehnt|jahrtausend|spiel|haus|kapitel|semester|quartal|drittel|finale|buch"
    r"|geschoss|zimmer|treffen|rennen|gramm|byte|paket)$"
)
_FEMININE = word_set(
    "liga bundesliga kreisliga hand halbzeit person frau tochter nacht fahrt zeit wahl form art stadt schicht mahnung "
    "mannschaft division kammer ziffer nummer formel regel ader ebene instanz generation woche kurve division etappe "
    "kw wm em mark lira mio mrd std min sek wand bank gabel tür mutter schwester butter kraft maus nuss wurst milch "
    "steuer schulter kartoffel zwiebel arbeit antwort burg insel pizza cola oma firma kamera mail app unterschrift "
    "schachtel schüssel nudel feder leiter nachricht rast tat jury bar couch party story"
)
_FEMININE_ENDING = re.compile(r"(?:ung|heit|keit|schaft|ion|tät|ik|ur|ei|enz|anz|[^i]e|ie)$")
# Most nouns that are not known are masculine, yet einen before one that is not is worse than a plain ein.
_SURELY_MASCULINE = re.compile(
    r"(?:tag|monat|euro|cent|dollar|franken|rubel|hund|mann|freund|sohn|bruder|vater|onkel|opa|punkt|platz|tisch|stuhl"
    r"|termin|meter|liter|löffel|becher|sack|kasten|karton|apfel|satz|schritt|gast|fehler|kaffee|tee|wein|kuchen|salat"
    r"|film|artikel|koffer|brief|versuch|treffer|sieg|grund|ort|raum|baum|wagen|zug|bus|flug|spieler|schüler|lehrer"
    r"|fahrer|arzt|test|link|chef|stern|kopf|finger|zahn|ball|korb|topf|teller|tropfen|beutel|eimer|ordner|stift"
    r"|drucker|computer|rechner|laptop|fernseher|schlüssel|schrank|garten|balkon|keller|preis|gutschein|antrag"
    r"|vertrag|ausweis|führerschein|vogel|fisch|kater|hase|affe|löwe|junge|kunde|kollege|name|käse|vorschlag"
    r"|hinweis|wunsch|traum|gedanke|anteil|klick|würfel|knopf|monitor|server|auftrag|unfall)$"
)
_NO_ADJECTIVE = "der|den|dem|des|oder|über|unter|hinter|aber|wurden?|wären?|waren|haben?|hatten?|werden?|eine[rnsm]?|wegen|gegen|zwischen|neben"  # noqa: E501
_NOUN = re.compile(rf"\.?\s+(?:(?!(?:{_NO_ADJECTIVE})\s)[a-zäöüß]+e[rnsm]?\s+)?(?P<noun>[A-ZÄÖÜ][\w-]*)")


_ADJECTIVE = (
    r"(?:klein|groß|neu|alt|gut|ganz|halb|weiter|einzig|lang|kurz|frei|rot|grün|blau|schwarz|weiß|gelb|gestrichen|gehäuft"
    r"|frisch|rein|gemeinsam|zusätzlich|kostenlos|eigen|fest|jung|schön|hoh|einfach|doppelt|heiß|kalt|warm|dick|dünn|reif"
    r"|ander|leer|voll|mittelgroß|gekocht|gehackt)e[rnsm]?"
)
NOUN_FOLLOWS = re.compile(rf"\s(?:{_ADJECTIVE}\s(?=[A-ZÄÖÜ]))?(?!Komma\b)(?=[A-ZÄÖÜ][a-zäöüß]|(?<=\w\s)[ET]L\b)")
"""A noun, perhaps after an adjective, that the number before it counts."""


def _noun(following: str) -> str:
    match = _NOUN.match(following)
    return match["noun"].rsplit("-", 1)[-1].lower() if match else ""


def gender(following: str) -> str:
    """Return f, n or m: the likely gender of the noun that a text begins with, after a space."""
    noun = _noun(following)
    if noun in _MASCULINE or _MASCULINE_ENDING.search(noun):
        return "m"
    if noun in _NEUTER or _NEUTER_ENDING.search(noun):
        return "n"
    if noun in _FEMININE or _FEMININE_ENDING.search(noun):
        return "f"
    return "m"


_ADVERBS = word_set(
    "nur noch genau etwa ca circa mindestens höchstens maximal minimal fast knapp rund ungefähr gut bereits schon erst "
    "wieder jeweils nun auch gerade lediglich immerhin wenigstens zirka"
)
_WITH_DATIVE = word_set("mit aus von bei zu nach seit ab außer in vor unter binnen samt an")
_WITH_ACCUSATIVE = word_set(
    "für durch gegen ohne um pro per über habe hab hast hat haben habt hatte hatten hätte hätten brauche brauchst "
    "braucht brauchen kaufe kauft kaufen kaufte suche sucht suchen nehme nimmt nehmen bekomme bekommt bekommen "
    "kostet kosten kostete gibt gab möchte möchten bestelle bestellt bestellen esse trinke trank aß sehe sah finde "
    "fand verkaufe verkauft dauert dauerte enthält schieße schoss besitze besitzt"
)
_WITH_GENITIVE = word_set("innerhalb außerhalb wegen während trotz statt anstatt")
_ARTICLES = word_set(
    "ein eine einen einem einer eines der die das den dem des diese dieser dieses diesen diesem jede jeder jedes jeden "
    "jedem meine meinen deine deinen seine seinen ihre ihren unsere unseren"
)
_OPENERS = (_ADVERBS | _WITH_DATIVE | _WITH_ACCUSATIVE | _WITH_GENITIVE | _ARTICLES) | word_set(
    "bitte und oder aber sowie plus dann dort hier da heute morgen gestern jetzt dazu davon zusätzlich es ich er sie "
    "wir ihr ist war sind als wie je dass wenn weil suche vermiete biete verkaufe auf an bis zwischen zwar sogar "
    "jedoch also gesucht hinter neben fehlt fehlte kommt kam bleibt"
)
_LAST_WORD = re.compile(r"(?:^|(?<=[\s(\"']))(?P<word>[^\W\d_]+)\.?\s*$")


def _before(text: str) -> str:
    """Return the last word of a text, in small letters; adverbs of degree are passed over."""
    while (match := _LAST_WORD.search(text)) is not None:
        word = match["word"].lower()
        if word not in _ADVERBS:
            return word if word != "zu" or not re.search(r"\d\s*$", text[: match.start()]) else ""
        text = text[: match.start()].rstrip()
    return ""


def counts(before: str) -> bool:
    """Say whether a number counts what stands after it, not what stands before: nur 1 Tag, Gleis 1."""
    match = re.search(r"(?P<word>[^\W\d_][\w.-]*|[§#№])\s*$", before)
    if match is None:
        return True
    if match["word"] == "zu" and re.search(r"\d\s$", before[: match.start()]):
        return False
    word = match["word"].rstrip(".").lower()
    if word in _OPENERS or re.search(r"\b[zZ]\.\s?B\.\s*$", before):
        return True
    return not match["word"][0].isupper() and word not in ("nr", "nummer", "platz", "§", "#", "№")


def _case(before: str) -> str:
    """Return d, a, g or n: the case that the words before a number ask for."""
    word = _before(before)
    if word in _WITH_DATIVE:
        return "d"
    if word in _WITH_GENITIVE:
        return "g"
    return "a" if word in _WITH_ACCUSATIVE else "n"


def one(before: str, noun: str) -> str:
    """Return what 1 is before a noun: ein, eine, einen, einem, einer, eines.

    Args:
        before: The text before the number, whose last word asks for a case.
        noun: The noun, with what stands before it.
    """
    kind, case = gender(" " + noun), _case(before)
    if kind == "f":
        return "einer" if case in "dg" else "eine"
    name = _noun(" " + noun)
    if case == "g":
        return "eines" if name.endswith("s") else "einem"
    if case == "a":
        return "einen" if kind == "m" and _SURELY_MASCULINE.search(name) else "ein"
    return "einem" if case == "d" else "ein"


def half(before: str, noun: str) -> str:
    """Return what ½ is before a noun: ein halber Liter, einer halben Stunde; the article only where there is none."""
    kind, case, word = gender(" " + noun), _case(before), _before(before)
    if word in _ARTICLES:
        if word in (
            "der",
            "die",
            "das",
            "eine",
            "diese",
            "dieses",
            "jede",
            "meine",
            "deine",
            "seine",
            "ihre",
            "unsere",
        ):
            return "halben" if word == "der" and kind == "f" else "halbe"
        return ("halber" if kind == "m" else "halbes") if word == "ein" else "halben"
    if kind == "f":
        return "einer halben" if case in "dg" else "eine halbe"
    if case == "g":
        return "eines halben"
    if case == "d":
        return "einem halben"
    if kind == "n":
        return "ein halbes"
    return "einen halben" if case == "a" else "ein halber"
