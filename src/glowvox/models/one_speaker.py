"""One speaker of a model of several, as a model of its own: smaller, and without a choice to make.

A speaker's vector is the same at every place. So what the couplings make of it is a bias, exactly. In the predictors
of durations and pitch it goes through a convolution that sees zeros beyond the text, so there it is a bias except at
the first and the last token.
"""

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional as F

from glowvox.errors import VoiceError
from glowvox.models.glow_tts import GlowTTS


def one_speaker(model: GlowTTS, speaker: int) -> GlowTTS:
    """Return a model that always speaks as one of a model's speakers.

    Args:
        model: of several speakers; it is left as it is.
        speaker: the number of the one to keep.

    Raises:
        VoiceError: the model has one speaker, or no such one.
    """
    if model.speakers is None or not 0 <= speaker < model.config.n_speakers:
        raise VoiceError(f"the model has {model.config.n_speakers} speaker(s); there is no speaker {speaker} to keep")
    channels = model.config.speaker_channels
    vector = F.normalize(model.speakers.weight[speaker], dim=0).detach()
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("speakers.")}
    for name in [name for name in state if name.endswith(".condition.weight")]:
        _fold(state, name, vector)
        if not state[name].shape[1]:
            bias = state.pop(name.removesuffix("weight") + "bias")
            _into_layers(state, name.removesuffix("condition.weight"), bias)
            del state[name]
    for part in ("durations", "melody"):
        name = f"encoder.{part}.convolution_1.weight"
        if name in state:
            _fold(state, name, vector)
    config = dataclasses.replace(model.config, n_speakers=1, speaker_channels=0)
    assert config.condition_channels == model.config.condition_channels - channels
    alone = GlowTTS(config).to(next(model.parameters()))
    alone.load_state_dict(state)
    return alone.train(model.training)


def _fold(state: dict[str, Tensor], name: str, vector: Tensor) -> None:
    """Turn the last input channels of a convolution, which see the vector, into a part of its bias, in place."""
    kept, seen = state[name].split([state[name].shape[1] - len(vector), len(vector)], 1)
    state[name] = kept.contiguous()
    bias = name.removesuffix("weight") + "bias"
    state[bias] = state[bias] + torch.einsum("oik,i->o", seen, vector)


def _into_layers(state: dict[str, Tensor], stack: str, bias: Tensor) -> None:
    """Add a condition's bias for all layers of a stack to the layers' own, in place."""
    names = [name for name in state if name.startswith(f"{stack}layers.") and name.endswith(".dilated.bias")]
    names.sort(key=lambda name: int(name.removeprefix(f"{stack}layers.").split(".")[0]))
    for name, part in zip(names, bias.chunk(len(names)), strict=True):
        state[name] = state[name] + part
