"""A small data set of synthetic speech-like sound, prepared as the trainer reads it."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig

TEXTS = ("Hello there.", "A small test.", "One more of them.", "The last of all.")


def buzz(seconds: float, seed: int) -> np.ndarray:
    """A pulse train through a wandering filter with noise: harmonic and noisy parts, like speech."""
    generator = np.random.default_rng(seed)
    time = np.arange(int(seconds * 22050)) / 22050
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / 22050
    harmonics = sum(np.cos(k * phase) / k for k in range(1, 20))
    envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 2.5 * time) ** 2
    return (0.08 * envelope * harmonics + 0.005 * generator.standard_normal(len(time))).astype(np.float32)


def write_prepared(folder: Path) -> Path:
    """Fill a folder that is there with three clips to train on and one for validation."""
    config = AudioConfig()
    (folder / "clips").mkdir()
    rows = {"train": [], "validation": []}
    for number, text in enumerate(TEXTS):
        samples = buzz(1.6, number)
        samples = samples[: len(samples) // config.hop_length * config.hop_length]
        mel = MelTransform(config)(samples)[:, : len(samples) // config.hop_length]
        name = f"clip{number}"
        arrays = {"samples": (samples * 32767).astype(np.int16), "mel": np.ascontiguousarray(mel)}
        save_file(arrays, folder / "clips" / f"{name}.safetensors")
        row = {
            "id": name,
            "text": text,
            "speaker": "buzz",
            "language": "en-us",
            "samples": len(samples),
            "frames": mel.shape[1],
            "file": f"clips/{name}.safetensors",
            "gain": 1.0,
        }
        rows["validation" if number == len(TEXTS) - 1 else "train"].append(row)
    for split, entries in rows.items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in entries))
    audio = {**vars(config), "fingerprint": config.fingerprint()}
    (folder / "dataset.json").write_text(json.dumps({"format_version": 1, "audio": audio, "language": "en-us"}))
    return folder
