"""A vocoder's run: preset and data in, checkpoints out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from glowvox.config.preset import Preset
from glowvox.config.training import TrainingConfig
from glowvox.data.batches.segments import SegmentSampler
from glowvox.data.prepared import PreparedData
from glowvox.errors import TrainingError
from glowvox.models.waveglow import WaveGlow
from glowvox.training.acoustic_mels import MelSource, with_acoustic_mels
from glowvox.training.distributed import Processes
from glowvox.training.pitch import fit_pitch
from glowvox.training.start import StartOptions, new_or_resumed, start
from glowvox.training.task import Task
from glowvox.training.vocoder import VocoderTask

MELS_NAME = "mels"
"""Folder of a run with the mels of an acoustic model."""


def train_vocoder(
    preset: Preset, folders: Sequence[Path], options: StartOptions, mels_from: MelSource | None = None
) -> int:
    """Train a vocoder on prepared data and return the number of steps done.

    The pitch predictor of a run that is not resumed learns these voices first, from whatever weights it starts with:
    what one voice taught it may be wrong by an octave for another.

    Args:
        preset: model and training configuration.
        folders: prepared data sets, trained on together.
        options: where, and from what.
        mels_from: the acoustic model whose mels (they are kept in the run's folder) are learned from beside the
            recordings' own, so that neither is forgotten; the pitch predictor learns from both. None: the
            recordings' alone.

    Raises:
        TrainingError: a run with an acoustic model's mels is to be resumed without them.
        GlowvoxError: the data does not fit the model, or the run cannot start.
    """
    data = [PreparedData(folder) for folder in folders]
    for part in data:
        part.require(preset.waveglow.audio)
    sources = list(data)
    if mels_from is not None:
        new_or_resumed(options)
        for number, part in enumerate(data):
            sources.append(
                with_acoustic_mels(part, mels_from, options.run / MELS_NAME / f"{number}-{part.folder.name}")
            )
    elif options.resume and (options.run / MELS_NAME).is_dir():
        raise TrainingError(
            f"{options.run}: this run learns from an acoustic model's mels too; name the model again with --mels-from"
        )
    training = [clip for part in sources for clip in part.clips("train")]

    def make_task(model: nn.Module, processes: Processes) -> Task:
        assert isinstance(model, WaveGlow)
        if model.pitch is not None and not options.resume:
            fit_pitch(
                model.pitch,
                training,
                model.config.audio.sample_rate,
                seed=preset.training.seed,
                steps=preset.vocoder_training.pitch_steps,
            )
        sampler = SegmentSampler(
            training,
            frames=preset.vocoder_training.segment_frames,
            batch_size=preset.training.batch_size,
            seed=preset.training.seed,
            rank=processes.rank,
            world_size=processes.count,
            dequantise=preset.vocoder_training.dequantise,
        )
        return VocoderTask(
            model,
            preset.vocoder_training,
            sampler,
            training,
            [clip for part in data for clip in part.clips("validation")],
            preset.training.validation_clips,
            recompute=preset.training.recompute,
            capture=_can_capture(model, preset.training),
        )

    provenance: dict[str, Any] = {
        "data": [str(folder.name) for folder in folders],
        "hours": sum(part.hours("train") for part in data),
    }
    if mels_from is not None:
        provenance["mels_from"] = {"acoustic": mels_from.acoustic.name, "temperature": mels_from.temperature}
    return start(preset, options, make_task, provenance)


def _can_capture(model: nn.Module, config: TrainingConfig) -> bool:
    """Return whether the couplings may be replayed: recomputing, and adding up batches, would call them again."""
    on_gpu = next(model.parameters()).is_cuda
    return on_gpu and config.capture and not config.recompute and config.accumulate == 1
