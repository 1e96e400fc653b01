"""What REDUCE may do in a foreign pickle: a fixed table of pure functions over inert values.

Every entry is the inert counterpart of a function that torch, NumPy or the standard library names in real
checkpoints. Anything else a pickle asks to be called is refused.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from glowvox.checkpoint.inert import Global, Record, is_scalar, printable
from glowvox.checkpoint.lazy_tensor import LazyTensor, lazy_tensor
from glowvox.errors import CheckpointError

_MAX_COPIED = 1_000_000
_NUMPY_NUMBERS = frozenset(["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"])


def reduce_inert(function: Any, arguments: Any) -> Any:
    """Return what calling `function` on `arguments` stands for, without calling it.

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
    return reduce_inert(function, arguments)


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
