"""What recordings with right texts measure: the scale on which others are judged."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from glowvox.audio.atomic_file import replacing
from glowvox.errors import DataError

FORMAT = "glowvox-score-reference"
FORMAT_VERSION = 1
_MOST_BYTES = 16 << 20
_NORMAL = 1.4826
"""Median absolute deviation times this is the standard deviation, for normally distributed values."""
_NEEDED = ("nats_per_frame", "gain", "worst", "pace")
_LEAST = 20
"""Recordings below which a reference says nothing."""


@dataclass(frozen=True)
class Scale:
    """How one measure is distributed, told robustly: a few wrong texts among many right ones do not move it."""

    median: float
    spread: float
    """Standard deviation, from the median absolute deviation."""

    def z(self, value: float) -> float:
        """Return how many standard deviations a value lies above the median."""
        return (value - self.median) / self.spread


@dataclass(frozen=True)
class Reference:
    """The scales of all measures."""

    source: str
    """Whose recordings they are."""
    recordings: int
    scales: Mapping[str, Scale]
    texts: tuple[str, ...]
    """Other texts that a recording is compared under (see `FitMeter`)."""

    def save(self, path: Path) -> None:
        """Write a JSON file, aside first.

        Raises:
            DataError: it cannot be written.
        """
        content = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(self)}
        with replacing(path, DataError) as stream:
            stream.write((json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def reference_of(
    source: str, rows: Sequence[Mapping[str, float]], texts: Sequence[str], *, least: int = _LEAST
) -> Reference:
    """Return the reference that measured recordings make.

    Args:
        source: whose they are.
        rows: the measures of each recording by name; all have the same names.
        texts: under which other texts they were measured.
        least: recordings that there must be.

    Raises:
        DataError: there are too few.
    """
    if len(rows) < least:
        raise DataError(
            f"{source}: {len(rows)} recordings are too few to judge by, there must be {least}; name the training data "
            "with --reference"
        )
    scales = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        median = float(np.median(values))
        spread = _NORMAL * float(np.median(np.abs(values - median)))
        scales[name] = Scale(median, max(spread, 1e-6 * max(1.0, abs(median))))
    return Reference(source, len(rows), scales, tuple(texts))


def read_reference(path: Path) -> Reference:
    """Return what `Reference.save` wrote.

    Raises:
        DataError: it cannot be read, or is something else.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path}: too large for a reference of scores")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON; 'glowvox score --save-reference' writes a reference") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path}: not a reference of scores; 'glowvox score --save-reference' writes one")
    if content.get("format_version") != FORMAT_VERSION:
        raise DataError(f"{path}: version {content.get('format_version')!r}, this program reads {FORMAT_VERSION}")
    try:
        scales = {
            str(name): Scale(float(one["median"]), float(one["spread"])) for name, one in content["scales"].items()
        }
        texts = tuple(str(text) for text in content["texts"])
        found = Reference(str(content["source"]), int(content["recordings"]), scales, texts)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: the reference is damaged") from error
    if not set(_NEEDED) <= set(scales):
        raise DataError(f"{path}: the reference is damaged: it needs the scales {', '.join(_NEEDED)}")
    if not all(np.isfinite([one.median, one.spread]).all() and one.spread > 0 for one in scales.values()):
        raise DataError(f"{path}: the reference is damaged: a spread must be a positive number")
    return found


def chosen_texts(texts: Sequence[str], count: int = 64) -> tuple[str, ...]:
    """Return texts of all lengths, each once: those that recordings are compared under."""
    found = sorted(set(texts), key=lambda text: (len(text), text))
    if len(found) <= count:
        return tuple(found)
    return tuple(found[place * len(found) // count] for place in range(count))
