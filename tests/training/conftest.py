"""A small data set of synthetic speech-like sound, prepared as the trainer reads it."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tiny_runs import buzz

from glowvox.audio.mel import MelTransform
from glowvox.config.audio import AudioConfig

TEXTS = ("Hello there.", "A small test.", "One more of them.", "The last of all.")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
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
