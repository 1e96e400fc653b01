"""Tiny presets for training."""

from glowvox.config.preset import Preset
from glowvox.config.schema import from_dict


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
        "acoustic_training": {"pitch_steps": 5},
    }
    for table, settings in changes.items():
        tables[table] = {**tables.get(table, {}), **settings}
    return from_dict(Preset, tables)
