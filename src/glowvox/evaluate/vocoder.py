"""How well vocoders play recordings back: every measure, side by side with natural speech, on equal terms.

Each recording is cut to whole frames and analysed once; every vocoder gets the same mel; every output is brought to
the level of the original before anything is compared, and the gain that this took is reported.
"""

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.files import bits_per_dimension
from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError, DataError
from glowvox.evaluate.clips import Recording
from glowvox.evaluate.distances import CopyJudge, tonal_values
from glowvox.evaluate.engine_speed import measure, real_time_factor
from glowvox.evaluate.measures import VOCODER_MEASURES
from glowvox.evaluate.report import ClipResult, Figure, Output, Report, mean_figure
from glowvox.evaluate.word_errors import POCKETSPHINX, Recogniser, with_word_errors
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.vocoder import Vocoder

if TYPE_CHECKING:
    from glowvox.models.waveglow import WaveGlow


Vocode = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From a mel `[M, T]` to samples `[T * hop length]`."""
Likelihood = Callable[[NDArray[np.float32], NDArray[np.float32]], float]
"""From samples `[S]` and their mel `[M, T]`, S = T * hop length, to the log-likelihood in nats."""


ALONE = VocoderOptions(sigma=0.6, denoise=0.0)
"""How a vocoder that belongs to no voice is measured: as it is, without the denoiser."""


def flow_vocoder(model: "WaveGlow", options: VocoderOptions = ALONE) -> Vocode:
    """Return a function that speaks a mel with noise N(0, sigma^2) drawn from a seed, the same for every mel."""
    from glowvox.engines.torch_engine import TorchVocoder

    vocoder = Vocoder(TorchVocoder(model))

    def vocode(mel: NDArray[np.float32]) -> NDArray[np.float32]:
        return vocoder(mel, options)

    return vocode


def flow_likelihood(model: "WaveGlow") -> Likelihood:
    """Return a function that gives log p(samples | mel) in nats under the base density N(0, 1)."""
    import torch

    def likelihood(samples: NDArray[np.float32], mel: NDArray[np.float32]) -> float:
        parameter = next(model.parameters())
        with torch.inference_mode():
            audio = torch.from_numpy(samples[None]).to(parameter)
            return float(model.log_likelihood(audio, torch.from_numpy(mel[None]).to(parameter)).item())

    return likelihood


NATURAL = "natural speech"
Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what is being done."""


def evaluate_vocoder(
    vocoders: Mapping[str, Vocode],
    recordings: Sequence[Recording],
    config: AudioConfig,
    *,
    likelihoods: Mapping[str, Likelihood] | None = None,
    group: int = 8,
    others: Mapping[str, Mapping[str, NDArray[np.float32]]] | None = None,
    recognise_words: bool = False,
    recogniser: Recogniser | None = None,
    recogniser_name: str = POCKETSPHINX,
    jobs: int = 1,
    title: str = "Copy synthesis",
    settings: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Play recordings back through vocoders and measure what comes out.

    Args:
        vocoders: by name, functions from a mel `[M, T]` of the contract to samples `[T * hop length]`.
        recordings: natural speech at the contract's rate.
        config: the mel contract.
        likelihoods: by the names of those vocoders that are flows, functions that give a log-likelihood in nats.
        group: samples in a group, at multiples of whose rate tones are looked for (in natural speech too).
        others: by name, what other systems made of the recordings: samples `[S]` by the ids of clips.
        recognise_words: whether to run a recogniser over all that have a text.
        recogniser: what recognises; None: PocketSphinx.
        recogniser_name: of the recogniser, for the report.
        jobs: processes for the recogniser.
        title: of the report.
        settings: what a reader should know about how it was done, by name.
        progress: told of every step.

    Raises:
        DataError: no recording can be used, or the recogniser is wanted and no recording has a text.
        AudioError: a vocoder returns something else than one channel of about the expected length.
    """
    usable, left_out = _usable(recordings, config)
    transform = MelTransform(config)
    steps = len(usable) * (len(vocoders) + 1)
    clips, seconds = [], dict.fromkeys(vocoders, 0.0)
    for vocode in vocoders.values():
        # Not timed: what a first call sets up (thread pools, buffers) belongs to no clip.
        vocode(_frames(transform, usable[0].samples))
        gc.collect()
    for number, recording in enumerate(usable):
        names = [*vocoders, "done"]
        _tell(progress, number * (len(vocoders) + 1), steps, f"{recording.id}: {NATURAL}")
        mel = _frames(transform, recording.samples)
        judge = CopyJudge(recording.samples, config, group)
        outputs = {NATURAL: _natural(recording.samples, config, group)}
        for position, (name, vocode) in enumerate(vocoders.items(), 1):
            cost = measure(lambda vocode=vocode, mel=mel: vocode(mel))  # type: ignore[misc]
            samples = _fitted(cost.result, recording.samples.size, config, name)
            scores = judge.judge(samples)
            values = dict(scores.values)
            values["rtf"] = real_time_factor(cost.seconds, samples.size, config.sample_rate)
            seconds[name] += cost.seconds
            if cost.peak_bytes is not None:
                values["peak_mib"] = cost.peak_bytes / 2**20
            if likelihoods and name in likelihoods:
                nats = -likelihoods[name](recording.samples, mel) / recording.samples.size
                values.update(nats_per_sample=nats, bits_per_dim=bits_per_dimension(nats))
            outputs[name] = Output(scores.samples, _finite(values), notes=scores.notes)
            done = number * (len(vocoders) + 1) + position
            _tell(progress, done, steps, f"{recording.id}: {names[position]}")
        for name, spoken in (others or {}).items():
            scores = judge.judge(_fitted(spoken[recording.id], recording.samples.size, config, name))
            outputs[name] = Output(scores.samples, _finite(dict(scores.values)), notes=scores.notes)
        clips.append(ClipResult(recording.id, recording.text, recording.samples.size / config.sample_rate, outputs))
    report = Report(
        title=title,
        subject="vocoder",
        sample_rate=config.sample_rate,
        measures=VOCODER_MEASURES,
        systems={name: _figures(clips, name, seconds.get(name)) for name in (NATURAL, *vocoders, *(others or {}))},
        clips=tuple(clips),
        settings=dict(settings or {}),
        left_out=left_out,
    )
    if recognise_words:
        report = with_word_errors(report, jobs=jobs, progress=progress, recogniser=recogniser, name=recogniser_name)
    return report


def _usable(recordings: Sequence[Recording], config: AudioConfig) -> tuple[list[Recording], dict[str, str]]:
    """Cut recordings to whole frames; list those that are too short, silent or not finite."""
    usable, left_out = [], {}
    least = max(config.n_fft, config.hop_length)
    for recording in recordings:
        whole = recording.samples.size // config.hop_length * config.hop_length
        samples = np.ascontiguousarray(recording.samples[:whole], dtype=np.float32)
        if whole < least:
            left_out[recording.id] = f"{recording.samples.size} samples are fewer than a frame of {least}"
        elif not np.isfinite(samples).all() or not samples.any():
            left_out[recording.id] = "silent, or not finite"
        else:
            usable.append(Recording(recording.id, samples, recording.text))
    if not usable:
        reason = next(iter(left_out.values()), "the list is empty")
        raise DataError(f"none of {len(recordings)} recordings can be evaluated: {reason}")
    return usable, left_out


def _frames(transform: MelTransform, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mel of whole frames, `[M, S / hop]`."""
    return transform.whole_frames(samples)[1]


def _fitted(output: NDArray[np.float32], length: int, config: AudioConfig, name: str) -> NDArray[np.float32]:
    samples = np.asarray(output, dtype=np.float32)
    if samples.ndim != 1 or abs(samples.size - length) > config.n_fft:
        raise AudioError(f"the vocoder '{name}' returned shape {samples.shape}, expected about [{length}] samples")
    return samples[:length] if samples.size >= length else np.pad(samples, (0, length - samples.size))


def _natural(samples: NDArray[np.float32], config: AudioConfig, group: int) -> Output:
    try:
        return Output(samples, tonal_values(samples, config.sample_rate, group))
    except AudioError as error:
        return Output(samples, {}, notes=(str(error),))


def _figures(clips: Sequence[ClipResult], name: str, seconds: float | None) -> dict[str, Figure]:
    figures = {}
    for entry in VOCODER_MEASURES:
        values = [clip.outputs[name].values[entry.key] for clip in clips if entry.key in clip.outputs[name].values]
        figure = mean_figure(values)
        if figure is not None:
            figures[entry.key] = figure
    if seconds is not None:
        figures["rtf"] = Figure(seconds / sum(clip.seconds for clip in clips), clips=len(clips))
    if "peak_mib" in figures:
        worst = max(clip.outputs[name].values["peak_mib"] for clip in clips)
        figures["peak_mib"] = Figure(worst, clips=len(clips))
    return figures


def _finite(values: dict[str, float]) -> dict[str, float]:
    return {key: float(value) for key, value in values.items() if np.isfinite(value)}


def _tell(progress: Progress | None, done: int, total: int, what: str) -> None:
    if progress is not None:
        progress(done, total, what)
