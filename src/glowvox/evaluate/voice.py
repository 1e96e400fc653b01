"""How well a voice speaks: its sentences beside recordings of them, and those recordings through its vocoder.

Intelligibility by a recogniser, distances along a warping of time (a voice has its own timing), pitch, signal faults,
and what speaking costs. What is compared or played is brought to the level of the recording; signal checks are not.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import MelTransform
from glowvox.audio.yin import track_pitch
from glowvox.config.audio import AudioConfig
from glowvox.data.transcript_lists import is_normalised
from glowvox.errors import AudioError, DataError, MelError, TextError
from glowvox.evaluate.clips import Recording, list_lines
from glowvox.evaluate.distances import duration_differences, warped_distances
from glowvox.evaluate.engine_speed import real_time_factor
from glowvox.evaluate.measures import VOICE_MEASURES
from glowvox.evaluate.report import ClipResult, Figure, Output, Report, mean_figure
from glowvox.evaluate.signal_checks import check_signal, match_level
from glowvox.evaluate.vocoder import NATURAL, Progress, Vocode
from glowvox.evaluate.word_errors import POCKETSPHINX, Recogniser, with_word_errors, word_errors
from glowvox.synthesis.voice import Voice

COPY = "copy synthesis"
Samples = NDArray[np.float32]
_LARGEST = ("pause", "peak_db")
"""Figures of which a report states the largest, not the mean."""
_WARM_UP = "This is only said to warm up."


def evaluate_voice(
    voice: Voice,
    sentences: Sequence[Recording],
    *,
    vocode: Vocode | None = None,
    others: Mapping[str, Mapping[str, Samples]] | None = None,
    recognise_words: bool = True,
    recogniser: Recogniser | None = None,
    recogniser_name: str = POCKETSPHINX,
    jobs: int = 1,
    speaker: str | None = None,
    seed: int = 0,
    title: str | None = None,
    settings: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Let a voice speak sentences and measure what comes out.

    Args:
        voice: it speaks each text as it is.
        sentences: texts, each with a recording of it at the voice's rate, or without samples.
        vocode: the voice's vocoder, a function from a mel `[M, T]` of its contract to samples; None: no copy synthesis.
        others: by name, what other systems said: samples `[S]` at the voice's rate by the ids of sentences.
        recognise_words: whether to run a recogniser over everything.
        recogniser: what recognises; None: PocketSphinx.
        recogniser_name: of the recogniser, for the report.
        jobs: processes for the recogniser.
        speaker: who speaks; None: the voice's first.
        seed: of the voice's noise.
        title: of the report.
        settings: what a reader should know about how it was done, by name.
        progress: told of every step.

    Raises:
        DataError: there is nothing that can be spoken.
        VoiceError: the voice has no such speaker.
    """
    config = voice.card.vocoder.mel
    judge = _Judge(config, vocode)
    clips: list[ClipResult] = []
    left_out: dict[str, str] = {}
    voice.say(_WARM_UP, speaker=speaker)
    next(voice.stream(_WARM_UP, speaker=speaker))
    for number, sentence in enumerate(sentences):
        if progress is not None:
            progress(number, len(sentences), sentence.id)
        try:
            if not sentence.text:
                raise TextError("nobody wrote down what is said")
            spoken, cost = _spoken(voice, sentence.text, speaker, seed)
            also = {name: said[sentence.id] for name, said in (others or {}).items()}
            clips.append(judge.clip(sentence, voice.name, spoken, cost, also))
        except (TextError, AudioError, MelError) as error:
            left_out[sentence.id] = str(error)
    if not clips:
        reason = next(iter(left_out.values()), "the list is empty")
        raise DataError(f"none of {len(sentences)} sentences can be evaluated: {reason}")
    names = [
        name for name in (NATURAL, COPY, voice.name, *(others or {})) if any(name in clip.outputs for clip in clips)
    ]
    clips = [clip for clip in clips if set(clip.outputs) == set(names)]
    report = Report(
        title=title or f"The voice {voice.name}",
        subject="voice",
        sample_rate=config.sample_rate,
        measures=VOICE_MEASURES,
        systems={name: _figures(clips, name) for name in names},
        clips=tuple(clips),
        settings=dict(settings or {}),
        left_out=left_out,
    )
    if not recognise_words:
        return report
    return _with_skips(
        with_word_errors(report, jobs=jobs, progress=progress, recogniser=recogniser, name=recogniser_name)
    )


class _Judge:
    """Makes the outputs of all systems for one sentence."""

    def __init__(self, config: AudioConfig, vocode: Vocode | None) -> None:
        self._config = config
        self._contract = MelTransform(config)
        self._natural_log = MelTransform(replace(config, log="ln", mean=0.0, std=1.0))
        self._vocode = vocode

    def clip(
        self,
        sentence: Recording,
        name: str,
        spoken: Samples,
        cost: dict[str, float],
        others: Mapping[str, Samples],
    ) -> ClipResult:
        """Return one sentence's outputs, natural speech first.

        Raises:
            AudioError, MelError: the recording or the speech cannot be compared.
        """
        natural = sentence.samples
        outputs: dict[str, Output] = {}
        if natural.size:
            outputs[NATURAL] = self._output(natural, None)
            if self._vocode is not None:
                frames = natural.size // self._config.hop_length
                mel = np.ascontiguousarray(self._contract(natural)[:, :frames])
                outputs[COPY] = self._output(self._vocode(mel), natural)
        said = self._output(spoken, natural if natural.size else None)
        outputs[name] = replace(said, values={**said.values, **cost})
        for other, samples in others.items():
            outputs[other] = self._output(samples, natural if natural.size else None)
        seconds = (natural if natural.size else spoken).size / self._config.sample_rate
        return ClipResult(sentence.id, sentence.text, seconds, outputs)

    def _output(self, samples: Samples, natural: Samples | None) -> Output:
        rate = self._config.sample_rate
        check = check_signal(samples, rate)
        problems = check.problems()
        values = {"faults": 100.0 * bool(problems), "pause": check.longest_pause, "peak_db": check.peak_db}
        span = track_pitch(samples, rate).span()
        if span is not None:
            values |= {"f0_median": span[1], "f0_range": 12.0 * float(np.log2(span[2] / span[0]))}
        if natural is not None and not check.silent:
            samples, _ = match_level(natural, samples)
            values |= warped_distances(natural, samples, self._natural_log)
            values |= duration_differences(natural, samples, rate)
        return Output(samples, values, notes=tuple(problems))


def _spoken(voice: Voice, text: str, speaker: str | None, seed: int) -> tuple[Samples, dict[str, float]]:
    """Speak a text twice: whole, and as a stream as far as its first samples."""
    warnings: list[str] = []
    began = time.perf_counter()
    samples = voice.say(text, speaker=speaker, seed=seed, on_warning=warnings.append).samples
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    stream = voice.stream(text, speaker=speaker, seed=seed, on_warning=warnings.append)
    next(chunk for chunk in stream if chunk.samples.size)
    first = time.perf_counter() - began
    if not samples.size:
        raise TextError("the voice says nothing")
    rtf = real_time_factor(seconds, samples.size, voice.sample_rate)
    return samples, {"rtf": rtf, "first_audio_ms": 1000.0 * first}


def _figures(clips: Sequence[ClipResult], name: str) -> dict[str, Figure]:
    figures = {}
    for measure in VOICE_MEASURES:
        values = [clip.outputs[name].values.get(measure.key, np.nan) for clip in clips]
        figure = mean_figure(values)
        if figure is not None and measure.key in _LARGEST:
            figure = Figure(float(np.nanmax(values)), clips=figure.clips)
        if figure is not None:
            figures[measure.key] = figure
    if "rtf" in figures:
        seconds = [clip.outputs[name].samples.size for clip in clips]
        cost = [clip.outputs[name].values["rtf"] * size for clip, size in zip(clips, seconds, strict=True)]
        figures["rtf"] = Figure(sum(cost) / sum(seconds), clips=len(clips))
    return figures


def _with_skips(report: Report) -> Report:
    """Return the report with the share of sentences with skipped or repeated words."""
    systems = {}
    for name, figures in report.systems.items():
        heard = [(clip.text or "", clip.outputs[name].heard) for clip in report.clips]
        known = [(text, words) for text, words in heard if words is not None]
        share = word_errors([text for text, _ in known], [words for _, words in known]).skipping_or_repeating()
        systems[name] = {**figures, "skips": Figure(100.0 * share, clips=len(known))}
    return replace(report, systems=systems)


def read_sentences(path: Path, on_note: Callable[[str], None] | None = None) -> list[Recording]:
    """Return the sentences of a file, one a line, `id|text` or the text alone; without samples.

    Of LJ Speech's `id|text|normalised text` the last is the text.

    Args:
        path: the file, in UTF-8, UTF-16 with a mark, or cp1252 where nothing else fits.
        on_note: told of an encoding that is not UTF-8, in a line.

    Raises:
        DataError: it cannot be read, or holds no sentence, or an id twice.
    """
    lines = list_lines(path, "sentences", on_note)
    found: dict[str, Recording] = {}
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    has_normalised = is_normalised([tuple(line.split("|")) for _, line in rows])
    for number, line in rows:
        name, bar, text = line.partition("|")
        if has_normalised and text.count("|") == 1:
            text, _, normalised = text.partition("|")
            text = normalised if normalised.strip() else text
        name, text = (name.strip(), text.strip()) if bar else (f"sentence {number}", line.strip())
        if not name or not text:
            raise DataError(f"{path}, line {number}: expected 'id|text' or a text")
        if name in found:
            raise DataError(f"{path}, line {number}: the id '{name}' is there twice")
        found[name] = Recording(name, np.zeros(0, np.float32), text)
    if not found:
        raise DataError(f"{path}: holds no sentences (one a line, 'id|text' or the text alone)")
    return list(found.values())


def spread(sentences: Sequence[Recording], limit: int | None) -> list[Recording]:
    """Return at most `limit` sentences, spread evenly over the list.

    Raises:
        DataError: the limit is not positive.
    """
    if limit is None or limit >= len(sentences):
        return list(sentences)
    if limit < 1:
        raise DataError(f"the number of clips must be at least 1, got {limit}")
    return [sentences[index * len(sentences) // limit] for index in range(limit)]
