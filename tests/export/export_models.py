"""Small random models of every shipped family."""

import dataclasses

import torch

from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.preset import load_preset, preset_names
from glowvox.models.registry import build

TINY = {"n_channels": 12, "n_skip_channels": 8, "n_flows": 5, "n_layers": 3, "actnorm": True}
GLOW_TTS = GlowTTSConfig(
    n_symbols=20,
    hidden_channels=16,
    filter_channels=24,
    duration_channels=12,
    n_encoder_layers=2,
    decoder_channels=12,
    n_blocks=2,
    n_layers=2,
)


def vocoder_configs():
    found = {}
    for name in preset_names("waveglow"):
        config = load_preset(name).waveglow
        audio = dataclasses.replace(config.audio, n_mels=20) if config.conditioning == "upsampled" else config.audio
        encoder = min(config.encoder_channels, 6)
        found[name] = dataclasses.replace(config, **TINY, encoder_channels=encoder, audio=audio)
    lapped = found["lapped-small"]
    audio = dataclasses.replace(
        lapped.audio, n_mels=12, hop_length=300, n_fft=1200, win_length=1000, log="db", mean=-40.0, std=20.0
    )
    found["two groups in a frame"] = dataclasses.replace(lapped, n_group=128, harmonic=False)
    found["levels limited"] = dataclasses.replace(lapped, highest_levels=(0.6, 1.2, 0.3, 0.9))
    found["another contract"] = dataclasses.replace(found["waveglow-256"], audio=audio, n_group=20, max_log_scale=1.5)
    found["wide skips"] = dataclasses.replace(found["waveglow-small"], n_skip_channels=40, kernel_size=5)
    found["mel as it is"] = dataclasses.replace(found["waveglow-small"], encoder_channels=0, n_layers=1)
    return found


ACOUSTIC_CONFIGS = {
    "plain": GLOW_TTS,
    "speakers": dataclasses.replace(GLOW_TTS, n_speakers=3, speaker_channels=5, sigmoid_scale=True),
    "melody": dataclasses.replace(GLOW_TTS, melody=True),
    "melody and speakers": dataclasses.replace(GLOW_TTS, melody=True, n_speakers=2, speaker_channels=4),
    "melody and many speakers": dataclasses.replace(GLOW_TTS, melody=True, n_speakers=7, speaker_channels=4),
    "speakers in the means": dataclasses.replace(GLOW_TTS, n_speakers=3, speaker_channels=5, speaker_in_encoder=True),
    "other parts": dataclasses.replace(GLOW_TTS, mean_only=True, max_log_scale=2.0, n_squeeze=3, prenet=False),
    "no positions": dataclasses.replace(GLOW_TTS, relative_positions=False),
    "no window": dataclasses.replace(GLOW_TTS, window_size=0, n_heads=4, dilation_growth=2, max_log_scale=1.0),
}


def random_model(config, seed=0):
    """A model in which nothing is left at zero, so that every part of it counts."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build(config)
        with torch.no_grad():
            for parameter in model.parameters():
                if not parameter.any():
                    parameter.normal_(0.0, 0.05)
            for name, buffer in model.named_buffers():
                if "initialised" in name:
                    buffer.fill_(True)
    return model.eval()
