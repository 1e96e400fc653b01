"""The published Glow-TTS checkpoints in our terms: parameter names, and the configuration.

The original program (2020) and rhasspy's glow-tts-train share their parameter names. Weight norm may still be on
(`weight_g`, `weight_v`) or folded in after the original's `store_inverse`; both give the same parameters here.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from glowvox.checkpoint.weight_norm import fold_weight_norm
from glowvox.config.audio import AudioConfig
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.errors import CheckpointError

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
    if model.get("window_size", 4 if rhasspy else None) is None:
        raise CheckpointError("the model has no relative positions (window_size), which is not supported")
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
            window_size=int(model.get("window_size", 4)),
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
