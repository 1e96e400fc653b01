from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of small reference models."""
    return Path(__file__).resolve().parents[1] / "golden"
