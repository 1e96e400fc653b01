"""An interpreter for the part of the pickle language that checkpoints use, which cannot call anything.

A pickle is a program for a stack machine. Python's own interpreter looks up the names it mentions and calls them; with
`find_class` overridden it still calls what it is given, grows its memo to any index that a file names, and can be made
to hash or compare structures of exponential size. This one has 50 instructions, keeps names as names, builds
containers, numbers and text itself, hands REDUCE to a fixed table of pure functions (`reducers`), accepts only plain
scalars as keys, and stops at a budget of steps that bounds both time and memory. It does not recurse.

What a pickle may turn into can do nothing: a name stays a name (`Global`), an object of a foreign class becomes a
`Record`. Tensors are read only when asked for (a checkpoint with its optimiser may be ten times the model), and in
NumPy, so that no native code of a deep-learning library sees a foreign file and a mel in a `.pt` needs no PyTorch.
"""

import math
import re
import struct
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, final

import numpy as np

from glowvox.errors import CheckpointError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_PYTHON_2_MODULES = frozenset({"__builtin__", "copy_reg", "cPickle", "commands", "exceptions", "popen2", "urllib2"})
_STANDARD_MODULES = sys.stdlib_module_names | _PYTHON_2_MODULES
_PLAIN_TYPES = (
    "set frozenset dict list tuple object int long float complex bool str unicode bytes bytearray slice range type"
)
_HARMLESS = frozenset(
    [(module, name) for module in ("builtins", "__builtin__") for name in _PLAIN_TYPES.split()]
    + [("collections", name) for name in ("OrderedDict", "defaultdict", "Counter", "deque")]
    + [("datetime", name) for name in ("datetime", "date", "timedelta", "timezone")]
    + [("pathlib", name) for name in ("Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")]
    + [("pathlib._local", name) for name in ("Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")]
    + [("argparse", "Namespace"), ("types", "SimpleNamespace"), ("uuid", "UUID"), ("_codecs", "encode")]
    + [("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor")]
)


@dataclass(frozen=True)
class Global:
    """The name of a class or function that a pickle refers to; never looked up, never called."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class Record:
    """An object of a foreign class, reduced to what the file says about it."""

    kind: Global
    """The class named by the file."""
    arguments: tuple[Any, ...] = ()
    """Arguments of the constructor that is not called."""
    state: dict[str, Any] = field(default_factory=dict)
    """The object's attributes."""
    items: dict[Any, Any] = field(default_factory=dict)
    """Entries, if the class is a mapping."""
    entries: list[Any] = field(default_factory=list)
    """Entries, if the class is a sequence."""

    def __repr__(self) -> str:
        return f"Record({self.kind})"


def named_global(module: str, name: str) -> Global:
    """Return a class or function as its name alone.

    Raises:
        CheckpointError: not a name, or one of Python's own functions and classes that no checkpoint needs; a file that
            refers to those is hostile or broken.
    """
    if len(module) + len(name) > 200 or not _NAME.fullmatch(module) or not _NAME.fullmatch(name):
        raise CheckpointError(f"it names the impossible class {printable(module + '.' + name)}")
    if module.split(".")[0] in _STANDARD_MODULES and (module, name) not in _HARMLESS:
        raise CheckpointError(
            f"it refers to '{module}.{name}', which no checkpoint needs; the file may be hostile and was not loaded"
        )
    return Global(module, name)


def is_scalar(value: Any) -> bool:
    """Whether a value may be a key: hashing anything nested can take a hostile file exponential time."""
    return type(value) in (str, int, float, bool, bytes, type(None))


def printable(text: Any, limit: int = 80) -> str:
    """Return text of a foreign file quoted for a message: one line, no control characters, of bounded length."""
    shown = str(text)
    return ascii(shown if len(shown) <= limit else shown[:limit] + "...")


_MAX_DIMENSIONS = 16
_MAX_NUMBER = 1 << 48  # keeps every byte offset within 64 bits, whatever the type

STORAGE_TYPES: dict[str, str] = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "BFloat16Storage": "bf16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "u1",  # a file may hold bytes other than 0 and 1, which NumPy's bool does not expect
    "ComplexFloatStorage": "c8",
    "ComplexDoubleStorage": "c16",
}
"""The number type of each of torch's storage classes, as NumPy writes it (`bf16` apart, which NumPy lacks)."""


class StorageFile(ABC):
    """The open file that storages are read from; it keeps an account of what has been read."""

    def __init__(self, file_size: int) -> None:
        # Views of one storage may be read several times, and 16-bit values grow when converted; but a file that
        # makes us copy more than a few times its own size is an attack.
        self._copy_budget = 4 * file_size + (1 << 26)

    @abstractmethod
    def raw(self, key: str, n_bytes: int) -> np.ndarray:
        """Return the bytes of a storage as a read-only uint8 array.

        Raises:
            CheckpointError: the file does not hold this storage in this size.
        """

    @abstractmethod
    def check(self, key: str, n_bytes: int) -> None:
        """Check, without reading it, that a storage is there in the size claimed.

        Raises:
            CheckpointError: it is not.
        """

    @property
    @abstractmethod
    def byte_order(self) -> Literal["<", ">"]:
        """'<' or '>': how the file writes numbers."""

    def charge(self, n_bytes: int) -> None:
        """Account for `n_bytes` to be copied.

        Raises:
            CheckpointError: more than the file can honestly need.
        """
        self._copy_budget -= n_bytes
        if self._copy_budget < 0:
            raise CheckpointError("its tensors unfold to many times the size of the file; it was not loaded")


@final
@dataclass(frozen=True, eq=False)
class Storage:
    """A run of numbers in the file."""

    file: StorageFile
    key: str
    number_type: str
    size: int

    @property
    def item_size(self) -> int:
        """Bytes of one number."""
        return 2 if self.number_type == "bf16" else np.dtype(self.number_type).itemsize


@final
@dataclass(frozen=True, eq=False)
class LazyTensor:
    """A tensor that has been checked against its storage but not read."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def n_elements(self) -> int:
        """How many numbers the tensor has."""
        return math.prod(self.shape)

    def read(self) -> np.ndarray:
        """Return the values as a new contiguous array in the machine's byte order (bfloat16 becomes float32).

        Raises:
            CheckpointError: the file is damaged, or unfolds to far more than its size.
        """
        storage = self.storage
        storage.file.charge(self.n_elements * max(storage.item_size, 4))
        raw = storage.file.raw(storage.key, storage.size * storage.item_size)
        order = storage.file.byte_order
        is_bfloat = storage.number_type == "bf16"
        numbers = raw.view(np.dtype("u2" if is_bfloat else storage.number_type).newbyteorder(order))
        strides = tuple(step * storage.item_size for step in self.stride)
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides, writeable=False)
        if is_bfloat:
            return (view.astype("u4") << 16).view("f4")
        return view.astype(view.dtype.newbyteorder("="), order="C")


def lazy_tensor(storage: Any, offset: Any, shape: Any, stride: Any) -> LazyTensor:
    """Return the tensor a pickle describes, after checking that all of it lies inside its storage.

    Raises:
        CheckpointError: not a storage, or a shape, stride or offset outside of it.
    """
    if not isinstance(storage, Storage):
        raise CheckpointError("a tensor is built on something that is not a storage; the file is damaged or hostile")
    if not isinstance(shape, tuple) or not isinstance(stride, tuple) or len(shape) != len(stride):
        raise CheckpointError("a tensor's shape and stride do not fit; the file is damaged or hostile")
    if len(shape) > _MAX_DIMENSIONS or any(
        type(number) is not int or not 0 <= number < _MAX_NUMBER for number in (offset, *shape, *stride)
    ):
        raise CheckpointError("a tensor has an impossible shape, stride or offset; the file is damaged or hostile")
    n_elements = math.prod(shape)
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True)) if n_elements else 0
    if n_elements > storage.size or (n_elements and last >= storage.size) or offset > storage.size:
        raise CheckpointError(
            f"a tensor claims {printable_count(max(n_elements, last + 1))} values where its storage holds "
            f"{printable_count(storage.size)}; the file is damaged or hostile"
        )
    return LazyTensor(storage, offset, shape, stride)


def printable_count(number: int) -> str:
    """Return a count for a message; counts of a hostile file can have hundreds of digits."""
    return f"{number:,}" if number < 1 << 63 else "more than 2^63"


_STORAGE_MODULES = ("torch", "torch.cuda", "torch.storage")


def storage_from_id(identity: Any, file: StorageFile) -> Any:
    """Return the storage that a persistent identifier names, or the class of an old module.

    Args:
        identity: `('storage', type, key, location, size)`, in old files with a sixth part for views; or, in old
            files, `('module', class, source file, source)`.
        file: where the storages lie.

    Raises:
        CheckpointError: neither of the two, or a storage that the file does not hold.
    """
    if isinstance(identity, tuple) and len(identity) == 4 and identity[0] == "module":
        if not isinstance(identity[1], Global):
            raise CheckpointError("its pickle names a module by something that is not a class; the file is damaged")
        return identity[1]
    if not isinstance(identity, tuple) or len(identity) not in (5, 6) or identity[0] != "storage":
        raise CheckpointError("its pickle refers to something outside of it that is not a storage; not loaded")
    _, kind, key, _, size = identity[:5]
    if len(identity) == 6 and identity[5] is not None:
        raise CheckpointError(
            "its storages are views of each other, as torch 0.3 wrote them; save it with a newer torch"
        )
    number_type = STORAGE_TYPES.get(kind.name) if isinstance(kind, Global) and kind.module in _STORAGE_MODULES else None
    if number_type is None:
        raise CheckpointError(f"its numbers are of an unknown storage type {printable(kind)}; not loaded")
    if not isinstance(key, str) or type(size) is not int or not 0 <= size < 1 << 48:
        raise CheckpointError("a storage has an impossible key or size; the file is damaged or hostile")
    storage = Storage(file, key, number_type, size)
    file.check(key, size * storage.item_size)
    return storage


_MAX_COPIED = 1_000_000
_NUMPY_NUMBERS = frozenset(["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"])


def reduce_value(function: Any, arguments: Any) -> Any:
    """Return what calling `function` on `arguments` stands for, without calling it.

    The table has the functions that torch, NumPy and the standard library name in real checkpoints, as pure functions
    over plain values; anything else that REDUCE asks for is refused.

    Raises:
        CheckpointError: the pickle asks for a call that is not in the table, or with arguments of the wrong form.
    """
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        raise CheckpointError("its pickle calls something that is not a function; the file is damaged or hostile")
    reducer = _REDUCERS.get((function.module, function.name))
    if reducer is None:
        raise CheckpointError(f"it asks to run '{function}'; the file may be hostile and was not loaded")
    if reducer is Record:
        return Record(function, arguments)
    try:
        return reducer(*arguments)
    except TypeError:
        raise CheckpointError(f"it calls {printable(function)} with the wrong arguments; the file is damaged") from None


def _tensor(
    storage: Any,
    offset: Any,
    shape: Any,
    stride: Any,
    requires_grad: Any = None,
    hooks: Any = None,
    metadata: Any = None,
) -> LazyTensor:
    return lazy_tensor(storage, offset, shape, stride)


def _parameter(data: Any, requires_grad: Any = None, hooks: Any = None, state: Any = None) -> LazyTensor:
    if not isinstance(data, LazyTensor):
        raise CheckpointError("a parameter is not a tensor; the file is damaged or hostile")
    return data


def _typed_tensor(function: Any, kind: Any, arguments: Any, state: Any) -> Any:
    if not isinstance(function, Global) or function.name not in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        raise CheckpointError("a tensor of a foreign class is built in an unknown way; the file was not loaded")
    return reduce_value(function, arguments)


def _dictionary(items: Any = ()) -> dict[Any, Any]:
    if isinstance(items, dict):
        items = list(items.items())
    if not isinstance(items, list | tuple) or len(items) > _MAX_COPIED:
        raise CheckpointError("its pickle builds a dictionary of something else; the file is damaged")
    result = {}
    for item in items:
        if not isinstance(item, list | tuple) or len(item) != 2 or not is_scalar(item[0]):
            raise CheckpointError("its pickle builds a dictionary of something else; the file is damaged")
        result[item[0]] = item[1]
    return result


def _default_dictionary(factory: Any = None, items: Any = ()) -> dict[Any, Any]:
    return _dictionary(items)


def _set(items: Any = ()) -> set[Any]:
    if not isinstance(items, list | tuple) or len(items) > _MAX_COPIED or not all(map(is_scalar, items)):
        raise CheckpointError("its pickle builds a set of something else; the file is damaged")
    return set(items)


def _size(items: Any = ()) -> tuple[Any, ...]:
    if not isinstance(items, list | tuple) or len(items) > _MAX_COPIED:
        raise CheckpointError("its pickle builds a size of something else; the file is damaged")
    return tuple(items)


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    # Protocol 2 has no bytes: Python 3 writes them as text in latin-1.
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise CheckpointError("its pickle encodes something that is not text; the file is damaged")
    return text.encode("latin-1", "replace")


def _reconstructed(kind: Any, base: Any, state: Any) -> Record:
    if not isinstance(kind, Global):
        raise CheckpointError("its pickle makes an object of something that is not a class; the file is damaged")
    return Record(kind)


def _numpy_scalar(kind: Any, data: Any = b"") -> float | int:
    code = kind.arguments[0] if isinstance(kind, Record) and kind.arguments else None
    if code not in _NUMPY_NUMBERS or not isinstance(data, bytes) or len(data) != np.dtype(code).itemsize:
        raise CheckpointError("its pickle has a NumPy number of an unknown kind; the file was not loaded")
    number = np.frombuffer(data, np.dtype(code).newbyteorder("<"))[0].item()
    return number if math.isfinite(number) else float(number)


_REDUCERS: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _typed_tensor,
    ("torch", "Size"): _size,
    ("collections", "OrderedDict"): _dictionary,
    ("collections", "Counter"): _dictionary,
    ("collections", "defaultdict"): _default_dictionary,
    ("builtins", "set"): _set,
    ("__builtin__", "set"): _set,
    ("builtins", "frozenset"): _set,
    ("__builtin__", "frozenset"): _set,
    ("_codecs", "encode"): _encode,
    ("copyreg", "_reconstructor"): _reconstructed,
    ("copy_reg", "_reconstructor"): _reconstructed,
    ("numpy.core.multiarray", "scalar"): _numpy_scalar,
    ("numpy._core.multiarray", "scalar"): _numpy_scalar,
    ("numpy.core.multiarray", "_reconstruct"): Record,
    ("numpy._core.multiarray", "_reconstruct"): Record,
    ("numpy", "dtype"): Record,
    ("torch", "device"): Record,
    ("torch.serialization", "_get_layout"): Record,
    ("argparse", "Namespace"): Record,
    **{
        (module, name): Record
        for module in ("pathlib", "pathlib._local")
        for name in ("Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
    },
    **{("datetime", name): Record for name in ("datetime", "date", "timedelta", "timezone")},
}


_UNSIGNED = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}
_MAX_NAME = 256


@final
class PickleBytes:
    """A place in a file's bytes that moves forward; what ends too early is an error, never a short read.

    Attributes:
        at: the position of the next byte.
    """

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self.at = start

    def next_code(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def take(self, n_bytes: int) -> bytes:
        """Return the next `n_bytes`.

        Raises:
            CheckpointError: there are fewer.
        """
        end = self.at + n_bytes
        if end > len(self._data):
            raise CheckpointError("its pickle ends early; the file is truncated or damaged")
        piece = self._data[self.at : end]
        self.at = end
        return piece

    def unsigned(self, width: int) -> int:
        """Return an unsigned number of 1, 2, 4 or 8 bytes."""
        return int(struct.unpack(_UNSIGNED[width], self.take(width))[0])

    def signed(self, width: int) -> int:
        """Return a signed number of at most 16 bytes.

        Raises:
            CheckpointError: it is longer, as no number in a checkpoint is.
        """
        if width > 16:
            raise CheckpointError("its pickle has an integer of more than 16 bytes; the file may be hostile")
        return int.from_bytes(self.take(width), "little", signed=True)

    def double(self) -> float:
        """Return a big-endian double."""
        return float(struct.unpack(">d", self.take(8))[0])

    def sized(self, width: int) -> bytes:
        """Return bytes preceded by their count, a number of `width` bytes."""
        return self.take(self.unsigned(width))

    def line(self) -> str:
        """Return the text up to the next line feed.

        Raises:
            CheckpointError: there is none nearby.
        """
        end = self._data.find(b"\n", self.at, self.at + _MAX_NAME)
        if end < 0:
            raise CheckpointError("its pickle has a name without an end; the file is damaged")
        text = self._data[self.at : end].decode("utf-8")
        self.at = end + 1
        return text


STEP_BUDGET = 4_000_000
"""Steps a pickle may take, a step standing for some 40 bytes: an instruction is one, a new container several.

The published checkpoints take some ten thousand, with the optimiser of a large model some hundred thousand.
"""
_CONTAINER_STEPS = 4
_SET_STEPS = 8
_MAX_MARKS = 1000


@final
class PickleMachine:
    """One run over one pickle."""

    def __init__(self, data: bytes, start: int, persistent: Callable[[Any], Any]) -> None:
        """Prepare to read the pickle at `start` of `data`.

        Args:
            data: the bytes of the file, or its first part.
            start: where the pickle begins.
            persistent: turns a persistent identifier (a storage, in torch's files) into a value.
        """
        self._bytes = PickleBytes(data, start)
        self._persistent = persistent
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._steps = STEP_BUDGET

    def run(self) -> tuple[Any, int]:
        """Return the value and the position after the pickle; a `CheckpointError` says what is wrong with it."""
        try:
            while True:
                code = self._bytes.next_code()
                self._spend(1)
                if code == _STOP:
                    return self._stack.pop(), self._bytes.at
                instruction = _INSTRUCTIONS.get(code)
                if instruction is None:
                    raise CheckpointError(f"its pickle has the instruction 0x{code:02x}, which no checkpoint uses")
                instruction(self)
        except IndexError:
            raise CheckpointError("its pickle ends early or lacks a value; the file is truncated or damaged") from None
        except UnicodeDecodeError:
            raise CheckpointError("its pickle has text that is not UTF-8; the file is damaged") from None

    def _spend(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise CheckpointError(f"its pickle takes more than {STEP_BUDGET:,} steps; the file may be hostile")

    def _push_container(self, value: Any) -> None:
        self._spend(_SET_STEPS if isinstance(value, set | frozenset) else _CONTAINER_STEPS)
        self._stack.append(value)

    def _pop_to_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _mark(self) -> None:
        if len(self._marked) >= _MAX_MARKS:
            raise CheckpointError("its pickle is nested too deeply; the file may be hostile")
        self._marked.append(self._stack)
        self._stack = []

    def _put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def _get(self, index: int) -> None:
        if index not in self._memo:
            raise CheckpointError("its pickle refers to a value that is not there; the file is damaged")
        self._stack.append(self._memo[index])

    def _text(self, width: int) -> None:
        self._stack.append(self._bytes.sized(width).decode("utf-8", "surrogatepass"))

    def _tuple(self, count: int) -> None:
        items = tuple(self._stack[-count:])
        if len(items) != count:
            raise IndexError
        del self._stack[-count:]
        self._push_container(items)

    def _global(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise CheckpointError("its pickle names a class by something that is not text; the file is damaged")
        self._push_container(named_global(module, name))

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._global(module, name)

    def _reduce(self) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if isinstance(arguments, tuple):
            # A long list that the memo hands out again and again could otherwise be copied a million times.
            self._spend(len(arguments) + sum(_copy_steps(argument) for argument in arguments))
        self._push_container(reduce_value(function, arguments))

    def _new_object(self, *, keywords: bool) -> None:
        state = self._stack.pop() if keywords else {}
        arguments, kind = self._stack.pop(), self._stack.pop()
        if not isinstance(kind, Global) or not isinstance(arguments, tuple) or not isinstance(state, dict):
            raise CheckpointError("its pickle makes an object of something that is not a class; the file is damaged")
        self._push_container(Record(kind, arguments))

    def _build(self) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        if isinstance(target, Record):
            parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
            named = [part for part in parts if isinstance(part, dict)]
            for part in named:
                self._spend(len(part))
                target.state.update((key, value) for key, value in part.items() if isinstance(key, str))
            if not named:
                target.state["state"] = state
        elif not isinstance(target, dict | LazyTensor):
            raise CheckpointError("its pickle sets attributes of a plain value; the file is damaged")

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        mapping = target.items if isinstance(target, Record) else target
        if not isinstance(mapping, dict) or len(items) % 2:
            raise CheckpointError("its pickle fills something that is not a dictionary; the file is damaged")
        for key, value in zip(items[::2], items[1::2], strict=True):
            mapping[_scalar(key)] = value

    def _append(self, items: list[Any]) -> None:
        target = self._stack[-1]
        entries = target.entries if isinstance(target, Record) else target
        if not isinstance(entries, list):
            raise CheckpointError("its pickle extends something that is not a list; the file is damaged")
        entries.extend(items)

    def _add_items(self) -> None:
        items = self._pop_to_mark()
        target = self._stack[-1]
        if not isinstance(target, set):
            raise CheckpointError("its pickle extends something that is not a set; the file is damaged")
        target.update(_scalar(item) for item in items)

    def _protocol(self) -> None:
        if self._bytes.unsigned(1) not in (2, 3, 4, 5):
            raise CheckpointError(
                "its pickle is of a protocol that torch does not write (2 to 5); re-save it with torch"
            )

    def _drop_to_mark(self) -> None:
        self._stack = self._marked.pop()

    def _frame(self) -> None:
        self._bytes.take(8)

    def _persistent_id(self) -> None:
        self._push_container(self._persistent(self._stack.pop()))

    def _dictionary(self) -> None:
        items = self._pop_to_mark()
        self._push_container({})
        self._set_items(items)


def _copy_steps(value: Any) -> int:
    if isinstance(value, str | bytes):
        return len(value) // 16
    return len(value) if isinstance(value, list | tuple | dict | set) else 0


def _scalar(key: Any) -> Any:
    if not is_scalar(key):
        raise CheckpointError(f"its pickle has a dictionary key of type {printable(type(key).__name__)}; not loaded")
    return key


_STOP = ord(".")
_INSTRUCTIONS: dict[int, Callable[[PickleMachine], None]] = {
    0x80: PickleMachine._protocol,
    0x95: PickleMachine._frame,  # a hint of length, of no use here
    ord("("): PickleMachine._mark,
    ord("0"): lambda m: m._stack.__delitem__(-1),
    ord("1"): PickleMachine._drop_to_mark,
    ord("2"): lambda m: m._stack.append(m._stack[-1]),
    ord("q"): lambda m: m._put(m._bytes.unsigned(1)),
    ord("r"): lambda m: m._put(m._bytes.unsigned(4)),
    0x94: lambda m: m._put(len(m._memo)),
    ord("h"): lambda m: m._get(m._bytes.unsigned(1)),
    ord("j"): lambda m: m._get(m._bytes.unsigned(4)),
    ord("N"): lambda m: m._stack.append(None),
    0x88: lambda m: m._stack.append(True),
    0x89: lambda m: m._stack.append(False),
    ord("K"): lambda m: m._stack.append(m._bytes.unsigned(1)),
    ord("M"): lambda m: m._stack.append(m._bytes.unsigned(2)),
    ord("J"): lambda m: m._stack.append(m._bytes.signed(4)),
    0x8A: lambda m: m._stack.append(m._bytes.signed(m._bytes.unsigned(1))),
    0x8B: lambda m: m._stack.append(m._bytes.signed(m._bytes.unsigned(4))),
    ord("G"): lambda m: m._stack.append(m._bytes.double()),
    0x8C: lambda m: m._text(1),
    ord("X"): lambda m: m._text(4),
    0x8D: lambda m: m._text(8),
    ord("U"): lambda m: m._stack.append(m._bytes.sized(1).decode("latin-1")),
    ord("T"): lambda m: m._stack.append(m._bytes.sized(4).decode("latin-1")),
    ord("C"): lambda m: m._stack.append(m._bytes.sized(1)),
    ord("B"): lambda m: m._stack.append(m._bytes.sized(4)),
    0x8E: lambda m: m._stack.append(m._bytes.sized(8)),
    ord(")"): lambda m: m._stack.append(()),
    ord("t"): lambda m: m._push_container(tuple(m._pop_to_mark())),
    0x85: lambda m: m._tuple(1),
    0x86: lambda m: m._tuple(2),
    0x87: lambda m: m._tuple(3),
    ord("]"): lambda m: m._push_container([]),
    ord("l"): lambda m: m._push_container(m._pop_to_mark()),
    ord("a"): lambda m: m._append([m._stack.pop()]),
    ord("e"): lambda m: m._append(m._pop_to_mark()),
    ord("}"): lambda m: m._push_container({}),
    ord("d"): PickleMachine._dictionary,
    ord("s"): lambda m: m._set_items([m._stack.pop(), m._stack.pop()][::-1]),
    ord("u"): lambda m: m._set_items(m._pop_to_mark()),
    0x8F: lambda m: m._push_container(set()),
    0x90: PickleMachine._add_items,
    0x91: lambda m: m._push_container(frozenset(_scalar(item) for item in m._pop_to_mark())),
    ord("c"): lambda m: m._global(m._bytes.line(), m._bytes.line()),
    0x93: PickleMachine._stack_global,
    ord("R"): PickleMachine._reduce,
    0x81: lambda m: m._new_object(keywords=False),
    0x92: lambda m: m._new_object(keywords=True),
    ord("b"): PickleMachine._build,
    ord("Q"): PickleMachine._persistent_id,
}
