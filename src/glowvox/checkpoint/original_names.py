"""The published WaveGlow and Glow-TTS checkpoints in our names: sizes read from shapes, weight norm folded away.

Of NVIDIA's WaveGlow three generations exist. The oldest has residual, skip and condition layers apart (`res_layers`,
`skip_layers`, `cond_layers`); then residual and skip layers were merged (`res_skip_layers`; DeepLearningExamples stayed
there); then the condition layers (`cond_layer`). They compute the same, with one exception: the class
`glow_old.WaveGlow` transforms the first half of the channels in every second step, and since channels leave early right
after such a step this cannot be expressed by reordering weights. It is refused. The original Glow-TTS (2020) and
rhasspy's glow-tts-train share their parameter names; weight norm may still be on, or folded in after the original's
`store_inverse`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glowvox.config.audio import AudioConfig
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import CheckpointError

_SUFFIXES = (
    (".weight_g", ".weight_v", ".weight"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1", ".weight"),
)


def has_weight_norm(names: Mapping[str, object]) -> bool:
    """Whether any of the named tensors belongs to a weight-normalised layer."""
    return any(name.endswith(gain) for name in names for gain, _, _ in _SUFFIXES)


def fold_weight_norm(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Fold weight norm (arXiv 1602.07868) away: gain `[O, 1, ...]` and direction `[O, I, ...]` become a weight.

    w = g * v / |v|, the norm over all axes but the first, in float64. Both ways of torch to name the pair are known.

    Raises:
        CheckpointError: half of a pair is missing, or the two do not fit.
    """
    result: dict[str, np.ndarray] = {}
    for name, tensor in tensors.items():
        for gain, direction, weight in _SUFFIXES:
            if name.endswith(direction):
                stem = name[: -len(direction)]
                result[stem + weight] = _folded(stem, tensors.get(stem + gain), tensor)
                break
            if name.endswith(gain):
                if name[: -len(gain)] + direction not in tensors:
                    raise CheckpointError(f"the direction of the weight-normalised layer '{name}' is missing")
                break
        else:
            result[name] = tensor
    return result


def folded_shapes(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the tensors will have once weight normalisation is folded away."""
    result = {}
    for name, shape in shapes.items():
        _, direction, weight = next((pair for pair in _SUFFIXES if name.endswith(pair[:2])), ("", "", ""))
        if not direction:
            result[name] = shape
        elif name.endswith(direction):
            result[name[: -len(direction)] + weight] = shape
    return result


def _folded(stem: str, gain: np.ndarray | None, direction: np.ndarray) -> np.ndarray:
    if gain is None or gain.size != direction.shape[0]:
        raise CheckpointError(f"the gain of the weight-normalised layer '{stem}' is missing or of the wrong size")
    wide = direction.astype(np.float64)
    norm = np.sqrt(np.square(wide).sum(tuple(range(1, wide.ndim)), keepdims=True))
    if not norm.all():
        raise CheckpointError(f"the weight-normalised layer '{stem}' has a direction of length zero")
    result: np.ndarray = (wide * (gain.astype(np.float64).reshape(norm.shape) / norm)).astype(np.float32)
    return result


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


_RULES: tuple[tuple[str, str], ...] = (
    (r"emb_g\.weight", r"speakers.weight"),
    (r"encoder\.emb\.weight", r"encoder.embedding.weight"),
    (r"encoder\.pre\.conv_layers\.(\d+)\.(.+)", r"encoder.prenet.convolutions.\1.\2"),
    (r"encoder\.pre\.norm_layers\.(\d+)\.(.+)", r"encoder.prenet.norms.\1.\2"),
    (r"encoder\.pre\.proj\.(.+)", r"encoder.prenet.projection.\1"),
    (r"encoder\.encoder\.attn_layers\.(\d+)\.conv_o\.(.+)", r"encoder.transformer.layers.\1.attention.output.\2"),
    (r"encoder\.encoder\.attn_layers\.(\d+)\.emb_rel_k", r"encoder.transformer.layers.\1.attention.relative_keys"),
    (r"encoder\.encoder\.attn_layers\.(\d+)\.emb_rel_v", r"encoder.transformer.layers.\1.attention.relative_values"),
    (r"encoder\.encoder\.norm_layers_1\.(\d+)\.(.+)", r"encoder.transformer.layers.\1.attention_norm.\2"),
    (r"encoder\.encoder\.ffn_layers\.(\d+)\.conv_1\.(.+)", r"encoder.transformer.layers.\1.widen.\2"),
    (r"encoder\.encoder\.ffn_layers\.(\d+)\.conv_2\.(.+)", r"encoder.transformer.layers.\1.narrow.\2"),
    (r"encoder\.encoder\.norm_layers_2\.(\d+)\.(.+)", r"encoder.transformer.layers.\1.feed_forward_norm.\2"),
    (r"encoder\.proj_m\.(.+)", r"encoder.mean.\1"),
    (r"encoder\.proj_s\.(.+)", r"encoder.log_std.\1"),
    (r"encoder\.proj_w\.conv_(\d)\.(.+)", r"encoder.durations.convolution_\1.\2"),
    (r"encoder\.proj_w\.norm_(\d)\.(.+)", r"encoder.durations.norm_\1.\2"),
    (r"encoder\.proj_w\.proj\.(.+)", r"encoder.durations.projection.\1"),
)
_FLOW = re.compile(r"decoder\.flows\.(\d+)\.(.+)")
_QUERY_KEY_VALUE = re.compile(r"encoder\.encoder\.attn_layers\.(\d+)\.conv_[qkv]\.(weight|bias)")
_ACTNORM = {"logs": "log_scale", "bias": "bias"}
_COUPLING: tuple[tuple[str, str], ...] = (
    (r"start\.(.+)", r"start.\1"),
    (r"end\.(.+)", r"end.\1"),
    (r"wn\.cond_layer\.(.+)", r"condition.\1"),
    (r"wn\.in_layers\.(\d+)\.(.+)", r"layers.\1.dilated.\2"),
    (r"wn\.res_skip_layers\.(\d+)\.(.+)", r"layers.\1.mix.\2"),
)


def convert_glow_tts_state(state: Mapping[str, Tensor], config: GlowTTSConfig) -> dict[str, Tensor]:
    """Return the parameters of an original checkpoint under our names, ready for a strict load.

    Args:
        state: the checkpoint's `model` entry.
        config: the model's configuration; it decides where the attention's matrices lie and what a scale is.

    Raises:
        CheckpointError: a name is not Glow-TTS's, or a weight norm is incomplete.
    """
    folded = fold_weight_norm({name: value.detach().float().numpy() for name, value in state.items()})
    plain = {name: torch.from_numpy(value) for name, value in folded.items()}
    result: dict[str, Tensor] = {}
    for name, value in plain.items():
        if name.endswith("weight_inv"):  # a stored inverse: derived from the weight beside it
            continue
        attention = _QUERY_KEY_VALUE.fullmatch(name)
        if attention is None:
            result[_new_name(name, config)] = _reshape(name, value)
        elif ".conv_q." in name:
            parts = [plain.get(name.replace("conv_q", f"conv_{letter}")) for letter in "qkv"]
            if any(part is None for part in parts):
                raise CheckpointError(f"the checkpoint has '{name}' but not its companions conv_k and conv_v")
            joined = torch.cat([part for part in parts if part is not None])
            target = f"encoder.transformer.layers.{attention[1]}.attention.query_key_value.{attention[2]}"
            result[target] = joined.squeeze(-1) if attention[2] == "weight" else joined
    for index in range(config.n_blocks):
        # A published checkpoint is trained; its ActNorm must never be initialised again.
        result[f"decoder.blocks.flows.{index}.flows.0.initialised"] = torch.ones((), dtype=torch.bool)
    return result


def glow_tts_config(model: Mapping[str, Any], state: Mapping[str, Tensor], audio: AudioConfig) -> GlowTTSConfig:
    """Return our configuration of an original checkpoint.

    Args:
        model: the `model` section of its JSON; settings left out have the original program's defaults, or those of
            glow-tts-train where `num_symbols` gives it away.
        state: the checkpoint's `model` entry, from which sizes that the JSON may lack are read.
        audio: the mel contract, from elsewhere in the JSON.

    Raises:
        CheckpointError: the model uses something that we do not have, or lacks a setting or parameter.
    """
    rhasspy = "num_symbols" in model
    if model.get("block_length") is not None:
        raise CheckpointError("the model restricts attention to blocks (block_length), which is not supported")
    window = _window_size(model, state, default=4 if rhasspy else None)
    try:
        hidden = int(model["hidden_channels"])
        speakers = state.get("emb_g.weight")
        return GlowTTSConfig(
            n_symbols=state["encoder.emb.weight"].shape[0],
            audio=audio,
            n_speakers=1 if speakers is None else speakers.shape[0],
            speaker_channels=0 if speakers is None else speakers.shape[1],
            hidden_channels=int(model.get("hidden_channels_enc") or hidden),
            filter_channels=int(model["filter_channels"]),
            duration_channels=int(model["filter_channels_dp"]),
            n_heads=int(model.get("n_heads", 2)),
            n_encoder_layers=int(model.get("n_layers_enc", 6)),
            encoder_kernel_size=int(model.get("kernel_size", 3)),
            window_size=GlowTTSConfig.window_size if window is None else int(window),
            relative_positions=window is not None,
            prenet=bool(model.get("prenet", rhasspy)),
            encoder_dropout=float(model.get("p_dropout", 0.1 if rhasspy else 0.0)),
            mean_only=bool(model.get("mean_only", rhasspy)),
            decoder_channels=int(model.get("hidden_channels_dec") or hidden),
            n_blocks=int(model.get("n_blocks_dec", 12)),
            n_layers=int(model.get("n_block_layers", 4)),
            kernel_size=int(model.get("kernel_size_dec", 5)),
            dilation_growth=int(model.get("dilation_rate", 1 if rhasspy else 5)),
            n_split=int(model.get("n_split", 4)),
            n_squeeze=int(model.get("n_sqz", 2 if rhasspy else 1)),
            decoder_dropout=float(model.get("p_dropout_dec", 0.05 if rhasspy else 0.0)),
            sigmoid_scale=bool(model.get("sigmoid_scale", False)),
        )
    except KeyError as error:
        raise CheckpointError(f"the Glow-TTS checkpoint or its configuration lacks {error}") from None
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"the Glow-TTS configuration holds a wrong value: {error}") from None


def _window_size(model: Mapping[str, Any], state: Mapping[str, Tensor], default: int | None) -> Any:
    """Return the configuration's `window_size`, None where attention knows no positions; the tensors must agree."""
    window = model.get("window_size", default)
    embedding = next((value for name, value in state.items() if name.endswith(".emb_rel_k")), None)
    if (window is None) != (embedding is None):
        has = "has no relative positions" if embedding is None else f"has relative positions {tuple(embedding.shape)}"
        raise CheckpointError(f"the configuration says window_size {json.dumps(window)}, but the checkpoint {has}")
    return window


def _new_name(name: str, config: GlowTTSConfig) -> str:
    flow = _FLOW.fullmatch(name)
    if flow is not None:
        return _flow_name(int(flow[1]), flow[2], config)
    for pattern, replacement in _RULES:
        if re.fullmatch(pattern, name):
            renamed = re.sub(pattern, replacement, name)
            return re.sub(r"\.gamma$", ".weight", re.sub(r"\.beta$", ".bias", renamed))
    raise CheckpointError(f"'{name}' is not a parameter of Glow-TTS")


def _flow_name(index: int, rest: str, config: GlowTTSConfig) -> str:
    """Name a parameter of flow `index`: the original's flat list is ActNorm, convolution, coupling, and again."""
    block, place = divmod(index, 3)
    prefix = f"decoder.blocks.flows.{block}.flows.{place}"
    if place == 0 and rest in _ACTNORM:
        return f"{prefix}.{_ACTNORM[rest]}"
    if place == 1 and rest == "weight":
        return f"{prefix}.weight"
    if place == 2:
        network = "network.network" if config.sigmoid_scale else "network"
        for pattern, replacement in _COUPLING:
            if re.fullmatch(pattern, rest):
                return f"{prefix}.{network}.{re.sub(pattern, replacement, rest)}"
    raise CheckpointError(f"'decoder.flows.{index}.{rest}' is not a parameter of Glow-TTS")


def _reshape(name: str, value: Tensor) -> Tensor:
    """Give a value our shape: shared relative embeddings lose the head axis, the attention's output its kernel axis."""
    if ".emb_rel_" in name:
        if value.ndim != 3 or value.shape[0] != 1:
            raise CheckpointError(f"'{name}' has relative positions of its own for every head, which is not supported")
        return value[0]
    return value.squeeze(-1) if name.endswith("conv_o.weight") else value
