"""Torch checkpoints put together by hand, so that they can be wrong in every way."""

import pickle
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

MAGIC = 0x1950A86A20F9469CFC6C


def zip_file(path: Path, description: bytes, storages: Mapping[str, bytes] | None = None, **options: object) -> Path:
    """Write a zip checkpoint; `options` go to `ZipFile`."""
    with zipfile.ZipFile(path, "w", **options) as archive:  # type: ignore[call-overload]
        archive.writestr("archive/data.pkl", description)
        archive.writestr("archive/byteorder", "little")
        for key, content in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", content)
    return path


def legacy_file(path: Path, description: bytes, storages: Mapping[str, tuple[int, bytes]] | None = None) -> Path:
    """Write a checkpoint of the older format; `storages` gives count and bytes by key."""
    storages = storages or {}
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts = [pickle.dumps(MAGIC, 2), pickle.dumps(1001, 2), pickle.dumps(system, 2), description]
    parts.append(pickle.dumps(list(storages), 2))
    parts += [struct.pack("<q", count) + content for count, content in storages.values()]
    path.write_bytes(b"".join(parts))
    return path


def text(value: str) -> bytes:
    """The instruction that pushes a text."""
    encoded = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def number(value: int) -> bytes:
    """The instruction that pushes a whole number."""
    content = value.to_bytes(16, "little", signed=True)
    return b"\x8a" + bytes([len(content)]) + content


def name(module: str, attribute: str) -> bytes:
    """The instruction that pushes a class or function."""
    return b"c" + module.encode() + b"\n" + attribute.encode() + b"\n"


def group(items: Iterable[bytes]) -> bytes:
    """The instructions that push a tuple."""
    return b"(" + b"".join(items) + b"t"


def call(module: str, attribute: str, *arguments: bytes) -> bytes:
    """The instructions that call a function."""
    return name(module, attribute) + group(arguments) + b"R"


def storage(key: str = "0", size: int = 4, kind: str = "FloatStorage") -> bytes:
    """The instructions that push a storage."""
    return group([text("storage"), name("torch", kind), text(key), text("cpu"), number(size)]) + b"Q"


def tensor(shape: Iterable[int], stride: Iterable[int], offset: int = 0, *, key: str = "0", size: int = 4) -> bytes:
    """The instructions that rebuild a tensor."""
    return call(
        "torch._utils",
        "_rebuild_tensor_v2",
        storage(key, size),
        number(offset),
        group(map(number, shape)),
        group(map(number, stride)),
        b"\x89",
        call("collections", "OrderedDict"),
    )


def program(*instructions: bytes) -> bytes:
    """A whole pickle."""
    return b"\x80\x02" + b"".join(instructions) + b"."
