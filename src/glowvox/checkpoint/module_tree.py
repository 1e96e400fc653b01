"""From a pickled module, now an inert record, to its named tensors: what `state_dict()` would have returned.

A torch module keeps its tensors in three dictionaries of its attributes, `_parameters`, `_buffers` and `_modules`;
the names are the paths through the last. This has not changed since torch 0.2, so old files read like new ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from glowvox.checkpoint.inert import Record, printable
from glowvox.checkpoint.lazy_tensor import LazyTensor
from glowvox.errors import CheckpointError

_MAX_DEPTH = 40
_MAX_MODULES = 100_000


@dataclass(frozen=True)
class ModuleTree:
    """What a pickled module holds."""

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
        if depth > _MAX_DEPTH or len(tree.classes) > _MAX_MODULES:
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
