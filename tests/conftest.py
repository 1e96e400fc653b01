"""Fixtures of the whole suite."""

import os
from pathlib import Path

import pytest

os.environ["GLOWVOX_CACHE"] = "off"
"""Tests leave nothing in the user's folders; those of the cache name one of their own."""


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and reference vectors that lies outside the repository."""
    folder = Path(os.environ.get("GLOWVOX_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))
    if not (folder / "speech").is_dir():
        pytest.skip(f"no recordings at {folder} (set GLOWVOX_SHARED)")
    return folder
