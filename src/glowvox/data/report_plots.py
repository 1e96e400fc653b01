"""The report's histograms as PNG images; needs matplotlib."""

import io
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

_PLOTS = (
    ("seconds", "Length", "seconds"),
    ("level_db", "Level of the recordings", "dB of full scale (RMS)"),
    ("letters_per_second", "Speaking rate", "letters and digits per second of speech"),
)


def can_plot() -> bool:
    """Tell whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def histograms(clips: Sequence[dict[str, Any]]) -> dict[str, bytes]:
    """Return PNG images by title: length, level and speaking rate of a report's clips, by split."""
    return {title: _histogram(clips, name, unit) for name, title, unit in _PLOTS if any(clip[name] for clip in clips)}


def _histogram(clips: Sequence[dict[str, Any]], name: str, unit: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.0), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    splits = sorted({clip["split"] for clip in clips})
    values = [[clip[name] for clip in clips if clip["split"] == split] for split in splits]
    colours = {"train": "#2f6f9f", "validation": "#e08a2c"}
    axes.hist(values, bins=40, stacked=True, label=splits, color=[colours[split] for split in splits])
    axes.set_xlabel(unit)
    axes.set_ylabel("clips")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    image = io.BytesIO()
    figure.savefig(image, format="png", metadata={"Software": None})
    return image.getvalue()
