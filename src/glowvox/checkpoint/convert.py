"""From a published checkpoint to the tensors and the card of one of our models."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glowvox.checkpoint.folder import ModelCard
from glowvox.checkpoint.foreign import ForeignCheckpoint, open_foreign
from glowvox.checkpoint.inert import printable
from glowvox.checkpoint.original_config import audio_from_original, read_original_config
from glowvox.checkpoint.waveglow_names import is_waveglow, refuse_alternating, waveglow_from_nvidia
from glowvox.checkpoint.weight_norm import has_weight_norm
from glowvox.config.audio import AudioConfig
from glowvox.errors import CheckpointError, ConfigError


@dataclass(frozen=True)
class Converted:
    """A model of another program in our terms."""

    card: ModelCard
    tensors: dict[str, np.ndarray]
    layout: str
    """How the file was built, in words."""
    weight_norm: bool
    """Whether weight normalisation was folded away."""


def convert_checkpoint(path: str | Path, config: str | Path | None = None) -> Converted:
    """Read a published checkpoint and return it as one of our models.

    Args:
        path: NVIDIA's WaveGlow (pickled module or state dict, DeepLearningExamples included) or a Glow-TTS.
        config: the original program's JSON configuration; Glow-TTS needs it, WaveGlow takes its mel contract from it.

    Raises:
        CheckpointError: the file cannot be opened safely, or holds no model that is known here.
    """
    from glowvox.checkpoint.model_folder import check_fit

    foreign = open_foreign(path)
    original = None if config is None else read_original_config(config)
    try:
        converted = _convert(foreign, original)
        check_fit(converted.card.config, converted.tensors)
    except (CheckpointError, ConfigError) as error:
        raise CheckpointError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None
    return converted


def _convert(foreign: ForeignCheckpoint, original: dict[str, Any] | None) -> Converted:
    if is_waveglow(foreign.tensors):
        return _waveglow(foreign, original)
    if is_glow_tts(foreign.tensors):
        return _glow_tts(foreign, original)
    raise CheckpointError(unknown_model(foreign.tensors))


def is_glow_tts(names: Iterable[str]) -> bool:
    """Whether the tensors of these names are a Glow-TTS's, as the original program names them."""
    known = set(names)
    return {"encoder.emb.weight", "encoder.proj_m.weight", "decoder.flows.0.logs"} <= known


def unknown_model(names: Mapping[str, Any]) -> str:
    """Say in one line what a model that is neither WaveGlow nor Glow-TTS looks like."""
    known = {
        "decoder.attention_rnn.weight_ih": "a Tacotron 2",
        "conv_pre.weight_v": "a HiFi-GAN generator",
        "enc_p.emb.weight": "a VITS",
    }
    for name, kind in known.items():
        if name in names:
            return f"it is {kind}, not a WaveGlow or Glow-TTS"
    first = ", ".join(printable(name, 40) for name in list(names)[:3])
    return f"neither a WaveGlow nor a Glow-TTS; its first tensors are {first}"


def _waveglow(foreign: ForeignCheckpoint, original: dict[str, Any] | None) -> Converted:
    refuse_alternating(foreign.tensors, foreign.classes)
    audio = None
    if original is not None:
        audio = audio_from_original(original, int(foreign.tensors["upsample.weight"].shape[0]))
    config, tensors = waveglow_from_nvidia(foreign.read(), foreign.attributes, audio)
    card = ModelCard(config, foreign.steps, _provenance(foreign))
    return Converted(card, tensors, foreign.layout, has_weight_norm(foreign.tensors))


def _glow_tts(foreign: ForeignCheckpoint, original: dict[str, Any] | None) -> Converted:
    import torch

    from glowvox.checkpoint.glow_tts_names import convert_glow_tts_state, glow_tts_config
    from glowvox.checkpoint.model_folder import refuse_inflated

    original = original or foreign.config
    section = original.get("model")
    if not isinstance(section, dict):
        raise CheckpointError(
            "it is a Glow-TTS, whose sizes are not all in its tensors; give the original's JSON with --config"
            if not original
            else "the configuration has no section 'model'"
        )
    state = {name: torch.from_numpy(tensor) for name, tensor in foreign.read().items()}
    n_mels = int(state["encoder.proj_m.weight"].shape[0])
    audio = audio_from_original(original, n_mels) or AudioConfig(n_mels=n_mels)
    config = glow_tts_config(section, state, audio)
    refuse_inflated(config, {name: tuple(tensor.shape) for name, tensor in state.items()})
    tensors = {name: tensor.numpy() for name, tensor in convert_glow_tts_state(state, config).items()}
    card = ModelCard(config, foreign.steps, _provenance(foreign))
    return Converted(card, tensors, foreign.layout, has_weight_norm(foreign.tensors))


def _provenance(foreign: ForeignCheckpoint) -> dict[str, Any]:
    digest = hashlib.sha256()
    with foreign.path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return {
        "converted_from": foreign.path.name,
        "sha256": digest.hexdigest(),
        "layout": foreign.layout,
        "licence": "unknown: that of the original checkpoint",
    }
