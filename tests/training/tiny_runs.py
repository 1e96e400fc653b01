"""Synthetic speech-like sound and tiny presets for training."""

import numpy as np

from glowvox.config.preset import Preset
from glowvox.config.schema import from_dict


def buzz(seconds: float, seed: int) -> np.ndarray:
    """A pulse train through a wandering filter with noise: harmonic and noisy parts, like speech."""
    generator = np.random.default_rng(seed)
    time = np.arange(int(seconds * 22050)) / 22050
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / 22050
    harmonics = sum(np.cos(k * phase) / k for k in range(1, 20))
    envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 2.5 * time) ** 2
    return (0.08 * envelope * harmonics + 0.005 * generator.standard_normal(len(time))).astype(np.float32)


def vocoder_preset(**changes: dict[str, object]) -> Preset:
    tables: dict[str, dict[str, object]] = {
        "model": {"type": "waveglow"},
        "waveglow": {
            "transform": "lapped",
            "n_group": 64,
            "n_flows": 2,
            "n_early_every": 0,
            "n_channels": 8,
            "n_skip_channels": 8,
            "n_layers": 2,
            "conditioning": "mel-rate",
            "encoder_channels": 8,
            "mel_mean": -5.0,
            "mel_std": 2.0,
            "mel_scale": True,
            "actnorm": True,
        },
        "training": {
            "steps": 20,
            "batch_size": 2,
            "warmup_steps": 2,
            "log_every": 5,
            "validate_every": 20,
            "checkpoint_every": 20,
            "validation_clips": 1,
        },
        "vocoder_training": {"segment_frames": 16, "pitch_steps": 5, "spectral_from_step": 12, "likelihood_every": 2},
    }
    for table, settings in changes.items():
        tables[table] = {**tables.get(table, {}), **settings}
    return from_dict(Preset, tables)


def acoustic_preset(**changes: dict[str, object]) -> Preset:
    tables: dict[str, dict[str, object]] = {
        "model": {"type": "glow_tts"},
        "glow_tts": {
            "hidden_channels": 16,
            "filter_channels": 16,
            "duration_channels": 8,
            "n_encoder_layers": 1,
            "decoder_channels": 8,
            "n_blocks": 2,
            "n_layers": 1,
        },
        "training": {
            "steps": 4,
            "batch_size": 2,
            "warmup_steps": 1,
            "log_every": 2,
            "validate_every": 4,
            "checkpoint_every": 4,
            "validation_clips": 1,
        },
    }
    for table, settings in changes.items():
        tables[table] = {**tables.get(table, {}), **settings}
    return from_dict(Preset, tables)
