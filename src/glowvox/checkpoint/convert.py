"""From a published checkpoint to the tensors and the card of one of our models."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glowvox.checkpoint.foreign import ForeignCheckpoint, open_foreign
from glowvox.checkpoint.model_folder import (
    CHECKPOINTS_NAME,
    ModelCard,
    find_model_folder,
    is_run_folder,
    read_card,
    read_shapes,
)
from glowvox.checkpoint.original_names import (
    folded_shapes,
    has_weight_norm,
    is_waveglow,
    refuse_alternating,
    waveglow_from_nvidia,
    waveglow_sizes,
)
from glowvox.checkpoint.pickle_machine import printable
from glowvox.config.audio import AudioConfig
from glowvox.config.schema import to_dict
from glowvox.errors import CheckpointError, ConfigError

_SECTIONS = ("data_config", "data", "audio")
_MAX_BYTES = 4 << 20
_NAMES: dict[str, tuple[str, ...]] = {
    "sample_rate": ("sampling_rate", "sample_rate"),
    "n_fft": ("filter_length",),
    "hop_length": ("hop_length",),
    "win_length": ("win_length",),
    "n_mels": ("n_mel_channels", "mel_channels"),
    "f_min": ("mel_fmin",),
    "f_max": ("mel_fmax",),
}


def read_original_config(path: str | Path) -> dict[str, Any]:
    """Return the content of an original program's JSON configuration.

    Raises:
        CheckpointError: the file is missing or not a JSON table.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise CheckpointError(f"{path}: more than {_MAX_BYTES:,} bytes; not a configuration")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path}: not valid JSON") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected a table of settings")
    return content


def audio_from_original(content: dict[str, Any], n_mels: int) -> AudioConfig | None:
    """Return the mel contract that an original configuration describes; None if it has no such section.

    Args:
        content: the configuration.
        n_mels: mel bins of the model, used where the configuration does not say.

    Raises:
        ConfigError: a setting is of the wrong type or contradicts another.
    """
    section = next((content[name] for name in _SECTIONS if isinstance(content.get(name), dict)), None)
    if section is None:
        return None
    values: dict[str, Any] = {"n_mels": n_mels}
    for ours, theirs in _NAMES.items():
        for name in theirs:
            if section.get(name) is not None:
                number = _number(section, name, 0.0)
                values[ours] = number if ours in ("f_min", "f_max") else int(number)
    if "mel_fmax" in section and section["mel_fmax"] is None:
        values["f_max"] = values.get("sample_rate", AudioConfig.sample_rate) / 2
    if any(name in section for name in ("ref_level_db", "spec_gain", "signal_norm")):
        values.update(_rhasspy_scale(section))
    return AudioConfig(**values)


def _rhasspy_scale(section: dict[str, Any]) -> dict[str, Any]:
    """Return log, mean and std of glow-tts-train's features.

    Its features are S = gain * log10(max(1e-5, mel)), and with `signal_norm` k * (S - ref - min) / (-min), with k =
    max_norm, or twice that less max_norm where symmetric. It also clips; its range is never reached at gain 1.
    """
    gain, reference, low, high = (
        _number(section, name, default)
        for name, default in (("spec_gain", 1.0), ("ref_level_db", 20.0), ("min_level_db", -100.0), ("max_norm", 1.0))
    )
    if gain <= 0 or low >= 0 or high <= 0:
        raise ConfigError("the configuration's spec_gain and max_norm must be positive, min_level_db negative")
    if not section.get("signal_norm", True):
        mean, std = 0.0, 1.0
    elif section.get("symmetric_norm", True):
        mean, std = reference + low / 2, -low / (2 * high)
    else:
        mean, std = reference + low, -low / high
    return {"log": "log10", "mean": mean / gain, "std": std / gain}


def _number(section: dict[str, Any], name: str, default: float) -> float:
    value = section.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"the configuration's {name} must be a number, got {value!r}")
    return float(value)


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
    if not names:
        return "neither a WaveGlow nor a Glow-TTS; it holds no tensors"
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

    from glowvox.checkpoint.model_folder import refuse_inflated
    from glowvox.checkpoint.original_names import convert_glow_tts_state, glow_tts_config

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


def describe(path: str | Path) -> dict[str, Any]:
    """Return what is known of the model at a path, without PyTorch and without reading its weights.

    Args:
        path: a model folder, a training run or a part of one, or a checkpoint of another program.

    Returns:
        `path`, `kind` ('model', 'run' or 'foreign'), `type` ('waveglow', 'glow_tts' or None), `layout`, `parameters`,
        `steps`, `config`, `mel` (with `fingerprint`), `provenance` and `licence`; None where nothing is known. Runs
        also have `checkpoints`.

    Raises:
        CheckpointError: nothing that can be opened (safely) is there.
    """
    path = Path(path)
    if path.is_dir() or path.name in ("best", "last"):
        return _own(path)
    return _foreign(path)


def _own(path: Path) -> dict[str, Any]:
    folder = find_model_folder(path)
    card, shapes = read_card(folder), read_shapes(folder)
    run = is_run_folder(path)
    result = {
        "path": str(path),
        "kind": "run" if run else "model",
        "type": card.type,
        "layout": f"Glowvox model in {folder}",
        "parameters": sum(math.prod(shape) for shape in shapes.values()),
        "steps": card.steps,
        "config": _without_audio(card.config),
        "mel": _mel(card.config.audio),
        "provenance": dict(card.provenance),
        "licence": card.provenance.get("licence"),
    }
    if run:
        result["checkpoints"] = sorted(entry.name for entry in (path / CHECKPOINTS_NAME).iterdir() if entry.is_dir())
    return result


def _foreign(path: Path) -> dict[str, Any]:
    foreign = open_foreign(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in foreign.tensors.items()}
    result: dict[str, Any] = {
        "path": str(path),
        "kind": "foreign",
        "type": None,
        "layout": foreign.layout + (", weight normalisation on" if has_weight_norm(shapes) else ""),
        "parameters": sum(math.prod(shape) for shape in folded_shapes(shapes).values()),
        "steps": foreign.steps,
        "config": None,
        "mel": None,
        "provenance": None,
        "licence": None,
    }
    if is_waveglow(shapes):
        result["type"] = "waveglow"
        try:
            refuse_alternating(shapes, foreign.classes)
            config = waveglow_sizes(shapes, foreign.attributes)
        except (CheckpointError, ConfigError) as error:
            raise CheckpointError(f"{path}: {error}") from None
        result["config"] = _without_audio(config)
    elif is_glow_tts(shapes):
        result["type"] = "glow_tts"
        result["config"] = _glow_tts_sizes(shapes)
    else:
        raise CheckpointError(f"{path}: {unknown_model(shapes)}")
    return result


def _glow_tts_sizes(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    symbols, hidden = shapes["encoder.emb.weight"]
    blocks = sum(name.startswith("decoder.flows.") and name.endswith(".logs") for name in shapes)
    speakers = shapes.get("emb_g.weight", (1,))[0]
    return {
        "n_symbols": symbols,
        "hidden_channels": hidden,
        "n_mels": shapes["encoder.proj_m.weight"][0],
        "n_blocks": blocks,
        "n_speakers": speakers,
    }


def _without_audio(config: Any) -> dict[str, Any]:
    return {name: value for name, value in to_dict(config).items() if name != "audio"}


def _mel(audio: AudioConfig) -> dict[str, Any]:
    return {**to_dict(audio), "fingerprint": audio.fingerprint()}
