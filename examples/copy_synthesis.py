"""Analyse a recording into a mel spectrogram and speak it again, without a trained model.

    python examples/copy_synthesis.py recording.wav out/again.wav

Griffin-Lim finds a phase for the mel: the baseline that a vocoder has to beat. Needs no PyTorch.
"""

import argparse
from pathlib import Path

from glowvox import Audio
from glowvox.audio.files import read_audio
from glowvox.audio.griffin_lim import griffin_lim
from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig


def main() -> None:
    """Speak the recording again."""
    parser = argparse.ArgumentParser(description="Speak a recording again by Griffin-Lim.")
    parser.add_argument("recording", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()

    contract = AudioConfig()
    samples, rate = read_audio(args.recording, contract.sample_rate)
    mel = MelTransform(contract)(samples)
    again = Audio(griffin_lim(mel, contract, length=len(samples)), rate)

    args.output.parent.mkdir(parents=True, exist_ok=True)
    again.save(args.output)
    print(f"{mel.shape[1]} frames of {mel.shape[0]} mel bins, {again.duration:.2f} s: {args.output}")


if __name__ == "__main__":
    main()
