"""A report as a table for the terminal: one row per figure, one column per system."""

from glowvox.evaluate.measures import Measure
from glowvox.evaluate.report import Figure, Report


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
    """Return the best system but natural speech; None where fewer than two have the figure or share it."""
    found = {
        name: figures[measure.key].value for name, figures in list(report.systems.items())[1:] if measure.key in figures
    }
    if len(found) < 2 or measure.better == "neither":
        return None
    order = {"higher": lambda value: -value, "lower": lambda value: value, "zero": abs}[measure.better]
    first, second = sorted(found, key=lambda name: order(found[name]))[:2]
    tied = f"{found[first]:.{measure.digits}f}" == f"{found[second]:.{measure.digits}f}"
    return None if tied else first
