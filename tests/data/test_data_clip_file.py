"""Clip files: safe names, whole or refused."""

import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowvox.data.clips import clip_file_name, read_clip, read_clip_part, read_record, write_clip
from glowvox.errors import DataError

HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "a\0b",
    "%",
    "~",
    "x" * 5000,
    "C:",
    "\udcff",
    ".x",
]


@pytest.mark.parametrize("identifier", HOSTILE)
def test_names_stay_in_their_folder(tmp_path: Path, identifier: str) -> None:
    name = clip_file_name(identifier)
    path = tmp_path / name
    assert path.parent == tmp_path
    assert path.resolve().parent == tmp_path.resolve()
    path.write_bytes(b"")


@given(st.text(max_size=60), st.text(max_size=60))
def test_names_are_distinct_and_plain(first: str, second: str) -> None:
    name = clip_file_name(first)
    assert (name == clip_file_name(second)) == (first == second)
    assert set(name) <= set(string.ascii_letters + string.digits + "_.-%~")
    assert len(name) < 140
    assert not name.startswith(".")


def test_long_names_stay_distinct() -> None:
    assert clip_file_name("x" * 500 + "a") != clip_file_name("x" * 500 + "b")
    assert clip_file_name("LJ001-0001") == "LJ001-0001.safetensors"


def clip(path: Path) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    samples = generator.integers(-(2**15), 2**15, 40, np.int16)
    mel = generator.standard_normal((3, 10)).astype(np.float32)
    write_clip(path, samples, mel[:, ::1], "key", {"seconds": 1.5})
    return samples, mel


def test_round_trip_and_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    samples, mel = clip(path)
    stored_samples, stored_mel = read_clip(path)
    assert np.array_equal(stored_samples, samples)
    assert np.array_equal(stored_mel, mel)
    part_samples, part_mel = read_clip_part(path, 3, 4, 4, 3)
    assert np.array_equal(part_samples, samples[12:28])
    assert np.array_equal(part_mel, mel[:, 3:7])
    assert read_record(path, "key") == {"seconds": 1.5}
    assert read_record(path, "other key") is None
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(DataError, match="out of bounds"):
        read_clip_part(path, 8, 4, 4, 3)
    with pytest.raises(DataError, match="frames 0 to 2"):
        read_clip_part(path, 0, 2, 4, 80)


@pytest.mark.parametrize("size", [0, 7, 40, 200, -1])
def test_damaged_files_are_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.safetensors"
    clip(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match="glowvox prepare"):
        read_clip(path)
    with pytest.raises(DataError, match="glowvox prepare"):
        read_clip_part(path, 0, 1, 4, 3)
    assert read_record(path, "key") is None
    with pytest.raises(DataError, match="glowvox prepare"):
        read_clip(tmp_path / "absent.safetensors")


def test_other_contents_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_clip(path, np.zeros(4, np.float32), np.zeros((2, 2), np.float32), "key", {})
    with pytest.raises(DataError, match="float32"):
        read_clip(path)
