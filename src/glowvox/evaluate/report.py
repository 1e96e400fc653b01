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
