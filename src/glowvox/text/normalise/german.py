"""German normalisation: the order in which its rules are asked."""

from glowvox.text.normalise.german_abbreviations import ABBREVIATION_RULES, ADDRESS_RULES, LETTER_RULES
from glowvox.text.normalise.german_dates import DATE_RULES, plain_year
from glowvox.text.normalise.german_named_numbers import NAMED_NUMBER_RULES
from glowvox.text.normalise.german_ordinals import ORDINAL_RULES, ordinal_range, roman
from glowvox.text.normalise.german_quantities import (
    any_digits,
    between_numbers,
    fraction,
    hours_and_minutes,
    inches_or_feet,
    measure,
    mixed_fraction,
    money,
    numbered,
    one_in_compound,
    percentage,
    plain,
    pointed,
    rate,
    ratio,
    round_price,
    scaled,
    scientific,
    span,
    telephone,
    thousands,
    times,
    times_between,
    version,
)  # fmt: skip
from glowvox.text.normalise.quantities import coordinates, groups, operator, serial_number

GERMAN_ADDRESS_RULES = ADDRESS_RULES
GERMAN_RULES = (
    *NAMED_NUMBER_RULES, *DATE_RULES, ordinal_range, coordinates, ratio,
    thousands, scientific, money, round_price, one_in_compound, hours_and_minutes, percentage, mixed_fraction,
    inches_or_feet, measure, scaled, rate, telephone, *ORDINAL_RULES, version, pointed, groups, serial_number, times,
    times_between, span, fraction, between_numbers, operator, numbered, plain_year, plain, any_digits, roman,
    *ABBREVIATION_RULES, *LETTER_RULES,
)  # fmt: skip
