"""Units that no number goes with: the speed in km/h, a price per kg, several million km/h."""

import re

from glowvox.text.normalise.scanner import Context, Reading, rule, word_set
from glowvox.text.normalise.units import PER, UNITS, symbol_of, unit_name

# These are no words, no names and no letters, wherever they stand.
_SURE = word_set(
    "km/h km/hr km/s m/s² m/s2 m/s ft/s mi/h kg/m³ kg/m3 g/cm³ g/cm3 g/mL W/m² W/m2 "
    "km² cm² mm² cm³ kWh MWh GWh mAh kHz MHz GHz kg km cm "
    "Mbit/s Gbit/s MB/s GB/s Mbps Gbps kbps °C °F"
)
# These are units after a word that a unit follows: in mm, per ml, a few GB.
_PERHAPS = word_set("m² m³ mm ml mL mg GB MB TB kB Hz kW dB mph kph rpm ms µm μm nm hPa kPa kcal kJ")
_AFTER = {
    "en": word_set(
        "in per of a an one each every half few several many some more extra additional hundred thousand million"
        " billion hundreds thousands the"
    ),
    "de": word_set(
        "in pro je a ein eine einem einen mehrere einige viele wenige paar weitere hundert tausend million millionen"
        " milliarden halber halbes halben"
    ),
}
_ONE = {
    "en": word_set("per a an one each every half"),
    "de": word_set("pro je ein eine einem einen halber halbes halben"),
}
# Two units in one: kW·h, N·m.
_PRODUCTS = {
    "kW·h": "kilowatt hour",
    "W·h": "watt hour",
    "A·h": "amp hour",
    "mA·h": "milliamp hour",
    "N·m": "newton meter",
    "kN·m": "kilonewton meter",
    "kg·m": "kilogram meter",
    "Pa·s": "pascal second",
}
_AREAS = (
    r"(?P<area>(?i:sq)(?:\.\s?|[\s-])(?i:ft|in|yds?|mi|km|cm|mm|m)|cu(?:\.\s?|\s)(?:ft|in|yds?)|fl(?:\.\s?|\s)oz)(?!\w)"
    r"(?P<stop>\.(?=\s[a-z]|[,;:)]))?"
)
_SYMBOL = "|".join(re.escape(symbol) for symbol in sorted(sorted(_SURE | _PERHAPS), key=len, reverse=True))


@rule(rf"{_AREAS}|(?P<product>(?:{'|'.join(_PRODUCTS).replace('·', '[·⋅]')}))(?!\w)", "l")
def two_units_alone(match: re.Match[str], context: Context) -> Reading | None:
    """Read the price per sq. ft. and the use in kW·h, where no number stands right before."""
    single = context.previous.lower() in _ONE["en"]
    if match["product"]:
        name = _PRODUCTS[match["product"].replace("⋅", "·")]
        return [name if single else name + "s"]
    return [unit_name(symbol_of(match["area"]), single=single)]


@rule(rf"(?P<unit>{_SYMBOL})(?![\w²³/°'&·⋅-]|\.\w)", "lo")
def unit_alone(match: re.Match[str], context: Context) -> Reading | None:
    """Read km/h, kg and their like where no number stands right before."""
    symbol, before = match["unit"], context.previous.lower()
    language = context.language
    alone = not match.string[: match.start()].strip() and not match.string[match.end() :].strip(" .,;:!?)")
    if context.shouting or (symbol not in _SURE and before not in _AFTER[language] and not alone):
        return None
    if symbol in ("GB", "ms") and before in ("in", "the"):
        # In Great Britain; the manuscript.
        return None
    single = before in _ONE[language]
    if language == "de":
        # Loaded only where German is read.
        from glowvox.text.normalise import german_quantities

        return [german_quantities.unit_name(symbol, single=single)]
    if "/" in symbol and symbol not in UNITS:
        upper, _, lower = symbol.partition("/")
        return [unit_name(upper, single=single), "per", PER[lower]]
    return [unit_name(symbol, single=single)]


UNIT_ALONE_RULES = (unit_alone,)
ENGLISH_UNIT_ALONE_RULES = (two_units_alone, unit_alone)
