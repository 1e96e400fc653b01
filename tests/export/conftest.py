"""Folders of small random models."""

import pytest
from export_models import ACOUSTIC_CONFIGS, random_model, vocoder_configs

from glowvox.checkpoint.model_folder import save_model


@pytest.fixture(scope="session")
def vocoder_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "vocoder"
    save_model(random_model(vocoder_configs()["lapped-small"]), folder, provenance={"licence": "CC0"}, steps=7)
    return folder


@pytest.fixture(scope="session")
def acoustic_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "acoustic"
    text = {"tokenizer": {"symbols": ["a", "b"]}, "speakers": ["x", "y", "z"]}
    save_model(random_model(ACOUSTIC_CONFIGS["speakers"]), folder, provenance={"text": text})
    return folder
