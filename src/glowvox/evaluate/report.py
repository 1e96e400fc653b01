"""The result of an evaluation, whatever its subject: systems, their figures, and what each made of each clip.

A vocoder's copy synthesis and a voice's sentences give the same kind of report; table, JSON and page are made from it.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.errors import DataError
from glowvox.evaluate.measures import Measure

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Figure:
    """A figure over clips."""

    value: float
    margin: float | None = None
    """Half of the 95 % confidence interval of the mean over clips; None where the figure is no mean."""
    clips: int = 0
    """Clips that it is made of."""


@dataclass(frozen=True)
class Output:
    """What one system made of one clip."""

    samples: NDArray[np.float32]
    """`[S]`, at the level of the original."""
    values: dict[str, float]
    """Figures by the keys of the measures."""
    heard: str | None = None
    """What the recogniser understood."""
    notes: tuple[str, ...] = ()
    """What was wrong with it, or why a figure is missing."""


@dataclass(frozen=True)
class ClipResult:
    """One clip and what all systems made of it."""

    id: str
    text: str | None
    seconds: float
    outputs: dict[str, Output]


@dataclass(frozen=True)
class Report:
    """An evaluation."""

    title: str
    subject: str
    """What was evaluated, as a word for JSON: `vocoder` or `voice`."""
    sample_rate: int
    measures: tuple[Measure, ...]
    systems: dict[str, dict[str, Figure]]
    """For each system, natural speech first, its figures by the measures' keys."""
    clips: tuple[ClipResult, ...]
    settings: dict[str, str] = field(default_factory=dict)
    """How it was done, by names for people."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Clips that could not be used, with the reason."""

    def shown_measures(self) -> list[Measure]:
        """Return the measures of which any system has a figure."""
        return [
            measure for measure in self.measures if any(measure.key in figures for figures in self.systems.values())
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the audio as plain data for JSON."""
        return {
            "format_version": FORMAT_VERSION,
            "subject": self.subject,
            "title": self.title,
            "sample_rate": self.sample_rate,
            "settings": self.settings,
            "measures": {
                m.key: {"label": m.label, "unit": m.unit, "better": m.better, "meaning": m.meaning}
                for m in self.shown_measures()
            },
            "systems": {
                name: {key: {"value": f.value, "margin": f.margin, "clips": f.clips} for key, f in figures.items()}
                for name, figures in self.systems.items()
            },
            "clips": [
                {
                    "id": clip.id,
                    "text": clip.text,
                    "seconds": clip.seconds,
                    "outputs": {
                        name: {"values": output.values, "heard": output.heard, "notes": list(output.notes)}
                        for name, output in clip.outputs.items()
                    },
                }
                for clip in self.clips
            ],
            "left_out": self.left_out,
        }

    def write_json(self, path: Path) -> None:
        """Write the report as JSON, aside and then in place.

        Raises:
            DataError: the file cannot be written.
        """
        text = json.dumps(self.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        with replacing(path, DataError) as stream:
            stream.write(text.encode() + b"\n")


def mean_figure(values: Sequence[float]) -> Figure | None:
    """Return the mean with its 95 % margin (normal approximation), or None when there are no finite values."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None
    margin = 1.96 * float(np.std(finite, ddof=1)) / math.sqrt(len(finite)) if len(finite) > 1 else None
    return Figure(float(np.mean(finite)), margin, len(finite))


STARS = (
    "* the best besides natural speech, where it leads by more than the margins (\u00b1, 95 %); one clip makes no lead"
)
"""What is said of the stars of a table."""


def report_table(report: Report) -> str:
    """Return the figures of all systems as aligned plain text; a star marks the best system that is not natural."""
    names = list(report.systems)
    rows = [["", *names]]
    for measure in report.shown_measures():
        winner = best_system(report, measure)
        cells = []
        for name in names:
            figure = report.systems[name].get(measure.key)
            cells.append("-" if figure is None else shown(figure, measure) + (" *" if name == winner else "  "))
        rows.append([f"{measure.label} [{measure.unit}]" if measure.unit else measure.label, *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in (lines[0], "-" * len(lines[0]), *lines[1:]))


def shown(figure: Figure, measure: Measure) -> str:
    """Return a figure as text with its margin, such as `2.68 ± 0.05`."""
    text = f"{figure.value:.{measure.digits}f}"
    return text if figure.margin is None else f"{text} \u00b1 {figure.margin:.{measure.digits}f}"


def best_system(report: Report, measure: Measure) -> str | None:
    """Return the best system but natural speech; None where fewer than two have the figure, or it is no real lead.

    Two that are within each other's margins, or the same when rounded, share the place. One clip has no margin and
    makes no lead.
    """
    figures = {name: each[measure.key] for name, each in list(report.systems.items())[1:] if measure.key in each}
    found = {name: figure.value for name, figure in figures.items()}
    if len(found) < 2 or measure.better == "neither":
        return None
    order = {"higher": lambda value: -value, "lower": lambda value: value, "zero": abs}[measure.better]
    first, second = sorted(found, key=lambda name: order(found[name]))[:2]
    tied = f"{found[first]:.{measure.digits}f}" == f"{found[second]:.{measure.digits}f}"
    margins = [figure.margin or 0.0 for figure in (figures[first], figures[second])]
    lead = abs(order(found[first]) - order(found[second]))
    alone = 1 in (figures[first].clips, figures[second].clips)
    return None if tied or alone or lead <= math.hypot(*margins) else first
