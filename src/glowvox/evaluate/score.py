"""Judging recordings and their texts by likelihood, many at once, against a reference."""

import csv
import functools
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.audio.files import bits_per_dimension, resample
from glowvox.audio.loudness import normalise_loudness
from glowvox.audio.mel import MelTransform
from glowvox.data.parallel import run_in_order
from glowvox.errors import AudioError, CheckpointError, DataError, GlowvoxError, TextError
from glowvox.evaluate.batch_alignment import ModelChoice, chosen_aligner, text_options
from glowvox.evaluate.clips import SpokenFile
from glowvox.evaluate.vocoder import flow_likelihood
from glowvox.evaluate.word_errors import normalise_transcript
from glowvox.synthesis.aligner import Aligner, Heard, ReadText, TextOptions, most_likely_frames, path_nats
from glowvox.synthesis.recording import TRAINING_LEVEL_DB

if TYPE_CHECKING:
    from glowvox.models.waveglow import WaveGlow


FORMAT = "glowvox-score-reference"
FORMAT_VERSION = 1
_MOST_BYTES = 16 << 20
_NORMAL = 1.4826
"""Median absolute deviation times this is the standard deviation, for normally distributed values."""
_NEEDED = ("nats_per_frame", "gain", "worst", "pace")
_LEAST = 20
"""Recordings below which a reference says nothing."""


@dataclass(frozen=True)
class Scale:
    """How one measure is distributed, told robustly: a few wrong texts among many right ones do not move it."""

    median: float
    spread: float
    """Standard deviation, from the median absolute deviation."""

    def z(self, value: float) -> float:
        """Return how many standard deviations a value lies above the median."""
        return (value - self.median) / self.spread


@dataclass(frozen=True)
class Reference:
    """The scales of all measures."""

    source: str
    """Whose recordings they are."""
    recordings: int
    scales: Mapping[str, Scale]
    texts: tuple[str, ...]
    """Other texts that a recording is compared under (see `FitMeter`)."""

    def save(self, path: Path) -> None:
        """Write a JSON file, aside first.

        Raises:
            DataError: it cannot be written.
        """
        content = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(self)}
        with replacing(path, DataError) as stream:
            stream.write((json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def reference_of(
    source: str, rows: Sequence[Mapping[str, float]], texts: Sequence[str], *, least: int = _LEAST
) -> Reference:
    """Return the reference that measured recordings make.

    Args:
        source: whose they are.
        rows: the measures of each recording by name; all have the same names.
        texts: under which other texts they were measured.
        least: recordings that there must be.

    Raises:
        DataError: there are too few.
    """
    if len(rows) < least:
        raise DataError(
            f"{source}: {len(rows)} recordings are too few to judge by, there must be {least}; name the training data "
            "with --reference"
        )
    scales = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        median = float(np.median(values))
        spread = _NORMAL * float(np.median(np.abs(values - median)))
        scales[name] = Scale(median, max(spread, 1e-6 * max(1.0, abs(median))))
    return Reference(source, len(rows), scales, tuple(texts))


def read_reference(path: Path) -> Reference:
    """Return what `Reference.save` wrote.

    Raises:
        DataError: it cannot be read, or is something else.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path}: too large for a reference of scores")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON; 'glowvox score --save-reference' writes a reference") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path}: not a reference of scores; 'glowvox score --save-reference' writes one")
    if content.get("format_version") != FORMAT_VERSION:
        raise DataError(f"{path}: version {content.get('format_version')!r}, this program reads {FORMAT_VERSION}")
    try:
        scales = {
            str(name): Scale(float(one["median"]), float(one["spread"])) for name, one in content["scales"].items()
        }
        texts = tuple(str(text) for text in content["texts"])
        found = Reference(str(content["source"]), int(content["recordings"]), scales, texts)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: the reference is damaged") from error
    if not set(_NEEDED) <= set(scales):
        raise DataError(f"{path}: the reference is damaged: it needs the scales {', '.join(_NEEDED)}")
    if not all(np.isfinite([one.median, one.spread]).all() and one.spread > 0 for one in scales.values()):
        raise DataError(f"{path}: the reference is damaged: a spread must be a positive number")
    return found


def chosen_texts(texts: Sequence[str], count: int = 64) -> tuple[str, ...]:
    """Return texts of all lengths, each once: those that recordings are compared under."""
    found = sorted(set(texts), key=lambda text: (len(text), text))
    if len(found) <= count:
        return tuple(found)
    return tuple(found[place * len(found) // count] for place in range(count))


_OTHERS = 4
"""Other texts that a recording is compared under."""
_WINDOW_SECONDS = 0.4


@dataclass(frozen=True)
class TextFit:
    """What is measured on a recording with its text."""

    nats_per_frame: float
    """log p(mel | text) per mel frame; low: a bad recording, or speech unlike the training voice."""
    gain: float
    """How much more likely the text makes a frame than other texts do, nats; about 0: another text is said."""
    worst: float
    """The same over the worst 0.4 s; far below 0: there something else is said."""
    pace: float
    """log(frames of the recording / frames expected of the text): above 0 slow speech, or words missing in the text."""


class FitMeter:
    """Measures recordings with one model and one set of other texts.

    The likelihood of a recording says more about the recording (noise, level, timbre) than about its text. What the
    recording is like by itself cancels when the likelihood under its text is compared with that under other texts of
    about the same length, laid over the same frames: the log-determinant is the same, and what is left is how much
    better the text explains the frames than any speech would. Where words are missing from the text, or stand in it too
    much, the comparison turns bad for a while, and the text's expected length does not fit the recording's.
    """

    def __init__(self, aligner: Aligner, others: Sequence[str]) -> None:
        """Read the other texts.

        Args:
            aligner: the model.
            others: texts of the model's language, of all usual lengths.

        Raises:
            TextError: fewer than two of them can be read.
        """
        self.aligner = aligner
        self._others: list[tuple[str, ReadText]] = []
        for text in others:
            try:
                self._others.append((normalise_transcript(text), aligner.reader.read(text, on_warning=_ignore)))
            except TextError:
                continue
        if len(self._others) < 2:
            raise TextError("a text's fit is measured against at least two other texts")
        self._lengths = np.array([read.expected_frames.sum() for _, read in self._others])
        self._window = max(1, round(_WINDOW_SECONDS * aligner.engine.audio.frame_rate))

    def measure(self, heard: Heard, text: str, options: TextOptions) -> TextFit:
        """Measure one recording.

        Args:
            heard: the recording.
            text: what is said to be said.
            options: how the text is read.

        Raises:
            TextError: the text holds no word.
            AudioError: the recording is too short for its text.
        """
        read = self.aligner.reader.read(text, **options)
        alignment = self.aligner.lay(read, heard)
        baseline = self._baseline(heard, normalise_transcript(text))
        better = alignment.frame_nats - baseline
        window = min(self._window, len(better))
        smooth = np.convolve(better, np.full(window, 1.0 / window), mode="valid")
        return TextFit(
            nats_per_frame=alignment.nats_per_frame,
            gain=float(better.mean()),
            worst=float(smooth.min()),
            pace=float(np.log(len(better) / read.expected_frames.sum())),
        )

    def _baseline(self, heard: Heard, text: str) -> NDArray[np.float64]:
        """Return the mean log-likelihood of each frame under the other texts whose length is nearest to it."""
        n_frames = heard.latent.shape[1]
        rows: list[NDArray[np.float64]] = []
        for place in np.argsort(np.abs(np.log(self._lengths / n_frames)), kind="stable"):
            spoken, read = self._others[place]
            if spoken == text or read.mean.shape[1] > n_frames:
                continue
            frames = most_likely_frames(heard.latent, read.mean, read.log_std)
            rows.append(path_nats(heard.latent, read.mean, read.log_std, frames))
            if len(rows) == _OTHERS:
                break
        if not rows:
            raise AudioError("the recording is shorter than any of the texts that it is compared under")
        return np.asarray(np.mean(rows, axis=0))


def _ignore(message: str) -> None:
    """Leave warnings about other people's texts alone."""


SUSPECT = 5.0
"""Text mismatch score above which a text should be looked at, outlier score above which a recording should."""
_PIECE_SECONDS = 20.0
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ScoreTask:
    """One recording to measure."""

    choice: ModelChoice
    texts: tuple[str, ...]
    """Other texts to compare under."""
    vocoder: str | None
    """A WaveGlow model folder or run; None: the waveform is not judged."""
    file: SpokenFile


@dataclass(frozen=True)
class Measured:
    """What was measured on a recording: `TextFit`'s values and, with a vocoder, `bits_per_sample`."""

    id: str
    text: str
    seconds: float
    values: Mapping[str, float] | None
    """By name; None where it could not be measured."""
    problem: str = ""
    """Why not."""

    @property
    def unread(self) -> bool:
        """Whether nothing was heard of it, which says nothing about its text."""
        return self.values is None and self.seconds == 0.0


@dataclass(frozen=True)
class Judged:
    """A recording on the reference's scale."""

    measured: Measured
    z: Mapping[str, float]
    """How many standard deviations each value lies above the reference's median."""
    text_mismatch_score: float
    """How little the text fits: large values are suspect. A text that cannot be laid over its recording: infinite."""
    outlier_score: float
    """How little the recording is like the reference's: the larger of what mel and waveform say."""


def measure_files(
    choice: ModelChoice,
    files: Sequence[SpokenFile],
    texts: Sequence[str],
    *,
    vocoder: str | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> list[Measured]:
    """Measure recordings, in order.

    Args:
        choice: the acoustic model.
        files: the recordings.
        texts: other texts to compare under, see `chosen_texts`.
        vocoder: a WaveGlow, for bits per sample.
        jobs: processes.
        progress: called with recordings done and in all.

    Raises:
        TextError: there are fewer than two other texts.
        GlowvoxError: a model cannot be opened.
    """
    if jobs > 1:
        choice = choice.alone()
    # What is wrong with the models or the texts is wrong with every recording: it is told at once.
    _meter(choice, tuple(texts))
    if vocoder is not None:
        opened_vocoder(vocoder)
    tasks = [ScoreTask(choice, tuple(texts), vocoder, file) for file in files]
    found: list[Measured] = []
    if progress is not None:
        progress(0, len(tasks))  # opening the models is over
    made: Iterator[Measured] = run_in_order(measure_file, tasks, min(jobs, max(1, len(tasks))), _crashed)
    for result in made:
        found.append(result)
        if progress is not None:
            progress(len(found), len(tasks))
    return found


def measure_file(task: ScoreTask) -> Measured:
    """Measure one recording; one that cannot be measured gives a reason, never an error."""
    file, aligner, seconds = task.file, chosen_aligner(task.choice), 0.0
    try:
        samples, given = file.samples()
        rate = given or aligner.engine.audio.sample_rate
        seconds = len(samples) / rate
        options = text_options(task.choice, aligner, file, [])
        heard = aligner.hear(aligner.mel(samples, rate), speaker=options.get("speaker"))
        values = asdict(_meter(task.choice, task.texts).measure(heard, file.text, options))
        if task.vocoder is not None:
            values["bits_per_sample"] = bits_per_sample(opened_vocoder(task.vocoder), samples, rate)
    except GlowvoxError as error:
        return Measured(file.id, file.text, seconds, None, str(error))
    return Measured(file.id, file.text, seconds, values)


def judged(measured: Sequence[Measured], reference: Reference) -> list[Judged]:
    """Return recordings on the reference's scale, those with the texts that fit worst first."""
    rows = [_judge(one, reference.scales) for one in measured]
    return sorted(rows, key=lambda row: (-row.text_mismatch_score, row.measured.id))


def bits_per_sample(model: "WaveGlow", samples: NDArray[np.floating], sample_rate: int) -> float:
    """Return the bits that an ideal coder needs for a sample of 16 bits, given the mel; low is like the training data.

    Args:
        model: the flow.
        samples: the recording [S], any level.
        sample_rate: in Hz.

    Raises:
        AudioError: the recording is empty, not finite, or shorter than a window of the analysis.
    """
    config = model.config.audio
    signal = resample(samples, sample_rate, config.sample_rate)
    levelled, _ = normalise_loudness(signal, config.sample_rate, TRAINING_LEVEL_DB)
    likelihood, transform, hop = flow_likelihood(model), MelTransform(config), config.hop_length
    frames = len(levelled) // hop
    if frames * hop < config.n_fft:
        raise AudioError(f"{len(levelled)} samples are too few to be judged")
    mel = transform(levelled)[:, :frames]
    # Long recordings are cut, so that memory does not grow; a short rest is left out.
    piece = round(_PIECE_SECONDS * config.frame_rate)
    starts = [start for start in range(0, frames, piece) if start == 0 or frames - start >= piece // 4]
    nats, count = 0.0, 0
    for start in starts:
        end = min(frames, start + piece)
        nats += likelihood(levelled[start * hop : end * hop], mel[:, start:end])
        count += (end - start) * hop
    return bits_per_dimension(-nats / count)


@functools.lru_cache(maxsize=1)
def opened_vocoder(path: str) -> "WaveGlow":
    """Return a vocoder's model, opened once in each process.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    from glowvox.checkpoint.model_folder import load_model
    from glowvox.models.waveglow import WaveGlow

    model = load_model(path)
    if not isinstance(model, WaveGlow):
        raise CheckpointError(f"{path} is no vocoder (it holds a {type(model).__name__})")
    return model


@functools.lru_cache(maxsize=1)
def _meter(choice: ModelChoice, texts: tuple[str, ...]) -> FitMeter:
    return FitMeter(chosen_aligner(choice), texts)


def _judge(measured: Measured, scales: Mapping[str, Scale]) -> Judged:
    if measured.values is None:
        return Judged(measured, {}, float("inf"), float("inf"))
    z = {name: scales[name].z(value) for name, value in measured.values.items() if name in scales}
    # Each of the three is about standard normal for right texts; added up they find what each alone overlooks.
    mismatch = (abs(z["pace"]) - z["gain"] - z["worst"]) / 3**0.5
    return Judged(measured, z, mismatch, max(-z["nats_per_frame"], z.get("bits_per_sample", -float("inf"))))


def _crashed(task: ScoreTask) -> Measured:
    return Measured(task.file.id, task.file.text, 0.0, None, "the process died while measuring it")


def score_row(row: Judged) -> dict[str, Any]:
    """Return a recording's scores as plain values; what is not known is None."""
    measured = row.measured
    found: dict[str, Any] = {
        "id": measured.id,
        "text_mismatch_score": _number(row.text_mismatch_score),
        "outlier_score": _number(row.outlier_score),
        "seconds": round(measured.seconds, 3),
        "text": measured.text,
        "problem": measured.problem,
    }
    for name, value in (measured.values or {}).items():
        found[name] = _number(value)
        found[f"z_{name}"] = _number(row.z.get(name, math.nan))
    return found


def score_table(rows: Sequence[Judged]) -> str:
    """Return a table of recordings, one line each."""
    lines = [f"{'mismatch':>8} {'outlier':>7} {'gain':>7} {'worst':>7} {'pace':>6}  recording: text"]
    for row in rows:
        what = " ".join((row.measured.problem or row.measured.text).split())
        if row.measured.values is None:
            lines.append(f"{'-':>8} {'-':>7} {'-':>7} {'-':>7} {'-':>6}  {row.measured.id}: {what[:160]}")
            continue
        z = row.z
        lines.append(
            f"{row.text_mismatch_score:8.1f} {row.outlier_score:7.1f} {z['gain']:7.1f} {z['worst']:7.1f} "
            f"{z['pace']:6.1f}  {row.measured.id}: {what[:70]}"
        )
    return "\n".join(lines)


def write_scores(rows: Sequence[Judged], path: Path) -> None:
    """Write all scores as CSV or, where the name ends in .jsonl, as a JSON object in each line; aside first.

    Raises:
        DataError: the file cannot be written.
    """
    plain = [score_row(row) for row in rows]
    if path.suffix.lower() == ".jsonl":
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in plain)
    else:
        columns = list(dict.fromkeys(name for row in sorted(plain, key=len, reverse=True) for name in row))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(plain)
        content = text.getvalue()
    with replacing(path, DataError) as stream:
        stream.write(content.encode("utf-8"))


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
