"""The report of a preparation as plain data: what is in, what was left out and why, and what it can support."""

import base64
import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from importlib.util import find_spec
from itertools import groupby
from statistics import median
from typing import Any

from glowvox.config.audio import AudioConfig
from glowvox.data.checks import Measurements, group_by_kind, letters_per_second
from glowvox.data.corpora import Finding
from glowvox.data.prepared import SPLITS, ClipRow
from glowvox.data.split import normalised_sentence

# Rules of thumb by hours, said before anybody spends days of computing.
_VOCODER = (
    (0.1, "too little even to fine-tune: record at least 10 minutes"),
    (0.5, "fine-tune only, starting from a trained vocoder (--init-from)"),
    (10.0, "a small preset can be trained from scratch; a large one should start from a trained vocoder"),
    (float("inf"), "any preset can be trained from scratch"),
)
_ACOUSTIC = (
    (0.1, "too little even to fine-tune: record at least 10 minutes"),
    (2.0, "fine-tune only, starting from a trained acoustic model (--init-from)"),
    (10.0, "training from scratch gives intelligible but uneven speech; fine-tuning sounds better"),
    (float("inf"), "enough to train from scratch"),
)
_LITTLE_SPEAKER_HOURS = 5 / 60


def capability(hours: float, text_hours: float, speaker_hours: Mapping[str, float]) -> list[str]:
    """Return sentences on what the training part of a data set is good for.

    Args:
        hours: length of all training clips.
        text_hours: length of those that have a text.
        speaker_hours: length for each speaker.
    """
    lines = [f"{_length(hours)} for a vocoder: {_rule(_VOCODER, hours)}"]
    if text_hours == 0:
        lines.append("no text: this data cannot train an acoustic model")
    else:
        several = f" of {len(speaker_hours)} speakers" if len(speaker_hours) > 1 else ""
        lines.append(f"{_length(text_hours)}{several} for an acoustic model: {_rule(_ACOUSTIC, text_hours)}")
    few = sorted(name for name, own in speaker_hours.items() if own < _LITTLE_SPEAKER_HOURS)
    if few and len(speaker_hours) > 1:
        named = ", ".join(few[:10]) + (" and others" if len(few) > 10 else "")
        lines.append(f"{len(few)} of {len(speaker_hours)} speakers have less than 5 minutes: {named}")
    return lines


def _rule(rules: tuple[tuple[float, str], ...], hours: float) -> str:
    return next(text for below, text in rules if hours < below)


def _length(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 0.95 else f"{hours * 60:.0f} min ({hours:.1g} h)"


@dataclass(frozen=True)
class ReportedClip:
    """A clip of the data set with what was measured on its recording."""

    row: ClipRow
    split: str
    measured: Measurements


def build_report(
    title: str,
    layout: str,
    clips: Sequence[ReportedClip],
    findings: Sequence[Finding],
    audio: AudioConfig,
    settings: dict[str, Any],
    encodings: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return the report; it depends on the corpus and the settings only, not on time or place.

    Args:
        title: name of the corpus.
        layout: its layout.
        clips: what is in the data set.
        findings: everything the checks said.
        audio: the mel contract.
        settings: what was asked for.
        encodings: how many text files have which encoding.
    """
    rate = audio.sample_rate
    train = [clip for clip in clips if clip.split == "train"]
    speakers: dict[str, float] = defaultdict(float)
    for clip in train:
        speakers[clip.row.speaker] += clip.row.samples / rate / 3600
    hours = sum(speakers.values())
    with_text = sum(clip.row.samples for clip in train if clip.row.text) / rate / 3600
    frames = sum(clip.row.frames for clip in clips)
    return {
        "corpus": title,
        "layout": layout,
        "encodings": dict(sorted((encodings or {}).items())),
        "settings": settings,
        "splits": {split: split_summary([clip.row for clip in clips if clip.split == split], rate) for split in SPLITS},
        "speakers": {name: round(own, 4) for name, own in sorted(speakers.items())},
        "memory_bytes": frames * (audio.hop_length * 2 + audio.n_mels * 4),
        "can_support": capability(hours, with_text, speakers),
        "severities": dict(Counter(finding.severity for finding in findings)),
        "kinds": {kind: len(group) for kind, group in group_by_kind(findings).items()},
        "findings": [asdict(finding) for group in group_by_kind(findings).values() for finding in group],
        "statistics": _statistics(clips),
        "clips": [_clip(clip) for clip in clips],
    }


def split_summary(rows: Sequence[ClipRow], sample_rate: int) -> dict[str, Any]:
    """Return the number of clips and of different sentences, and the hours of a split."""
    return {
        "clips": len(rows),
        "sentences": len({normalised_sentence(row.text) or row.id for row in rows}),
        "hours": round(sum(row.samples for row in rows) / sample_rate / 3600, 4),
    }


def _clip(clip: ReportedClip) -> dict[str, Any]:
    measured = clip.measured
    return {
        "id": clip.row.id,
        "split": clip.split,
        "seconds": round(measured.seconds, 3),
        "level_db": round(measured.level_db, 2),
        "peak": round(measured.peak, 4),
        "letters_per_second": round(letters_per_second(clip.row.text, measured.speech_seconds), 2),
    }


def _statistics(clips: Sequence[ReportedClip]) -> dict[str, dict[str, float]]:
    rows = [_clip(clip) for clip in clips]
    columns = {name: sorted(row[name] for row in rows) for name in ("seconds", "level_db", "letters_per_second")}
    return {
        name: {"smallest": values[0], "median": round(median(values), 3), "largest": values[-1]}
        for name, values in columns.items()
        if values
    }


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
    colours, ink = {"train": "#8a5fb0", "validation": "#d98a3d"}, "#858296"  # seen on light and on dark paper
    axes.hist(values, bins=40, stacked=True, label=splits, color=[colours[split] for split in splits])
    axes.set_xlabel(unit)
    axes.set_ylabel("clips")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(ink)
    axes.tick_params(colors=ink)
    axes.xaxis.label.set_color(ink)
    axes.yaxis.label.set_color(ink)
    axes.legend(frameon=False, labelcolor=ink, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    image = io.BytesIO()
    figure.savefig(image, format="png", metadata={"Software": None}, transparent=True)
    return image.getvalue()


_STYLE = """
:root { color-scheme: light dark;
  --ground: #fbfaf8; --panel: #ffffff; --ink: #1d1b26; --soft: #5d5a6b; --rule: #dfdce6; --accent: #6d2f8e;
  --left: #a4262c; --warn: #8a4b00; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #14131a; --panel: #1d1b25; --ink: #eceaf2; --soft: #aaa6b8; --rule: #353241; --accent: #d3a4ee;
  --left: #ff9b9b; --warn: #f0b266; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 40px 24px 72px; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 16px; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 48px 0 12px; }
.wide { overflow-x: auto; border: 1px solid var(--rule); border-radius: 12px; background: var(--panel); }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 8px 14px; border-top: 1px solid var(--rule); vertical-align: top; }
tr:first-child > * { border-top: 0; } th { color: var(--soft); font-weight: 600; }
td { overflow-wrap: anywhere; min-width: 7rem; } td.n, th.n { text-align: right; white-space: nowrap; min-width: 0; }
summary { cursor: pointer; padding: 8px 0; } summary b { margin-right: 0.5rem; }
summary:focus-visible { outline: 3px solid var(--accent); border-radius: 4px; }
.left { color: var(--left); } .warning { color: var(--warn); } .note, .soft { color: var(--soft); }
.support { background: var(--panel); border: 1px solid var(--rule); border-left: 4px solid var(--accent);
  border-radius: 12px; padding: 14px 18px; } .support ul { margin: 6px 0 0; padding-left: 20px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 14px;
  margin-top: 24px; }
figure { margin: 0; background: var(--panel); border: 1px solid var(--rule); border-radius: 12px; padding: 12px; }
figcaption { font-weight: 600; } img { display: block; max-width: 100%; height: auto; }
@media (max-width: 620px) { main { padding: 24px 14px 48px; } h1 { font-size: 1.55rem; } th, td { padding: 8px 10px; } }
"""
_WIDE = '<div class="wide" tabindex="0" role="region" aria-label="{}"><table>'
_OPEN_UP_TO = 20


def render_html(report: dict[str, Any]) -> str:
    """Return the page of a report as `report.build_report` makes it."""
    title = escape(f"Prepared data: {report['corpus']}")
    support = "".join(f"<li>{escape(line)}</li>" for line in report["can_support"])
    parts = [
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>',
        "<body><main>",
        f"<h1>{title}</h1>",
        f'<div class="support"><b>What this data can support</b> (rules of thumb)<ul>{support}</ul></div>',
        "<h2>What is in it</h2>",
        _splits(report),
        _plots(report),
        "<h2>Findings</h2>",
        _findings(report["findings"]),
        "<h2>Settings</h2>",
        _pairs(report["settings"]),
        "</main></body></html>\n",
    ]
    return "\n".join(parts)


def _splits(report: dict[str, Any]) -> str:
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{split["clips"]}</td><td class="n">{split["sentences"]}</td>'
        f'<td class="n">{split["hours"]:.2f}</td></tr>'
        for name, split in report["splits"].items()
    )
    speakers = ", ".join(f"{escape(name)} ({hours:.2f} h)" for name, hours in report["speakers"].items())
    texts = ", ".join(f"{escape(name)} ({count})" for name, count in report["encodings"].items())
    return (
        f'{_WIDE.format("Splits")}<tr><th>split</th><th class="n">clips</th><th class="n">different sentences</th>'
        '<th class="n">hours</th></tr>'
        f"{rows}</table></div><p>Layout: {escape(report['layout'])}. Text files by encoding: {texts or 'none'}. "
        f"Speakers in training: {speakers}. "
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
            f"{len(group)}</summary>{_WIDE.format(escape(kind))}<tr><th>file</th><th>reason</th></tr>{rows}"
            "</table></div></details>"
        )
    return "\n".join(sections)


def _pairs(settings: dict[str, Any]) -> str:
    pairs = ((escape(str(name)), escape(str(value))) for name, value in settings.items())
    rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in pairs)
    return f"{_WIDE.format('Settings')}{rows}</table></div>"
