"""A voice of small random models, packed with graphs."""

import dataclasses

from tiny_voice import acoustic_model, vocoder_config

from glowvox.checkpoint.model_folder import save_model
from glowvox.config.audio import AudioConfig
from glowvox.export.voice_export import VoiceDescription, export_voice
from glowvox.models.waveglow import WaveGlow
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer

LIVELY = {"temperature": 0.5, "pitch_range": 1.4, "postfilter": 0.3}
"""How a voice with a melody speaks."""


def make_voice(folder, *, speakers=("ann",), audio=None, melody=False, precision="float32", n_group=256, **vocoder):
    provenance = {
        "text": {
            "tokenizer": Tokenizer().to_dict(),
            "front_ends": {"en-us": load_front_end("en-us").to_dict()},
            "speakers": list(speakers),
        }
    }
    save_model(acoustic_model(len(speakers), audio, melody=melody), folder / "acoustic", provenance=provenance)
    import torch

    config = dataclasses.replace(vocoder_config(), audio=audio or AudioConfig(), n_group=n_group, **vocoder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = WaveGlow(config).eval()
        for parameter in model.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, 0.0, 0.1)
        for name, buffer in model.named_buffers():
            if "initialised" in name:
                buffer.fill_(True)
    save_model(model, folder / "vocoder")
    about = VoiceDescription("tiny", "CC0-1.0", defaults=LIVELY if melody else {})
    parts = folder / "acoustic", folder / "vocoder"
    return export_voice(*parts, folder / "tiny", about, precision=precision).path
