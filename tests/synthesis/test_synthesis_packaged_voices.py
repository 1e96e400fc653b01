"""The voices inside the package: small enough for a wheel, and described."""

import zlib
from pathlib import Path

import pytest

import glowvox
from glowvox.synthesis.installed_voices import packaged_folder
from glowvox.synthesis.voice_card import read_voice_card

LARGEST_WHEEL = 40_000_000
VOICES = sorted(path.parent for path in packaged_folder().glob("*/voice.json"))


def test_the_package_fits_into_a_wheel_of_40_megabytes() -> None:
    """A wheel deflates its files one by one, a little better than level 1 does."""
    files = [
        path for path in Path(glowvox.__file__).parent.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sum(len(zlib.compress(path.read_bytes(), 1)) for path in files) < LARGEST_WHEEL


@pytest.mark.parametrize("folder", VOICES, ids=lambda folder: folder.name)
def test_the_card_says_what_a_user_must_know(folder: Path) -> None:
    card = read_voice_card(folder)
    assert card.name == folder.name
    assert card.licence == "CC0-1.0" and card.provenance["data"] and card.description
    for part in ("acoustic", "vocoder"):
        assert card.provenance[part]["hours"] > 0 and card.provenance[part]["steps"] > 0
    assert card.provenance["weaknesses"]
    assert {"wer", "rtf", "first_audio_ms", "skips"} <= set(card.quality["voice"]["systems"][card.name])
    assert any({"pesq", "stoi", "mcd"} <= set(figures) for figures in card.quality["vocoder"]["systems"].values())
