"""What a flow is: audio to noise and back without loss, and the exact likelihood of a recording.

    python examples/exact_flow.py

An untrained WaveGlow is already invertible; training makes its noise Gaussian. Needs PyTorch (extra: train).
"""

import math

import torch

from glowvox.config.audio import AudioConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.models.waveglow import WaveGlow


def main() -> None:
    """Send audio through a small WaveGlow and back, and take its likelihood."""
    torch.manual_seed(0)
    audio_config = AudioConfig()
    model = WaveGlow(WaveGlowConfig(audio_config, n_flows=4, n_early_every=2, n_channels=32, n_skip_channels=32))
    model = model.double().eval()

    frames = 20
    mel = torch.randn(1, audio_config.n_mels, frames, dtype=torch.float64)
    audio = 0.1 * torch.randn(1, frames * audio_config.hop_length, dtype=torch.float64)
    with torch.no_grad():
        for parameter in model.parameters():  # a fresh WaveGlow starts as a rotation; this one shall do something
            parameter.add_(0.02 * torch.randn_like(parameter))
        output = model(audio, mel)
        back = model.inverse(output.latent, mel)
        nats = model.log_likelihood(audio, mel)

    print(f"audio {list(audio.shape)} <-> noise {list(output.latent.shape)}")
    print(f"largest difference after the way there and back: {(back - audio).abs().max().item():.1e}")
    print(f"log-determinant: {output.log_det.item():.4f}")
    print(f"log-likelihood: {nats.item():.1f} nats, {-nats.item() / math.log(2) / audio.shape[1]:.3f} bits per sample")


if __name__ == "__main__":
    main()
