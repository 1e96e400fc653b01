"""The limit to a vocoder's levels, measured on recordings and written into its configuration."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch

from glowvox.checkpoint.folder import read_card
from glowvox.checkpoint.model_folder import load_model, save_model
from glowvox.data.prepared import Clip, PreparedData
from glowvox.errors import VoiceError
from glowvox.models.level_limit import band_levels
from glowvox.models.waveglow import WaveGlow

BANDS = 8
"""As many as divide the usual hops, and few enough that the level of noise in one hardly varies by itself."""
QUANTILE = 0.9
"""Of the levels in recordings: low enough to catch bursts in the bands above the mel, whose levels vary most. The frame
in ten that is louder loses little, since levels are alike."""
MOST_CLIPS = 200
"""Spread over all clips; some thirty thousand frames are plenty."""
_FRACTION = 2**-15
"""What an integer sample counts in full scale."""


def limit_levels(source: Path, data: Path, folder: Path) -> Path:
    """Write a vocoder that is no louder than recordings are, in no band of a frame, and return its folder.

    Args:
        source: model folder or training run of a WaveGlow with a mel scale.
        data: prepared recordings of the voice, with the vocoder's mel contract; those to train on are measured.
        folder: to create.

    Raises:
        VoiceError: it is no such vocoder.
        DataError, MelError: the recordings are missing, or have another contract.
        CheckpointError: the model is missing or damaged, or cannot be written.
    """
    card, model = read_card(source), load_model(source)
    if not isinstance(model, WaveGlow) or model.scale is None or model.config.n_group % BANDS:
        raise VoiceError(
            f"{source}: only a lapped WaveGlow with mel_scale and a multiple of {BANDS} coefficients has levels that "
            "can be limited; leave --limit-levels out"
        )
    recordings = PreparedData(data)
    recordings.require(model.config.audio)
    clips = recordings.clips("train")
    highest = highest_levels(model, clips[:: -(-len(clips) // MOST_CLIPS)])
    model.config = dataclasses.replace(model.config, highest_levels=highest)
    save_model(model, folder, provenance=card.provenance, steps=card.steps)
    return folder


def highest_levels(model: WaveGlow, clips: Sequence[Clip]) -> tuple[float, ...]:
    """Return the level that each of `BANDS` bands of a frame exceeds once in ten frames of recordings.

    Args:
        model: a lapped flow with a mel scale, in evaluation mode.
        clips: recordings with their mels.

    Raises:
        DataError: a clip is damaged.
        VoiceError: there is none.
    """
    if not clips:
        raise VoiceError("there are no recordings to measure levels on")
    levels = []
    for clip in clips:
        samples, mel = clip.load()
        audio, frames = torch.from_numpy(samples.astype("float32") * _FRACTION), torch.tensor(mel)
        with torch.inference_mode():
            bands = model.standardised(audio[None], frames[None]).unflatten(1, (BANDS, -1))
            levels.append(band_levels(bands)[0, :, 0])
    ordered = torch.cat(levels, 1).sort(1).values
    place = round(QUANTILE * (ordered.shape[1] - 1))
    return tuple(round(float(level), 4) for level in ordered[:, place])
