"""What a path holds, as plain data for people and programs: our models, training runs, and foreign checkpoints."""

import math
from pathlib import Path
from typing import Any

from glowvox.checkpoint.convert import is_glow_tts, unknown_model
from glowvox.checkpoint.folder import read_card, read_shapes
from glowvox.checkpoint.foreign import open_foreign
from glowvox.checkpoint.location import CHECKPOINTS_NAME, find_model_folder, is_run_folder
from glowvox.checkpoint.waveglow_names import is_waveglow, refuse_alternating, waveglow_sizes
from glowvox.checkpoint.weight_norm import folded_shapes, has_weight_norm
from glowvox.config.audio import AudioConfig
from glowvox.config.schema import to_dict
from glowvox.errors import CheckpointError, ConfigError


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
