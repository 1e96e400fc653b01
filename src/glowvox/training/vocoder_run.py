"""A vocoder's run: preset and data in, checkpoints out."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from glowvox.config.preset import Preset
from glowvox.data.batches.segments import SegmentSampler
from glowvox.data.prepared import PreparedData
from glowvox.models.waveglow import WaveGlow
from glowvox.training.distributed import Processes
from glowvox.training.start import StartOptions, start
from glowvox.training.task import Task
from glowvox.training.vocoder import VocoderTask


def train_vocoder(preset: Preset, folders: Sequence[Path], options: StartOptions) -> int:
    """Train a vocoder on prepared data and return the number of steps done.

    Args:
        preset: model and training configuration.
        folders: prepared data sets, trained on together.
        options: where, and from what.

    Raises:
        GlowvoxError: the data does not fit the model, or the run cannot start.
    """
    data = [PreparedData(folder) for folder in folders]
    for part in data:
        part.require(preset.waveglow.audio)

    training = [clip for part in data for clip in part.clips("train")]

    def make_task(model: nn.Module, processes: Processes) -> Task:
        assert isinstance(model, WaveGlow)
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
        )

    provenance = {"data": [str(folder.name) for folder in folders], "hours": sum(part.hours("train") for part in data)}
    return start(preset, options, make_task, provenance)
