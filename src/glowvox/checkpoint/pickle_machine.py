"""An interpreter for the part of the pickle language that checkpoints use, which cannot call anything.

A pickle is a program for a stack machine. Python's own interpreter looks up the names it mentions and calls them; with
`find_class` overridden it still calls what it is given, grows its memo to any index that a file names, and can be made
to hash or compare structures of exponential size. This one has 50 instructions, keeps names as names, builds
containers, numbers and text itself, hands REDUCE to a fixed table of pure functions (`reducers`), accepts only plain
scalars as keys, and stops at a budget of steps that bounds both time and memory. It does not recurse.
"""

from collections.abc import Callable
from typing import Any, final

from glowvox.checkpoint.inert import Global, Record, is_scalar, named_global, printable
from glowvox.checkpoint.lazy_tensor import LazyTensor
from glowvox.checkpoint.pickle_bytes import PickleBytes
from glowvox.checkpoint.reducers import reduce_inert
from glowvox.errors import CheckpointError

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
        self._push_container(reduce_inert(function, arguments))

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
