"""NVIDIA's WaveGlow in our names: sizes read from the shapes, weight normalisation folded, layers merged.

Three generations exist. The oldest has residual, skip and condition layers apart (`res_layers`, `skip_layers`,
`cond_layers`); then residual and skip layers were merged (`res_skip_layers`; DeepLearningExamples stayed there); then
the condition layers (`cond_layer`). They compute the same, with one exception: the class `glow_old.WaveGlow`
transforms the first half of the channels in every second step, and since channels leave early right after such a step
this cannot be expressed by reordering weights. It is refused.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from glowvox.checkpoint.weight_norm import fold_weight_norm, folded_shapes
from glowvox.config.audio import AudioConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import CheckpointError

_FRAMES_PER_KERNEL = 4  # the published upsampling kernel spans four hops; a state dict does not say the hop


def is_waveglow(names: Iterable[str]) -> bool:
    """Whether the tensors of these names are a WaveGlow's, of any generation."""
    known = set(names)
    return {"upsample.weight", "convinv.0.conv.weight"} <= known and any(name.startswith("WN.0.") for name in known)


def refuse_alternating(names: Iterable[str], classes: Mapping[str, str]) -> None:
    """Refuse models that swap the halves of the channels in every second step.

    Args:
        names: the names of the tensors.
        classes: the classes of a pickled module by path; empty for a state dict.

    Raises:
        CheckpointError: the model alternates, or might.
    """
    if any("glow_old" in kind.split(".") for kind in classes.values()):
        raise CheckpointError(
            "it is a 'glow_old.WaveGlow', which swaps the halves of the channels in every second step; "
            "that model is not supported, use one trained with NVIDIA's later glow.py"
        )
    if not classes and any(".res_layers." in name for name in names):
        raise CheckpointError(
            "it is a state dict of the oldest WaveGlow, which does not say whether its channels alternate; "
            "give the checkpoint with the pickled model itself"
        )


def waveglow_from_nvidia(
    tensors: Mapping[str, np.ndarray], attributes: Mapping[str, Any], audio: AudioConfig | None = None
) -> tuple[WaveGlowConfig, dict[str, np.ndarray]]:
    """Return the configuration and the tensors, in our names, of a WaveGlow in NVIDIA's.

    Args:
        tensors: parameters by NVIDIA's names, with or without weight normalisation.
        attributes: attributes of the pickled module by path (the upsampling stride is used); may be empty.
        audio: the mel contract, if it is known; otherwise that of the published models, with the sizes found.

    Raises:
        CheckpointError: a tensor is missing, unknown, or of a shape that fits no WaveGlow.
        ConfigError: the sizes contradict each other.
    """
    source = _Source(fold_weight_norm(tensors))
    config = _read_sizes(source, attributes, audio)
    result = {"upsample.weight": source.take("upsample.weight", 3), "upsample.bias": source.take("upsample.bias", 1)}
    for step in range(config.n_flows):
        matrix = source.take(f"convinv.{step}.conv.weight", 3)
        if matrix.shape[0] != matrix.shape[1] or matrix.shape[2] != 1:
            raise CheckpointError(
                f"its tensor 'convinv.{step}.conv.weight' has the shape {matrix.shape}, not a matrix's"
            )
        result[f"steps.{step}.convolution.weight"] = matrix[:, :, 0]
        network = f"steps.{step}.coupling.network"
        for part in ("weight", "bias"):
            for place in ("start", "end"):
                result[f"{network}.{place}.{part}"] = source.take(f"WN.{step}.{place}.{part}")
            result[f"{network}.condition.{part}"] = _condition(source, step, config.n_layers, part)
            for layer in range(config.n_layers):
                ours = f"{network}.layers.{layer}"
                result[f"{ours}.dilated.{part}"] = source.take(f"WN.{step}.in_layers.{layer}.{part}")
                result[f"{ours}.mix.{part}"] = _mix(source, step, layer, config.n_layers, part)
    source.refuse_leftovers()
    return config, {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in result.items()}


def waveglow_sizes(shapes: Mapping[str, tuple[int, ...]], attributes: Mapping[str, Any]) -> WaveGlowConfig:
    """Return the configuration of a WaveGlow in NVIDIA's names, from the shapes alone; see `waveglow_from_nvidia`."""
    nothing = np.float32(0)
    source = _Source({name: np.broadcast_to(nothing, shape) for name, shape in folded_shapes(shapes).items()})
    return _read_sizes(source, attributes, None)


class _Source:
    """The tensors of a checkpoint, with an account of which have been used."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self._tensors = tensors
        self._used: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def shape(self, name: str, dimensions: int = 3) -> tuple[int, ...]:
        """Return the shape of a tensor that must be there and have so many dimensions."""
        if name not in self._tensors:
            raise CheckpointError(f"it lacks the tensor '{name}' of a WaveGlow")
        shape = self._tensors[name].shape
        if len(shape) != dimensions or not all(shape):
            raise CheckpointError(f"its tensor '{name}' has the shape {shape}, which no WaveGlow has")
        return shape

    def take(self, name: str, dimensions: int | None = None) -> np.ndarray:
        """Return a tensor and mark it as used."""
        self.shape(name, dimensions or (1 if name.endswith("bias") else 3))
        self._used.add(name)
        return self._tensors[name]

    def count(self, prefix: str, suffix: str) -> int:
        """Return how many of `prefix0suffix`, `prefix1suffix`, ... there are."""
        number = 0
        while f"{prefix}{number}{suffix}" in self._tensors:
            number += 1
        return number

    def refuse_leftovers(self) -> None:
        """Raise an error if some tensor has not been used: the model is not the one it seems."""
        left = sorted(set(self._tensors) - self._used)
        if left:
            raise CheckpointError(f"it has {len(left)} tensors that no WaveGlow has, the first of them '{left[0]}'")


def _read_sizes(source: _Source, attributes: Mapping[str, Any], audio: AudioConfig | None) -> WaveGlowConfig:
    n_mels, _, kernel = source.shape("upsample.weight")
    n_flows = source.count("convinv.", ".conv.weight")
    channels = [source.shape(f"convinv.{step}.conv.weight")[0] for step in range(n_flows)]
    every, size = _early_outputs(channels)
    width, _, kernel_size = source.shape("WN.0.in_layers.0.weight")
    return WaveGlowConfig(
        audio=_audio(n_mels, kernel, attributes, audio),
        n_group=channels[0],
        n_flows=n_flows,
        n_early_every=every,
        n_early_size=size,
        n_channels=width // 2,
        n_skip_channels=source.shape("WN.0.end.weight")[1],
        n_layers=source.count("WN.0.in_layers.", ".weight"),
        kernel_size=kernel_size,
    )


def _early_outputs(channels: list[int]) -> tuple[int, int]:
    """Return after how many steps how many channels leave, from the channels of each step."""
    drops = [step for step in range(1, len(channels)) if channels[step] != channels[step - 1]]
    if not drops:
        return 0, 2
    every, size = drops[0], channels[0] - channels[drops[0]]
    if channels != [channels[0] - step // every * size for step in range(len(channels))]:
        raise CheckpointError(f"its steps have {channels} channels, which is not WaveGlow's pattern of early outputs")
    return every, size


def _audio(n_mels: int, kernel: int, attributes: Mapping[str, Any], audio: AudioConfig | None) -> AudioConfig:
    stride = attributes.get("upsample.stride")
    hop = stride[0] if isinstance(stride, tuple) and stride and type(stride[0]) is int else None
    if audio is None:
        hop = hop or kernel // _FRAMES_PER_KERNEL
        return AudioConfig(n_mels=n_mels, hop_length=hop, win_length=kernel, n_fft=kernel)
    for name, found in (("n_mels", n_mels), ("win_length", kernel), ("hop_length", hop)):
        if found is not None and getattr(audio, name) != found:
            raise CheckpointError(
                f"the configuration says {name} {getattr(audio, name)}, but the model was made for {found}"
            )
    return audio


def _condition(source: _Source, step: int, n_layers: int, part: str) -> np.ndarray:
    merged = f"WN.{step}.cond_layer.{part}"
    if merged in source:
        return source.take(merged)
    return _joined([f"WN.{step}.cond_layers.{layer}.{part}" for layer in range(n_layers)], source)


def _mix(source: _Source, step: int, layer: int, n_layers: int, part: str) -> np.ndarray:
    merged = f"WN.{step}.res_skip_layers.{layer}.{part}"
    if merged in source:
        return source.take(merged)
    skip = f"WN.{step}.skip_layers.{layer}.{part}"
    residual = f"WN.{step}.res_layers.{layer}.{part}"
    return source.take(skip) if layer == n_layers - 1 else _joined([residual, skip], source)


def _joined(names: list[str], source: _Source) -> np.ndarray:
    parts = [source.take(name) for name in names]
    if len({part.shape[1:] for part in parts}) != 1:
        raise CheckpointError(f"its tensors '{names[0]}' and its neighbours have different shapes")
    return np.concatenate(parts)
