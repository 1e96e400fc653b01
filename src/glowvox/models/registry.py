"""One place that turns a configuration into a model."""

from torch import nn

from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.preset import Preset
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import ConfigError


def build(config: WaveGlowConfig | GlowTTSConfig) -> nn.Module:
    """Return a model with fresh weights."""
    if isinstance(config, WaveGlowConfig):
        from glowvox.models.waveglow import WaveGlow

        return WaveGlow(config)
    if isinstance(config, GlowTTSConfig):
        from glowvox.models.glow_tts import GlowTTS

        return GlowTTS(config)
    raise ConfigError(f"no model has a configuration of type {type(config).__name__}")


def model_config(preset: Preset) -> WaveGlowConfig | GlowTTSConfig:
    """Return the configuration of the model that a preset describes."""
    return preset.waveglow if preset.model.type == "waveglow" else preset.glow_tts
