"""Honest checkpoints of every kind are read right."""

import argparse
import collections
import contextlib
import datetime
import pathlib
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from glowvox.checkpoint.foreign import open_foreign
from glowvox.checkpoint.pickle_machine import LazyTensor, Record
from glowvox.checkpoint.torch_files import read_torch_file
from glowvox.errors import CheckpointError

TENSORS = {
    "plain": torch.arange(12.0).view(3, 4),
    "transposed": torch.arange(12.0).view(3, 4).t(),
    "slice": torch.arange(40.0)[3:30:3],
    "scalar": torch.tensor(2.5),
    "empty": torch.empty(0, 3),
    "double": torch.linspace(0, 1, 5, dtype=torch.float64),
    "half": torch.linspace(-2, 2, 7).half(),
    "bfloat16": torch.linspace(-2, 2, 7).bfloat16(),
    "long": torch.tensor([1, -(2**40)]),
    "int": torch.tensor([1, -7], dtype=torch.int32),
    "short": torch.tensor([1, -7], dtype=torch.int16),
    "char": torch.tensor([1, -7], dtype=torch.int8),
    "byte": torch.tensor([1, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "parameter": nn.Parameter(torch.ones(2, 3)),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_of_every_type_and_layout(tmp_path: Path, zipped: bool, protocol: int) -> None:
    path = tmp_path / "x.pt"
    torch.save(TENSORS, path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    found = read_torch_file(path)
    assert list(found) == list(TENSORS)
    for name, expected in TENSORS.items():
        values = found[name].read()
        assert values.shape == tuple(expected.shape), name
        assert values.flags.c_contiguous and values.flags.writeable
        torch.testing.assert_close(torch.from_numpy(values).double(), expected.detach().double(), rtol=0, atol=0)


@pytest.mark.parametrize("zipped", [True, False])
def test_plain_values_of_training_checkpoints(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "x.pt"
    value = {
        "iteration": 12345678901,
        "loss": [0.5, float("inf"), None, True],
        "numpy": np.float64(1.5),
        "numpy32": np.float32(0.25),
        "count": np.int64(-3),
        "options": argparse.Namespace(lr=0.1, name="é漢"),
        "sizes": torch.Size([1, 2]),
        "names": {"a", "b"},
        "folder": pathlib.PurePosixPath("/x/y"),
        "when": datetime.timedelta(days=1),
        "device": torch.device("cpu"),
        "type": torch.float32,
        "state": collections.defaultdict(dict, {1: {"step": 3}}),
        "bytes": b"\x00\xff",
        "array": np.arange(3.0),
        "big": 2**70,
    }
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    found = read_torch_file(path)
    for name in ("iteration", "loss", "numpy", "numpy32", "count", "names", "bytes", "big"):
        assert found[name] == value[name]
    assert found["sizes"] == (1, 2)
    assert found["options"].state == {"lr": 0.1, "name": "é漢"}
    assert found["state"] == {1: {"step": 3}}
    for name in ("folder", "when", "device", "array"):
        assert isinstance(found[name], Record)


def _module_of_a_missing_package() -> nn.Module:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.width = 5
            self.first = nn.Conv1d(2, 3, 1)
            self.more = nn.ModuleList([nn.Linear(2, 2), nn.BatchNorm1d(2)])

    Net.__module__, Net.__qualname__ = "gone_package.net", "Net"
    return Net()


def test_module_of_a_class_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = _module_of_a_missing_package()
    module = types.ModuleType("gone_package.net")
    module.Net = type(net)  # type: ignore[attr-defined]
    state = net.state_dict()
    for wrapped, zipped in ((net, True), (nn.DataParallel(net), True), (net, False)):
        with monkeypatch.context() as context:
            context.setitem(sys.modules, "gone_package", types.ModuleType("gone_package"))
            context.setitem(sys.modules, "gone_package.net", module)
            # the older format stores the source of the class too, and warns that it cannot find it
            with contextlib.nullcontext() if zipped else pytest.warns(UserWarning):
                torch.save({"model": wrapped}, tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
        assert "gone_package" not in sys.modules
        found = open_foreign(tmp_path / "m.pt")
        assert set(found.tensors) == set(state)
        for name, values in found.read().items():
            np.testing.assert_array_equal(values, state[name].numpy())
        assert found.attributes["width"] == 5
        assert found.classes["more.0"] == "torch.nn.modules.linear.Linear"


def test_shared_storage_is_read_for_each_tensor(tmp_path: Path) -> None:
    base = torch.arange(6.0)
    torch.save({"all": base, "tail": base[4:], "pair": base.view(2, 3)[:, 1]}, tmp_path / "x.pt")
    found = read_torch_file(tmp_path / "x.pt")
    assert found["tail"].read().tolist() == [4.0, 5.0]
    assert found["pair"].read().tolist() == [1.0, 4.0]


def test_reading_imports_neither_torch_nor_the_named_package(golden: Path) -> None:
    code = (
        "import sys; from glowvox.checkpoint.foreign import open_foreign; "
        f"open_foreign({str(golden / 'waveglow_tiny.official.pt')!r}).read(); "
        "assert 'torch' not in sys.modules and 'glow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_damaged_storage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save({"w": torch.full((1000,), 1.25)}, path)
    content = bytearray(path.read_bytes())
    place = content.find(np.float32(1.25).tobytes() * 10)
    content[place + 100] ^= 1
    path.write_bytes(content)
    value = read_torch_file(path)["w"]
    assert isinstance(value, LazyTensor)
    with pytest.raises(CheckpointError, match="checksum"):
        value.read()


def test_the_tensors_of_a_checkpoint_with_its_optimiser_are_the_models(tmp_path: Path) -> None:
    net = nn.Linear(3, 2)
    optimiser = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    content = {"state_dict": net.state_dict(), "optimizer": optimiser.state_dict(), "global_step": 9}
    torch.save(content, tmp_path / "x.pt")
    found = open_foreign(tmp_path / "x.pt")
    assert {name: tensor.shape for name, tensor in found.tensors.items()} == {"weight": (2, 3), "bias": (2,)}
    assert found.steps == 9


@pytest.mark.parametrize("value", [{}, [], 3, {"a": 1}, torch.ones(3), {"model": {"a": 1}}])
def test_a_file_without_a_model_says_so(tmp_path: Path, value: object) -> None:
    torch.save(value, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=r"x\.pt: it holds no model"):
        open_foreign(tmp_path / "x.pt")


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2), "b": torch.tensor([1.0, float("nan")])}, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match="not finite"):
        open_foreign(tmp_path / "x.pt").read()
