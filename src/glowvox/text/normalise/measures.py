"""English measures: numbers with units, lengths of time, feet and inches, dimensions and factors."""

import re

from glowvox.text.normalise.dates import SECONDS_AFTER
from glowvox.text.normalise.numbers import cardinal, number, ordinal, plural, year
from glowvox.text.normalise.quantities import (
    LONG_MINUS,
    NAMED_MODEL,
    NUMBER,
    VULGAR,
    coordinates,
    fraction,
    with_article,
)
from glowvox.text.normalise.scanner import Context, Reading, SpokenWord, rule
from glowvox.text.normalise.units import PER, PER_SYMBOL, POWERS, SYMBOL, is_another_word, symbol_of, unit_for

_NUMBER = rf"(?P<n>(?:(?<![\w)\]%.°\"'])(?:[-+−]|{LONG_MINUS}))?(?:{NUMBER}))"
# What is multiplied: kW·h, N·m.
_FACTOR = "(?:[·⋅](?P<factor>h|m|s|kg|g|cm|mm|km|K|V|W|N|Pa|mol|L|m²|m2)(?!⁻))?"
_MAGNITUDE = r"(?:\s(?P<scale>hundred|thousand|million|billion|trillion)(?=\s))?"
# Symbols that are also words or letters need a number right before them or a sure sign after.
_DOUBTFUL = {"pm", "in", "K", "t", "h", "L", "l", "m", "N", "J", "V", "W", "g", "s"}


@rule(
    rf"{_NUMBER}(?:(?:\s?[-–x×]\s?|~|\s~\s)(?P<last>\d+(?:\.\d+)?))?{_MAGNITUDE}(?P<gap>[\s-]?)(?P<unit>{SYMBOL})"
    rf"(?P<power>[²³]|(?<=m)[23])?{_FACTOR}(?:/(?P<per>{PER_SYMBOL}))?(?![\w²³]|(?<!°[CF])/(?!\d)|-[^\W\d]|'\w)"
    r"(?P<stop>(?<=[a-z])\.(?=\s[a-z]|[,;:)]|\s\d{1,2}\s?(?:in|oz|min|sec)\b))?",
    "do",
)
def measure(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5 km, 20°C, 3.5 GHz, 60 km/h, 10 m², 5-10 kg."""
    symbol, gap = match["unit"], match["gap"]
    if _after_hyphenated_name(match) and symbol in _DOUBTFUL:
        return None
    if is_another_word(match, shouting=context.shouting):
        return None
    if symbol == "v" and (gap or match["n"] not in _VOLTAGES):
        return None
    if symbol == "w" and (gap or not _DEVICE.match(match.string, match.end())):
        return None
    if not match["power"] and not match["per"] and not match["factor"] and not _surely_unit(symbol, gap, match):
        return None
    if symbol == "cal" and re.fullmatch(r"\.\d{2,3}", match["n"]):
        # A weapon: .50 cal.
        return None
    if symbol == "K" and (thousands := _letter_k(match)):
        return thousands
    if symbol == "s" and gap.isspace() and re.fullmatch(r"(?:1\d|20)\d0", match["n"]):
        return [plural(year(match["n"]))]
    if (
        symbol == "s"
        and not gap
        and (
            not _counts_seconds(match, context)
            or re.search(r"\dx", match.group())
            or (match["n"] == "10" and match.string[match.end() :].startswith(" of "))
        )
    ):
        return None
    words = [number(match["n"])]
    if match["last"]:
        words.extend(["by" if re.search(r"[x×]", match.group()) else "to", number(match["last"])])
    # A hyphen makes an adjective: a 5-km run is a five kilometer run.
    if match["scale"]:
        words.append(match["scale"])
    amount = "2" if match["scale"] else match["last"] or match["n"]
    # A 65W charger, a 5 kg bag.
    noun = (
        context.previous in ("a", "an", "A", "An", "another")
        and re.match(
            r"\s(?:(?!of\b|per\b|and\b|or\b|to\b|in\b|is\b|at\b)[a-z]{3,}|(?:TV|PC|SSD|HDD|LCD|LED|OLED|USB|RAM)\b)",
            match.string[match.end() :],
        )
    ) or _before_a_thing(match, context)
    single = gap == "-" or bool(noun)
    if symbol in ("pt", "pts") and _is_point(match, context):
        words.append("point" if single or amount == "1" or _OF_POINTS.match(match.string, match.end()) else "points")
        return words
    if match["factor"]:
        # Of a product only the last is counted: newton meters.
        words.append(unit_for(symbol, match["power"], "1"))
        symbol, power = match["factor"].rstrip("²2"), "²" if match["factor"][-1] in "²2" else None
        words.append(unit_for(symbol, power, "1" if single else amount))
    else:
        words.append(unit_for(symbol, match["power"], "1" if single else amount))
    if match["per"]:
        words.append(f"per {PER[symbol_of(match['per'])]}")
    return words


_RACES = re.compile(
    r"\s(?:runs?|races?|walks?|marathon|loop|resolution|monitors?|videos?|displays?|TVs?|screens?|cameras?)\b"
)
_RUNNING = re.compile(
    r"\b(?:ran|runs?|running|jogg?(?:ed|s|ing)?|walk(?:ed|s|ing)?|raced?|races|racing|finish(?:ed|es)?)"
    r"\s(?:(?:an?|the|my|his|her|their|our|another)\s)?(?:[a-z]+\s)?$"
)
_PAYING = re.compile(
    r"\b(?:pa(?:y|ys|id|ying)|earn(?:s|ed|ing)?|makes?|made|costs?|owes?|owed|spen[dt]s?|wins?|won|worth|sav(?:e|es|ed)"
    r"|rais(?:e|es|ed)|borrow(?:s|ed)?|los(?:e|es|t)|sold\sfor|salary\sof|price\sof)"
    r"\s(?:(?:about|around|over|nearly|almost|only|just|him|her|me|us|them)\s)?$"
)
_COUNTED_IN_THOUSANDS = re.compile(
    r"\s(?:people|followers|users|subscribers|likes|views|dollars|euros|pounds|bucks|words|employees|jobs|fans|members"
    r"|downloads|students|votes|residents|steps|a\s(?:year|month|week))\b"
)


def _letter_k(match: re.Match[str]) -> Reading | None:
    """Read the K that is no kelvin: a race of 5 K, a 4 K video, a pay of 50 K."""
    before, following = match.string[: match.start()], match.string[match.end() :]
    if match["per"] or match["factor"] or match["scale"] or match["last"] or not match["n"][0].isdecimal():
        return None
    if _PAYING.search(before) or _COUNTED_IN_THOUSANDS.match(following):
        return [number(match["n"]), "thousand"]
    if _RACES.match(following) or _RUNNING.search(before):
        return [number(match["n"]), SpokenWord("K", letter=True)]
    return None


_OF_POINTS = re.compile(
    r"\s(?:fonts?|type|text|typefaces?|headings?|lettering|letters|leading|print|lines?|bold|italics?|Times|Arial|Calibri"
    r"|Helvetica|Courier|Garamond|Georgia|Verdana|Cambria|Roboto|shots?|shooters?|shooting|leads?|conversions?|buck|scale)\b"
)


def _is_point(match: re.Match[str], context: Context) -> bool:
    """Say whether pt is short for point, and not for pint: 12 pt type, a 3 pt shot."""
    size = match["n"].isdecimal() and int(match["n"]) > 5
    return (
        match["unit"] == "pts"
        or _OF_POINTS.match(match.string, match.end()) is not None
        or (size and (not match["gap"] or context.previous.lower() in ("in", "at", "size", "to")))
    )


# A 5V supply, a 12v battery, 100mbps lines: things that are called by a measure, and are no verbs.
_DEVICE = re.compile(
    r"\s(?:suppl(?:y|ies)|batter(?:y|ies)|adapters?|chargers?|jacks?|lines?|uplinks?|connections?|motors?|bulbs?|outlets?|rails?"
    r"|monitors?|screens?|displays?|drives?|disks?|cards?|lens(?:es)?|cables?|hoses?|pipes?|engines?|tanks?|bottles?|speakers?|SSDs?|HDDs?|TVs?"
    r"|cameras?|videos?|relays?|races?|sprints?|dash|pools?|rooms?|towers?|files?|images?|rulers?)\b"
)
_THING = re.compile(
    r"\s(?:angles?|films?|pistols?|handguns?|guns?|rifles?|cannons?|rounds|bullets?|ammo|ammunition|bags?|sacks?|slopes?|jars?"
    r"|containers?|box(?:es)?|ropes?|tubes?|tapes?|nails?|screws?|bolts?|sockets?|ladders?|poles?|boards?|tablets?|capsules?|pills?"
    r"|doses?|steaks?|dumbbells?|kettlebells?|weights?|lamps?|lasers?|amplifiers?|heaters?|panels?|generators?|turbines?|resistors?"
    r"|capacitors?|inductors?|circuits?|fuses?|sensors?|processors?|lights?|hikes?|radius|barrels?|drums?|clips?|intervals?|delays?"
    r"|breaks?|timeouts?|timers?|windows?|pauses?|ads|exposures?)\b"
)
_TURN = re.compile(r"\s(?:turns?|views?|rotations?|arcs?|bends?|corners?|spins?|panoramas?|feedback|swings?)\b")


def _before_a_thing(match: re.Match[str], context: Context) -> bool:
    """Say whether a measure stands before what it describes: a five watt bulb, thirty five millimeter film.

    With a blank between the number and the unit, a verb or another measure may follow: it weighs 5 kg.
    """
    if re.search(r"\d\D{0,4}\s?(?:by|[x×])\s?$", match.string[: match.start()]):
        # Of a width and a height both are counted.
        return False
    if _DEVICE.match(match.string, match.end()):
        return not match["gap"] or context.previous.lower() not in ("after", "for", "in", "within", "every")
    return (_TURN if "°" in match["unit"] else _THING).match(match.string, match.end()) is not None or (
        "°" in match["unit"] and _THING.match(match.string, match.end()) is not None
    )


_VOLTAGES = ("3", "5", "6", "9", "12", "18", "24", "36", "48", "110", "115", "120", "220", "230", "240", "400")


def _after_hyphenated_name(match: re.Match[str]) -> bool:
    """Say whether the number is the second part of a name: step-3m, but not sub-10s."""
    before = re.search(r"([^\W_]+)-$", match.string[max(0, match.start() - 24) : match.start()])
    return before is not None and before[1].lower() not in ("sub", "mid", "pre", "post", "near", "ultra", "non")


_SECONDS_BEFORE = re.compile(
    r"^(?:within|after|every|takes?|took|lasts?|lasted|wait|waits|waited|timeout|than|least|most|=|duration|delay|ttl|time"
    r"|interval|latency|limit|runtime|length|for|last|next|only|just|another|about)$"
)


_NUMBER_WORDS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen"
# Of the digits on dice, cards, clothes and lists there are several: three 7s, a pair of 8s, size 8s, the top 10s.
_FIGURES_BEFORE = re.compile(
    rf"(?:\b(?i:{_NUMBER_WORDS}|several|many|few|some|both|all|these|those|their|his|her|my|your|our|the|no|more|fewer"
    r"|straight|double|triple|pocket|perfect|mostly|sizes?|top|wears?|wore|wearing|roll(?:ed|s|ing)?|threw|dealt|type"
    r"|lucky|odd|even|single|leading|trailing)"
    r"|(?:^|\b(?i:the|our|boys|girls|kids)\s)(?i:under|over)"
    r"|\b(?i:pairs?|sets?|couple|bunch|rows?|strings?|lots?|handful|hand|full|stack|pile|series|mix|sequence|column)\sof"
    r"|\b(?i:count(?:s|ed|ing)?|multipl(?:y|ies|ied)|divisible|tables?)\s(?:up\s|down\s)?(?i:by|in))\s$"
)
_OTHERS_BEFORE = re.compile(r"(?P<cue>(?:^|\S+\s))(?:\d{1,2}s(?:,\s|\s(?:and|or|&|over)\s|,\s(?:and|or)\s))+$")
_OTHERS_AFTER = re.compile(r"(?:,\s\d{1,2}s)*,?\s(?:and|or|&|over)\s(?:[a-z]+\s)?\d{1,2}s(?!\w)")
_LENGTHS_BEFORE = re.compile(
    r"(?:in|at|to|from|of|by|around|about|and|or|under|over|was|were|is|are|be|takes?|took|runs?|ran|after|within|every|for|than"
    r"|wait|last|lasts|next|timeout|timeouts|between)",
    re.IGNORECASE,
)


def _are_figures(match: re.Match[str]) -> bool:
    """Say whether the s after a number of one or two digits makes several figures of it: 0s and 1s."""
    before, following = match.string[: match.start()], match.string[match.end() :]
    if len(match["n"]) > 2:
        return False
    listed = _OTHERS_BEFORE.search(before)
    last = list(re.finditer(r"\b\d{1,2}s(?!\w)", following)) if _OTHERS_AFTER.match(following) else []
    if SECONDS_AFTER.match(following[last[-1].end() :] if last else following):
        return False
    first = before[: listed.start()] + listed["cue"] if listed else before
    if _FIGURES_BEFORE.search(first):
        return True
    if not listed and not last:
        return False
    cue = re.search(r"(\S+)\s$", first)
    return cue is None or _LENGTHS_BEFORE.fullmatch(cue[1].rstrip(",:")) is None


def _counts_seconds(match: re.Match[str], context: Context) -> bool:
    """Say whether the s after a number stands for seconds: 11.2s, 30s, not 747s, 1960s, iPhone 5s, three 7s."""
    text = match["n"]
    if "." in text or _SECONDS_BEFORE.search(context.previous.lower()):
        return True
    if text.isdecimal() and not match["last"] and _are_figures(match):
        return False
    if NAMED_MODEL.search(context.previous):
        return False
    if re.fullmatch(r"[A-Z][a-z]+", context.previous) and len(text) == 3:
        return False
    plain = text.lstrip("+-").replace(",", "").replace(" ", "")
    # Decades have been asked before: what is left of 20s to 90s counts seconds.
    return len(plain) < 3 or (len(plain) == 3 and plain[2] == "0")


_INCHES_AFTER = re.compile(
    r"\sby\s[\d.½¼¾/ ]+\s?in\b|\sin\s(?:diameter|length|width|height|depth)\b"
    r"|\s(?:wide|long|tall|deep|high|thick|apart|across|square)(?=\s*$|[.,;:!?)]|\s(?:and|or|by|at|in|with|when|to|for|on)\b)"
)


def _surely_unit(symbol: str, gap: str, match: re.Match[str]) -> bool:
    """Say whether a symbol that is also a word or a letter stands for a unit here."""
    if symbol == "K":
        return gap.isspace()
    if symbol not in _DOUBTFUL or not gap:
        return True
    if symbol == "in":
        following = match.string[match.end() :]
        return gap.isspace() and (
            bool(match.groupdict().get("stop"))
            or re.match(r"\.|\s*$|\s[x×]\s", following) is not None
            or _INCHES_AFTER.match(following) is not None
            or re.search(r"\d\s?in\.?\s(?:by|x)\s$", match.string[: match.start()]) is not None
        )
    return gap.isspace()


@rule(r"(?:(?P<d>\d+)d\s?)?(?P<h>\d+)h\s?(?P<m>[0-5]?\d)(?:m|min)?(?:\s?(?P<s>[0-5]?\d)s)?(?!\w)", "d")
def hours_and_minutes(match: re.Match[str], context: Context) -> Reading | None:
    """Read 2h30m and 1d 4h 5m."""
    return _duration((match["d"], "day"), (match["h"], "hour"), (match["m"], "minute"), (match["s"], "second"))


@rule(r"(?P<m>\d+)m(?:in)?\s?(?P<s>[0-5]?\d)s(?!\w)|(?P<d>\d+)d\s?(?P<h>\d+)h(?!\w)", "d")
def minutes_and_seconds(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5m30s."""
    return _duration((match["d"], "day"), (match["h"], "hour"), (match["m"], "minute"), (match["s"], "second"))


def _duration(*parts: tuple[str | None, str]) -> Reading:
    return [f"{number(value)} {unit}{'' if int(value) == 1 else 's'}" for value, unit in parts if value]


@rule(
    rf"(?:(?:(?P<whole>\d{{1,6}})[\s-])?(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}}|\d{{3,5}}(?=\s?s))|(?P<n>\d{{1,6}})?\s?(?P<part>[{''.join(VULGAR)}]))"
    rf"(?P<gap>[\s-]?)(?P<unit>{SYMBOL})(?P<power>[²³])?(?![\w²³/]|-\w|'\w)",
    "do",
)
def fraction_of_unit(match: re.Match[str], context: Context) -> Reading | None:
    """Read 4 1/2 lbs and ½ kg."""
    symbol, gap = match["unit"], match["gap"]
    listed = symbol == "in" and re.match(r"[,;)]", match.string[match.end() :])
    if (symbol in _DOUBTFUL and not listed and not _surely_unit(symbol, gap, match)) or (
        is_another_word(match, shouting=context.shouting)
    ):
        return None
    if match["a"] and int(match["a"]) >= int(match["b"]):
        return None
    if match["b"] and len(match["b"]) > 2 and symbol not in ("s", "sec"):
        return None
    whole = match["whole"] or match["n"]
    if symbol in ("s", "sec") and match["a"] == "1" and int(match["b"]) >= 10 and not whole:
        # The time of a shutter.
        return [f"one {ordinal(match['b'])} of a second"]
    part = fraction(match["a"], match["b"]) if match["a"] else VULGAR[match["part"]]
    unit = unit_for(symbol, match["power"], "2" if whole and gap != "-" else "1")
    if whole:
        return [cardinal(whole), "and", with_article(part), unit]
    return [part, unit]


@rule(rf"(?P<n>{NUMBER})/(?P<per>{PER_SYMBOL})(?P<power>[²³])?(?![\w²³/])", "d")
def rate(match: re.Match[str], context: Context) -> Reading | None:
    """Read 12/kg, 3/day: per."""
    if (
        match["per"] in ("s", "m", "h", "l", "K", "g", "in", "ft", "mi", "mm", "ha")
        and len(match["n"]) < 3
        and not match["power"]
    ):
        return None
    power = f"{POWERS[match['power']]} " if match["power"] else ""
    return [number(match["n"]), "per", power + PER[symbol_of(match["per"])]]


@rule(r"(?P<what>[A-Za-z]{2,20})/(?P<per>wk|yr|mo|hrs?|min|sec|[sdh])(?![\w/])", "l")
def counted_per(match: re.Match[str], context: Context) -> Reading | None:
    """Read the words of 5 days/wk and 20 req/s after their number."""
    if not re.search(r"\d\s$", match.string[: match.start()]):
        return None
    return [match["what"], "per", {"d": "day", "hrs": "hour"}.get(match["per"], "") or PER[match["per"]]]


def _in_quotes(match: re.Match[str]) -> bool:
    """Say whether a quote is open: signs of inches, right after a number, are none."""
    before = re.sub(r"\d(?:\"|'')", "", match.string[: match.start()])
    return before.count('"') % 2 == 1 or before.count("''") % 2 == 1


@rule(r"(?:(?P<whole>\d{1,3})[\s-])?(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:\"|'')(?!\w)", "d")
def inch_fraction(match: re.Match[str], context: Context) -> Reading | None:
    """Read 3/8" and 5 3/4"."""
    if _in_quotes(match) or int(match["a"]) >= int(match["b"]):
        return None
    part = fraction(match["a"], match["b"])
    return [cardinal(match["whole"]), "and", with_article(part), "inches"] if match["whole"] else [part, "inch"]


_INCHES = re.compile(r"\s?[x×]|\s(?:pizza|screen|monitor|TV|display|pipe|wheel|[a-z]+[^s\W])\b")


@rule(rf"(?:(?P<from>{NUMBER})\s?[-–]\s?)?(?P<n>{NUMBER})(?:\"|'')(?:(?!\w)|(?=[x×]\s?\d))", "d")
def inches(match: re.Match[str], context: Context) -> Reading | None:
    """Read 10" pizza; not a quote that closes after a number."""
    if _in_quotes(match):
        return None
    lower = [number(match["from"]), "to"] if match["from"] else []
    return [*lower, number(match["n"]), _inch_or_foot(match, "inch", "inches")]


@rule(rf"(?:(?P<from>{NUMBER})\s?[-–]\s?)?(?P<n>{NUMBER})'(?![\w'])", "d")
def feet(match: re.Match[str], context: Context) -> Reading | None:
    """Read 20' x 30'; not a quote that closes after a number."""
    before = match.string[: match.end() - 1]
    if len(re.findall(r"(?<![\w'])'(?=\w)", before)) > len(re.findall(r"(?<=[\w.,!?])'(?!\w)", before)):
        return None
    lower = [number(match["from"]), "to"] if match["from"] else []
    return [*lower, number(match["n"]), _inch_or_foot(match, "foot", "feet")]


def _inch_or_foot(match: re.Match[str], one: str, many: str) -> str:
    """Return the singular before a noun, as in a ten inch pizza, else what the number asks for."""
    following = match.string[match.end() :]
    noun = re.match(
        r"\s(?!x\b|by\b|and\b|or\b|in\b|of\b|is\b|was\b|at\b|to\b|on\b|for\b|long\b|wide\b|tall\b|high\b|deep\b|away\b)[a-z]",
        following,
    )
    return one if match["n"] == "1" or noun else many


_BEFORE_A_NOUN = re.compile(
    r"\s(?!(?:is|was|and|or|in|to|tall|with|at|but|when|by|on|for|as|high|long|wide|deep|away|above|below|of)\b)[a-z]{3,}"
)


@rule(r"(?P<feet>\d{1,2})'\s?(?:(?P<inches>\d{1,2})(?:\"|''))?(?!\w)", "d")
def height(match: re.Match[str], context: Context) -> Reading | None:
    """Read 5'11": five feet eleven inches."""
    if match["inches"] is None:
        return None
    if _BEFORE_A_NOUN.match(match.string, match.end()):
        return [cardinal(match["feet"]), "foot", cardinal(match["inches"])]
    words = [cardinal(match["feet"]), "foot" if match["feet"] == "1" else "feet"]
    return [*words, cardinal(match["inches"]), "inch" if match["inches"] == "1" else "inches"]


@rule(r"(?P<feet>[1-9])ft\.?\s?(?P<inches>\d|1[01])(?:in)?(?!\w|[.,]\d)", "d")
def feet_and_inches(match: re.Match[str], context: Context) -> Reading:
    """Read 6ft2: six foot two."""
    return [cardinal(match["feet"]), "foot", cardinal(match["inches"])]


@rule(
    r"(?P<a>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?:\s?x\s?|×)(?P<b>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)"
    r"(?:(?:\s?x\s?|×)(?P<c>\d+(?:\.\d+)?))?(?P<s>s)?(?!\w)",
    "d",
)
def dimensions(match: re.Match[str], context: Context) -> Reading | None:
    """Read 1920x1080 and 4x4s: by; before an equals sign or a power, a product."""
    following = match.string[match.end() :]
    if re.match(r"\^|[⁰-⁹²³¹⁺⁻]", following):
        return None
    parts = [number(part) for part in (match["a"], match["b"], match["c"]) if part]
    between = " times " if re.match(r"\s*=", following) else " by "
    return [plural(between.join(parts)) if match["s"] else between.join(parts)]


@rule(r"(?:(?P<from>\d+(?:\.\d+)?)\s?[-–]\s?)?(?P<n>\d+(?:\.\d+)?)(?:[x×]|(?<=\d)X(?=\s[a-z]))(?![\w])", "d")
def times(match: re.Match[str], context: Context) -> Reading:
    """Read 10x and 3-4x: three to four times."""
    if match["from"]:
        return [number(match["from"]), "to", number(match["n"]), "times"]
    if re.search(r"=\s*$", match.string[: match.start()]) or re.match(
        r"(?!-\d+(?:\.\d+)?x)\s?[-+=*/^]\s?[\w(]", match.string[match.end() :]
    ):
        return [number(match["n"]), SpokenWord("X", letter=True)]
    return [number(match["n"]), "times"]


@rule(r"[x×](?=\s?\d)", "lo")
def by(match: re.Match[str], context: Context) -> Reading | None:
    """Read the x between two measures: 10 cm x 5 cm; that of 2.5 x 10^3 is a product."""
    if re.match(r"\s?\d+(?:\^|[⁰-⁹²³¹⁺⁻])", match.string[match.end() :]) and context.previous[-1:].isdecimal():
        return ["times"]
    return (
        ["by"]
        if re.fullmatch(r"\d.*[a-z\"'”]", context.previous) and not match.string[match.start() - 1].isalpha()
        else None
    )


UNIT_RULES = (
    coordinates,
    hours_and_minutes, minutes_and_seconds, height, feet_and_inches, inch_fraction, inches, feet, fraction_of_unit,
    measure, rate, counted_per, dimensions, times,
    by,
)  # fmt: skip
