"""A report as one web page that holds everything: players, pictures, style. It asks nothing of any other place."""

import base64
import html
import io
from pathlib import Path

import numpy as np

from glowvox.audio.atomic_file import replacing
from glowvox.audio.files import write_audio
from glowvox.errors import DataError
from glowvox.evaluate.measures import Measure
from glowvox.evaluate.page_texts import page_texts
from glowvox.evaluate.pictures import spectra_svg, spectrogram_svg
from glowvox.evaluate.report import ClipResult, Figure, Output, Report
from glowvox.evaluate.spectrogram import average_spectrum, level_spectrogram
from glowvox.evaluate.table import best_system

_POLICY = (
    "default-src 'none'; media-src data:; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


def write_page(report: Report, path: Path, *, players: int = 12) -> None:
    """Write the report as HTML, aside and then in place.

    Args:
        report: any evaluation.
        path: the file to write.
        players: clips to embed with audio and pictures (about 0.5 MB each for three systems); the rest as figures only.

    Raises:
        DataError: the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    with replacing(path, DataError) as stream:
        stream.write(report_page(report, players=players).encode())


def report_page(report: Report, *, players: int = 12) -> str:
    """Return the page. See `write_page`."""
    folder = Path(__file__).parent
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    seconds = sum(clip.seconds for clip in report.clips)
    heard = report.clips[:players]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{_e(report.title)}</title><style>{style}</style></head><body><main>",
            f"<header><h1>{_e(report.title)}</h1>",
            f'<p class="lead">{_e(_counted(report, seconds))}</p></header>',
            _tiles(report),
            '<section aria-labelledby="figures"><h2 id="figures">Figures</h2>',
            _table(report),
            "</section>",
            '<section aria-labelledby="spectra"><h2 id="spectra">Mean spectra</h2>',
            _spectra(report),
            "</section>",
            '<section aria-labelledby="listen"><h2 id="listen">Listen</h2>',
            f'<p class="soft">{_listening(report, len(heard))}</p>',
            *(_clip(clip, report) for clip in heard),
            "</section>",
            '<section aria-labelledby="clips"><h2 id="clips">Every clip</h2>',
            _clip_table(report),
            "</section>",
            '<section aria-labelledby="how"><h2 id="how">How it was measured</h2>',
            _settings(report),
            f"</section></main><script>{script}</script></body></html>\n",
        ]
    )


def _e(text: str) -> str:
    return html.escape(text, quote=True)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}" if names else "nothing"


def _counted(report: Report, seconds: float) -> str:
    names = list(report.systems)
    systems = _listed(names if report.subject == "voice" else names[1:])
    return page_texts(report.subject).counted.format(clips=len(report.clips), seconds=seconds, systems=systems)


def _listening(report: Report, shown: int) -> str:
    total = len(report.clips)
    which = "All clips." if shown == total else f"The first {shown} of {total} clips."
    return (
        f"{which} {page_texts(report.subject).levels} Start one while another plays, and it goes on where that "
        "one was. The pictures share one scale of 80 dB within a clip."
    )


def _tiles(report: Report) -> str:
    """The key figures of the last system, with those of the others beneath."""
    names = list(report.systems)
    main = names[-1]
    tiles = []
    for measure in report.shown_measures():
        figure = report.systems[main].get(measure.key)
        alone = report.subject != "voice" and len(names) < 2
        if measure.key not in page_texts(report.subject).tiles or figure is None or alone:
            continue
        others = [
            f"{_e(name)} {report.systems[name][measure.key].value:.{measure.digits}f}"
            for name in names[:-1]
            if measure.key in report.systems[name]
        ]
        tiles.append(
            f'<li><span class="name">{_e(measure.label)}</span><span class="value">{figure.value:.{measure.digits}f} '
            f'<span class="unit">{_e(measure.unit)}</span></span><span class="beside">{"<br>".join(others)}</span></li>'
        )
    return f'<ul class="tiles" aria-label="Key figures of {_e(main)}">{"".join(tiles)}</ul>' if tiles else ""


def _table(report: Report) -> str:
    names = list(report.systems)
    head = "".join(f'<th scope="col">{_e(name)}</th>' for name in names)
    rows = []
    for measure in report.shown_measures():
        winner = best_system(report, measure)
        cells = "".join(_cell(report.systems[name].get(measure.key), measure, name == winner) for name in names)
        unit = f" <span class='soft'>{_e(measure.unit)}</span>" if measure.unit else ""
        way = {"higher": "Higher is better.", "lower": "Lower is better.", "zero": "Zero is best.", "neither": ""}
        meaning = f'<span class="meaning">{_e(measure.meaning)} {way[measure.better]}</span>'
        rows.append(f'<tr><th scope="row">{_e(measure.label)}{unit}{meaning}</th>{cells}</tr>')
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Table of figures"><table>'
        "<caption>Means over the clips with the half-width of their 95 % confidence interval; rates are over all "
        "words, times over all seconds. The best system besides natural speech is marked in bold.</caption>"
        f'<thead><tr><th scope="col">Measure</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _cell(figure: Figure | None, measure: Measure, best: bool) -> str:  # noqa: FBT001
    if figure is None:
        return '<td class="none"><span aria-label="not measured">\u2013</span></td>'
    margin = "" if figure.margin is None else f' <span class="margin">\u00b1 {figure.margin:.{measure.digits}f}</span>'
    return f"<td{' class=best' * best}>{figure.value:.{measure.digits}f}{margin}</td>"


def _spectra(report: Report) -> str:
    names = list(report.systems)
    spectra = {
        name: np.mean([average_spectrum(clip.outputs[name].samples) for clip in report.clips], axis=0) for name in names
    }
    legend = "".join(
        f'<li><span class="swatch line-{index % 6}"></span>{_e(name)}</li>' for index, name in enumerate(names)
    )
    picture = spectra_svg(spectra, report.sample_rate, f"Mean spectra of {_listed(names)} over all clips")
    return (
        '<p class="soft">Mean power over all clips. Single lines are tones that do not belong to speech; a fall at '
        "high frequencies is heard as dullness, a rise as hiss.</p>"
        f'<figure class="panel"><ul class="legend">{legend}</ul><div class="scroll">{picture}</div></figure>'
    )


def _clip(clip: ClipResult, report: Report) -> str:
    first = next(iter(clip.outputs.values()))
    top_db = float(np.max(level_spectrogram(first.samples)[0]))
    takes = "".join(
        _take(name, index, output, clip, report, top_db) for index, (name, output) in enumerate(clip.outputs.items())
    )
    text = f"<blockquote>{_e(clip.text)}</blockquote>" if clip.text else ""
    return (
        f'<article class="clip"><header><h3>{_e(clip.id)} <span class="soft">{clip.seconds:.1f} s</span></h3>{text}'
        f'</header><div class="takes">{takes}</div></article>'
    )


def _take(name: str, index: int, output: Output, clip: ClipResult, report: Report, top_db: float) -> str:
    sound = io.BytesIO()
    write_audio(sound, output.samples, report.sample_rate, format="flac")
    source = "data:audio/flac;base64," + base64.b64encode(sound.getvalue()).decode()
    scores = "".join(
        f"<li>{_e(measure.label)} <b>{output.values[measure.key]:.{measure.digits}f}</b> {_e(measure.unit)}</li>"
        for measure in report.measures
        if measure.key in page_texts(report.subject).scores and measure.key in output.values
    )
    return (
        f'<figure><figcaption><span class="swatch line-{index % 6}"></span>{_e(name)}</figcaption>'
        f'<audio controls preload="metadata" src="{source}" aria-label="{_e(f"{name}, clip {clip.id}")}"></audio>'
        + spectrogram_svg(output.samples, report.sample_rate, top_db, f"Spectrogram of {name}, clip {clip.id}")
        + (f'<ul class="scores">{scores}</ul>' if scores else "")
        + ("" if output.heard is None else _heard(output.heard))
        + "".join(f'<p class="note">{_e(note)}</p>' for note in output.notes)
        + "</figure>"
    )


def _heard(text: str) -> str:
    return f'<p class="heard"><span class="soft">Understood:</span> {_e(text) or "nothing"}</p>'


def _clip_table(report: Report) -> str:
    columns = [m for m in report.shown_measures() if m.key in page_texts(report.subject).scores]
    head = "".join(f'<th scope="col">{_e(m.label)}{f" ({_e(m.unit)})" if m.unit else ""}</th>' for m in columns)
    rows = []
    for clip in report.clips:
        for name, output in clip.outputs.items():
            cells = "".join(
                f"<td>{output.values[m.key]:.{m.digits}f}</td>"
                if m.key in output.values
                else '<td class="none">\u2013</td>'
                for m in columns
            )
            rows.append(f'<tr><th scope="row">{_e(clip.id)}</th><td>{_e(name)}</td>{cells}</tr>')
    return (
        '<details><summary>Show the figures of every clip</summary><div class="wide" tabindex="0" role="region" '
        'aria-label="Figures of every clip"><table><caption>One row for each clip and system.</caption>'
        f'<thead><tr><th scope="col">Clip</th><th scope="col">System</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def _settings(report: Report) -> str:
    items = "".join(f"<dt>{_e(name)}</dt><dd>{_e(value)}</dd>" for name, value in report.settings.items())
    out = "".join(f"<li>{_e(name)}: {_e(reason)}</li>" for name, reason in report.left_out.items())
    return (
        f"<p>{_e(page_texts(report.subject).method)}</p>"
        + (f"<dl>{items}</dl>" if items else "")
        + (f"<details open><summary>Recordings left out</summary><ul>{out}</ul></details>" if out else "")
    )
