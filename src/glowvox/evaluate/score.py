"""Judging recordings and their texts by likelihood, many at once, against a reference."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.loudness import normalise_loudness
from glowvox.audio.mel import MelTransform
from glowvox.audio.resample import resample
from glowvox.data.parallel import run_in_order
from glowvox.errors import AudioError, CheckpointError, GlowvoxError
from glowvox.evaluate.batch_alignment import ModelChoice, chosen_aligner, text_options
from glowvox.evaluate.flow_vocoder import bits_per_dimension, flow_likelihood
from glowvox.evaluate.score_reference import Reference, Scale
from glowvox.evaluate.spoken_files import SpokenFile
from glowvox.evaluate.text_fit import FitMeter
from glowvox.synthesis.recording import TRAINING_LEVEL_DB

if TYPE_CHECKING:
    from glowvox.models.waveglow import WaveGlow

DOUBTFUL = 5.0
"""`doubt` above which a text should be looked at, `strangeness` above which a recording should."""
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


@dataclass(frozen=True)
class Judged:
    """A recording on the reference's scale."""

    measured: Measured
    z: Mapping[str, float]
    """How many standard deviations each value lies above the reference's median."""
    doubt: float
    """How little the text fits: large values are suspect. A text that cannot be laid over its recording: infinite."""
    strangeness: float
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
    """Return recordings on the reference's scale, those with the most doubtful texts first."""
    rows = [_judge(one, reference.scales) for one in measured]
    return sorted(rows, key=lambda row: (-row.doubt, row.measured.id))


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
    doubt = (abs(z["pace"]) - z["gain"] - z["worst"]) / 3**0.5
    return Judged(measured, z, doubt, max(-z["nats_per_frame"], z.get("bits_per_sample", -float("inf"))))


def _crashed(task: ScoreTask) -> Measured:
    return Measured(task.file.id, task.file.text, 0.0, None, "the process died while measuring it")
