"""Exported graphs of small random models."""

import pytest
import torch

from glowvox.checkpoint.model_folder import ModelCard
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.export.export_model import graph_cards, write_graphs
from glowvox.models.registry import build

VOCODER = WaveGlowConfig(
    n_group=64, n_flows=3, n_channels=8, n_skip_channels=8, n_layers=2, conditioning="mel-rate", mel_mean=-5.0
)
ACOUSTIC = GlowTTSConfig(
    n_symbols=9,
    hidden_channels=8,
    filter_channels=8,
    duration_channels=8,
    n_encoder_layers=1,
    decoder_channels=8,
    n_blocks=1,
    n_layers=1,
)


def _exported(config, folder):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if not parameter.any():
                    parameter.normal_(0.0, 0.05)
    write_graphs(model, graph_cards(model, ModelCard(config)), folder, "float32")
    return folder


@pytest.fixture
def vocoder_config():
    return VOCODER


@pytest.fixture(scope="session")
def vocoder_folder(tmp_path_factory):
    return _exported(VOCODER, tmp_path_factory.mktemp("vocoder"))


@pytest.fixture(scope="session")
def acoustic_folder(tmp_path_factory):
    return _exported(ACOUSTIC, tmp_path_factory.mktemp("acoustic"))
