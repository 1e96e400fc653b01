"""Published Glow-TTS checkpoints with and without relative positions and pre-net: the original's encoder is computed.

The original's text encoder stands below as plain functions of its own tensors; where the golden files have what the
original program computed, it must agree with that first.
"""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from glowvox.checkpoint.convert import convert_checkpoint
from glowvox.checkpoint.model_folder import load_model, save_tensors
from glowvox.engines.onnx_engine import OnnxAcoustic
from glowvox.errors import CheckpointError
from glowvox.export.export_model import graph_cards, write_graphs
from glowvox.export.parity import acoustic_parity
from glowvox.models.glow_tts import GlowTTS

Encoded = tuple[Tensor, Tensor, Tensor]


def normed(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """The original's normalisation over channels, epsilon 1e-4."""
    centred = x - x.mean(1, keepdim=True)
    unit = centred / torch.sqrt(centred.square().mean(1, keepdim=True) + 1e-4)
    return unit * state[f"{name}.gamma"][:, None] + state[f"{name}.beta"][:, None]


def convolved(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    weight = state[f"{name}.weight"]
    return F.conv1d(x, weight, state[f"{name}.bias"], padding=weight.shape[2] // 2)


def attended(state: dict[str, Tensor], name: str, x: Tensor, mask: Tensor, heads: int, window: int | None) -> Tensor:
    """Self-attention of one sentence after the other, position by position."""
    query, key, value = (convolved(state, f"{name}.conv_{letter}", x) for letter in "qkv")
    batch, channels, length = x.shape
    size = channels // heads
    result = torch.zeros_like(x)
    for item, head in itertools.product(range(batch), range(heads)):
        part = slice(head * size, (head + 1) * size)
        q, k, v = query[item, part].t(), key[item, part].t(), value[item, part].t()
        for i in range(length):
            keys, values = k.clone(), v.clone()
            if window is not None:
                for j in range(max(0, i - window), min(length, i + window + 1)):
                    keys[j] += state[f"{name}.emb_rel_k"][0, j - i + window]
                    values[j] += state[f"{name}.emb_rel_v"][0, j - i + window]
            scores = (keys @ q[i] / math.sqrt(size)).masked_fill(mask[item, 0] == 0, -1e4)
            result[item, part, i] = scores.softmax(0) @ values
    return convolved(state, f"{name}.conv_o", result)


def encoded(state: dict[str, Tensor], section: dict[str, Any], tokens: Tensor, lengths: Tensor) -> Encoded:
    """Mean, log standard deviation and log duration of each token, as the original's encoder computes them."""
    mask = (torch.arange(tokens.shape[1]) < lengths[:, None]).unsqueeze(1).float()
    x = (state["encoder.emb.weight"][tokens] * math.sqrt(section["hidden_channels"])).transpose(1, 2)
    if section["prenet"]:
        y = x
        for layer in range(3):
            y = convolved(state, f"encoder.pre.conv_layers.{layer}", y * mask)
            y = normed(state, f"encoder.pre.norm_layers.{layer}", y).relu()
        x = (x + convolved(state, "encoder.pre.proj", y)) * mask
    for layer in range(section["n_layers_enc"]):
        x = x * mask
        y = attended(
            state,
            f"encoder.encoder.attn_layers.{layer}",
            x,
            mask,
            section["n_heads"],
            section["window_size"],
        )
        x = normed(state, f"encoder.encoder.norm_layers_1.{layer}", x + y)
        y = convolved(state, f"encoder.encoder.ffn_layers.{layer}.conv_1", x * mask).relu()
        y = convolved(state, f"encoder.encoder.ffn_layers.{layer}.conv_2", y * mask) * mask
        x = normed(state, f"encoder.encoder.norm_layers_2.{layer}", x + y)
    x = x * mask
    mean = convolved(state, "encoder.proj_m", x) * mask
    log_std = torch.zeros_like(mean) if section["mean_only"] else convolved(state, "encoder.proj_s", x) * mask
    for layer in (1, 2):
        x = normed(
            state, f"encoder.proj_w.norm_{layer}", convolved(state, f"encoder.proj_w.conv_{layer}", x * mask).relu()
        )
    return mean, log_std, (convolved(state, "encoder.proj_w.proj", x * mask) * mask).squeeze(1)


def relative_error(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).norm() / expected.norm()) if expected.any() else float(found.norm())


@pytest.fixture(scope="module")
def tiny(golden: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    section = json.loads((golden / "glowtts_tiny.json").read_text())["model"]
    return section, torch.load(golden / "glowtts_tiny.official.pth", weights_only=True)["model"]


def published(folder: Path, tiny: tuple, *, positions: bool, prenet: bool, **changes: Any) -> tuple[Path, Path, dict]:
    """Write a checkpoint of the original program, and its configuration, of a model without some of the parts."""
    section, state = tiny
    generator = torch.Generator().manual_seed(3)
    left = {
        # The golden model's pre-net ends in zeros, as at the start of a training: it would not count.
        name: 0.3 * torch.randn(value.shape, generator=generator) if name.startswith("encoder.pre.proj") else value
        for name, value in state.items()
        if (positions or ".emb_rel_" not in name) and (prenet or not name.startswith("encoder.pre."))
    }
    section = section | {"window_size": 4 if positions else None, "prenet": prenet} | changes
    path, config = folder / "model.pth", folder / "config.json"
    torch.save({"model": left, "iteration": 77}, path)
    config.write_text(json.dumps({"model": section}))
    return path, config, left


def converted_model(path: Path, config: Path, folder: Path) -> GlowTTS:
    converted = convert_checkpoint(path, config)
    save_tensors(converted.tensors, converted.card, folder, replace=False)
    model = load_model(folder)
    assert isinstance(model, GlowTTS)
    return model.eval()


def test_the_plain_encoder_is_the_original_program_s(tiny: tuple, golden: Path) -> None:
    section, state = tiny
    vectors = load_file(golden / "glowtts_tiny.vectors.safetensors")
    mean, _, log_duration = encoded(state, section, vectors["tokens"], vectors["token_lengths"])
    assert relative_error(mean, vectors["train.text_mean"]) < 1e-5
    assert relative_error(log_duration.unsqueeze(1), vectors["train.log_duration"]) < 1e-5


@pytest.mark.parametrize("prenet", [True, False])
@pytest.mark.parametrize("positions", [True, False])
def test_every_encoder_agrees_with_the_original(
    tiny: tuple, golden: Path, tmp_path: Path, *, positions: bool, prenet: bool
) -> None:
    path, config, state = published(tmp_path, tiny, positions=positions, prenet=prenet)
    model = converted_model(path, config, tmp_path / "model")
    assert sum(value.numel() for value in model.parameters()) == sum(
        value.numel() for name, value in state.items() if not name.endswith("weight_g")
    )
    vectors = load_file(golden / "glowtts_tiny.vectors.safetensors")
    section = json.loads(config.read_text())["model"]
    expected = encoded(state, section, vectors["tokens"], vectors["token_lengths"])
    with torch.no_grad():
        found = model.encoder(vectors["tokens"], vectors["token_lengths"])
    for ours, theirs in zip((found.mean, found.log_std, found.log_duration), expected, strict=True):
        assert relative_error(ours, theirs) < 1e-4


def test_one_token_and_a_long_text(tiny: tuple, tmp_path: Path) -> None:
    path, config, state = published(tmp_path, tiny, positions=False, prenet=False, mean_only=True)
    model = converted_model(path, config, tmp_path / "model")
    section = json.loads(config.read_text())["model"]
    tokens, lengths = torch.randint(0, 30, (2, 60), generator=torch.Generator().manual_seed(1)), torch.tensor([60, 1])
    expected = encoded(state, section, tokens, lengths)
    with torch.no_grad():
        found = model.encoder(tokens, lengths)
    assert relative_error(found.mean, expected[0]) < 1e-4 and relative_error(found.log_duration, expected[2]) < 1e-4


def test_the_graph_of_such_a_model_computes_the_same(tiny: tuple, tmp_path: Path) -> None:
    path, config, _ = published(tmp_path, tiny, positions=False, prenet=False)
    converted = convert_checkpoint(path, config)
    model = converted_model(path, config, tmp_path / "model")
    (tmp_path / "graphs").mkdir()
    write_graphs(model, graph_cards(model, converted.card), tmp_path / "graphs", "float32")
    assert 0 < acoustic_parity(model, OnnxAcoustic.load(tmp_path / "graphs", threads=1)).relative_error < 1e-5


def test_the_original_program_s_default_is_no_window(tiny: tuple, tmp_path: Path) -> None:
    """Its constructor takes `window_size=None` and `prenet=False` where a configuration does not name them."""
    path, config, _ = published(tmp_path, tiny, positions=False, prenet=False)
    content = json.loads(config.read_text())
    del content["model"]["window_size"], content["model"]["prenet"]
    config.write_text(json.dumps(content))
    card = convert_checkpoint(path, config).card
    assert not card.config.relative_positions and not card.config.prenet


@pytest.mark.parametrize("window", [4, None])
def test_tensors_and_configuration_that_disagree_are_named(tiny: tuple, tmp_path: Path, window: int | None) -> None:
    path, config, _ = published(tmp_path, tiny, positions=window is None, prenet=True, window_size=window)
    with pytest.raises(CheckpointError, match=r"window_size (4|null), but the checkpoint has") as caught:
        convert_checkpoint(path, config)
    assert "\n" not in str(caught.value)
