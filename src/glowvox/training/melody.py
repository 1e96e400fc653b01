"""Learning a melody: the losses of its prediction from the text, and how far the prediction is off."""

import math

from torch import Tensor
from torch.nn import functional as F

from glowvox.audio.harmonic_comb import LOG_PITCH_STD
from glowvox.models.glow_tts_outputs import GlowTTSOutput

_SEMITONES = LOG_PITCH_STD * 12 / math.log(2)


def melody_losses(output: GlowTTSOutput) -> tuple[Tensor, Tensor]:
    """Return the sums over the tokens of a batch of the squared error of voiced pitch, and of voicing's cross-entropy.

    Pitch counts by the share of a token that is voiced; it is in units of `audio.harmonic_comb.LOG_PITCH_STD`.
    """
    assert output.melody is not None
    assert output.melody_target is not None
    height, odds = output.melody.unbind(1)
    target, voiced = output.melody_target.unbind(1)
    mask = output.token_mask[:, 0]
    voicing = F.binary_cross_entropy_with_logits(odds, voiced, reduction="none")
    return ((height - target).square() * voiced * mask).sum(), (voicing * mask).sum()


def melody_errors(output: GlowTTSOutput) -> list[tuple[float, float]]:
    """Return one utterance's mean error of pitch in semitones, and the share of its tokens whose voicing is wrong.

    Nothing for a model without a melody, or an utterance without a voiced token.
    """
    if output.melody is None or output.melody_target is None:
        return []
    height, odds = output.melody[0]
    target, voiced = output.melody_target[0]
    if not voiced.sum() > 0:
        return []
    error = float(((height - target).abs() * voiced).sum() / voiced.sum()) * _SEMITONES
    return [(error, float(((odds > 0) != (voiced > 0.5)).float().mean()))]
