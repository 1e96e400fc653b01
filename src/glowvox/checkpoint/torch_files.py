"""Opening checkpoints that torch.save wrote, of either format, without running anything in them.

A published checkpoint is a pickle, and a pickle is a program: loaded in the ordinary way it may run whatever its author
wished. `torch.load(weights_only=True)` runs none of those programs, and with empty stand-in classes it opens the
published files; but it reads neither modules in the older format nor pickles of protocol 4 and later, needs PyTorch,
and has no budget: a file of 400 bytes makes it take a gigabyte. So this package reads pickles with an interpreter of
its own (`pickle_machine`): foreign classes become plain records, the few functions that rebuild tensors come from a
fixed table, and nothing is imported, called or looked up by a name from the file. A subclass of `pickle.Unpickler`
would be shorter, but cannot bound what a file makes it allocate, hash or memorise.

What a hostile file may try, and where it is stopped:

- calling something: `named_global` and `reduce_value`;
- endless or deeply nested pickles, memo and copy bombs: the step budget of the machine, and the depth check here;
- tensors larger than the file: `lazy_tensor`, `ZipStorages`, `LegacyStorages`;
- compressed, overlapping, duplicate or travelling zip entries: `ZipStorages`.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from glowvox.checkpoint.pickle_machine import LazyTensor, PickleMachine, Record, StorageFile, printable, storage_from_id
from glowvox.errors import CheckpointError

MAX_PICKLE_BYTES = 64 << 20
"""The longest pickle that is read: the description of a checkpoint, without its numbers, takes a few megabytes."""
_MAX_DIRECTORY_BYTES = 8 << 20
_KEY = re.compile(r"[0-9A-Za-z_]{1,40}")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_END = struct.Struct("<4sHHHHIIH")
_END_64_LOCATOR = struct.Struct("<4sIQI")


@final
class ZipStorages(StorageFile):
    """The storages of a checkpoint since torch 1.6: a zip with one pickle and an entry per storage.

    Every entry's place and size is checked when the file is opened.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and check its directory.

        Raises:
            CheckpointError: not a torch zip, damaged, or made to exhaust memory.
        """
        self._bytes = np.memmap(path, np.uint8, "r")
        super().__init__(len(self._bytes))
        _refuse_large_directory(self._bytes)
        self._verified: set[str] = set()
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, struct.error) as error:
            raise CheckpointError(f"its zip directory is damaged or truncated ({printable(error)})") from None
        self._entries = _checked_entries(entries, len(self._bytes))
        roots = {name.split("/", 1)[0] for name in self._entries}
        if len(roots) != 1:
            raise CheckpointError("it is a zip, but not one that torch.save wrote; give the checkpoint inside of it")
        self._root = roots.pop()
        if f"{self._root}/data.pkl" not in self._entries:
            raise CheckpointError("it is a zip, but not one that torch.save wrote (it has no data.pkl)")
        if any(name.startswith(f"{self._root}/code/") for name in self._entries):
            raise CheckpointError(
                "it is a TorchScript program, not a checkpoint; save the model's state_dict() instead"
            )
        self._order: Literal["<", ">"] = "<"
        if f"{self._root}/byteorder" in self._entries:
            written = self._entry("byteorder").tobytes()
            if written not in (b"little", b"big"):
                raise CheckpointError("its byte order is neither little nor big; the file is damaged")
            self._order = "<" if written == b"little" else ">"

    @property
    def byte_order(self) -> Literal["<", ">"]:
        """'<' or '>': how the file writes numbers."""
        return self._order

    def load(self) -> Any:
        """Return the value of the pickle inside.

        Raises:
            CheckpointError: the pickle is damaged, hostile or too large.
        """
        description = self._entry("data.pkl")
        if len(description) > MAX_PICKLE_BYTES:
            raise CheckpointError(f"its pickle has {len(description):,} bytes; at most {MAX_PICKLE_BYTES:,} are read")
        return PickleMachine(description.tobytes(), 0, lambda identity: storage_from_id(identity, self)).run()[0]

    def raw(self, key: str, n_bytes: int) -> np.ndarray:
        """Return the bytes of a storage as a read-only uint8 array.

        Raises:
            CheckpointError: the storage is missing, of another size or damaged.
        """
        if not _KEY.fullmatch(key) or f"{self._root}/data/{key}" not in self._entries:
            raise CheckpointError(f"it has no storage {printable(key)}; the file is truncated or damaged")
        values = self._entry(f"data/{key}")
        if len(values) != n_bytes:
            raise CheckpointError(
                f"its storage {printable(key)} has {len(values):,} bytes where {printable(n_bytes)} are claimed; "
                "the file is damaged or hostile"
            )
        return values

    def check(self, key: str, n_bytes: int) -> None:
        """Check, without reading it, that a storage is there in the size claimed.

        Raises:
            CheckpointError: it is not.
        """
        entry = self._entries.get(f"{self._root}/data/{key}") if _KEY.fullmatch(key) else None
        if entry is None or entry.file_size != n_bytes:
            there = "is not in the file" if entry is None else f"has {entry.file_size:,} bytes in the file"
            raise CheckpointError(
                f"a storage is said to have {printable(n_bytes)} bytes but {there}; the file is damaged or hostile"
            )

    def _entry(self, name: str) -> np.ndarray:
        entry = self._entries[f"{self._root}/{name}"]
        header = self._bytes[entry.header_offset : entry.header_offset + _LOCAL_HEADER.size].tobytes()
        if len(header) < _LOCAL_HEADER.size:
            raise CheckpointError("its zip directory points outside the file; the file is truncated or damaged")
        signature, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        start = entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        values = self._bytes[start : start + entry.file_size]
        if signature != b"PK\x03\x04" or len(values) != entry.file_size:
            raise CheckpointError("its zip directory points outside the file; the file is truncated or damaged")
        # torch can be told to leave the checksums out; they are zero then.
        if name not in self._verified and entry.CRC and zlib.crc32(values.data) != entry.CRC:
            raise CheckpointError(f"the checksum of its part {printable(name)} is wrong; the file is damaged")
        self._verified.add(name)
        return values


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip does."""
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


def _refuse_large_directory(content: np.ndarray) -> None:
    # zipfile makes an object of each directory entry before anybody can look at them.
    tail = content[-(_END.size + 65535) :].tobytes()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise CheckpointError("its zip directory is missing; the file is truncated")
    size = _END.unpack_from(tail, at)[5]
    locator = at - _END_64_LOCATOR.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        place = _END_64_LOCATOR.unpack_from(tail, locator)[2]
        record = content[place : place + 48].tobytes() if place < len(content) else b""
        if len(record) == 48:
            size = max(size if size != 0xFFFFFFFF else 0, struct.unpack_from("<Q", record, 40)[0])
    if size > _MAX_DIRECTORY_BYTES:
        raise CheckpointError(f"its zip directory has {size:,} bytes; at most {_MAX_DIRECTORY_BYTES:,} are read")


def _checked_entries(entries: list[zipfile.ZipInfo], file_size: int) -> dict[str, zipfile.ZipInfo]:
    result: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.filename
        if name in result:
            raise CheckpointError(f"its zip has two entries called {printable(name)}; the file may be hostile")
        if name.startswith("/") or "\\" in name or ".." in name.split("/") or ":" in name.split("/")[0]:
            raise CheckpointError(f"its zip has an entry called {printable(name)}; the file may be hostile")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise CheckpointError("its zip is compressed, which torch.save never does; save it again with torch")
        result[name] = entry
    if sum(entry.file_size for entry in entries) > file_size:
        raise CheckpointError("its zip entries overlap or claim more bytes than the file has; the file may be hostile")
    return result


_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_COUNT_BYTES = 8


@final
class LegacyStorages(StorageFile):
    """The storages of a checkpoint of before torch 1.6: five pickles in a row, then the storages one after the other.

    The pickles are a magic number, a protocol version, facts about the machine, the saved value, and the list of
    storage keys in file order. Each storage is a 64-bit count followed by its numbers.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and check its head.

        Raises:
            CheckpointError: not a torch checkpoint.
        """
        self._bytes = np.memmap(path, np.uint8, "r")
        super().__init__(len(self._bytes))
        self._head = self._bytes[:MAX_PICKLE_BYTES].tobytes()
        self._claimed: dict[str, int] = {}
        self._places: dict[str, int] = {}
        try:
            magic, self._at = PickleMachine(self._head, 0, _no_storage).run()
        except CheckpointError:
            magic = None
        if self._head.startswith(_LFS_POINTER):
            raise CheckpointError("it is a pointer of Git LFS, not the file itself; fetch that with 'git lfs pull'")
        if magic != _MAGIC:
            raise CheckpointError("it is not a file that torch.save wrote (neither a zip nor the older format)")
        version, machine = self._next(_no_storage), self._next(_no_storage)
        if version != _PROTOCOL_VERSION or not isinstance(machine, dict):
            raise CheckpointError("it is of an unknown version of torch's older format; save it with a newer torch")
        self._order: Literal["<", ">"] = "<" if machine.get("little_endian", True) else ">"

    @property
    def byte_order(self) -> Literal["<", ">"]:
        """'<' or '>': how the file writes numbers."""
        return self._order

    def load(self) -> Any:
        """Return the value of the main pickle.

        Raises:
            CheckpointError: a pickle is damaged, hostile or too large, or the storages do not fill the file as claimed.
        """
        value = self._next(lambda identity: storage_from_id(identity, self))
        keys = self._next(_no_storage)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise CheckpointError("its list of storages is damaged")
        if len(set(keys)) != len(keys) or set(keys) != set(self._claimed):
            raise CheckpointError("its list of storages does not fit its tensors; the file is damaged")
        self._find_storages(keys)
        return value

    def raw(self, key: str, n_bytes: int) -> np.ndarray:
        """Return the bytes of a storage as a read-only uint8 array.

        Raises:
            CheckpointError: the storage is missing or of another size.
        """
        if self._claimed.get(key) != n_bytes or key not in self._places:
            raise CheckpointError(f"it has no storage {printable(key)} of {printable(n_bytes)} bytes")
        return self._bytes[self._places[key] : self._places[key] + n_bytes]

    def check(self, key: str, n_bytes: int) -> None:
        """Note a storage that the pickle names, which must fit into the file together with the others.

        Raises:
            CheckpointError: it does not fit, or has been named with another size.
        """
        if self._claimed.setdefault(key, n_bytes) != n_bytes or n_bytes > len(self._bytes):
            raise CheckpointError(
                f"a storage is said to have {printable(n_bytes)} bytes, which the file does not hold; "
                "it is damaged or hostile"
            )

    def _next(self, persistent: Any) -> Any:
        value, self._at = PickleMachine(self._head, self._at, persistent).run()
        return value

    def _find_storages(self, keys: list[str]) -> None:
        at = self._at
        for key in keys:
            # The count is in numbers, of which the pickle has said how long they are.
            if at + _COUNT_BYTES + self._claimed[key] > len(self._bytes):
                raise CheckpointError("it ends before its last storage; the file is truncated or hostile")
            count = int.from_bytes(self._bytes[at : at + _COUNT_BYTES].tobytes(), "little", signed=True)
            if self._claimed[key] not in (count * width for width in (1, 2, 4, 8, 16)):
                raise CheckpointError(
                    f"its storage {printable(key)} does not have the size claimed; the file is damaged"
                )
            self._places[key] = at + _COUNT_BYTES
            at += _COUNT_BYTES + self._claimed[key]


def _no_storage(identity: Any) -> Any:
    raise CheckpointError("its head refers to storages; the file is damaged")


_MAX_DEPTH = 100


def read_torch_file(path: str | Path) -> Any:
    """Return what a torch checkpoint holds, as plain containers, scalars, `LazyTensor`s and `Record`s.

    Args:
        path: a file that torch.save wrote, in the zip format (torch 1.6 and later) or the older one.

    Raises:
        CheckpointError: the file is missing, empty, not torch's, truncated, damaged or hostile; one line says which.
    """
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path}: is a folder; name the checkpoint's file in it")
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such file")
    try:
        if path.stat().st_size == 0:
            raise CheckpointError("the file is empty; download or copy it again")
        container = ZipStorages(path) if is_zip(path) else LegacyStorages(path)
        value = container.load()
        _refuse_deep(value)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    return value


def _refuse_deep(value: Any) -> None:
    """Refuse values so deep that a careless reader of them would recurse to death.

    Breadth first and each value once: a structure that refers to itself, or shares its parts, costs no more.
    """
    seen: set[int] = set()
    level = [value]
    for _ in range(_MAX_DEPTH):
        following = []
        for item in level:
            for part in _parts(item):
                if id(part) not in seen:
                    seen.add(id(part))
                    following.append(part)
        if not following:
            return
        level = following
    raise CheckpointError(f"its values are nested more than {_MAX_DEPTH} deep; the file may be hostile")


def _parts(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [part for part in item.values() if isinstance(part, dict | list | tuple | Record)]
    if isinstance(item, list | tuple):
        return [part for part in item if isinstance(part, dict | list | tuple | Record)]
    if isinstance(item, Record):
        return [item.state, item.items, item.entries, item.arguments]
    return []


_MAX_MODULE_DEPTH = 40
_MAX_MODULES = 100_000


@dataclass(frozen=True)
class ModuleTree:
    """What a pickled module holds: what its `state_dict()` would have returned, and its plain attributes.

    A torch module keeps its tensors in `_parameters`, `_buffers` and `_modules`, since torch 0.2; the names are the
    paths through the last.
    """

    tensors: dict[str, LazyTensor] = field(default_factory=dict)
    """Parameters and buffers by their path."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """Numbers, flags, texts and tuples of numbers of each module, by path."""
    classes: dict[str, str] = field(default_factory=dict)
    """The class of each module, by path; the root's path is ''."""


def is_module(value: Any) -> bool:
    """Whether a value of a foreign file is a pickled torch module."""
    return isinstance(value, Record) and "_modules" in value.state and "_parameters" in value.state


def walk_module(root: Record) -> ModuleTree:
    """Collect the tensors of a pickled module.

    Raises:
        CheckpointError: the tree is deeper or larger than any model, or is not one.
    """
    tree = ModuleTree()
    pending: list[tuple[str, Any, int]] = [("", root, 0)]
    while pending:
        path, module, depth = pending.pop()
        if not isinstance(module, Record):
            raise CheckpointError(f"its module {printable(path)} is not a module; the file is damaged")
        if depth > _MAX_MODULE_DEPTH or len(tree.classes) > _MAX_MODULES:
            raise CheckpointError(
                "its modules are nested deeper, or are more, than any model's; the file may be hostile"
            )
        tree.classes[path] = str(module.kind)
        for group in ("_parameters", "_buffers"):
            for name, tensor in _entries(module, group):
                if isinstance(tensor, LazyTensor):
                    tree.tensors[_join(path, name)] = tensor
        for name, value in module.state.items():
            if _is_plain(value) and not name.startswith("_"):
                tree.attributes[_join(path, name)] = value
        children = [(name, child) for name, child in _entries(module, "_modules") if child is not None]
        pending += [(_join(path, name), child, depth + 1) for name, child in reversed(children)]
    return tree


def _entries(module: Record, group: str) -> Iterator[tuple[str, Any]]:
    held = module.state.get(group)
    if isinstance(held, Record):
        held = held.items
    if held is None:
        return
    if not isinstance(held, dict) or not all(isinstance(name, str) and len(name) < 200 for name in held):
        raise CheckpointError(f"a module's {group} is not a dictionary of names; the file is damaged")
    yield from held.items()


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return len(value) < 10 and all(type(part) in (int, float) for part in value)
    return type(value) in (int, float, bool, str)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
