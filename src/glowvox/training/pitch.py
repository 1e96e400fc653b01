"""The pitch predictor's own short training, before everything else."""

import logging
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from glowvox.audio.pitch import BINS, target_bins
from glowvox.audio.yin import track_pitch
from glowvox.data.prepared import Clip
from glowvox.errors import TrainingError
from glowvox.models.pitch_conditioning import PitchPredictor

_MOST_SECONDS = 5400.0
"""Speech that is enough to learn from."""
_BATCH, _FRAMES = 16, 160
_LEARNING_RATE = 2e-3


Begins = Callable[[str, str], Callable[[int, int], None]]
"""Told what begins and what is counted there, it gives what is told how many are done, of how many."""


def quietly(what: str, counted: str) -> Callable[[int, int], None]:
    """Say nothing of what begins: a `Begins`."""
    return lambda done, total: None


def fit_pitch(
    predictor: PitchPredictor,
    clips: Sequence[Clip],
    sample_rate: int,
    *,
    seed: int,
    steps: int,
    begins: Begins = quietly,
) -> float:
    """Teach the predictor what YIN finds in the recordings, once, before everything else; return the last loss in nats.

    It learns in a minute or two and then stays as it is: the flow learns to rely on it.

    Args:
        predictor: is changed in place, and marked as fitted.
        clips: recordings; at most an hour and a half of them, chosen at random, are used.
        sample_rate: in Hz.
        seed: of the choice of clips and passages.
        steps: of training; 0 leaves a predictor as it is.
        begins: told of its two parts.

    Raises:
        TrainingError: it is to be left as it is, and has learned nothing yet.
    """
    if steps == 0:
        if not bool(predictor.fitted):
            raise TrainingError(
                "pitch_steps is 0, but the pitch predictor has learned nothing yet; leave the setting out"
            )
        return 0.0
    generator = np.random.default_rng(seed)
    mels, tracks, seconds = [], [], 0.0
    enough = min(_MOST_SECONDS, sum(clip.row.samples for clip in clips) / sample_rate)
    progress = begins("finding the pitch in the recordings", "seconds of speech searched for the pitch")
    progress(0, round(enough))
    for index in generator.permutation(len(clips)):
        samples, mel = clips[index].load()
        track = track_pitch(samples.astype(np.float32) / 32768, sample_rate, hop_length=clips[index].hop_length)
        mels.append(np.asarray(mel, np.float32))
        tracks.append(track.frequency[: mel.shape[1]])
        seconds += len(samples) / sample_rate
        progress(min(round(seconds), round(enough)), round(enough))
        if seconds >= _MOST_SECONDS:
            break
    every_mel, every_pitch = np.concatenate(mels, 1), np.concatenate(tracks)
    frames = min(_FRAMES, every_mel.shape[1])
    predictor.requires_grad_(requires_grad=True)
    optimiser = torch.optim.AdamW(predictor.parameters(), _LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    device, last = next(predictor.parameters()).device, 0.0
    with torch.enable_grad():
        progress = begins("learning the pitch", "steps of learning the pitch")
        for step in range(steps):
            progress(step, steps)
            starts = generator.integers(0, every_mel.shape[1] - frames + 1, _BATCH)
            places = starts[:, None] + np.arange(frames)
            batch = torch.from_numpy(np.ascontiguousarray(every_mel[:, places].swapaxes(0, 1))).to(device)
            loss = _pitch_loss(predictor(batch), every_pitch[places])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            last = float(loss.detach())
    progress(steps, steps)
    predictor.fitted.fill_(1.0)
    predictor.requires_grad_(requires_grad=False)
    logging.getLogger(__name__).info(
        "the pitch predictor has learned from %.0f s of speech: %.2f nats per frame", seconds, last
    )
    return last


def _pitch_loss(logits: Tensor, frequency: NDArray[np.float64]) -> Tensor:
    """Return the cross-entropy of pitch and voicing in nats per frame, of logits `[B, C, T]` and Hz `[B, T]`."""
    bins, voiced = (torch.from_numpy(array).to(logits.device) for array in target_bins(frequency))
    pitch = -(bins * F.log_softmax(logits[:, :BINS], 1)).sum() / bins.sum().clamp_min(1.0)
    return pitch + F.binary_cross_entropy_with_logits(logits[:, BINS], voiced)
