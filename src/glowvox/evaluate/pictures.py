"""Pictures for the report page: SVG whose lines and letters take the page's colours, light or dark."""

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import MissingExtraError
from glowvox.evaluate.spectrogram import DYNAMIC_RANGE, level_spectrogram

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
