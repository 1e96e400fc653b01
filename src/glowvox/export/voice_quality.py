"""What a voice's card says of its quality: the figures of evaluation reports, rounded."""

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glowvox.errors import VoiceError

_MAX_BYTES = 64 << 20
_DIGITS = 4
_FOLDERS = re.compile(r"(?<![\w.:/])(?:[A-Za-z]:)?(?:[\\/][^\s,()\\/]+)*[\\/](?=[^\s,()\\/])")
"""The folders of an absolute path, which are nobody's business but their owner's."""


def measured_quality(reports: Sequence[Path]) -> dict[str, Any]:
    """Return the figures of reports that `glowvox evaluate ... --json` or its page wrote, by what they are about.

    Args:
        reports: `report.json` files.

    Returns:
        For each subject ('vocoder', 'voice') the figures of every system of the report, and how it was done.

    Raises:
        VoiceError: a file is no such report, or two are about the same.
    """
    quality: dict[str, Any] = {}
    for place in reports:
        content = _read(place)
        subject = str(content["subject"])
        if subject in quality:
            raise VoiceError(f"{place}: a second report about the {subject}; name one of them")
        quality[subject] = {
            "systems": {name: _figures(figures, place) for name, figures in content["systems"].items()},
            "settings": {
                str(name): _FOLDERS.sub("", str(value)) for name, value in (content.get("settings") or {}).items()
            },
        }
    return quality


def _figures(figures: Any, place: Path) -> dict[str, float]:
    if not isinstance(figures, dict):
        raise VoiceError(f"{place}: not the report of an evaluation")
    result = {}
    for measure, figure in figures.items():
        value = figure.get("value") if isinstance(figure, dict) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise VoiceError(f"{place}: the figure '{measure}' is no number; make the report again")
        result[str(measure)] = round(value, _DIGITS)
    return result


def _read(place: Path) -> dict[str, Any]:
    try:
        if place.stat().st_size > _MAX_BYTES:
            raise VoiceError(f"{place}: more than {_MAX_BYTES >> 20} MiB; not the report of an evaluation")
        content = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise VoiceError(f"{place}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("systems"), dict) or "subject" not in content:
        raise VoiceError(f"{place}: not the report of an evaluation; 'glowvox evaluate' writes report.json")
    return content
