"""The settings of a run that starts from a trained model, where no preset is named."""

from typing import Any

from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.schema import to_dict
from glowvox.config.waveglow import WaveGlowConfig

_TRAINING = {
    "steps": 2000,
    "learning_rate": 2e-4,
    "warmup_steps": 50,
    "ema_decay": 0.995,
    "validate_every": 250,
    "checkpoint_every": 250,
}
"""Less, and more gently, than from the start: the weights are good already."""


def fine_tuning(config: WaveGlowConfig | GlowTTSConfig) -> dict[str, Any]:
    """Return the tables of a preset for a model of this configuration.

    A vocoder is tuned by its likelihood and by what its samples sound like from the first step on.
    """
    if isinstance(config, GlowTTSConfig):
        return {"model": {"type": "glow_tts"}, "glow_tts": to_dict(config), "training": dict(_TRAINING)}
    return {
        "model": {"type": "waveglow"},
        "waveglow": to_dict(config),
        "training": {**_TRAINING, "batch_size": 8},
        "vocoder_training": {
            "segment_frames": 80,
            "spectral_from_step": 0,
            "likelihood_every": 4,
            "mel_weight": 2.0,
            "fft_sizes": [512, 1024, 2048, 4096],
            "refine": min(config.refine, 2),
            "pitch_steps": 500,
        },
    }
