"""Fixtures of the tests of synthesis."""

import pytest
from random_vocoders import CONFIGURATIONS, random_model

from glowvox.engines.torch_engine import TorchVocoder


@pytest.fixture(scope="session")
def engine_of():
    """Return the (cached) engine of a configuration by its name."""
    engines: dict[str, TorchVocoder] = {}

    def find(name: str) -> TorchVocoder:
        if name not in engines:
            engines[name] = TorchVocoder(random_model(CONFIGURATIONS[name]))
        return engines[name]

    return find
