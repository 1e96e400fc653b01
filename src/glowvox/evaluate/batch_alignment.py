"""Aligning many recordings, in processes that each open the model once."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glowvox.data.clips import clip_file_name
from glowvox.data.parallel import run_in_order
from glowvox.errors import AudioError, CheckpointError, DataError, GlowvoxError
from glowvox.evaluate.clips import SpokenFile
from glowvox.synthesis.aligner import Aligner, Alignment, TextOptions, TextSide, load_aligner
from glowvox.synthesis.timestamps import write_timestamps


def open_aligner(name_or_path: str | Path | None, *, threads: int | None = None, device: str = "cpu") -> Aligner:
    """Return the aligner of a voice (name, folder, `.voice` file), a Glow-TTS model folder or a training run.

    Raises:
        VoiceError, CheckpointError: there is nothing of that name, or it cannot be used.
        MissingExtraError: PyTorch is not installed.
    """
    from glowvox.checkpoint.model_folder import find_model_folder, is_model_folder, is_run_folder, read_card

    path = None if name_or_path is None else Path(name_or_path)
    if path is None or not (is_model_folder(path) or is_run_folder(path) or path.name in ("best", "last")):
        return load_aligner(path, threads=threads, device=device)
    folder = find_model_folder(path)
    text = _text_side(read_card(folder).provenance.get("text"), folder)
    from glowvox.engines.torch_engine import TorchAcoustic

    return Aligner(TorchAcoustic.load(folder, threads=threads, device=device), text)


def _text_side(stored: Any, folder: Path) -> TextSide:
    """Return what training wrote down about the texts.

    Raises:
        CheckpointError: nothing, or something damaged.
    """
    if not isinstance(stored, dict):
        raise CheckpointError(
            f"{folder}: does not say how its texts are read (no 'text' in the provenance); name a Glow-TTS that was "
            "trained here, or a voice"
        )
    tokenizer, front_ends, speakers = (stored.get(key) for key in ("tokenizer", "front_ends", "speakers"))
    if (
        not isinstance(tokenizer, dict)
        or not isinstance(front_ends, dict)
        or not front_ends
        or not all(isinstance(one, dict) for one in front_ends.values())
        or not isinstance(speakers, list)
        or not speakers
        or not all(isinstance(name, str) for name in speakers)
    ):
        raise CheckpointError(f"{folder}: the 'text' in its provenance is damaged")
    return TextSide(tokenizer, front_ends, tuple(speakers))


SUFFIXES = {"textgrid": ".TextGrid", "srt": ".srt", "vtt": ".vtt", "json": ".json", "ctm": ".ctm"}
"""The formats of times, and how their files' names end."""


@dataclass(frozen=True)
class ModelChoice:
    """Which model a process opens, and how."""

    model: str | None
    """A voice, a model folder or a training run; None: the default voice."""
    speaker: str | None = None
    """Who of its speakers is heard; None: the one of the recording's name, else the first."""
    language: str | None = None
    """Of the texts; None: the recording's, else the speaker's."""
    threads: int | None = None
    device: str = "cpu"

    def alone(self) -> "ModelChoice":
        """Return the choice for one of several processes: with one thread, where none was asked for."""
        return replace(self, threads=self.threads or 1)


@dataclass(frozen=True)
class AlignTask:
    """One recording to align."""

    choice: ModelChoice
    file: SpokenFile
    target: Path
    """The file of times to write; its name says the format."""


@dataclass(frozen=True)
class AlignResult:
    """What became of a task."""

    id: str
    target: Path
    seconds: float = 0.0
    words: int = 0
    nats_per_frame: float = 0.0
    problem: str | None = None
    """Why nothing was written."""


@functools.lru_cache(maxsize=2)
def opened(model: str | None, threads: int | None, device: str) -> Aligner:
    """Return a model's aligner, opened once in each process."""
    return open_aligner(model, threads=threads, device=device)


def chosen_aligner(choice: ModelChoice) -> Aligner:
    """Return the aligner of a choice.

    Raises:
        GlowvoxError: see `open_aligner`.
    """
    return opened(choice.model, choice.threads, choice.device)


def text_options(choice: ModelChoice, aligner: Aligner, file: SpokenFile, warnings: list[str]) -> TextOptions:
    """Return how a recording's text is read: as asked for, else as the recording is labelled, if the model knows it."""
    speaker = choice.speaker or (file.speaker if file.speaker in aligner.speakers else None)
    return {"speaker": speaker, "language": choice.language or file.language or None, "on_warning": warnings.append}


def align_spoken(choice: ModelChoice, file: SpokenFile) -> Alignment:
    """Align one recording.

    Raises:
        GlowvoxError: see `Aligner.align`.
    """
    aligner = chosen_aligner(choice)
    samples, rate = file.samples()
    options = text_options(choice, aligner, file, [])
    return aligner.align(samples, rate or aligner.engine.audio.sample_rate, file.text, **options)


def align_file(task: AlignTask) -> AlignResult:
    """Align one recording and write its times; a recording that cannot be aligned gives a reason, never an error."""
    try:
        alignment = align_spoken(task.choice, task.file)
        task.target.parent.mkdir(parents=True, exist_ok=True)
        write_timestamps(alignment.timeline, task.target)
    except GlowvoxError as error:
        return AlignResult(task.file.id, task.target, problem=str(error))
    except OSError as error:
        return AlignResult(task.file.id, task.target, problem=f"cannot be written: {error.strerror}")
    return AlignResult(task.file.id, task.target, alignment.duration, len(alignment.words), alignment.nats_per_frame)


def align_files(
    choice: ModelChoice, files: Sequence[SpokenFile], folder: Path, suffix: str, *, jobs: int = 1
) -> Iterator[AlignResult]:
    """Yield the result of each recording, in order; the times go to `folder/ID` with the suffix.

    Args:
        choice: the model.
        files: the recordings.
        folder: made if absent.
        suffix: of the files of times.
        jobs: processes.

    Raises:
        DataError: the folder cannot be made, or two recordings would share a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error.strerror}") from error
    if jobs > 1:
        choice = choice.alone()
    tasks = [AlignTask(choice, file, folder / _name(file.id, suffix)) for file in files]
    return run_in_order(align_file, tasks, min(jobs, max(1, len(tasks))), _crashed)


def _name(identifier: str, suffix: str) -> Path:
    """Return a file name below the folder: folders of a corpus stay folders, nothing leads out."""
    parts = [Path(clip_file_name(part)).stem for part in identifier.split("/") if part]
    return Path(*parts[:-1], f"{parts[-1]}{suffix}") if parts else Path(f"audio{suffix}")


def _crashed(task: AlignTask) -> AlignResult:
    return AlignResult(task.file.id, task.target, problem=str(AudioError("the process died while aligning it")))
