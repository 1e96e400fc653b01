"""The voices inside the package: small enough for a wheel, and described."""

import zlib
from pathlib import Path

import numpy as np
import pytest

import glowvox
from glowvox.synthesis.installed_voices import default_model, find_voice, load_voice, packaged_folder
from glowvox.synthesis.voice_card import read_voice_card

LARGEST_WHEEL = 40_000_000
VOICES = sorted(path.parent for path in packaged_folder().glob("*/voice.json"))


def test_the_package_fits_into_a_wheel_of_40_megabytes() -> None:
    """A wheel deflates its files one by one, a little better than level 1 does."""
    files = [
        path for path in Path(glowvox.__file__).parent.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sum(len(zlib.compress(path.read_bytes(), 1)) for path in files) < LARGEST_WHEEL


def test_one_speaks_where_none_is_named() -> None:
    assert find_voice() == packaged_folder() / "nora"
    assert {folder.name for folder in VOICES} >= {"nora", "kathleen"}
    assert default_model("acoustic") == packaged_folder() / "nora" / "acoustic"
    assert read_voice_card(packaged_folder() / "nora").teachers


@pytest.mark.parametrize("folder", VOICES, ids=lambda folder: folder.name)
def test_a_stream_has_the_samples_of_the_whole(folder: Path) -> None:
    voice = load_voice(folder, engine="onnx")
    text = "A voice says its name, and then a longer sentence, so that there are pieces."
    whole = voice.say(text, seed=1).samples
    pieces = [chunk.samples for chunk in voice.stream(text, seed=1)]
    assert len(pieces) > 2
    off = np.abs(np.concatenate(pieces) - whole) / np.abs(whole).max()
    # in 8 bits, the last digit of a number decides a rounding now and then, on each processor another one
    assert np.mean(off > 1e-5) < 0.1
    assert off.max() < 5e-3


@pytest.mark.parametrize("folder", VOICES, ids=lambda folder: folder.name)
def test_the_card_says_what_a_user_must_know(folder: Path) -> None:
    card = read_voice_card(folder)
    assert card.name == folder.name and card.speakers == (card.name,)
    assert card.licence in ("CC0-1.0", "Apache-2.0") and card.provenance["data"] and card.description
    assert all({"teacher", "version", "licence", "voices"} <= set(teacher) for teacher in card.teachers)
    if card.teachers:
        assert "synthetic" in card.provenance["data"], "who taught a voice stands in plain words too"
    for part in ("acoustic", "vocoder"):
        assert card.provenance[part]["hours"] > 0 and card.provenance[part]["steps"] > 0
    assert card.provenance["weaknesses"]
    measured = {"wer", "rtf", "first_audio_ms", "skips", "distillmos", "dnsmos"}
    assert measured <= set(card.quality["voice"]["systems"][card.name])
    assert any({"pesq", "stoi", "mcd"} <= set(figures) for figures in card.quality["vocoder"]["systems"].values())
