"""Weights that a small vocoder starts from: the envelope, encoder and pitch predictor of another, and new flows.

python recipes/taught-voices/start.py PRESET FROM DATA OUT        (FROM: a model folder, or `default`)
"""

import sys
from pathlib import Path

import torch

from glowvox.checkpoint.model_folder import load_tensors, save_model
from glowvox.config.preset import load_preset
from glowvox.data.batches import SegmentSampler
from glowvox.data.prepared import PreparedData
from glowvox.models.waveglow import WaveGlow
from glowvox.synthesis.installed_voices import model_path

_KEPT = ("scale", "encoder", "pitch")
"""The parts that know of mels, not of flows."""


def main(preset: str, source: str, data: str, target: str) -> None:
    """Write the model's folder, its ActNorms fitted to the data."""
    torch.manual_seed(0)
    model = WaveGlow(load_preset(preset).waveglow)
    own, taken = model.state_dict(), 0
    for name, tensor in load_tensors(model_path(source, "vocoder")).items():
        if name.split(".")[0] in _KEPT and name in own and own[name].shape == tensor.shape:
            own[name].copy_(tensor)
            taken += 1
    batch = SegmentSampler(PreparedData(Path(data)).clips("train")[:200], frames=80, batch_size=16, seed=0).batch(0)
    with torch.no_grad():
        model(torch.from_numpy(batch.samples), torch.from_numpy(batch.mel))
    save_model(model, Path(target), provenance={"envelope_from": source}, steps=0)
    print(f"{taken} tensors taken; {sum(one.numel() for one in model.parameters()) / 1e6:.2f} million parameters")


if __name__ == "__main__":
    main(*sys.argv[1:])
