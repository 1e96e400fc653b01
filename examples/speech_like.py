"""Make a recording that behaves like speech: three vowels on a falling pitch, with a hiss between them.

    python examples/speech_like.py out/recording.wav

It needs no voice and no data, so that everything can be tried at once.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glowvox import Audio

SAMPLE_RATE = 22050
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240))
"""The first three resonances in Hz of the vowels in "father", "see" and "boot" (Peterson and Barney, 1952)."""


def speech_like(seconds: float = 2.0, pitch: float = 120.0, seed: int = 0) -> NDArray[np.float32]:
    """Return samples [S] at 22,050 Hz.

    Args:
        seconds: length.
        pitch: fundamental frequency at the beginning, in Hz; it falls by a third.
        seed: of the hiss and the breath.
    """
    noise = np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))
    part = len(noise) // len(VOWELS)
    samples = np.zeros(len(noise))
    for index, resonances in enumerate(VOWELS):
        here = slice(index * part, (index + 1) * part)
        time = np.arange(part) / SAMPLE_RATE
        phase = 2 * np.pi * np.cumsum(pitch * (1 - (index + time / time[-1]) / 9)) / SAMPLE_RATE
        voice = np.zeros(part)
        for harmonic in range(1, 40):
            frequency = harmonic * pitch
            gain = sum(1 / (1 + ((frequency - resonance) / 90) ** 2) for resonance in resonances)
            voice += gain / harmonic**0.5 * np.sin(harmonic * phase)
        rise_and_fall = np.minimum(1, np.minimum(time, time[::-1]) / 0.03)
        voiced = (time < 0.8 * time[-1]).astype(float)
        hiss = np.diff(noise[here], prepend=0.0) * (1 - voiced)
        samples[here] = rise_and_fall * (voice * voiced + 0.15 * hiss) + 0.002 * noise[here]
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)


def main() -> None:
    """Write the recording."""
    parser = argparse.ArgumentParser(description="Make a recording that behaves like speech.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--pitch", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    Audio(speech_like(args.seconds, args.pitch, args.seed), SAMPLE_RATE).save(args.output)
    print(args.output)


if __name__ == "__main__":
    main()
