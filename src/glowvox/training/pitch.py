"""What the second stage draws from, and how the pitch predictor learns: pitch found in the recordings by YIN."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from glowvox.audio.harmonic_source import HarmonicSource
from glowvox.audio.pitch import track_pitch
from glowvox.audio.pitch_bins import BINS, read_pitch, target_bins
from glowvox.models.pitch_predictor import PitchPredictor


def pitch_loss(predictor: PitchPredictor, samples: Tensor, mel: Tensor, sample_rate: int, hop_length: int) -> Tensor:
    """Return the cross-entropy of pitch and voicing in nats per frame, a scalar.

    Args:
        predictor: predicts both.
        samples: recordings `[B, S]`, whose pitch is the truth.
        mel: their mels `[B, M, T]`.
        sample_rate: in Hz.
        hop_length: samples between frames.
    """
    tracks = [track_pitch(row, sample_rate, hop_length=hop_length).frequency for row in samples.cpu().numpy()]
    frequency = np.stack([track[: mel.shape[2]] for track in tracks])
    bins, voiced = (torch.from_numpy(array).to(mel.device) for array in target_bins(frequency))
    logits = predictor(mel)
    pitch = -(bins * F.log_softmax(logits[:, :BINS], 1)).sum() / bins.sum().clamp_min(1.0)
    return pitch + F.binary_cross_entropy_with_logits(logits[:, BINS], voiced)


def sourced_latent(noise: Tensor, mel: Tensor, predictor: PitchPredictor, source: HarmonicSource) -> Tensor:
    """Return the latent `[B, hop, T]` to speak a mel `[B, M, T]` from: `noise`, shaped, under pulses of its pitch."""
    with torch.no_grad():
        frequency, voicing = read_pitch(predictor(mel).float().cpu().numpy())
    made = [source(*row) for row in zip(frequency, voicing, strict=True)]
    pulses, gain = (torch.from_numpy(np.stack(part)).to(noise) for part in zip(*made, strict=True))
    return noise * gain + pulses
