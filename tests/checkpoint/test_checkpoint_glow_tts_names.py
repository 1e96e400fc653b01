"""The published names: with weight norm, without, with stored inverses, and what is refused."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from glowvox.checkpoint.original_names import convert_glow_tts_state, glow_tts_config
from glowvox.config.audio import AudioConfig
from glowvox.errors import CheckpointError
from glowvox.models.glow_tts import GlowTTS


@pytest.fixture(params=["glowtts_tiny", "glowtts_multispeaker"])
def checkpoint(request: pytest.FixtureRequest, golden: Path) -> tuple[dict, dict[str, Tensor]]:
    model = json.loads((golden / f"{request.param}.json").read_text())["model"]
    state = torch.load(golden / f"{request.param}.official.pth", weights_only=True)["model"]
    return model, dict(state)


def test_strict_load_of_the_plain_state(checkpoint: tuple) -> None:
    description, state = checkpoint
    config = glow_tts_config(description, state, AudioConfig())
    model = GlowTTS(config)
    model.load_state_dict(convert_glow_tts_state(state, config), strict=True)
    assert all(value for name, value in model.state_dict().items() if name.endswith("initialised"))


def test_folded_weight_norm_and_stored_inverses_give_the_same(checkpoint: tuple) -> None:
    description, state = checkpoint
    config = glow_tts_config(description, state, AudioConfig())
    expected = convert_glow_tts_state(state, config)
    folded = {}
    for name, value in state.items():
        if name.endswith("weight_v"):
            norm = value.square().sum((1, 2), keepdim=True).sqrt()
            folded[name.removesuffix("_v")] = state[name[:-1] + "g"] * value / norm
        elif not name.endswith("weight_g"):
            folded[name] = value
        if value.shape == (4, 4):
            folded[name + "_inv"] = torch.linalg.inv(value)
    found = convert_glow_tts_state(folded, config)
    assert set(found) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


def test_sizes_that_the_json_lacks_come_from_the_state(checkpoint: tuple) -> None:
    description, state = checkpoint
    full = glow_tts_config(description, state, AudioConfig())
    fewer = {
        name: value for name, value in description.items() if name not in ("n_vocab", "n_speakers", "gin_channels")
    }
    assert glow_tts_config(fewer, state, AudioConfig()) == full


def test_defaults_are_those_of_the_program_that_wrote_the_file(checkpoint: tuple) -> None:
    description, state = checkpoint
    sizes = ("hidden_channels", "filter_channels", "filter_channels_dp")
    minimal = {name: description[name] for name in sizes}
    rhasspy = glow_tts_config({**minimal, "num_symbols": 30}, state, AudioConfig())
    assert (rhasspy.n_squeeze, rhasspy.prenet, rhasspy.mean_only, rhasspy.dilation_growth) == (2, True, True, 1)
    original = glow_tts_config({**minimal, "window_size": 4}, state, AudioConfig())
    assert (original.n_squeeze, original.prenet, original.mean_only, original.dilation_growth) == (1, False, False, 5)


def test_what_does_not_fit_is_named(checkpoint: tuple) -> None:
    description, state = checkpoint
    config = glow_tts_config(description, state, AudioConfig())
    gain = "decoder.flows.2.start.weight_g"
    query = "encoder.encoder.attn_layers.0.conv_q.weight"
    for message, changed in [
        ("'foreign.weight' is not a parameter", {**state, "foreign.weight": torch.zeros(1)}),
        (r"'decoder.flows.0.foreign'", {**state, "decoder.flows.0.foreign": torch.zeros(1)}),
        ("gain of the weight-normalised layer", {name: value for name, value in state.items() if name != gain}),
        (
            "direction of the weight-normalised layer",
            {name: value for name, value in state.items() if name != gain[:-1] + "v"},
        ),
        ("companions", {name: value for name, value in state.items() if name != query.replace("_q", "_k")}),
        ("for every head", {**state, "encoder.encoder.attn_layers.0.emb_rel_k": torch.zeros(2, 9, 16)}),
    ]:
        with pytest.raises(CheckpointError, match=message):
            convert_glow_tts_state(changed, config)
    for message, settings in [
        ("block_length", {**description, "block_length": 9}),
        ("window_size", {**description, "window_size": None}),
        ("hidden_channels", {name: value for name, value in description.items() if name != "hidden_channels"}),
        ("wrong value", {**description, "n_heads": "two"}),
    ]:
        with pytest.raises(CheckpointError, match=message):
            glow_tts_config(settings, state, AudioConfig())
