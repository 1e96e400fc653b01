"""Hostile and damaged checkpoints are refused with one line, quickly, and nothing in them runs."""

import os
import random
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch_files import call, group, legacy_file, name, number, program, storage, tensor, text, zip_file

from glowvox.checkpoint.foreign import open_foreign
from glowvox.checkpoint.pickle_machine import LazyTensor
from glowvox.checkpoint.torch_files import read_torch_file
from glowvox.errors import CheckpointError

FLOATS = struct.pack("<4f", 1, 2, 3, 4)


def refused(path: Path, read: Callable[[Path], object] = read_torch_file, *, megabytes: int = 100) -> str:
    """Check that a file is refused as it should be, and return the message."""
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError) as caught:
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 500 and message.isprintable(), message
    assert str(path) in message
    assert peak < megabytes * 1e6
    return message


class _Runs:
    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("function", [os.system, eval, exec, os.mkdir, getattr, print, __import__, nn.Linear])
def test_calls_are_refused_and_do_not_happen(tmp_path: Path, function: Callable[..., object], zipped: bool) -> None:
    canary = tmp_path / "canary"
    argument = {os.system: f"touch {canary}", os.mkdir: str(canary)}.get(function, f"open({str(canary)!r}, 'w')")
    path = tmp_path / "evil.pt"
    value = {"model": {"a": torch.ones(2), "b": _Runs(function, argument)}}
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    message = refused(path)
    assert function.__name__ in message and "hostile" in message
    assert not canary.exists()


@pytest.mark.parametrize(
    "instructions",
    [
        name("os", "system") + text("true") + b"\x85R",
        name("subprocess", "Popen") + group([text("true")]) + b"\x81",
        name("builtins", "eval"),
        text("builtins") + text("eval") + b"\x93",
        text("os.path") + text("os.system") + b"\x93",
        text("glow") + text("x" * 500) + b"\x93",
        text("glow") + text("a\n\x1b[31m") + b"\x93",
        number(3) + text("eval") + b"\x93",
        call("torch.hub", "load", text("a/b")),
        call("numpy.testing", "runstring", text("1")),
        call("torch._utils", "_rebuild_tensor_v2"),
        call("torch._tensor", "_rebuild_from_type_v2", name("os.path", "join"), number(1), group([]), number(0)),
        call("torch._tensor", "_rebuild_from_type_v2", name("glow", "run"), number(1), group([]), number(0)),
        call("_codecs", "encode", text("a"), text("rot13")),
        call("copyreg", "_reconstructor", number(1), number(1), number(1)),
        call("numpy.core.multiarray", "scalar", call("numpy", "dtype", text("O8")), text("a")),
        call("collections", "OrderedDict", number(4)),
        call("builtins", "set", group([group([number(1)])])),
        b"(" + text("true") + b"ios\nsystem\n",
        b"(" + name("os", "system") + text("true") + b"o",
        b"\x82\x01",
        number(1) + b"Q",
        group([text("storage"), name("torch", "FloatStorage"), text("../../x"), text("cpu"), number(4)]) + b"Q",
        group([text("storage"), name("torch", "EvilStorage"), text("0"), text("cpu"), number(4)]) + b"Q",
        group([text("storage"), name("torch", "FloatStorage"), number(0), text("cpu"), number(4)]) + b"Q",
        group([text("module"), number(1), text("a"), text("b")]) + b"Q",
        number(1) + b"}b",
        number(1) + number(2) + b"a",
        b"}" + group([number(1)]) + number(2) + b"s",
        b"}(" + number(1) + b"u",
        b"\x8f(]\x90",
        b"(]\x91",
        b"h\x07",
        b"0",
        b"t",
        b"\x87",
        b"\xff",
        b"\x80\x09N",
        b"X\x02\x00\x00\x00\xff\xfe",
        b"cglow\n\xff\xfe\n",
        b"c" + b"a" * 1000,
    ],
)
def test_wrong_instructions(tmp_path: Path, instructions: bytes) -> None:
    refused(zip_file(tmp_path / "z.pt", program(instructions), {"0": FLOATS}))
    refused(legacy_file(tmp_path / "l.pt", program(instructions)))


@pytest.mark.parametrize(
    "instructions",
    [
        b"(" * 2000 + b"t" * 2000,
        b"]" * 200_000 + b"a" * 199_999,
        b"N" + b"\x85" * 200_000,
        b"}" * 300_000,
        b"N" + b"2" * 900_000,
        b"\x8f" * 300_000,
        # billions of entries by sharing, as a key: hashing it would take for ever
        b"})" + b"2\x86" * 60 + b"Ns",
        # a long list copied again and again
        b"](" + b"N" * 50_000 + b"e" + b"q\x00" + (name("torch", "Size") + b"h\x00\x85R") * 2000,
        text("a" * 1_000_000) + b"q\x00" + (name("_codecs", "encode") + b"h\x00\x85R") * 1000,
        b"Nr\xff\xff\xff\xff" + b"j\xfe\xff\xff\xff",
        b"\x8b\xff\xff\xff\x7f",
        b"\x8a\xff" + b"\x01" * 255,
        b"X\xff\xff\xff\xff",
        b"\x8d" + b"\xff" * 8,
        b"\x8e" + b"\xff" * 7 + b"\x7f",
        b"B\xff\xff\xff\x7f",
        b"T\xff\xff\xff\x7f",
    ],
    ids=lambda value: value[:8].hex(),
)
def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instructions: bytes) -> None:
    monkeypatch.setattr("glowvox.checkpoint.pickle_machine.STEP_BUDGET", 400_000)
    refused(zip_file(tmp_path / "z.pt", program(instructions)), megabytes=30)


def test_the_longest_pickle_takes_seconds(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "z.pt", program(b"}" * 5_000_000))
    begin = time.monotonic()
    with pytest.raises(CheckpointError, match="steps"):
        read_torch_file(path)
    assert time.monotonic() - begin < 30


def test_module_shared_two_to_the_sixtieth_times(tmp_path: Path) -> None:
    names = b"}" + text("_parameters") + b"}s" + text("_modules")
    module = name("glow", "WaveGlow") + b")\x81" + names + b"}sb"
    for index in range(60):
        put, get = b"r" + struct.pack("<I", 1000 + index), b"j" + struct.pack("<I", 1000 + index)
        inner = b"}" + text("a") + get + b"s" + text("b") + get + b"s"
        module += put + b"0" + name("glow", "WaveGlow") + b")\x81" + names + inner + b"sb"
    path = zip_file(tmp_path / "z.pt", program(module))
    assert "nested" in refused(path, open_foreign)


def test_module_that_contains_itself(tmp_path: Path) -> None:
    module = (
        name("glow", "WaveGlow") + b")\x81q\x00}" + text("_parameters") + b"}s"
        + text("_modules") + b"}" + text("again") + b"h\x00ssb"
    )  # fmt: skip
    refused(zip_file(tmp_path / "z.pt", program(module)), open_foreign)


@pytest.mark.parametrize(
    ("shape", "stride", "offset", "size"),
    [
        ((5,), (1,), 0, 4),
        ((4,), (1,), 1, 4),
        ((2, 2), (3, 1), 0, 4),
        ((2,), (-1,), 1, 4),
        ((-1,), (1,), 0, 4),
        ((1,), (1,), -1, 4),
        ((1 << 40,), (0,), 0, 4),
        ((1 << 60, 0), (1, 1), 0, 4),
        ((1,), (1 << 62,), 0, 4),
        ((1 << 62, 1 << 62, 1 << 62), (0, 0, 0), 0, 4),
        ((1,) * 17, (1,) * 17, 0, 4),
        ((2, 2), (1,), 0, 4),
        ((4,), (1,), 0, 1 << 40),
        ((4,), (1,), 0, 5),
        ((4,), (1,), 0, 3),
        ((4,), (1,), 0, -4),
    ],
)
def test_tensors_outside_their_storage(
    tmp_path: Path, shape: tuple[int, ...], stride: tuple[int, ...], offset: int, size: int
) -> None:
    description = program(tensor(shape, stride, offset, size=size))
    refused(zip_file(tmp_path / "z.pt", description, {"0": FLOATS}))
    refused(legacy_file(tmp_path / "l.pt", description, {"0": (size if 0 <= size < 99 else 4, FLOATS)}))


def test_tensors_that_unfold_to_many_times_the_file(tmp_path: Path) -> None:
    count = 1 << 21
    one = tensor((count,), (1,), size=count)
    path = zip_file(tmp_path / "z.pt", program(b"](" + one * 40 + b"e"), {"0": bytes(4 * count)})
    value = read_torch_file(path)
    with pytest.raises(CheckpointError, match="unfold"):
        for item in value:
            item.read()


def test_zip_tricks(tmp_path: Path) -> None:
    path = tmp_path / "z.pt"
    good = program(tensor((4,), (1,)))
    assert "compressed" in refused(zip_file(path, good, {"0": FLOATS}, compression=zipfile.ZIP_DEFLATED))
    bomb = zip_file(path, good, {"0": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED)
    assert "compressed" in refused(bomb)
    with zipfile.ZipFile(zip_file(path, good, {"0": FLOATS}), "a") as archive, pytest.warns(UserWarning):
        archive.writestr("archive/data/0", FLOATS)
    assert "two entries" in refused(path)
    for inside in ("../evil", "/etc/evil", "archive/../../evil", "C:/evil"):
        with zipfile.ZipFile(zip_file(path, good, {"0": FLOATS}), "a") as archive:
            archive.writestr(inside, b"x")
        assert "evil" in refused(path)
    with zipfile.ZipFile(zip_file(path, good, {"0": FLOATS}), "a") as archive:
        archive.writestr("archive/code/model.py", b"x")
    assert "TorchScript" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", b"x")
    assert "data.pkl" in refused(path)
    assert "is not in the file" in refused(zip_file(path, good, {"1": FLOATS}))


def test_zip_with_a_huge_directory(tmp_path: Path) -> None:
    path = tmp_path / "z.pt"
    with zipfile.ZipFile(zip_file(path, program(b"N")), "a") as archive:
        for index in range(200):
            archive.writestr(f"archive/{index}" + "x" * 60_000, b"")
    assert "directory" in refused(path)


def test_zip_entries_that_overlap(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "z.pt", program(b"N"), {"0": bytes(1000), "1": bytes(1000)})
    content = bytearray(path.read_bytes())
    for place in range(len(content) - 46):
        if content[place : place + 4] == b"PK\x01\x02":
            content[place + 20 : place + 28] = struct.pack("<II", 2000, 2000)
    path.write_bytes(content)
    refused(path)


def test_files_that_are_something_else(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    assert "no such file" in refused(path)
    assert "is a folder; name the checkpoint's file in it" in refused(tmp_path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    assert "pointer of Git LFS" in refused(path)
    path.write_bytes(b"")
    assert "empty" in refused(path)
    for content in (
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"\x80\x02}q\x00.",
        b"PK\x03\x04",
        b"PK\x03\x04" * 500,
        b"{}\n" * 9,
    ):
        path.write_bytes(content)
        refused(path)
    rng = random.Random(1)
    for length in (1, 10, 1000, 100_000):
        path.write_bytes(rng.randbytes(length))
        refused(path)
        path.write_bytes(b"PK\x03\x04" + rng.randbytes(length))
        refused(path)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, bytes]:
    """A small checkpoint in both formats, by whether it is a zip."""
    net = nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3))
    files = {}
    for zipped in (True, False):
        path = tmp_path_factory.mktemp("honest") / "x.pt"
        content = {"model": net, "iteration": 5, "half": torch.ones(3).half(), "names": {"a"}}
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        files[zipped] = path.read_bytes()
    return files


def read_everything(path: Path) -> None:
    """Do with a file all that a conversion would."""
    for tensor_ in open_foreign(path).tensors.values():
        if isinstance(tensor_, LazyTensor):
            tensor_.read()


@pytest.mark.parametrize("zipped", [True, False])
def test_truncated_anywhere(tmp_path: Path, honest: dict[bool, bytes], zipped: bool) -> None:
    content = honest[zipped]
    path = tmp_path / "x.pt"
    for length in sorted({*range(0, len(content), max(1, len(content) // 150)), len(content) - 1}):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError):
            read_everything(path)


@pytest.mark.parametrize("kind", ["zip", "legacy", "description"])
def test_mutated_at_random(tmp_path: Path, honest: dict[bool, bytes], kind: str) -> None:
    rng = random.Random(20)
    path = tmp_path / "x.pt"
    original = honest[kind != "legacy"]
    storages: dict[str, bytes] = {}
    if kind == "description":  # the checksum of a zip would catch what the pickle machine must survive by itself
        path.write_bytes(original)
        with zipfile.ZipFile(path) as archive:
            parts = {entry.split("/", 1)[1]: archive.read(entry) for entry in archive.namelist()}
        original = parts["data.pkl"]
        storages = {part.removeprefix("data/"): parts[part] for part in parts if part.startswith("data/")}
    opened = 0
    for _ in range(400):
        content = bytearray(original)
        for _ in range(rng.choice((1, 1, 2, 8))):
            action, place = rng.randrange(4), rng.randrange(len(content))
            if action == 0:
                content[place] = rng.randrange(256)
            elif action == 1:
                del content[place : place + rng.randrange(1, 9)]
            elif action == 2:
                content[place:place] = rng.randbytes(rng.randrange(1, 9))
            else:
                content[place] ^= 1 << rng.randrange(8)
        if kind == "description":
            zip_file(path, bytes(content), storages)
        else:
            path.write_bytes(content)
        try:
            read_everything(path)
            opened += 1
        except CheckpointError as error:
            assert "\n" not in str(error)
    assert opened < 400


def test_storage_instructions_of_the_tests_are_right(tmp_path: Path) -> None:
    """The attacks above start from this file, which opens."""
    assert read_torch_file(zip_file(tmp_path / "z.pt", program(tensor((4,), (1,))), {"0": FLOATS})).read().tolist()
    path = legacy_file(tmp_path / "l.pt", program(storage() + b"0" + tensor((2, 2), (1, 2))), {"0": (4, FLOATS)})
    assert read_torch_file(path).read().tolist() == [[1.0, 3.0], [2.0, 4.0]]
