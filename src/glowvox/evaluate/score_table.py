"""Scores as rows, as a table to read, and as files."""

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glowvox.audio.atomic_file import replacing
from glowvox.errors import DataError
from glowvox.evaluate.score import Judged


def score_row(row: Judged) -> dict[str, Any]:
    """Return a recording's scores as plain values; what is not known is None."""
    measured = row.measured
    found: dict[str, Any] = {
        "id": measured.id,
        "doubt": _number(row.doubt),
        "strangeness": _number(row.strangeness),
        "seconds": round(measured.seconds, 3),
        "text": measured.text,
        "problem": measured.problem,
    }
    for name, value in (measured.values or {}).items():
        found[name] = _number(value)
        found[f"z_{name}"] = _number(row.z.get(name, math.nan))
    return found


def score_table(rows: Sequence[Judged]) -> str:
    """Return a table of recordings, one line each."""
    lines = [f"{'doubt':>7} {'strange':>7} {'gain':>7} {'worst':>7} {'pace':>6}  recording: text"]
    for row in rows:
        what = " ".join((row.measured.problem or row.measured.text).split())
        if row.measured.values is None:
            lines.append(f"{'-':>7} {'-':>7} {'-':>7} {'-':>7} {'-':>6}  {row.measured.id}: {what[:160]}")
            continue
        z = row.z
        lines.append(
            f"{row.doubt:7.1f} {row.strangeness:7.1f} {z['gain']:7.1f} {z['worst']:7.1f} {z['pace']:6.1f}  "
            f"{row.measured.id}: {what[:70]}"
        )
    return "\n".join(lines)


def write_scores(rows: Sequence[Judged], path: Path) -> None:
    """Write all scores as CSV or, where the name ends in .jsonl, as a JSON object in each line; aside first.

    Raises:
        DataError: the file cannot be written.
    """
    plain = [score_row(row) for row in rows]
    if path.suffix.lower() == ".jsonl":
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in plain)
    else:
        columns = list(dict.fromkeys(name for row in sorted(plain, key=len, reverse=True) for name in row))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(plain)
        content = text.getvalue()
    with replacing(path, DataError) as stream:
        stream.write(content.encode("utf-8"))


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
