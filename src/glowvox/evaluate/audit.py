"""The audit of prepared data: its texts judged by a model, the worst put into the report of the preparation."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from glowvox.audio.atomic_file import replacing
from glowvox.data.corpora import Finding, warning
from glowvox.data.report import render_html
from glowvox.errors import DataError
from glowvox.evaluate.batch_alignment import ModelChoice, chosen_aligner
from glowvox.evaluate.clips import spoken_files
from glowvox.evaluate.score import SUSPECT, Judged, Progress, chosen_texts, judged, measure_files, reference_of

TEXT_MISMATCH, OUTLIER = "text mismatch", "outlier recording"
_KINDS = (TEXT_MISMATCH, OUTLIER, "doubtful transcript", "strange recording")
"""The kinds of the findings of an audit, those of older reports too: a new audit takes their place."""
_MOST = 100
"""Findings of each kind in the report."""


def audit(folder: Path, choice: ModelChoice, *, jobs: int = 1, progress: Progress | None = None) -> dict[str, Any]:
    """Judge the texts of prepared data against each other and return its report with the worst in it.

    The report is written again (`report.json`, `report.html`), the data stay as they are.

    Args:
        folder: what `prepare_corpus` wrote.
        choice: the acoustic model.
        jobs: processes.
        progress: called with recordings done and in all.

    Raises:
        DataError: no prepared data, or too few recordings to judge by.
        MelError: the model has another mel contract than the data.
        GlowvoxError: the model cannot be opened.
    """
    files = spoken_files(folder, chosen_aligner(choice).engine.audio).files
    texts = chosen_texts([one.text for one in files])
    measured = measure_files(choice, files, texts, jobs=jobs, progress=progress)
    values = [one.values for one in measured if one.values is not None]
    rows = judged(measured, reference_of(str(folder), values, texts))
    return _rewritten(folder, rows)


def _rewritten(folder: Path, rows: Sequence[Judged]) -> dict[str, Any]:
    report = _read_report(folder / "report.json")
    found = _findings(rows)
    older = [one for one in report["findings"] if one["kind"] not in _KINDS]
    gone = [one for one in older if one["severity"] == "left out"]
    # What is left out comes first, then what the audit found, the worst at the top.
    rest = older[len(gone) :]
    report["findings"] = [*gone, *(asdict(one) for one in found), *rest]
    report["kinds"] = dict(Counter(one["kind"] for one in report["findings"]))
    report["severities"] = dict(Counter(one["severity"] for one in report["findings"]))
    report["audit"] = {
        "recordings": len(rows),
        "text_mismatches": sum(row.text_mismatch_score > SUSPECT for row in rows),
        "outlier_recordings": sum(row.outlier_score > SUSPECT for row in rows if row.measured.values is not None),
    }
    _write(folder / "report.json", json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    _write(folder / "report.html", render_html(report))
    return report


def _findings(rows: Sequence[Judged]) -> list[Finding]:
    mismatched = [row for row in rows if row.text_mismatch_score > SUSPECT][:_MOST]
    outliers = sorted(
        (row for row in rows if row.measured.values is not None and row.outlier_score > SUSPECT),
        key=lambda row: -row.outlier_score,
    )[:_MOST]
    return [
        *(warning(TEXT_MISMATCH, row.measured.id, _reason(row)) for row in mismatched),
        *(
            warning(OUTLIER, row.measured.id, f"{row.outlier_score:.1f} standard deviations less likely than the rest")
            for row in outliers
        ),
    ]


def _reason(row: Judged) -> str:
    text = f"'{' '.join(row.measured.text.split())[:120]}'"
    if row.measured.values is None:
        return f"{text} cannot be laid over the recording: {row.measured.problem}"
    z = row.z
    return (
        f"text mismatch score {row.text_mismatch_score:.1f} of {text}: in standard deviations it fits "
        f"{z['gain']:+.1f}, where it fits worst {z['worst']:+.1f}, and is {abs(z['pace']):.1f} "
        f"{'slower' if z['pace'] > 0 else 'faster'}"
    )


def _read_report(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: the report of the preparation cannot be read ({error})") from error
    if not isinstance(report, dict) or not isinstance(report.get("findings"), list):
        raise DataError(f"{path}: not the report of a preparation")
    return report


def _write(path: Path, content: str) -> None:
    with replacing(path, DataError) as stream:
        stream.write(content.encode("utf-8", "backslashreplace"))
