"""An acoustic model's run: preset and data in, checkpoints out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from glowvox.config.preset import Preset
from glowvox.data.prepared import PreparedData
from glowvox.errors import TrainingError
from glowvox.models.glow_tts import GlowTTS
from glowvox.training.acoustic import AcousticTask
from glowvox.training.acoustic_start import fitted_to, joint_speakers
from glowvox.training.distributed import Processes
from glowvox.training.pitch import fit_pitch
from glowvox.training.start import StartOptions, new_or_resumed, start
from glowvox.training.stored_text import stored_text
from glowvox.training.task import Task
from glowvox.training.utterances import TextContract, encode_clips, text_contract

SPEAKER_CHANNELS = 64
"""Size of the speaker embedding where data with several speakers asks for one and the preset does not say."""


def train_acoustic(preset: Preset, folders: Sequence[Path], options: StartOptions) -> int:
    """Train an acoustic model on prepared data and return the number of steps done.

    The vocabulary and the speakers are those of the data (and, where it starts from a model of several speakers, that
    model's too); the preset's numbers of them do not matter.

    Args:
        preset: model and training configuration.
        folders: prepared data sets, trained on together.
        options: where, and from what.

    Raises:
        GlowvoxError: the data does not fit the model, or the run cannot start.
    """
    data = [PreparedData(folder) for folder in folders]
    for part in data:
        part.require(preset.glow_tts.audio)
    contract, source = _contracts(data, options)
    speakers = len(contract.speakers)
    channels = (preset.glow_tts.speaker_channels or SPEAKER_CHANNELS) if speakers > 1 else 0
    config = replace(preset.glow_tts, n_symbols=len(contract.tokenizer), n_speakers=speakers, speaker_channels=channels)
    preset = replace(preset, glow_tts=config)
    training, validation = (
        encode_clips([clip for part in data for clip in part.clips(split)], contract, config.n_squeeze)
        for split in ("train", "validation")
    )

    def make_task(model: nn.Module, processes: Processes) -> Task:
        assert isinstance(model, GlowTTS)
        if model.melody is not None and not options.resume:
            fit_pitch(
                model.melody.reader,
                [utterance.clip for utterance in training],
                config.audio.sample_rate,
                seed=preset.training.seed,
                steps=preset.acoustic_training.pitch_steps,
            )
        return AcousticTask(
            model,
            preset.acoustic_training,
            training,
            validation,
            batch_size=preset.training.batch_size,
            seed=preset.training.seed,
            listening_clips=preset.training.validation_clips,
            processes=processes,
        )

    hours = sum(part.hours("train") for part in data)
    provenance = {"data": [folder.name for folder in folders], "hours": hours, "text": contract.to_dict()}
    fit = None if source is None else fitted_to(source, contract)
    return start(preset, options, make_task, provenance, fit)


def _contracts(data: Sequence[PreparedData], options: StartOptions) -> tuple[TextContract, TextContract | None]:
    """Return what the model shall know of text and speakers, and what the model that it starts from knows."""
    contract = text_contract(data)
    new_or_resumed(options)
    if options.resume:
        before = stored_text(options.run)
        unknown = sorted(set(contract.speakers) - set(before.speakers))
        if unknown:
            raise TrainingError(
                f"{options.run} does not know the speaker '{unknown[0]}'; start a new run with --init-from and this one"
            )
        return replace(contract, speakers=before.speakers), None
    if options.init_from is None:
        return contract, None
    source = stored_text(options.init_from)
    return replace(contract, speakers=joint_speakers(contract.speakers, source.speakers)), source
