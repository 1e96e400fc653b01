"""A small data set whose segments are read from a device."""

from pathlib import Path

import pytest
from tiny_data import write_prepared


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared(tmp_path_factory.mktemp("prepared"))
