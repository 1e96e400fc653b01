"""A Glow-TTS finds the alignment of made-up speech by itself, on the best path and on the sum over all."""

import pytest
import torch
from torch import Tensor

from glowvox.config.audio import AudioConfig
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.models.glow_tts import GlowTTS


def made_up_speech(items: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Each of six symbols sounds its own way and lasts 2 to 5 frames; returns the true durations too."""
    sounds = 2.0 * torch.randn(6, 8, generator=torch.Generator().manual_seed(9))
    token_lengths = torch.randint(4, 9, (items,), generator=generator)
    real = torch.arange(8) < token_lengths[:, None]
    # Neighbours differ, so that the boundary between them can be heard.
    tokens = torch.randint(1, 6, (items, 8), generator=generator).cumsum(1) % 6
    durations = torch.randint(1, 3, (items, 8), generator=generator) + 1 + tokens // 2
    durations = durations * real
    mel_lengths = durations.sum(1)
    mel = torch.zeros(items, 8, int(mel_lengths.max()))
    for item in range(items):
        spoken = sounds[tokens[item].repeat_interleave(durations[item])].T
        mel[item, :, : spoken.shape[1]] = spoken + 0.3 * torch.randn(spoken.shape, generator=generator)
    return tokens, token_lengths, mel, mel_lengths, durations


@pytest.mark.parametrize("sum_paths", [False, True])
def test_alignment_is_learned(sum_paths: bool) -> None:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    model = GlowTTS(
        GlowTTSConfig(
            audio=AudioConfig(n_mels=8),
            n_symbols=6,
            hidden_channels=24,
            filter_channels=32,
            duration_channels=16,
            n_encoder_layers=1,
            decoder_channels=16,
            n_blocks=2,
            n_layers=2,
            mean_only=True,
        )
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(60):
        inputs = made_up_speech(8, generator)[:4]
        output = model(*inputs, sum_paths=sum_paths)
        if output.path_sum is None:
            nats = output.log_det - 0.5 * (output.latent - output.mean).square().sum((1, 2))
        else:
            nats = output.log_det + output.path_sum
        duration = (output.log_duration - output.log_duration_target).square().sum() / output.token_mask.sum()
        optimiser.zero_grad()
        (duration - nats.sum() / output.mel_lengths.sum() / 8).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
    model.eval()
    *inputs, durations = made_up_speech(16, generator)
    with torch.no_grad():
        output = model(*inputs)
        spoken = model.inverse(*inputs[:2])
    # Where each token ends: the squeeze joins two frames, so one frame of doubt remains.
    ends, found = durations.cumsum(1), output.alignment.sum(2).cumsum(1)
    near = ((ends - found).abs() <= 1) | (durations == 0)
    assert near.float().mean() > 0.97
    error = (spoken.durations - durations).abs().sum() / durations.sum()
    assert error < 0.3
