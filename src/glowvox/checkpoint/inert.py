"""The values a foreign pickle may turn into: names, records and lists of plain data. None of them can do anything.

A pickle refers to classes and functions by name. Here such a name stays a name (`Global`) and an object of a foreign
class becomes a `Record` that only remembers what the file says about it.
"""

import re
import sys
from dataclasses import dataclass, field
from typing import Any

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
    """Return the inert name of a class or function.

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
