"""The report of a preparation as one HTML page that needs nothing else."""

import base64
from html import escape
from itertools import groupby
from typing import Any

from glowvox.data.report_plots import can_plot, histograms

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
th, td { text-align: left; padding: 0.25rem 0.6rem; border-bottom: 1px solid #dde3ea; vertical-align: top; }
td { overflow-wrap: anywhere; } td.n, th.n { text-align: right; white-space: nowrap; }
summary { cursor: pointer; padding: 0.35rem 0; } summary b { margin-right: 0.5rem; }
.left { color: #a4262c; } .warning { color: #8a5a00; } .note { color: #4a5968; }
.support { background: #eef4f9; border-left: 4px solid #2f6f9f; padding: 0.6rem 1rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem; margin-top: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 600; } img { max-width: 100%; height: auto; }
"""
_OPEN_UP_TO = 20


def render_html(report: dict[str, Any]) -> str:
    """Return the page of a report as `report.build_report` makes it."""
    title = escape(f"Prepared data: {report['corpus']}")
    support = "".join(f"<li>{escape(line)}</li>" for line in report["can_support"])
    parts = [
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
        f"<h1>{title}</h1>",
        f'<div class="support"><b>What this data can support</b> (rules of thumb)<ul>{support}</ul></div>',
        "<h2>What is in it</h2>",
        _splits(report),
        _plots(report),
        "<h2>Findings</h2>",
        _findings(report["findings"]),
        "<h2>Settings</h2>",
        _pairs(report["settings"]),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _splits(report: dict[str, Any]) -> str:
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{split["clips"]}</td><td class="n">{split["sentences"]}</td>'
        f'<td class="n">{split["hours"]:.2f}</td></tr>'
        for name, split in report["splits"].items()
    )
    speakers = ", ".join(f"{escape(name)} ({hours:.2f} h)" for name, hours in report["speakers"].items())
    return (
        '<table><tr><th>split</th><th class="n">clips</th><th class="n">different sentences</th>'
        '<th class="n">hours</th></tr>'
        f"{rows}</table><p>Layout: {escape(report['layout'])}. Speakers in training: {speakers}. "
        f"Held in memory, the clips take {report['memory_bytes'] / 1e6:.0f} MB.</p>"
    )


def _plots(report: dict[str, Any]) -> str:
    if not can_plot():
        return "<p>There are no plots: matplotlib is not installed (it comes with <code>glowvox[train]</code>).</p>"
    figures = (
        f'<figure><figcaption>{escape(title)}</figcaption><img alt="{escape(title)}" '
        f'src="data:image/png;base64,{base64.b64encode(image).decode("ascii")}"></figure>'
        for title, image in histograms(report["clips"]).items()
    )
    return f'<div class="plots">{"".join(figures)}</div>'


def _findings(findings: list[dict[str, Any]]) -> str:
    if not findings:
        return "<p>The checks found nothing: every recording and text is in the data set as it was.</p>"
    sections = []
    for (kind, severity), items in groupby(findings, key=lambda item: (item["kind"], item["severity"])):
        group = list(items)
        opened = " open" if severity == "left out" or len(group) <= _OPEN_UP_TO else ""
        rows = "".join(
            f"<tr><td>{escape(item['subject'])}</td><td>{escape(item['reason'])}</td></tr>" for item in group
        )
        sections.append(
            f'<details{opened}><summary><b class="{severity.split()[0]}">{escape(severity)}</b>{escape(kind)}: '
            f"{len(group)}</summary><table><tr><th>file</th><th>reason</th></tr>{rows}</table></details>"
        )
    return "\n".join(sections)


def _pairs(settings: dict[str, Any]) -> str:
    pairs = ((escape(str(name)), escape(str(value))) for name, value in settings.items())
    rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in pairs)
    return f"<table>{rows}</table>"
