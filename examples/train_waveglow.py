"""The plainest training loop: a WaveGlow that learns from a folder of recordings by its exact likelihood.

    python examples/train_waveglow.py recordings/ models/plain --steps 1000

`glowvox train vocoder` adds what a good voice needs (validation, averaged weights, spectral losses, resuming); this is
what all of it stands on. Needs PyTorch (extra: train).
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch

from glowvox.audio.files import read_audio
from glowvox.audio.mel import MelTransform
from glowvox.checkpoint.model_folder import save_model
from glowvox.config.audio import AudioConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.models.waveglow import WaveGlow

FRAMES = 32
"""Mel frames in a segment."""


def train_waveglow(recordings: Path, steps: int, batch: int = 4, channels: int = 32) -> WaveGlow:
    """Return a small WaveGlow that has learned from all sound files of a folder."""
    contract = AudioConfig()
    transform, hop = MelTransform(contract), contract.hop_length
    clips = [
        transform.whole_frames(read_audio(path, contract.sample_rate)[0]) for path in sorted(recordings.glob("*.wav"))
    ]
    clips = [(samples, mel) for samples, mel in clips if mel.shape[1] >= FRAMES]
    model = WaveGlow(
        WaveGlowConfig(contract, n_flows=6, n_group=16, n_early_every=3, n_channels=channels, n_skip_channels=channels)
    )
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    generator = np.random.default_rng(0)
    for step in range(1, steps + 1):
        audio, mels = [], []
        for index in generator.integers(len(clips), size=batch):
            samples, mel = clips[index]
            first = int(generator.integers(mel.shape[1] - FRAMES + 1))
            audio.append(samples[first * hop : (first + FRAMES) * hop])
            mels.append(mel[:, first : first + FRAMES])
        x, condition = torch.from_numpy(np.stack(audio)).float(), torch.from_numpy(np.stack(mels))
        loss = -model.log_likelihood(x, condition).mean() / x.shape[1]
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step == 1 or step % 50 == 0 or step == steps:
            print(f"step {step}: {loss.item():.3f} nats, {loss.item() / math.log(2):.3f} bits per sample", flush=True)
    return model.eval()


def main() -> None:
    """Train and save; `glowvox vocode --model` speaks with what is saved."""
    parser = argparse.ArgumentParser(description="Train a small WaveGlow in the plainest way.")
    parser.add_argument("recordings", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--steps", type=int, default=1000)
    args = parser.parse_args()

    torch.manual_seed(0)
    save_model(train_waveglow(args.recordings, args.steps), args.output, steps=args.steps)
    print(f"wrote {args.output}; hear it: glowvox vocode RECORDING.wav --model {args.output} -o again.wav")


if __name__ == "__main__":
    main()
