"""English money: amounts with signs and codes, ranges of prices, prices per unit."""

import re

from glowvox.text.normalise.numbers import cardinal, number
from glowvox.text.normalise.quantities import NUMBER
from glowvox.text.normalise.scanner import Context, Reading, rule

# Sign or code: one, many, one of the small change, many of it.
_DOLLAR = ("dollar", "dollars", "cent", "cents")
_CURRENCIES: dict[str, tuple[str, str, str, str]] = {
    "$": _DOLLAR, "US$": ("U.S. dollar", "U.S. dollars", "cent", "cents"), "USD": ("U.S. dollar", "U.S. dollars",
    "cent", "cents"),
    "C$": ("Canadian dollar", "Canadian dollars", "cent", "cents"), "CAD": ("Canadian dollar", "Canadian dollars",
    "cent", "cents"),
    "R$": ("real", "reais", "centavo", "centavos"), "HK$": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "NZ$": ("New Zealand dollar", "New Zealand dollars", "cent", "cents"),
    "S$": ("Singapore dollar", "Singapore dollars", "cent", "cents"),
    "NT$": ("Taiwan dollar", "Taiwan dollars", "cent", "cents"),
    "CA$": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "AU$": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "MX$": ("Mexican peso", "Mexican pesos", "centavo", "centavos"),
    "A$": ("Australian dollar", "Australian dollars", "cent", "cents"), "AUD": ("Australian dollar",
    "Australian dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"), "EUR": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"), "GBP": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"), "JPY": ("yen", "yen", "sen", "sen"), "CNY": ("yuan", "yuan", "fen", "fen"),
    "RMB": ("yuan", "yuan", "fen", "fen"), "₹": ("rupee", "rupees", "paisa", "paise"), "INR": ("rupee", "rupees",
    "paisa", "paise"),
    "₽": ("ruble", "rubles", "kopek", "kopeks"), "RUB": ("ruble", "rubles", "kopek", "kopeks"),
    "₩": ("won", "won", "jeon", "jeon"), "KRW": ("won", "won", "jeon", "jeon"), "₪": ("shekel", "shekels", "agora",
    "agorot"),
    "₺": ("lira", "lira", "kurush", "kurush"), "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "SEK": ("Swedish krona", "Swedish kronor", "ore", "ore"), "NOK": ("Norwegian krone", "Norwegian kroner", "ore",
    "ore"),
    "DKK": ("Danish krone", "Danish kroner", "ore", "ore"), "฿": ("baht", "baht", "satang", "satang"),
    "₫": ("dong", "dong", "dong", "dong"), "₿": ("bitcoin", "bitcoins", "satoshi", "satoshis"), "BTC": ("bitcoin",
    "bitcoins", "satoshi", "satoshis"),
    "₴": ("hryvnia", "hryvnias", "kopek", "kopeks"), "₱": ("peso", "pesos", "centavo", "centavos"),
    "Rs.": ("rupee", "rupees", "paisa", "paise"), "Rs": ("rupee", "rupees", "paisa", "paise"),
    "MXN": ("Mexican peso", "Mexican pesos", "centavo", "centavos"), "PLN": ("zloty", "zlotys", "grosz", "groszy"),
    "zł": ("zloty", "zlotys", "grosz", "groszy"), "CZK": ("koruna", "korunas", "haler", "halers"),
    "Kč": ("koruna", "korunas", "haler", "halers"), "HUF": ("forint", "forints", "filler", "fillers"),
}  # fmt: skip
_CURRENCY_SIGN = r"(?:(?:US|CA|AU|HK|NZ|NT|MX|C|A|R|S)\$|[$€£¥₹₽₩₪₺฿₫₿₴₱])"
_CODE = r"(?:USD|CAD|AUD|EUR|GBP|JPY|CNY|RMB|INR|RUB|KRW|CHF|SEK|NOK|DKK|BTC|MXN|PLN|CZK|HUF|Rs\.?(?=\s?\d))"
_AMOUNT = rf"(?P<amount>{NUMBER})"
_MONEY_SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "mm": "million", "bn": "billion", "b": "billion",
    "tn": "trillion", "t": "trillion",
}  # fmt: skip
_SCALE = r"(?:\s?(?P<scale>thousand|million|billion|trillion|hundred|(?:[kKmMbBtT]|[mMbBtT]n|mm)(?!\w)))?"


def _scale(text: str | None) -> str:
    return "" if text is None else " " + _MONEY_SCALES.get(text.lower(), text)


def speak_money(amount: str, currency: str, scale: str | None = None, sign: str = "") -> list[str]:
    """Return an amount in words.

    Args:
        amount: The number as written, `1,234.50`.
        currency: A sign or a code.
        scale: A word such as million, or its letter.
        sign: A minus sign, or nothing.
    """
    one, many, small_one, small_many = (_spaced(name) for name in _CURRENCIES[currency])
    plain = amount.replace(",", "").replace(" ", "")
    words = ["minus"] if sign else []
    whole, _, decimals = plain.partition(".")
    if not scale and currency not in ("₿", "BTC", "₫"):
        # By hand, a zero is left out or added: $20.5, $2.000, $0.010.
        decimals = decimals.rstrip("0").ljust(2, "0") if decimals else ""
    if scale or len(decimals) not in (0, 2):
        spoken = number(plain)
        if plain[0] == "." and not scale:
            spoken = spoken.removeprefix("zero ")
        return [*words, spoken + _scale(scale), one if plain == "1" and not scale else many]
    change = int(decimals or 0)
    if int(whole or 0) or not change:
        words.extend([cardinal(whole or "0"), one if int(whole or 0) == 1 else many])
        if change:
            words.append("and")
    if change:
        words.extend([cardinal(str(change)), small_one if change == 1 else small_many])
    return words


def _spaced(name: str) -> str:
    return name.replace("U.S.", "U S")


@rule(rf"(?P<minus>(?:(?<!\w)[-–−])?)(?P<sign>{_CURRENCY_SIGN}|{_CODE}\s?)(?P<minus2>[-–]?)\s?{_AMOUNT}(?P<first>[kKmMbB]?)\s?[-–]\s?{_CURRENCY_SIGN}?(?P<last>\d+(?:,\d{{3}})*(?:\.\d+)?){_SCALE}(?!\w|[.,]\d)", "uo")  # fmt: skip  # noqa: E501
def money_range(match: re.Match[str], context: Context) -> Reading | None:
    """Read $5-10 and $1.5-2 million."""
    if match["minus"] or match["minus2"] or (match["first"] and match["first"] != (match["scale"] or "").strip()):
        return None
    currency = match["sign"].strip()
    if not match["scale"] and "." in match["amount"] + match["last"]:
        return [*speak_money(match["amount"], currency), "to", *speak_money(match["last"], currency)]
    return [
        number(match["amount"].replace(",", "").replace(" ", "")),
        "to",
        *speak_money(match["last"], currency, match["scale"]),
    ]


@rule(rf"(?P<minus>(?:(?<!\w)[-–−])?)(?P<sign>{_CURRENCY_SIGN}|{_CODE}\s?)(?P<minus2>[-–]?)\s?{_AMOUNT}{_SCALE}(?P<per>\s?/\s?(?:hr|h|hour|mo|month|yr|year|day|d|week|wk|kg|lb|night|person|user|min|minute|gal|sq\sft|oz|mile|mi|piece|pc|unit|barrel|bbl|share|seat|GB|kWh)\b)?(?P<adjective>-(?:a|per)-[A-Za-z]+(?!\w))?(?![^\W_]|[.,]\d)", "uo")  # fmt: skip  # noqa: E501
def sign_first(match: re.Match[str], context: Context) -> Reading:
    """Read $3.50, USD 20, €5 million."""
    currency = match["sign"].strip()
    words = speak_money(match["amount"], currency, match["scale"], match["minus"] or match["minus2"])
    if not match["per"] and not match["adjective"] and _before_noun(match, context):
        # Many dollars, but a five dollar bill.
        one, many = (_spaced(name) for name in _CURRENCIES[currency][:2])
        words = [one if word == many else word for word in words]
    if match["per"]:
        unit = match["per"].strip(" /")
        short = {
            "hr": "hour",
            "h": "hour",
            "d": "day",
            "min": "minute",
            "gal": "gallon",
            "sq ft": "square foot",
            "oz": "ounce",
            "mi": "mile",
            "pc": "piece",
            "bbl": "barrel",
            "GB": "gigabyte",
            "kWh": "kilowatt hour",
            "mo": "month",
            "yr": "year",
            "wk": "week",
            "kg": "kilogram",
            "lb": "pound",
        }
        words.extend(["per", short.get(unit, unit)])
    return [*words, *([match["adjective"].replace("-", " ")] if match["adjective"] else [])]


def _before_noun(match: re.Match[str], context: Context) -> bool:
    """Say whether an amount stands before a noun, as in a $5 bill and sub-$100 phones."""
    before = match.string[: match.start()]
    hyphenated = re.search(r"(?i:\b(?:sub|under|over|non|pre|multi)-)$", before) is not None
    if "." in match["amount"] and not match["scale"]:
        return False
    article = context.previous.lower() in ("a", "an", "another", "every", "each")
    return (hyphenated or article) and re.match(r"\s[a-z]{3,}", match.string[match.end() :]) is not None


@rule(
    rf"(?P<minus>(?:(?<![\w%)])[-–−])?){_AMOUNT}{_SCALE}\s?(?P<sign>[€£¥₹₽₩₪₺฿₫₿₴₱]|{_CODE}\b|Rs\b|zł\b|Kč\b|\$(?!\d))",
    "do",
)
def sign_last(match: re.Match[str], context: Context) -> Reading:
    """Read 20 € and 5 USD."""
    return speak_money(match["amount"], match["sign"], match["scale"], match["minus"])


@rule(r"(?P<n>\d{1,3})\s?(?P<sign>[¢])", "d")
def cents(match: re.Match[str], context: Context) -> Reading:
    """Read 50¢."""
    return [cardinal(match["n"]), "cent" if match["n"] == "1" else "cents"]


_WITH_COMMA = r"(?P<whole>\d{1,3}(?:[. ]\d{3})+|\d{1,9}),(?P<cents>\d{2}|\d(?=\s?[€£])|[-–—](?=\s?€))"


def _speak_with_comma(match: re.Match[str], sign: str) -> list[str]:
    small = match["cents"] if match["cents"].isdecimal() else "00"
    return speak_money(f"{re.sub('[. ]', '', match['whole'])}.{small}", sign, None, match["minus"])


@rule(rf"(?P<minus>(?:(?<!\w)[-–−])?)(?P<sign>{_CURRENCY_SIGN}|{_CODE}(?=\s?\d))\s?{_WITH_COMMA}(?![\d,]|\.\d)", "uo")
def money_with_comma(match: re.Match[str], context: Context) -> Reading:
    """Read €2,50 and EUR 2,50, as it is written in most of Europe."""
    return _speak_with_comma(match, match["sign"])


_NAMES = {"euro": "€", "euros": "€", "dollar": "$", "dollars": "$"}


@rule(
    rf"(?P<minus>(?:(?<![\w%)])[-–−])?)(?<!\d,){_WITH_COMMA}\s?"
    rf"(?:(?P<sign>[€£¥₹₽₩₪₺฿₫₿₴₱]|(?:{_CODE}|zł|Kč)(?!\w)|\$(?!\d))|(?P<name>(?i:euros?|dollars?))(?!\w))",
    "do",
)
def comma_then_sign(match: re.Match[str], context: Context) -> Reading:
    """Read 5,99 € and 1.234,56 EUR, of which the comma is no separator of thousands."""
    return _speak_with_comma(match, match["sign"] or _NAMES[match["name"].lower()])


MONEY_RULES = (money_with_comma, comma_then_sign, money_range, sign_first, sign_last, cents)
