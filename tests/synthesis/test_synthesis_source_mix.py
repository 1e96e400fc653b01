"""A source's gains: the same without PyTorch, nothing at the start, and pieces that are the whole."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from glowvox.audio.pitch import SourceMixNetwork
from glowvox.config.preset import load_preset
from glowvox.engines.torch_engine import TorchVocoder
from glowvox.errors import ConfigError, EngineError
from glowvox.models.waveglow import WaveGlow
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.vocoder import LatentStream, whole_latent

SMALL = replace(
    load_preset("lapped-small").waveglow,
    n_flows=1,
    n_channels=8,
    n_skip_channels=8,
    n_layers=1,
    encoder_channels=8,
    source_mix=True,
)
OPTIONS = VocoderOptions(sigma=0.8, seed=4)


def _model(*, taught: bool) -> WaveGlow:
    torch.manual_seed(0)
    model = WaveGlow(SMALL).eval()
    assert model.source_mix is not None
    if taught:
        with torch.no_grad():
            model.source_mix.gains.weight.normal_(std=0.05)
            model.source_mix.gains.bias.normal_(std=0.2)
    return model


def _mel(frames: int = 60) -> np.ndarray:
    return (-5 + 2 * np.random.default_rng(3).standard_normal((80, frames))).astype(np.float32)


def test_it_is_the_same_without_pytorch() -> None:
    mix = _model(taught=True).source_mix
    assert mix is not None
    network = SourceMixNetwork(mix.arrays(), -5.0, 2.0)
    with torch.no_grad():
        expected = mix(torch.from_numpy(_mel())[None])
    for mine, theirs in zip(network(_mel()), expected, strict=True):
        assert np.abs(mine / theirs[0].numpy() - 1).max() < 5e-3  # weights are stored in float16
    again = SourceMixNetwork.from_dict(network.to_dict())
    assert all(np.array_equal(*pair) for pair in zip(network(_mel()), again(_mel()), strict=True))


def test_at_the_start_it_changes_nothing() -> None:
    engine = TorchVocoder(_model(taught=False))
    plain = TorchVocoder(_model(taught=False))
    plain.source_mix = None
    assert np.array_equal(whole_latent(engine, OPTIONS, _mel()), whole_latent(plain, OPTIONS, _mel()))


@pytest.mark.parametrize("piece", [1, 7, 23])
def test_pieces_are_the_whole(piece: int) -> None:
    engine, mel = TorchVocoder(_model(taught=True)), _mel()
    stream = LatentStream(engine, OPTIONS)
    made = [stream.push(mel[:, start : start + piece]) for start in range(0, mel.shape[1], piece)]
    made.append(stream.finish())
    latent = np.concatenate([part[0] for part in made], 1)
    assert np.abs(latent - whole_latent(engine, OPTIONS, mel)).max() < 1e-5
    assert np.array_equal(np.concatenate([part[1] for part in made], 1), mel)


def test_damaged_and_foreign_weights_are_refused() -> None:
    mix = _model(taught=True).source_mix
    assert mix is not None
    arrays = mix.arrays()
    network = SourceMixNetwork(arrays, -5.0, 2.0)
    for wrong in ({}, {**network.to_dict(), "gains.bias": {"shape": [3], "values": "!"}}):
        with pytest.raises(EngineError, match="damaged"):
            SourceMixNetwork.from_dict(wrong)
    for name, value in arrays.items():
        with pytest.raises(EngineError, match="lack"):
            SourceMixNetwork({key: kept for key, kept in arrays.items() if key != name}, -5.0, 2.0)
        with pytest.raises(EngineError, match="fit"):
            SourceMixNetwork({**arrays, name: value[1:]}, -5.0, 2.0)


def test_a_mix_needs_a_source() -> None:
    with pytest.raises(ConfigError, match="harmonic"):
        replace(SMALL, harmonic=False)
