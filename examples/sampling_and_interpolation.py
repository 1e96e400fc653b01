"""One text, many ways to say it: temperature, noise, paths between them, and latents changed by hand.

    python examples/sampling_and_interpolation.py "Any text." out/ --model runs/acoustic --vocoder runs/vocoder/best

Each part writes sound files to compare. Needs PyTorch (extra: train).
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glowvox import Audio
from glowvox.align.prior import filled_frames, position_noise
from glowvox.engines.choose import load_vocoder
from glowvox.evaluate.batch_alignment import open_aligner
from glowvox.synthesis.vocoder import Vocoder


def between(first: NDArray[np.float32], second: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Return noise on the way from one to another. On the straight way it would be too quiet in the middle.

    Args:
        first: [M, T], standard normal.
        second: [M, T], standard normal and independent.
        share: 0: the first; 1: the second.
    """
    angle = 0.5 * np.pi * share
    return np.cos(angle, dtype=np.float32) * first + np.sin(angle, dtype=np.float32) * second


def main() -> None:
    """Write all variants."""
    parser = argparse.ArgumentParser(description="Sample and interpolate what a Glow-TTS says.")
    parser.add_argument("text")
    parser.add_argument("output", type=Path, help="folder for the sound files")
    parser.add_argument("--model", required=True, help="a Glow-TTS: voice, model folder or run")
    parser.add_argument("--vocoder", required=True, help="model folder, run or exported graph")
    args = parser.parse_args()
    aligner = open_aligner(args.model)
    engine = aligner.engine
    vocoder = Vocoder(load_vocoder(args.vocoder))
    args.output.mkdir(parents=True, exist_ok=True)

    # The text's side of the model: a mean for each token and how long it lasts, spread over frames. A token that
    # lasts twice as long is as simple as `frames[7] *= 2`.
    read = aligner.reader.read(args.text)
    frames = filled_frames(np.maximum(1, np.round(read.expected_frames)).astype(np.int64), engine.n_squeeze)
    mean, deviation = (np.repeat(part, frames, axis=1) for part in (read.mean, np.exp(read.log_std)))
    channels, length = mean.shape
    speakers = range(engine.n_speakers)

    def say(name: str, latent: NDArray[np.float32], speaker: int = 0) -> None:
        who = np.array([speaker]) if engine.n_speakers > 1 else None
        mel = engine.decode(latent[None].astype(np.float32), np.array([length]), who)[0]
        Audio(vocoder(mel), engine.audio.sample_rate).save(args.output / f"{name}.wav")
        print(f"{name}: mel level {mel.mean():.2f}, movement {np.abs(np.diff(mel)).mean():.3f}")

    # Temperature: how far from the mean the latent is drawn. 0 is the most likely mel, flat; 1 is what the model
    # believes people do.
    noise = position_noise(1, channels, length)
    for temperature in (0.0, 0.333, 0.667, 1.0):
        say(f"temperature-{temperature:g}", mean + temperature * deviation * noise)

    # From one way of saying it to another: noise of the same length all the way
    other = position_noise(2, channels, length)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        say(f"between-{share:g}", mean + 0.667 * deviation * between(noise, other, share))

    # A latent changed by hand: one word said calmly amid a lively sentence
    starts = np.concatenate([[0], np.cumsum(frames)])
    tokens = read.requests[0].tokens
    middle = max(tokens.words) // 2
    place = [token for token, word in enumerate(tokens.words) if word == middle]
    latent = mean + 1.0 * deviation * noise
    calm = slice(starts[place[0]], starts[place[-1] + 1])
    latent[:, calm] = mean[:, calm]
    say("one-calm-word", latent)

    # Speakers: the same latent, the same timing, other voices
    for number in speakers if engine.n_speakers > 1 else ():
        say(f"speaker-{aligner.speakers[number]}", mean + 0.667 * deviation * noise, number)

    # Between speakers: their vectors are rows of a table, so a row in between is a voice in between
    if engine.n_speakers > 1:
        from glowvox import load_model
        from glowvox.engines.torch_engine import TorchAcoustic

        folder = Path(args.model) / "acoustic"  # where a voice keeps its model
        for share in (0.25, 0.5, 0.75):
            model = load_model(folder if folder.is_dir() else args.model)
            rows = model.speakers.weight.data
            rows[0] = (1 - share) * rows[0] / rows[0].norm() + share * rows[1] / rows[1].norm()
            engine = TorchAcoustic(model)
            say(f"between-speakers-{share:g}", mean + 0.667 * deviation * noise)


if __name__ == "__main__":
    main()
