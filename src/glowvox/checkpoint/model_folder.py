"""PyTorch models in and out of our folders: `save_model`, and the strict `load_model`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from glowvox.checkpoint.folder import ModelCard, read_card, read_shapes, save_tensors
from glowvox.checkpoint.inert import printable
from glowvox.checkpoint.location import WEIGHTS_NAME, find_model_folder
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.schema import to_dict
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import CheckpointError
from glowvox.models import registry

if TYPE_CHECKING:
    from glowvox.models.glow_tts import GlowTTS
    from glowvox.models.waveglow import WaveGlow

_COUNTS = ("n_flows", "n_layers", "n_blocks", "n_encoder_layers")


def save_model(
    model: nn.Module,
    folder: str | Path,
    *,
    provenance: Mapping[str, Any] | None = None,
    steps: int | None = None,
    replace: bool = False,
) -> None:
    """Write a model as a folder (see `folder.save_tensors` for how, and for `replace`).

    Args:
        model: a `WaveGlow` or `GlowTTS`, with its configuration as `config`.
        folder: the folder to create.
        provenance: where the weights come from; plain JSON data.
        steps: training steps.
        replace: whether an existing model folder may be replaced.

    Raises:
        CheckpointError: not one of our models, or the folder cannot be written.
    """
    save_tensors(tensors_of(model), card_of(model, provenance=provenance, steps=steps), folder, replace=replace)


def card_of(model: nn.Module, *, provenance: Mapping[str, Any] | None = None, steps: int | None = None) -> ModelCard:
    """Return the card of a model.

    Raises:
        CheckpointError: not one of our models.
    """
    config = getattr(model, "config", None)
    if not isinstance(config, WaveGlowConfig | GlowTTSConfig):
        raise CheckpointError(f"a {type(model).__name__} cannot be saved: it has no WaveGlow or Glow-TTS configuration")
    return ModelCard(config, steps, provenance or {})


def tensors_of(model: nn.Module) -> dict[str, np.ndarray]:
    """Return copies of a model's tensors on the CPU by name, half-precision ones as float32."""
    result = {}
    for name, tensor in model.state_dict().items():
        short = tensor.is_floating_point() and tensor.itemsize < 4
        result[name] = (tensor.float() if short else tensor).detach().to("cpu", copy=True).numpy()
    return result


def load_tensors(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a model folder, or a training run's, by name.

    Raises:
        CheckpointError: the weights are missing, truncated, damaged or not finite.
    """
    place = find_model_folder(path) / WEIGHTS_NAME
    try:
        tensors = load_file(place)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{place}: truncated or damaged ({printable(error)})") from None
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"{place}: the tensor {printable(name)} holds values that are not finite")
    return tensors


def load_model(path: str | Path) -> "WaveGlow | GlowTTS":
    """Return the model of a folder, or of a training run, on the CPU in evaluation mode.

    The load is strict: every tensor must be there, with its shape, and no other. Global random state is left alone.

    Args:
        path: a model folder, a training run, its `best` or `last`, or one of its `checkpoints/STEP`.

    Raises:
        CheckpointError: no model there, damaged, of another version, or not what its configuration says.
    """
    folder = find_model_folder(path)
    config = read_card(folder).config
    try:
        model = _built(config, read_shapes(folder))
        fill_strictly(model, load_tensors(folder))
    except CheckpointError as error:
        raise CheckpointError(f"{folder}: {str(error).removeprefix(f'{folder / WEIGHTS_NAME}: ')}") from None
    return model.eval()


def check_fit(config: WaveGlowConfig | GlowTTSConfig, tensors: Mapping[str, np.ndarray]) -> None:
    """Check that tensors are exactly those of a model of this configuration.

    Raises:
        CheckpointError: a tensor is missing, unknown or of another shape.
    """
    model = _built(config, {name: tensor.shape for name, tensor in tensors.items()})
    fill_strictly(model, {name: torch.from_numpy(tensor) for name, tensor in tensors.items()})


def _built(config: WaveGlowConfig | GlowTTSConfig, shapes: Mapping[str, tuple[int, ...]]) -> "WaveGlow | GlowTTS":
    refuse_inflated(config, shapes)
    try:
        with torch.random.fork_rng(devices=[]):
            return cast("WaveGlow | GlowTTS", registry.build(config))
    except (RuntimeError, MemoryError) as error:
        raise CheckpointError(f"cannot build the model ({printable(error)})") from None


def fill_strictly(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors into a model, all of them and nothing else.

    Args:
        model: changed in place.
        tensors: by name.

    Raises:
        CheckpointError: a tensor is missing, unknown or of another shape; the model is left as it was.
    """
    own = model.state_dict()
    problem = next(_differences(own, tensors), None)
    if problem is not None:
        raise CheckpointError(f"the tensors do not fit the model: {problem}")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(tensors[name])


def _differences(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> Iterator[str]:
    missing = [name for name in own if name not in tensors]
    if missing:
        yield f"{len(missing)} are missing, the first of them '{missing[0]}'"
    unknown = [name for name in tensors if name not in own]
    if unknown:
        yield f"{len(unknown)} are unknown to the model, the first of them {printable(unknown[0])}"
    for name, tensor in own.items():
        if tensor.shape != tensors[name].shape:
            yield f"'{name}' has the shape {tuple(tensors[name].shape)}, expected {tuple(tensor.shape)}"


def refuse_inflated(config: WaveGlowConfig | GlowTTSConfig, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse a configuration that is far larger than the tensors beside it, before memory is spent on it.

    Raises:
        CheckpointError: a size is larger than any tensor's, or there are fewer tensors than layers.
    """
    largest = max((max(shape, default=1) for shape in shapes.values()), default=1)
    settings = {name: value for name, value in to_dict(config).items() if type(value) is int}
    inflated = [name for name, value in settings.items() if value > max(largest, len(shapes), 16)]
    layers = 1
    for name in _COUNTS:
        layers *= max(1, settings.get(name, 1)) if name != "n_encoder_layers" else 1
    if inflated or layers > max(len(shapes), 1):
        what = f"model.{inflated[0]} = {settings[inflated[0]]:,}" if inflated else f"{layers:,} layers"
        raise CheckpointError(f"the configuration's {what} does not fit the tensors beside it")
