"""Every shipped Glow-TTS preset builds a model that runs in both directions."""

import pytest
import torch

from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.preset import load_preset, preset_names
from glowvox.errors import ConfigError
from glowvox.models.glow_tts import GlowTTS

PARAMETERS = {"glow-tts-base": 28.6e6, "glow-tts-small": 9.96e6, "glow-tts-tiny": 3.1e6}


def test_all_presets_are_tried() -> None:
    assert set(preset_names("glow_tts")) == set(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_preset_runs(name: str) -> None:
    model = GlowTTS(load_preset(name).glow_tts)
    assert sum(parameter.numel() for parameter in model.parameters()) == pytest.approx(PARAMETERS[name], rel=0.02)
    tokens, lengths = torch.tensor([[3, 1, 4, 1, 5]]), torch.tensor([5])
    mel = torch.randn(1, 80, 12, generator=torch.Generator().manual_seed(0))
    output = model(tokens, lengths, mel, torch.tensor([12]))
    assert output.latent.isfinite().all() and output.alignment.sum() == 12
    spoken = model.eval().inverse(tokens, lengths, durations=torch.tensor([[2, 2, 3, 2, 3]]))
    assert spoken.mel.shape == (1, 80, 12) and spoken.mel.isfinite().all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_heads": 0}, "n_heads must be at least 1"),
        ({"n_heads": 5}, "must divide hidden_channels"),
        ({"n_speakers": 2}, "speaker_channels"),
        ({"speaker_channels": 2}, "speaker_channels"),
        ({"n_split": 3}, "n_split"),
        ({"kernel_size": 4}, "odd"),
        ({"encoder_kernel_size": -1}, "odd"),
        ({"window_size": -1}, "window_size"),
        ({"encoder_dropout": 1.0}, "dropouts"),
        ({"max_log_scale": -1.0}, "max_log_scale"),
    ],
)
def test_impossible_configurations_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GlowTTSConfig(**settings)
