"""Mel files: round trips, contracts, and everything that may be wrong with a file."""

import json
import os
import pickle

import numpy as np
import pytest
import safetensors.numpy

from glowvox.audio.mel_file import read_mel, write_mel
from glowvox.config.audio import AudioConfig
from glowvox.errors import MelError

CONFIG = AudioConfig(hop_length=128, log="log10")
SUFFIXES = [".npy", ".npz", ".safetensors"]


@pytest.fixture
def mel():
    return np.random.default_rng(0).standard_normal((80, 33)).astype(np.float32)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip(tmp_path, mel, suffix):
    path = tmp_path / f"a{suffix}"
    write_mel(path, mel, CONFIG)
    back, config = read_mel(path)
    np.testing.assert_array_equal(back, mel)
    assert back.dtype == np.float32
    assert config == (None if suffix == ".npy" else CONFIG)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failed_write_keeps_the_old_file(tmp_path, mel, suffix):
    path = tmp_path / f"a{suffix}"
    write_mel(path, mel, CONFIG)
    before = path.read_bytes()
    with pytest.raises(MelError, match="NaN"):
        write_mel(path, np.full((80, 3), np.nan), CONFIG)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((33, 80), np.float32), r"transposed, \[T, M\] = \[33, 80\]"),
        (np.zeros((80, 0), np.float32), "empty"),
        (np.zeros((2, 80, 10), np.float32), "shape"),
        (np.zeros(80, np.float32), "shape"),
        (np.zeros((80, 4), np.int64), "int64"),
        (np.zeros((80, 4), np.complex64), "complex64"),
        (np.full((80, 4), np.inf), "NaN or infinite"),
        (np.full((80, 4), 1e300), "beyond the range"),
        (np.array([[b"x" * 9] * 4] * 80), "floating-point"),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.filterwarnings("ignore:overflow")
def test_refused_arrays(tmp_path, array, message, suffix):
    path = tmp_path / f"a{suffix}"
    (np.save if suffix == ".npy" else np.savez)(path, array)
    with pytest.raises(MelError, match=message) as caught:
        read_mel(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_transposed_with_a_contract(tmp_path, mel):
    config = AudioConfig(n_mels=77)
    path = tmp_path / "a.safetensors"
    contract = {"contract": json.dumps(vars(config)), "fingerprint": config.fingerprint()}
    path.write_bytes(safetensors.numpy.save({"mel": np.zeros((20, 77), np.float32)}, metadata=contract))
    with pytest.raises(MelError, match="transposed"):
        read_mel(path)
    with pytest.raises(MelError, match="transposed"):
        write_mel(path, np.zeros((20, 77), np.float32), config)
    with pytest.raises(MelError, match="80 bins, 77"):
        path.write_bytes(safetensors.numpy.save({"mel": mel}, metadata=contract))
        read_mel(path)


def test_expected_bins_and_a_batch_of_one(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((1, 80, 100), np.float64))
    assert read_mel(path)[0].shape == (80, 100)
    assert read_mel(path, n_mels=80)[0].shape == (80, 100)
    with pytest.raises(MelError, match="transposed"):
        read_mel(path, n_mels=100)
    with pytest.raises(MelError, match="80 bins, 60 are needed"):
        read_mel(path, n_mels=60)


def test_a_changed_contract_is_noticed(tmp_path, mel):
    contract = {**vars(CONFIG), "hop_length": 256}
    path = tmp_path / "a.npz"
    np.savez(path, mel=mel, contract=np.array(json.dumps(contract)), fingerprint=np.array(CONFIG.fingerprint()))
    with pytest.raises(MelError, match="fingerprint"):
        read_mel(path)


@pytest.mark.parametrize("contract", ["{", "[]", '{"hop": 3}', "[" * 100_000, '{"hop_length": -1}'])
def test_a_broken_contract(tmp_path, mel, contract):
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors.numpy.save({"mel": mel}, metadata={"contract": contract, "fingerprint": "0"}))
    with pytest.raises(MelError):
        read_mel(path)


class Explosive:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_pickles_are_not_opened(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"a{suffix}"
    (np.save if suffix == ".npy" else np.savez)(path, np.array([Explosive()], dtype=object), allow_pickle=True)
    with pytest.raises(MelError, match="pickled objects"):
        read_mel(path)
    path.write_bytes(pickle.dumps(Explosive()))
    with pytest.raises(MelError):
        read_mel(path)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_files_give_one_line(tmp_path, mel, suffix):
    path = tmp_path / f"a{suffix}"
    write_mel(path, mel, CONFIG)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    cuts = [whole[:length] for length in (0, 1, 5, 10, 64, 200, len(whole) // 2, len(whole) - 1)]
    for cut in cuts:
        path.write_bytes(cut)
        with pytest.raises(MelError) as caught:
            read_mel(path)
        assert "\n" not in str(caught.value)
    for _ in range(150):
        changed = bytearray(whole)
        for place in rng.integers(0, 300, 3):
            changed[place] = rng.integers(256)
        path.write_bytes(changed)
        try:
            assert read_mel(path)[0].ndim == 2
        except MelError as problem:
            assert "\n" not in str(problem)


def test_huge_claims(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((80, 10), np.float32))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"(80, 10), }          ", b"(80, 99999999999), } "))
    assert b"99999999999" in path.read_bytes()
    with pytest.raises(MelError, match="damaged"):
        read_mel(path)


def test_names(tmp_path, mel):
    for name in ("a.pt", "a.pth"):
        with pytest.raises(MelError, match="PyTorch"):
            read_mel(tmp_path / name)
    with pytest.raises(MelError, match=r"ends in \.npy"):
        write_mel(tmp_path / "a.txt", mel, CONFIG)
    with pytest.raises(MelError, match="no file"):
        read_mel(tmp_path / "a.npy")
    (tmp_path / "d.npy").mkdir()
    with pytest.raises(MelError, match="folder"):
        read_mel(tmp_path / "d.npy")
    with pytest.raises(MelError, match="folder"):
        write_mel(tmp_path / "d.npy", mel, CONFIG)
    with pytest.raises(MelError, match="does not exist"):
        write_mel(tmp_path / "no" / "a.npy", mel, CONFIG)
    np.savez(tmp_path / "two.npz", a=mel, b=mel)
    with pytest.raises(MelError, match="2 arrays"):
        read_mel(tmp_path / "two.npz")
    np.savez(tmp_path / "other.npz", spectrogram=mel)
    assert read_mel(tmp_path / "other.npz")[1] is None
    np.savez(tmp_path / "z.npz", mel=mel)
    (tmp_path / "z.npz").rename(tmp_path / "z.npy")
    with pytest.raises(MelError, match=r"not a \.npy file"):
        read_mel(tmp_path / "z.npy")
