"""A picture of a recording: waveform, words, mel spectrogram and, with a flow, its bits per second and its latent."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.audio.files import bits_per_dimension
from glowvox.audio.mel import mel_filterbank
from glowvox.audio.sound import TimedWord
from glowvox.config.audio import AudioConfig
from glowvox.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor, nn

    from glowvox.models.waveglow import WaveGlow


@dataclass(frozen=True)
class LocalLikelihood:
    """A recording's latent and the log-likelihood of each position; `G` samples belong to a position."""

    latent: NDArray[np.float32]
    """`[G, S / G]`."""
    nats: NDArray[np.float64]
    """Log-likelihood of each position, `[S / G]`; the sum is that of the recording."""


def local_likelihood(model: "WaveGlow", samples: NDArray[np.float32], mel: NDArray[np.float32]) -> LocalLikelihood:
    """Return latent and local log-likelihood under the base density N(0, 1).

    Every term of the log-likelihood belongs to a position in time: the base density of the latent, the log scales of
    the couplings and of the conditional scale. What is left of the log-determinant (1x1 convolutions, ActNorm, the
    transform) is the same at every position.

    Args:
        model: the flow.
        samples: `[S]`, S = T * hop length.
        mel: `[M, T]` with the model's mel contract.

    Raises:
        MelError, AudioError: shapes do not fit the model.
    """
    import torch

    from glowvox.flows.affine import ConditionalScale
    from glowvox.flows.coupling import AffineCoupling

    terms: list[Tensor] = []

    def coupling_term(flow: "nn.Module", inputs: tuple[Any, ...]) -> None:
        assert isinstance(flow, AffineCoupling)
        x, mask, condition = inputs
        kept = x[:, : x.shape[1] - x.shape[1] // 2]
        terms.append(flow.shift_and_log_scale(kept, mask, condition)[1].sum(1))

    def scale_term(flow: "nn.Module", inputs: tuple[Any, ...]) -> None:
        assert isinstance(flow, ConditionalScale)
        terms.append(-flow.network(inputs[2]).sum(1))

    hooks = [
        *(m.register_forward_pre_hook(coupling_term) for m in model.modules() if isinstance(m, AffineCoupling)),
        *(m.register_forward_pre_hook(scale_term) for m in model.modules() if isinstance(m, ConditionalScale)),
    ]
    try:
        parameter = next(model.parameters())
        with torch.inference_mode():
            output = model(torch.from_numpy(samples[None]).to(parameter), torch.from_numpy(mel[None]).to(parameter))
    finally:
        for hook in hooks:
            hook.remove()
    latent = output.latent[0].double().cpu().numpy()
    local = np.zeros(latent.shape[1])
    for term in terms:
        local += term[0].double().cpu().numpy()
    local += (float(output.log_det[0]) - local.sum()) / local.size
    local -= np.sum(0.5 * latent**2 + 0.5 * np.log(2.0 * np.pi), axis=0)
    return LocalLikelihood(latent=latent.astype(np.float32), nats=local)


FORMATS = (".png", ".svg", ".pdf")
_INK, _SOFT, _RULE, _FIRST, _SECOND = "#1d1b26", "#5d5a6b", "#dfdce6", "#6d2f8e", "#b3450a"
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": _INK,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "svg.hashsalt": "glowvox",
}
_UNITS = {"ln": "nats", "log10": "decades", "db": "dB"}
_WINDOW_SECONDS = 0.05


@dataclass(frozen=True)
class Drawing:
    """What there is to draw; None: leave that part out."""

    title: str
    config: AudioConfig
    mel: NDArray[np.float32]
    """`[M, T]`."""
    samples: NDArray[np.float32] | None = None
    """`[S]`."""
    likelihood: LocalLikelihood | None = None
    start: float = 0.0
    """Seconds of the recording before what is drawn."""
    words: tuple[TimedWord, ...] = ()
    """Written between waveform and mel, at their times in the recording; empty: no such line."""


def save_drawing(drawing: Drawing, path: Path, *, dpi: int = 150) -> None:
    """Draw to a PNG, SVG or PDF file, aside and then in place.

    Args:
        drawing: what there is.
        path: the file; its ending names the format.
        dpi: of a PNG, which is 11 inches wide.

    Raises:
        DataError: the file cannot be written, or its name says another format.
        MissingExtraError: matplotlib is not installed.
    """
    if path.suffix.lower() not in FORMATS:
        raise DataError(f"{path}: name a file that ends in {', '.join(FORMATS)}")
    try:
        import matplotlib
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train", "drawing pictures") from error
    with matplotlib.rc_context(_STYLE), replacing(path, DataError) as stream:
        _figure(drawing).savefig(stream, format=path.suffix[1:].lower(), dpi=dpi)


def bits_per_second(
    likelihood: LocalLikelihood, sample_rate: int, window: float = _WINDOW_SECONDS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times in seconds and, around them, the bits per second that an ideal coder of 16-bit samples needs.

    Args:
        likelihood: of a recording.
        sample_rate: in Hz.
        window: seconds to average over.
    """
    group = likelihood.latent.shape[0]
    width = max(1, round(window * sample_rate / group))
    starts = np.arange(0, likelihood.nats.size, width)
    positions = np.minimum(width, likelihood.nats.size - starts)
    nats = -np.add.reduceat(likelihood.nats, starts) / (positions * group)
    bits = np.array([bits_per_dimension(value) for value in nats]) * sample_rate
    return (starts + positions / 2) * group / sample_rate, bits


def _figure(drawing: Drawing) -> "Figure":
    from matplotlib.figure import Figure

    rows = [("mel", 2.2)]
    if drawing.samples is not None:
        rows.insert(0, ("waveform", 1.0))
    if drawing.words:
        rows.insert(-1, ("words", 0.18))
    if drawing.likelihood is not None:
        rows += [("bits", 1.1), ("latent", 1.5)]
    figure = Figure(figsize=(11, 0.7 + 1.55 * sum(height for _, height in rows)), layout="constrained")
    figure.suptitle(drawing.title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=_INK)
    grid = figure.add_gridspec(len(rows), 2, height_ratios=[height for _, height in rows], width_ratios=[60, 1])
    axes = {name: figure.add_subplot(grid[row, 0]) for row, (name, _) in enumerate(rows)}
    if drawing.samples is not None:
        _waveform(axes["waveform"], drawing.samples, drawing)
    if drawing.words:
        _words(axes, drawing.words)
    image = _mel(axes["mel"], drawing)
    bar = figure.colorbar(image, cax=figure.add_subplot(grid[[name for name, _ in rows].index("mel"), 1]))
    bar.set_label(_mel_unit(drawing.config))
    bar.outline.set_visible(False)
    if drawing.likelihood is not None:
        _bits(axes["bits"], drawing.likelihood, drawing)
        _latent(axes["latent"], drawing.likelihood)
    timed = [axis for name, axis in axes.items() if name != "latent"]
    for axis in timed:
        axis.set_xlim(drawing.start, drawing.start + drawing.mel.shape[1] / drawing.config.frame_rate)
        axis.set_xlabel("time in seconds" if axis is timed[-1] else "")
    return figure


def _waveform(axis: "Axes", samples: NDArray[np.float32], drawing: Drawing) -> None:
    # More points than pixels draw a solid band slowly: the extremes of short stretches look the same.
    width = max(1, samples.size // 4000)
    starts = np.arange(0, samples.size, width)
    times = drawing.start + (starts + width / 2) / drawing.config.sample_rate
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    axis.fill_between(times, low, high, color=_FIRST, linewidth=0.6)
    peak = float(np.max(np.abs(samples)))
    axis.set(title="Waveform (full scale: 1)", ylabel="amplitude", ylim=(-1.05 * peak or -1.0, 1.05 * peak or 1.0))
    axis.axhline(0.0, color=_RULE, linewidth=0.8, zorder=0)


def _words(axes: dict[str, "Axes"], words: tuple[TimedWord, ...]) -> None:
    """Write the words in a row of their own; lines at their borders cross it and the waveform above."""
    row = axes["words"]
    row.axis("off")
    row.set_ylim(0.0, 1.0)
    for word in words:
        row.text((word.start + word.end) / 2, 0.5, word.text, ha="center", va="center", fontsize=9, color=_INK)
    for border in {edge for word in words for edge in (word.start, word.end)}:
        for axis in (axis for name, axis in axes.items() if name in ("waveform", "words")):
            axis.axvline(border, color=_SOFT, linewidth=0.6, linestyle=":")


def _mel(axis: "Axes", drawing: Drawing) -> Any:
    config, mel = drawing.config, drawing.mel
    length = mel.shape[1] / config.frame_rate
    half = 0.5 / config.frame_rate if config.center else 0.0
    image = axis.imshow(
        mel,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap="magma",
        extent=(drawing.start - half, drawing.start + length - half, -0.5, config.n_mels - 0.5),
    )
    centres = mel_filterbank(config) @ np.arange(config.n_fft // 2 + 1) * config.sample_rate / config.n_fft
    weights = mel_filterbank(config).sum(axis=1)
    hertz = np.divide(centres, weights, out=np.zeros_like(centres), where=weights > 0)
    shown = [tick for tick in (250, 500, 1000, 2000, 4000, 8000, 16000) if hertz[0] <= tick <= config.f_max]
    axis.set_yticks(
        [float(np.interp(tick, hertz, np.arange(config.n_mels))) for tick in shown], [str(t) for t in shown]
    )
    axis.set(title="Mel spectrogram", ylabel="frequency in Hz")
    return image


def _mel_unit(config: AudioConfig) -> str:
    if config.mean != 0.0 or config.std != 1.0:
        return "normalised level"
    return f"level in {_UNITS[config.log]}"


def _bits(axis: "Axes", likelihood: LocalLikelihood, drawing: Drawing) -> None:
    rate = drawing.config.sample_rate
    times, bits = bits_per_second(likelihood, rate)
    mean = bits_per_dimension(-float(likelihood.nats.sum()) / likelihood.latent.size)
    axis.step(drawing.start + times, bits / 1000, where="mid", color=_FIRST, linewidth=1.2)
    axis.axhline(mean * rate / 1000, color=_SECOND, linewidth=1.2, linestyle="--")
    axis.set(
        title=f"Information: {mean * rate / 1000:.0f} kbit per second on average, {mean:.2f} bits a sample "
        f"({(mean - 15) * np.log(2):.2f} nats)",
        ylabel="kbit per second",
    )
    axis.grid(axis="y", color=_RULE, linewidth=0.8)
    axis.set_axisbelow(True)


def _latent(axis: "Axes", likelihood: LocalLikelihood) -> None:
    values = likelihood.latent.ravel()
    axis.hist(values, bins=120, range=(-5, 5), density=True, color=_FIRST, alpha=0.55, label="latent")
    grid = np.linspace(-5, 5, 401)
    axis.plot(grid, np.exp(-0.5 * grid**2) / np.sqrt(2 * np.pi), color=_SECOND, linewidth=1.6, label="normal density")
    beyond = 100.0 * float(np.mean(np.abs(values) > 5))
    axis.set(
        title=f"Latent: mean {values.mean():+.3f}, standard deviation {values.std():.3f}, {beyond:.2g} % beyond 5",
        xlabel="value (standard deviations of the base density)",
        ylabel="density",
        xlim=(-5, 5),
    )
    axis.legend(loc="upper right")
