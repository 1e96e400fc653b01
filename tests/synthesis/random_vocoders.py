"""Random vocoders of every shipped family, small enough to run in milliseconds."""

import dataclasses

import torch

from glowvox.config.audio import AudioConfig
from glowvox.config.preset import load_preset, preset_names
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.models.waveglow import WaveGlow

HOP_128 = AudioConfig(n_fft=512, win_length=512, hop_length=128)


def narrow(config: WaveGlowConfig) -> WaveGlowConfig:
    """The same flow with few channels; separable ones without dilation, whose receptive field is seconds otherwise."""
    return dataclasses.replace(
        config,
        n_channels=8,
        n_skip_channels=8,
        encoder_channels=min(config.encoder_channels, 8),
        dilation_growth=1 if config.separable else config.dilation_growth,
        actnorm=True,
    )


def configurations() -> dict[str, WaveGlowConfig]:
    found = {name: narrow(load_preset(name).waveglow) for name in preset_names("waveglow")}
    lapped = narrow(load_preset("lapped-small").waveglow)
    return found | {
        "lapped-hop-128": dataclasses.replace(lapped, audio=HOP_128, n_group=128),
        "lapped-two-groups": dataclasses.replace(lapped, n_group=128, n_layers=1, n_flows=1, harmonic=False),
        "no-dilation": dataclasses.replace(narrow(WaveGlowConfig()), n_group=16, dilation_growth=1, n_flows=5),
    }


CONFIGURATIONS = configurations()


def random_model(config: WaveGlowConfig, seed: int = 0) -> WaveGlow:
    """A WaveGlow whose couplings and corrections do something: nothing in it is left at zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = WaveGlow(config)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if not parameter.any():
                    parameter.normal_(0.0, 0.02)
                elif name.endswith("dilated.weight"):
                    parameter.mul_(2.0)
            for name, buffer in model.named_buffers():
                if "initialised" in name:
                    buffer.fill_(True)
    return model.eval()
