"""A row of a manifest: what is spoken, under which name, and with which seed."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

LONGEST_ID = 200
LONGEST_TEXT = 10_000
"""Characters of a row's text (some ten minutes of speech); longer texts are documents, to be cut into rows first."""


@dataclass(frozen=True)
class Row:
    """What one row asks for; None: as the run has it."""

    number: int
    """Place in the manifest, from 0 on."""
    id: str
    text: str
    seed: int | None = None
    speaker: str | None = None
    language: str | None = None
    speed: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what the plan keeps: the fields that say something."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be spoken."""

    number: int
    id: str
    """As far as it is known."""
    error: str
    """The reason, one line."""

    def to_dict(self) -> dict[str, Any]:
        """Return what the plan, the ledgers and `errors.jsonl` keep."""
        return asdict(self)


def read_row(fields: Mapping[str, Any], number: int, id_column: str, text_column: str) -> Row | BadRow:
    """Return the row that a record of a manifest describes.

    A record without the column of ids is called by its number. Columns with other names are the user's own and not
    read.

    Args:
        fields: the record's values by their columns.
        number: the record's place in the manifest.
        id_column: name of the column of ids.
        text_column: name of the column of texts.
    """
    given = fields.get(id_column)
    name = f"{number:09d}" if given is None or given == "" else given
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    shown = _shown(name)
    text = fields.get(text_column)
    try:
        return Row(
            number,
            _checked_id(name),
            _checked_text(text, text_column),
            seed=_seed(fields.get("seed")),
            speaker=_optional_name(fields.get("speaker"), "speaker"),
            language=_optional_name(fields.get("language"), "language"),
            speed=_speed(fields.get("speed")),
        )
    except ValueError as error:
        return BadRow(number, shown, str(error))


def row_seed(base: int, row: Row) -> int:
    """Return the seed of a row: its own, else a hash of the run's seed, the id and the text.

    It depends on nothing else, so a row sounds the same wherever and beside whatever it is spoken.
    """
    if row.seed is not None:
        return row.seed
    hashed = hashlib.sha256(f"{base}\0{row.id}\0{row.text}".encode())
    return int.from_bytes(hashed.digest()[:8], "big") >> 1


def _checked_id(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ValueError("the id must be a text of printable characters")
    if len(name) > LONGEST_ID:
        raise ValueError(f"the id has {len(name)} characters; at most {LONGEST_ID} are possible")
    return name


def _checked_text(text: object, column: str) -> str:
    if text is None or text == "":
        raise ValueError(f"there is no text (column '{column}')")
    if not isinstance(text, str):
        raise ValueError(f"the text is no string but {type(text).__name__}")
    if not text.strip():
        raise ValueError("the text is blank")
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"the text has {len(text)} characters; a row has at most {LONGEST_TEXT}: cut it into several rows"
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("the text is not valid UTF-8") from None
    return text


def _seed(value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) <= 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f"the seed must be a whole number from 0 to 2**63 - 1, got {_shown(value)!r}")
    return value


def _speed(value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"the speed must be a number, got {_shown(value)!r}")
    return number


def _optional_name(value: object, what: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"the {what} must be a name, got {_shown(value)!r}")
    return value


def _shown(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode("utf-8")[:LONGEST_ID]
