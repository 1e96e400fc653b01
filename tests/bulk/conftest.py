"""A tiny voice that needs no PyTorch to speak, and manifests to speak."""

import dataclasses
import json
from pathlib import Path

import pytest
from tiny_voice import card, write_tiny_voice

from glowvox.export.export_model import export_model
from glowvox.synthesis.voice_card import VocoderCard
from glowvox.synthesis.voice_folder import GRAPHS, write_voice


@pytest.fixture(scope="session")
def exported_voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a voice with graphs alone, two speakers."""
    place = tmp_path_factory.mktemp("voice")
    write_tiny_voice(place / "plain", place / "models", speakers=("ann", "bob"))
    for part in ("acoustic", "vocoder"):
        export_model(place / "models" / part, place / "graphs")
    content = json.loads((place / "plain" / "voice.json").read_text(encoding="utf-8"))
    own = dataclasses.replace(
        card(name="tiny", speakers=("ann", "bob")),
        vocoder=VocoderCard(card().mel, 256, content["vocoder"]["receptive_field"]),
    )
    write_voice(place / "tiny", own, {name: place / "graphs" / name for name in GRAPHS})
    return place / "tiny"
