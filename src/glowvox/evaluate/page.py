"""A report as one web page that holds everything: players, pictures, style. It asks nothing of any other place."""

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.audio.files import write_audio
from glowvox.errors import DataError, MissingExtraError, counted
from glowvox.evaluate.measures import Measure
from glowvox.evaluate.report import ClipResult, Figure, Output, Report, best_system
from glowvox.evaluate.signal_checks import DYNAMIC_RANGE, average_spectrum, level_spectrogram


@dataclass(frozen=True)
class PageTexts:
    """The words of a page."""

    tiles: tuple[str, ...]
    """Measures of the key figures."""
    scores: tuple[str, ...]
    """Measures shown with every take."""
    clip: str
    """What a clip is."""
    counted: str
    """How clips and seconds are introduced: a format with `clips`, `seconds` and `systems`."""
    levels: str
    """What is said of the level of the takes."""
    method: str
    """How it was measured."""


VOCODER_TEXTS = PageTexts(
    tiles=("pesq", "stoi", "mcd", "wer", "bits_per_dim", "rtf"),
    scores=("pesq", "stoi", "mcd", "mel_l1", "wer", "tonal_mean"),
    clip="recording",
    counted="{clips}, {seconds:.0f} seconds of natural speech, {systems} beside it.",
    levels="All takes have the level of the original.",
    method="Every system got the mel spectrogram of the same recording. Its output was brought to the level of the "
    "recording before anything was compared; the gain is the level correction in the table. PESQ is computed at "
    "16 kHz, STOI at 10 kHz.",
)
VOICE_TEXTS = PageTexts(
    tiles=("wer", "skips", "mcd_dtw", "duration_error", "rtf", "first_audio_ms"),
    scores=("wer", "mcd_dtw", "duration_bias", "f0_range", "rtf"),
    clip="sentence",
    counted="{clips}, {seconds:.0f} seconds. {systems}.",
    levels="All takes of a sentence have the level of its recording.",
    method="The voice spoke the texts of the recordings, which it has not learned from. Its timing is its own, so it "
    "is compared with a recording along the warping of time that brings their cepstra closest. Copy synthesis is the "
    "recording's own mel spectrogram through the voice's vocoder: what is lost there, the vocoder loses. Pitch, pauses "
    "and peaks are those of the voice as it is; before all else it is brought to the recording's level.",
)


def page_texts(subject: str) -> PageTexts:
    """Return the words for a report's subject."""
    return VOICE_TEXTS if subject == "voice" else VOCODER_TEXTS


_LEFT, _TOP, _BOTTOM, _RIGHT = 46, 8, 40, 10


def spectrogram_svg(samples: NDArray[np.float32], sample_rate: int, top_db: float, description: str) -> str:
    """Return a spectrogram with axes in seconds and kilohertz.

    Args:
        samples: `[S]`.
        sample_rate: in Hz.
        top_db: the level (of `level_spectrogram`) that gets the brightest colour; the same for pictures to compare.
        description: read to those who do not see the picture.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    levels, hop = level_spectrogram(samples)
    width, height = 420.0, 200.0
    seconds, nyquist = levels.shape[1] * hop / sample_rate, sample_rate / 2000
    plot_width, plot_height = width - _LEFT - _RIGHT, height - _TOP - _BOTTOM
    parts = [
        _open(width, height, description),
        f'<image x="{_LEFT}" y="{_TOP}" width="{plot_width}" height="{plot_height}" preserveAspectRatio="none" '
        f'href="{_png(levels, top_db)}"/>',
    ]
    for tick in ticks(0.0, samples.size / sample_rate, 6):
        x = _LEFT + tick / seconds * plot_width
        parts.append(_tick_below(x, height - _BOTTOM, f"{tick:g}"))
    for tick in ticks(0.0, nyquist, 5):
        parts.append(_tick_left(_LEFT, _TOP + (1 - tick / nyquist) * plot_height, f"{tick:g}"))
    parts.append(_axis_names(width, height, "time in s", "kHz"))
    return "".join([*parts, "</svg>"])


def spectra_svg(spectra: Mapping[str, NDArray[np.float64]], sample_rate: int, description: str) -> str:
    """Return mean spectra in dB over frequency, one line per system, as drawn by the classes line-0, line-1, ..."""
    width, height = 900.0, 300.0
    plot_width, plot_height = width - _LEFT - _RIGHT, height - _TOP - _BOTTOM
    levels = {name: 10.0 * np.log10(np.maximum(power, 1e-20)) for name, power in spectra.items()}
    top = 10.0 * math.ceil(max(float(np.max(curve)) for curve in levels.values()) / 10.0)
    nyquist = sample_rate / 2000
    parts = [_open(width, height, description, ' class="spectra"')]
    for drop in range(0, int(DYNAMIC_RANGE) + 1, 20):
        y = _TOP + drop / DYNAMIC_RANGE * plot_height
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_tick_left(_LEFT, y, f"{-drop}"))
    for tick in ticks(0.0, nyquist, 12):
        parts.append(_tick_below(_LEFT + tick / nyquist * plot_width, height - _BOTTOM, f"{tick:g}"))
    for index, curve in enumerate(levels.values()):
        across = _LEFT + np.linspace(0.0, plot_width, curve.size)
        down = _TOP + np.clip((top - curve) / DYNAMIC_RANGE, 0.0, 1.0) * plot_height
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in np.stack([across, down], axis=1))
        parts.append(f'<polyline class="line line-{index % 6}" points="{points}"/>')
    parts.append(_axis_names(width, height, "frequency in kHz", "dB"))
    return "".join([*parts, "</svg>"])


def ticks(low: float, high: float, about: int) -> Sequence[float]:
    """Return round numbers from `low` to `high`, about so many, 1, 2 or 5 times a power of ten apart."""
    rough = max((high - low) / max(about, 1), 1e-9)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 10) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def _png(levels: NDArray[np.float64], top_db: float) -> str:
    try:
        from matplotlib import colormaps, image
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train", "drawing pictures") from error

    brightness = np.clip((levels[::-1] - top_db) / DYNAMIC_RANGE + 1.0, 0.0, 1.0)
    # Steps of 1.6 dB are not seen, and the picture takes a third of the space.
    colours = colormaps["magma"](np.round(brightness * 50) / 50)[..., :3]
    stream = io.BytesIO()
    image.imsave(stream, np.round(colours * 255).astype(np.uint8), format="png")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _open(width: float, height: float, description: str, kind: str = "") -> str:
    text = html.escape(description)
    return f'<svg{kind} viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{text}"><title>{text}</title>'


def _tick_below(x: float, y: float, text: str) -> str:
    return (
        f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{y:g}" y2="{y + 4:g}"/>'
        f'<text x="{x:.1f}" y="{y + 18:g}" text-anchor="middle">{html.escape(text)}</text>'
    )


def _tick_left(x: float, y: float, text: str) -> str:
    return (
        f'<line class="tick" x1="{x - 4:g}" x2="{x:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{x - 7:g}" y="{y + 4.5:.1f}" text-anchor="end">{html.escape(text)}</text>'
    )


def _axis_names(width: float, height: float, below: str, left: str) -> str:
    middle = _TOP + (height - _TOP - _BOTTOM) / 2
    return (
        f'<text x="{_LEFT + (width - _LEFT - _RIGHT) / 2:g}" y="{height - 4:g}" text-anchor="middle">{below}</text>'
        f'<text transform="translate(13 {middle:g}) rotate(-90)" text-anchor="middle">{left}</text>'
    )


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
    texts = page_texts(report.subject)
    return texts.counted.format(clips=counted(len(report.clips), texts.clip), seconds=seconds, systems=systems)


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
        way = {"higher": "higher is better", "lower": "lower is better", "zero": "zero is best"}.get(measure.better, "")
        margin = "" if figure.margin is None else f" \u00b1\u00a0{figure.margin:.{measure.digits}f}"
        tiles.append(
            f'<li><span class="name">{_e(measure.label)}</span><span class="value">{figure.value:.{measure.digits}f} '
            f'<span class="unit">{_e(measure.unit)}{margin}</span></span><span class="way">{way}</span>'
            f'<span class="beside">{"<br>".join(others)}</span></li>'
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
        "words, times over all seconds. The best system besides natural speech is marked in bold, where it leads by "
        "more than the margins.</caption>"
        f'<thead><tr><th scope="col">Measure</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _cell(figure: Figure | None, measure: Measure, best: bool) -> str:  # noqa: FBT001
    if figure is None:
        return '<td class="none"><span aria-label="not measured">\u2013</span></td>'
    margin = (
        "" if figure.margin is None else f' <span class="margin">\u00b1\u00a0{figure.margin:.{measure.digits}f}</span>'
    )
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
